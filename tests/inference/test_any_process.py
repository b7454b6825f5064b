"""Results in processes whose torch other code has set up, and in forked ones."""

import subprocess
import sys

import numpy as np
import pytest
import torch

from napari_defocus import deblur, estimate_defocus
from napari_defocus.models import load


def results():
    """Return maps of one and of two views and a sharp image, by networks that are loaded anew."""
    load._load.cache_clear()
    image = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    right = np.roll(image, 2, 1)
    single = estimate_defocus(image, channel_axis=-1, device="cpu")
    dual = estimate_defocus(image, right=right, channel_axis=-1, device="cpu")
    sharp = deblur(image, single, channel_axis=-1, device="cpu")
    return [single.radius, single.confidence, dual.radius, dual.confidence, sharp]


@pytest.fixture(scope="module")
def expected():
    return results()


@pytest.fixture
def torch_defaults():
    """Restore torch's defaults, and forget networks that were made by others."""
    dtype = torch.get_default_dtype()
    yield
    torch.set_default_dtype(dtype)
    torch.set_default_device(None)
    load._load.cache_clear()


@pytest.mark.parametrize(
    "change",
    [
        lambda: torch.set_default_dtype(torch.float64),
        lambda: torch.set_default_dtype(torch.float16),
        lambda: torch.set_default_device("meta"),
    ],
    ids=["float64", "float16", "meta"],
)
def test_defaults_of_other_code_do_not_matter(change, expected, torch_defaults):
    change()
    for result, array in zip(results(), expected, strict=True):
        np.testing.assert_array_equal(result, array)


def test_numpy_that_raises_at_every_floating_point_error_does_not_matter(expected):
    with np.errstate(all="raise"):
        raised = results()
    for result, array in zip(raised, expected, strict=True):
        np.testing.assert_array_equal(result, array)


# A process forks after it has computed with several threads, and while a thread computes a tile.
_FORKED = """
import os, signal, threading
import numpy as np
import torch
from torch import nn
from napari_defocus.inference.engine import infer
from napari_defocus.steps import run_to_end
from napari_defocus.networks.descriptor import Descriptor
from napari_defocus.options import Options

class Network(nn.Module):
    descriptor = Descriptor("single", receptive_radius=8, multiple=8)

    def __init__(self, entered=None, leave=None):
        super().__init__()
        self.layer, self.entered, self.leave = nn.Conv2d(5, 2, 3, padding=1), entered, leave

    def __deepcopy__(self, memo):
        return self

    def forward(self, x):
        if self.entered is not None:
            self.entered.set()
            self.leave.wait()
        return self.layer(x)

def compute(*events):
    planes = np.ones((5, 512, 512), np.float32)
    return run_to_end(infer(Network(*events), planes, Options(device="cpu", tile=None)))

torch.set_num_threads(2)
compute()
entered, leave = threading.Event(), threading.Event()
thread = threading.Thread(target=compute, args=(entered, leave))
thread.start()
entered.wait()
child = os.fork()
if child == 0:
    signal.alarm(60)
    compute()
    os._exit(7)
status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
leave.set()
thread.join()
print(status)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not fork")
def test_forked_process_computes():
    command = [sys.executable, "-W", "ignore", "-c", _FORKED]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
    assert done.stdout.split() == ["7"]
