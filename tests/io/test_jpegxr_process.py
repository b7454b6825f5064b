"""Decoding of JPEG XR in processes of its own, which a damaged stream cannot hang or kill."""

import imagecodecs
import numpy as np
import pytest

from napari_defocus.io import jpegxr_process
from napari_defocus.io.jpegxr_process import decode_jpegxr

PIXELS = np.random.default_rng(0).integers(0, 255, (32, 48, 3), np.uint8)
CONTENT = imagecodecs.jpegxr_encode(PIXELS, level=1.0)
MANY = 10**7


@pytest.fixture(autouse=True)
def no_process():
    """End the processes that other tests left, and those of this one."""
    jpegxr_process._close_all()
    yield
    jpegxr_process._close_all()


def test_images_are_decoded_by_one_process_after_another():
    for _ in range(3):
        np.testing.assert_array_equal(decode_jpegxr(CONTENT, MANY), PIXELS)
    assert len(jpegxr_process._idle) == 1


@pytest.mark.parametrize(
    ("content", "options"),
    [
        (b"", {}),
        (CONTENT[:100], {}),
        (CONTENT, {"largest": 100}),
        (CONTENT, {"shape": (32, 40, 3), "dtype": np.uint8}),
        (CONTENT, {"shape": (32, 48, 3), "dtype": np.uint16}),
    ],
)
def test_what_cannot_be_decoded_or_is_larger_is_refused(content, options):
    with pytest.raises(ValueError, match="cannot be decoded"):
        decode_jpegxr(content, **{"largest": MANY, **options})
    np.testing.assert_array_equal(decode_jpegxr(CONTENT, MANY, PIXELS.shape, np.uint8), PIXELS)


@pytest.mark.parametrize("program", ["import os; os.abort()", "while True: pass", "print(7)"])
def test_a_process_that_dies_or_hangs_is_replaced(monkeypatch, program):
    with monkeypatch.context() as patch:
        patch.setattr(jpegxr_process, "_PROGRAM", program)
        patch.setattr(jpegxr_process, "_SECONDS", 0.5)
        with pytest.raises(ValueError, match="cannot be decoded"):
            decode_jpegxr(CONTENT, 100)
    assert not jpegxr_process._idle
    np.testing.assert_array_equal(decode_jpegxr(CONTENT, MANY), PIXELS)
