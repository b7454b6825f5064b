"""Layers of a map: a view of what is sure, texts under the pointer, shared colors."""

import numpy as np
import pytest

from napari_defocus import DefocusMap, Options
from napari_defocus.map_colors import paint_sure
from napari_defocus.viewer.layers.regions import whole_layer
from napari_defocus.viewer.layers.results import layer_template
from napari_defocus.viewer.maps.map_layers import add_map
from napari_defocus.viewer.maps.map_result import map_result
from napari_defocus.viewer.maps.map_source import MAP_KEY

SIZE = (20, 30)
RECORD = {"input": {"hash": "sha256:0"}}


@pytest.fixture
def image(viewer):
    return viewer.add_image(np.zeros(SIZE), name="cells", scale=(0.5, 0.5), units="um")


def add(viewer, image, radius=4.0, *, confidence=1.0, signed=False, featureless=None):
    maps = np.full(SIZE, radius, np.float32), np.full(SIZE, confidence, np.float32)
    result = map_result(DefocusMap(*maps, signed=signed), RECORD, Options(), "auto", featureless)
    return add_map(viewer, result, layer_template(image, whole_layer(image))).view


def test_the_view_is_colored_where_radii_are_sure_and_clear_elsewhere(viewer, image):
    view = add(viewer, image, confidence=0.8)
    assert (view.data[..., 3] == 255).all()
    assert (add(viewer, image, confidence=0.1).data[..., 3] == 0).all()
    visible = [layer.name for layer in viewer.layers if layer.visible]
    assert visible == ["cells", "cells defocus (sure) [1]"]  # colors of two maps would mix
    assert viewer.layers["cells defocus"].data.mean() == 4


def test_planes_of_a_stack_are_painted_when_they_are_shown(viewer):
    stack = viewer.add_image(np.zeros((3, *SIZE)), name="stack")
    radius = np.arange(3, dtype=np.float32)[:, None, None] * np.ones(SIZE, np.float32)
    result = map_result(DefocusMap(radius, np.ones_like(radius)), RECORD, Options(), "auto")
    view = add_map(viewer, result, layer_template(stack, whole_layer(stack))).view
    assert view.data.shape == (3, *SIZE, 4)
    np.testing.assert_array_equal(view.data[2], paint_sure(radius[2], np.ones(SIZE), limit=3.0))
    assert view.get_status((2.0, 3.0, 4.0), world=True)["value"] == "2 px, confidence 1.00"


@pytest.mark.parametrize(
    ("confidence", "text"),
    [(0.8, "4 px (2 µm), confidence 0.80"), (0.2, "4 px (2 µm), confidence 0.20: unsure")],
)
def test_the_status_bar_says_radius_and_confidence(viewer, image, confidence, text):
    radius = add(viewer, image, confidence=confidence)
    status = radius.get_status((3.0, 4.0), world=True)
    assert status["value"] == text
    assert status["coordinates"].endswith(text)


def test_what_was_taken_from_nearby_is_clear_and_named(viewer, image):
    featureless = np.zeros(SIZE, bool)
    featureless[:, 15:] = True
    view = add(viewer, image, confidence=0.8, featureless=featureless)
    assert (view.data[:, :7, 3] == 255).all()
    assert (view.data[:, 23:, 3] == 0).all()
    texts = [view.get_status((3.0, x / 2), world=True)["value"] for x in (2, 28)]
    assert texts[0] == "4 px (2 µm), confidence 0.80"
    assert texts[1] == f"{texts[0]}: taken from nearby, for nothing shows here"
    view.color_limit = 9.0
    assert (view.data[:, 23:, 3] == 0).all()
    estimated = viewer.layers["cells defocus"].metadata[MAP_KEY]
    assert estimated.statistics.sure == 0.5
    assert estimated.counts.counts.sum() == SIZE[0] * 15
    assert (estimated.map.confidence == np.float32(0.8)).all()  # what deblurring goes by


def test_outside_the_map_nothing_is_said(viewer, image):
    assert "px" not in add(viewer, image).get_status((500.0, 4.0), world=True)["coordinates"]


def test_all_maps_have_the_same_colors(viewer, image):
    small, large = add(viewer, image, 2.0), add(viewer, image, 9.0)
    add(viewer, image, -4.0, signed=True)
    names = ("cells defocus", "cells defocus [1]", "cells defocus [2]")
    limits = [viewer.layers[name].contrast_limits for name in names]
    assert limits == [[0, 9], [0, 9], [-9, 9]]
    assert small.color_limit == large.color_limit == 9
    np.testing.assert_array_equal(small.data, paint_sure(np.full(SIZE, 2), np.ones(SIZE), limit=9))


def test_napari_takes_the_layer_for_an_image(viewer, image):
    radius = add(viewer, image)
    _, _, kind = radius.as_layer_data_tuple()
    assert kind == "image"
