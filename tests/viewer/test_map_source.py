"""Maps from layers: the region they cover, painted labels, and confidence."""

import numpy as np
import pytest
from napari.layers import Image, Labels

from napari_defocus.defocus_map import DefocusMap
from napari_defocus.errors import MapError
from napari_defocus.provenance_record import array_hash
from napari_defocus.viewer.geometry import placement
from napari_defocus.viewer.map_source import MAP_KEY, EstimatedMap, map_source
from napari_defocus.viewer.regions import Window, whole_layer


@pytest.fixture
def image():
    return Image(np.zeros((4, 30, 40)), scale=(1, 0.5, 0.5), translate=(7, 3, 3), name="cells")


@pytest.fixture
def radius():
    return np.random.default_rng(0).uniform(0, 9, (4, 30, 40)).astype(np.float32)


def estimated_layer(radius, **arguments):
    defocus = DefocusMap(radius, np.full(radius.shape, 0.25, np.float32), model="single")
    kept = EstimatedMap(defocus, array_hash(radius))
    return Image(radius, metadata={MAP_KEY: kept}, **arguments)


PART = Window((2, 5, 6), (3, 25, 36))


def test_map_of_the_same_shape_covers_the_image_wherever_it_is_placed(image, radius):
    source = map_source(Image(radius), image, PART)
    assert np.array_equal(source.read(), radius[2:3, 5:25, 6:36])


def test_map_of_one_plane_is_used_for_all_planes(image, radius):
    source = map_source(Image(radius[0]), image, PART)
    assert np.array_equal(source.read(), radius[0, 5:25, 6:36])


def test_map_of_a_region_is_matched_by_world_coordinates(image, radius):
    window = Window((0, 2, 3), (4, 28, 38))
    layer = Image(radius[window.slices], **placement(image, window))
    assert np.array_equal(map_source(layer, image, PART).read(), radius[2:3, 5:25, 6:36])


def test_map_that_does_not_cover_the_region_is_an_error(image, radius):
    window = Window((0, 10, 10), (4, 20, 20))
    layer = Image(radius[window.slices], name="small", **placement(image, window))
    with pytest.raises(MapError, match="'small' .* does not cover"):
        map_source(layer, image, PART)


def test_map_with_more_axes_than_the_image_is_an_error(image, radius):
    with pytest.raises(MapError, match="4 axes"):
        map_source(Image(radius[None]), image, whole_layer(image))


def test_painted_labels_are_radii_in_pixels(image):
    painted = Labels(np.full((30, 40), 3))
    radius = map_source(painted, image, PART).read()
    assert radius.dtype == np.float32
    assert (radius == 3).all()


def test_estimated_map_keeps_its_confidence(image, radius):
    estimate = map_source(estimated_layer(radius), image, PART).read()
    assert isinstance(estimate, DefocusMap)
    assert (estimate.confidence == 0.25).all()
    assert estimate.confidence.shape == estimate.radius.shape == (1, 20, 30)


def test_edited_map_loses_its_confidence(image, radius):
    layer = estimated_layer(radius)
    layer.data[0, 0, 0] += 1
    assert isinstance(map_source(layer, image, PART).read(), np.ndarray)
