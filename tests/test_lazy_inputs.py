"""NumPy and dask inputs of every form give equal results."""

import dask.array
import numpy as np
import pytest
import torch
from torch import nn

from napari_defocus import DefocusMap, deblur, estimate_defocus, reblur, refocus
from napari_defocus.networks import build
from napari_defocus.networks.preparation import prepare_for_inference

SHAPE = (2, 40, 48)


@pytest.fixture(scope="module")
def networks():
    torch.manual_seed(0)
    small = {"widths": (8, 8, 8), "blocks": (1, 1, 1, 1)}
    made = {
        "single": build("single-estimator", small),
        "dual": build("dual-estimator", small),
        "deblur": build("generator", {"width": 8, "blocks": (1,) * 5, "radii": (2.0, 6.0)}),
    }
    for network in made.values():
        for weights in network.parameters():
            if not weights.any():
                nn.init.normal_(weights, std=0.05)
        prepare_for_inference(network)  # or each call would copy it
    return made


def picture(color):
    shape = (*SHAPE, 3) if color else SHAPE
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def lazy(array):
    return dask.array.from_array(array, chunks=tuple(-(-n // 2) for n in array.shape))


def radii(signed, shape):
    radius = np.linspace(-4 if signed else 0, 5, shape[-1], dtype=np.float32)
    return np.broadcast_to(radius, shape).copy()


MAPS = {
    "unsigned map": lambda shape: DefocusMap(radii(False, shape), np.ones(shape, np.float32)),
    "signed map": lambda shape: DefocusMap(radii(True, shape), np.ones(shape, np.float32), True),
    "radii >= 0": lambda shape: radii(False, shape),
    "radii of both signs": lambda shape: radii(True, shape),
}


def lazy_map(defocus):
    if isinstance(defocus, DefocusMap):
        return DefocusMap(lazy(defocus.radius), lazy(defocus.confidence), defocus.signed)
    return lazy(defocus)


@pytest.mark.parametrize("task", ["deblur", "reblur", "refocus"])
@pytest.mark.parametrize("form", MAPS)
@pytest.mark.parametrize(("shape", "color"), [(SHAPE, True), (SHAPE[1:], False)])
def test_lazy_image_and_map_give_what_arrays_give(networks, task, form, shape, color):
    image, defocus = picture(color), MAPS[form](shape)
    options = {"channel_axis": -1 if color else None}

    def run(image, defocus):
        if task == "deblur":
            return deblur(image, defocus, model=networks["deblur"], protect_radius=0, **options)
        if task == "reblur":
            return reblur(image, defocus, **options)
        return refocus(image, defocus, focus=1.5, aperture=0.8, **options)

    expected = run(image, defocus)
    assert (expected != image).any()
    np.testing.assert_array_equal(run(image, lazy_map(defocus)), expected)
    for result in (run(lazy(image), defocus), run(lazy(image), lazy_map(defocus))):
        assert isinstance(result, dask.array.Array)
        np.testing.assert_array_equal(result.compute(), expected)


@pytest.mark.parametrize("task", ["single", "dual"])
@pytest.mark.parametrize("color", [False, True])
def test_maps_of_lazy_images_are_those_of_arrays(networks, task, color):
    image, options = picture(color), {"channel_axis": -1 if color else None}
    right = np.roll(image, 1, 2) if task == "dual" else None
    expected = estimate_defocus(image, right=right, model=networks[task], **options)
    lazy_right = None if right is None else lazy(right)
    result = estimate_defocus(lazy(image), right=lazy_right, model=networks[task], **options)
    for one, other in zip(result, expected, strict=True):
        np.testing.assert_array_equal(one.compute(), other)


class CountingArray:
    """Stands in for an array on disk: sliced like NumPy's, and counts the values it hands out."""

    def __init__(self, values):
        self._values = values
        self.shape, self.dtype, self.ndim = values.shape, values.dtype, values.ndim
        self.read, self.largest = 0, 0

    def __getitem__(self, index):
        part = self._values[index]
        self.read += part.size
        self.largest = max(self.largest, part.size)
        return part


def test_arrays_on_disk_are_read_window_by_window(networks):
    values = np.random.default_rng(0).integers(0, 60000, (300, 340), np.uint16)
    image, out = CountingArray(values), np.empty_like(values)
    options = {"value_range": (0, 60000), "downscale": 1, "tile": 64}
    deblur(image, map_model=networks["single"], model=networks["deblur"], out=out, **options)
    assert image.largest <= 256 * 256
    assert image.read <= 4 * values.size
    expected = deblur(values, map_model=networks["single"], model=networks["deblur"], **options)
    np.testing.assert_allclose(out, expected, atol=60000 * 2e-4)


def test_no_network_runs_at_strength_zero():
    image = np.random.default_rng(0).integers(0, 256, (40, 48), np.uint8)
    out = np.zeros_like(image)

    def stop(done, total):
        raise AssertionError("a tile was computed")

    assert deblur(image, strength=0, out=out, progress=stop) is out
    np.testing.assert_array_equal(out, image)
