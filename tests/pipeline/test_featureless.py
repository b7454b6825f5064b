"""Search for areas that show nothing, in images of any layout."""

import numpy as np
import pytest

from napari_defocus import Options
from napari_defocus.jobs import EstimateJob, find_featureless
from napari_defocus.pipeline import featureless
from napari_defocus.steps import run_to_end
from napari_defocus.views import Views


def cells_beside_ground(photons=30, shape=(160, 320), seed=0):
    """Return a micrograph of points in its left half; its right half is dark ground."""
    rng = np.random.default_rng(seed)
    light = np.full(shape, 40.0)
    places = rng.integers(8, (shape[0] - 8, shape[1] // 2 - 8), (250, 2))
    light[tuple(places.T)] += 40 * photons
    return rng.poisson(light).astype(np.uint16)


def search(image, **options):
    job = EstimateJob(Views(image), options=Options(**options))
    return run_to_end(find_featureless(job))


def test_ground_beside_specimens_shows_nothing():
    found = search(cells_beside_ground())
    assert found.shape == (160, 320)
    assert found[:, 200:].mean() > 0.9
    assert not found[20:140, 20:140].any()


def test_each_plane_is_searched_by_itself():
    plane = cells_beside_ground()
    stack = np.stack([plane, plane[:, ::-1]])
    found = search(stack)
    assert found[0, :, 200:].mean() > 0.9
    assert found[1, :, :120].mean() > 0.9
    assert not found[1, 20:140, 180:300].any()


def test_a_sky_shows_nothing_in_a_photograph():
    rng = np.random.default_rng(0)
    photo = np.full((160, 240, 3), (110, 150, 200), float)
    photo[80:] = rng.integers(0, 255, (20, 60, 3)).repeat(4, axis=0).repeat(4, axis=1)
    noisy = (photo + rng.normal(0, 2, photo.shape)).clip(0, 255).astype(np.uint8)
    found = search(noisy, channel_axis=-1, imaging="photograph")
    assert found[:48].mean() > 0.9
    assert not found[80:].any()


def test_areas_are_empty_where_no_channel_shows_anything():
    plane = cells_beside_ground()
    channels = np.stack([plane, np.roll(plane, 80, axis=1), np.zeros_like(plane)])
    found = search(channels, channel_axis=0, imaging="microscopy")
    assert found[:, 288:].mean() > 0.8
    assert not found[20:140, 20:220].any()


@pytest.mark.parametrize("shape", [(4, 4), (9, 30), (301, 17)])
def test_any_shape_is_searched(shape):
    assert search(np.random.default_rng(0).integers(0, 99, shape, np.uint16)).shape == shape


def test_a_part_at_a_time_gives_the_same(monkeypatch):
    image = cells_beside_ground(shape=(400, 500))
    whole = search(image)
    monkeypatch.setattr(featureless, "_BLOCK", 128)
    assert np.array_equal(search(image), whole)
