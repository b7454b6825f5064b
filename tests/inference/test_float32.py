"""Exact float32 beside code that allows less."""

import threading

import pytest
from torch import backends

from napari_defocus.inference.float32 import exact_float32

MATMUL, CONVOLUTION = backends.mkldnn.matmul, backends.cudnn.conv


@pytest.fixture(autouse=True)
def settings():
    before = MATMUL.fp32_precision, CONVOLUTION.fp32_precision
    MATMUL.fp32_precision, CONVOLUTION.fp32_precision = "bf16", "tf32"
    yield
    MATMUL.fp32_precision, CONVOLUTION.fp32_precision = before


def test_settings_of_other_code_are_restored():
    with exact_float32("cpu"):
        assert (MATMUL.fp32_precision, CONVOLUTION.fp32_precision) == ("ieee", "tf32")
    with exact_float32("cuda"):
        assert (MATMUL.fp32_precision, CONVOLUTION.fp32_precision) == ("bf16", "ieee")
    assert (MATMUL.fp32_precision, CONVOLUTION.fp32_precision) == ("bf16", "tf32")


def test_settings_are_restored_when_the_last_thread_is_done():
    entered, leave = threading.Event(), threading.Event()

    def other():
        with exact_float32("cpu"):
            entered.set()
            leave.wait()

    thread = threading.Thread(target=other)
    with exact_float32("cpu"):
        thread.start()
        entered.wait()
    assert MATMUL.fp32_precision == "ieee"
    leave.set()
    thread.join()
    assert MATMUL.fp32_precision == "bf16"
