"""Device, precision and tiles: accepted values, and the meaning of "auto"."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from napari_defocus.errors import DeviceError, OptionError
from napari_defocus.inference.device import (
    choose_device,
    choose_precision,
    choose_tile_size,
    is_out_of_memory,
    operations_per_pixel,
)
from napari_defocus.networks import build
from napari_defocus.networks.descriptor import Descriptor

DESCRIPTOR = Descriptor("single", receptive_radius=64, multiple=8)
CPU = torch.device("cpu")


class Plain(nn.Module):
    descriptor = DESCRIPTOR

    def __init__(self, hidden):
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(5, hidden, 3, padding=1), nn.Conv2d(hidden, 2, 1))

    def forward(self, x):
        return self.layers(x)


def test_auto_is_the_accelerator_or_else_the_cpu():
    accelerator = torch.accelerator.current_accelerator(check_available=True)
    assert choose_device("auto") == (accelerator or CPU)
    assert choose_device("cpu") == choose_device("cpu:0") == CPU


def test_unknown_device_is_refused():
    with pytest.raises(OptionError, match="'gpu'"):
        choose_device("gpu")


@pytest.mark.parametrize("name", ["cuda:99", "mps:7", "xpu:3", "meta"])
def test_missing_device_is_an_error_that_names_the_available_ones(name):
    with pytest.raises(DeviceError, match=r"there are: cpu"):
        choose_device(name)


def test_precision_is_full_unless_asked_for(monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"amx_bf16": True})
    assert choose_precision("auto", CPU, DESCRIPTOR) == "float32"
    assert choose_precision("bfloat16", CPU, DESCRIPTOR) == "bfloat16"
    assert choose_precision("bfloat16", CPU, replace(DESCRIPTOR, bfloat16=False)) == "float32"


def test_operations_of_convolutions_are_counted():
    assert operations_per_pixel(Plain(16)) == 16 * 45 + 2 * 16


def test_counting_leaves_no_hooks():
    network = Plain(4)
    operations_per_pixel(network)
    assert not any(layer._forward_hooks for layer in network.modules())


@pytest.mark.parametrize("architecture", ["single-estimator", "dual-estimator", "generator"])
def test_operations_of_the_networks_lie_within_their_budget(architecture):
    network = build(architecture, {})
    budget = 100e9 if network.descriptor.task == "deblur" else 30e9
    assert budget / 10 < operations_per_pixel(network) * 1120 * 1680 < budget


def test_networks_of_more_operations_get_smaller_tiles_within_limits():
    sides = [choose_tile_size(Plain(hidden), CPU) for hidden in (4, 4000, 40000)]
    assert sides == sorted(sides, reverse=True)
    assert sides[0] == 1024
    assert 64 <= sides[-1] < sides[0]


@pytest.mark.parametrize(
    ("error", "answer"),
    [
        (MemoryError(), True),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), True),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"), True),
        (RuntimeError("sizes do not match"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_out_of_memory_is_recognized(error, answer):
    assert is_out_of_memory(error) == answer
