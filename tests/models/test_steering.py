"""Shipped deblurring models: they follow map and strength, and leave sharp pixels unchanged."""

import numpy as np
import pytest

from napari_defocus import deblur, reblur
from napari_defocus.deblur_settings import DETAILS
from napari_defocus.io import read_picture
from napari_defocus.viewer.files.samples import FOLDER as SAMPLES

RADIUS = 3.0


@pytest.fixture(scope="module")
def sharp():
    return read_picture(SAMPLES / "stairwell-sharp.png").data[200:328, 300:460] / np.float32(255)


@pytest.fixture(scope="module")
def blurred(sharp):
    return reblur(sharp, np.full(sharp.shape[:2], RADIUS, np.float32), channel_axis=-1)


@pytest.fixture(params=DETAILS)
def restore(request, blurred):
    """Return a function that deblurs by a map, or by one radius everywhere."""

    def restore(radius, **options):
        radius = np.broadcast_to(np.float32(radius), blurred.shape[:2])
        return deblur(blurred, radius, detail=request.param, channel_axis=-1, **options)

    return restore


def roughness(image):
    return np.abs(np.diff(image, axis=0)).mean() + np.abs(np.diff(image, axis=1)).mean()


def difference(image, other):
    return np.sqrt(np.mean((image - other) ** 2))


def test_deblurring_by_the_true_radius_reduces_the_error(restore, blurred, sharp):
    assert difference(restore(RADIUS), sharp) < 0.8 * difference(blurred, sharp)


def test_larger_radii_restore_more_up_to_the_true_one(restore):
    results = [roughness(restore(radius)) for radius in (0.0, 1.0, 2.0, RADIUS)]
    assert (np.diff(results) > 0).all()


def test_more_strength_restores_more(restore):
    results = [roughness(restore(RADIUS, strength=strength)) for strength in (0, 0.5, 1, 1.5, 2)]
    assert (np.diff(results) > 0).all()


def test_pixels_painted_zero_do_not_change(restore, blurred):
    painted = np.full(blurred.shape[:2], RADIUS)
    painted[:, 60:] = 0
    result = restore(painted)
    assert np.array_equal(result[:, 60:], blurred[:, 60:])
    assert difference(result[:, :60], blurred[:, :60]) > 0.01
