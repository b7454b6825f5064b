"""Regions of layers: whole layer, current plane, part in view, and shapes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from napari.components import ViewerModel
from napari.layers import Image, Shapes

from napari_defocus.errors import OptionError
from napari_defocus.viewer.controls.region_controls import RegionControls
from napari_defocus.viewer.layers.regions import (
    narrow_to_plane,
    shapes_window,
    spatial_shape,
    view_window,
    whole_layer,
)
from napari_defocus.viewer.layers.window import Window


@st.composite
def windows(draw):
    shape = draw(st.lists(st.integers(1, 30), min_size=2, max_size=3))
    start = [draw(st.integers(0, n - 1)) for n in shape]
    stop = [draw(st.integers(a + 1, n)) for a, n in zip(start, shape, strict=True)]
    return shape, Window(tuple(start), tuple(stop))


@given(windows(), st.integers(0, 20))
def test_expanded_window_contains_the_window_and_stays_inside(case, margin):
    shape, window = case
    expanded = window.expand(margin, shape)
    assert all(0 <= a <= b for a, b in zip(expanded.start, window.start, strict=True))
    assert all(b <= a <= n for a, b, n in zip(expanded.stop, window.stop, shape, strict=True))
    data = np.arange(np.prod(shape)).reshape(shape)
    inner = window.relative_to(expanded)
    assert np.array_equal(data[expanded.slices][inner.slices], data[window.slices])


@given(windows(), st.integers(1, 9))
def test_aligned_window_begins_with_a_block_and_contains_the_window(case, step):
    _, window = case
    aligned = window.align(step)
    assert all(a % step == 0 for a in aligned.start[-2:])
    assert all(0 <= b - a < step for a, b in zip(aligned.start, window.start, strict=True))
    assert (aligned.start[:-2], aligned.stop) == (window.start[:-2], window.stop)


def test_whole_layer_excludes_color_channels():
    layer = Image(np.zeros((5, 20, 30, 3), np.uint8), rgb=True)
    assert whole_layer(layer).shape == (5, 20, 30)


def test_whole_multiscale_layer_has_the_shape_of_its_finest_level():
    layer = Image([np.zeros((64, 80)), np.zeros((32, 40))], multiscale=True)
    assert spatial_shape(layer) == (64, 80)


def test_current_plane_follows_the_sliders_in_world_units():
    layer = Image(np.zeros((4, 6, 20, 30)), scale=(10, 0.5, 1, 1), translate=(100, 0, 0, 0))
    window = narrow_to_plane(whole_layer(layer), layer, (120.0, 1.5, 0, 0))
    assert window.start == (2, 3, 0, 0)
    assert window.shape == (1, 1, 20, 30)


def test_current_plane_of_a_layer_with_fewer_axes_than_the_world():
    layer = Image(np.zeros((6, 20, 30)))
    assert narrow_to_plane(whole_layer(layer), layer, (3.0, 2.0, 0, 0)).start == (2, 0, 0)


def draw(data, corners, **arguments):
    """Return a viewer and a layer with `corners` in view, as after drawing."""
    viewer = ViewerModel()
    layer = viewer.add_image(data, **arguments)
    layer.corner_pixels = np.array(corners)
    return viewer, layer


def test_view_window_has_the_pixels_on_the_canvas_and_the_current_plane():
    viewer, layer = draw(np.zeros((4, 40, 50)), [[0, 5, 7], [0, 24, 36]])
    viewer.dims.set_point(0, 2)
    window = view_window(layer, viewer.dims.point, viewer.dims.displayed)
    assert window == Window((2, 5, 7), (3, 25, 37))


def test_view_window_is_in_pixels_of_the_finest_level():
    levels = [np.zeros((64, 80)), np.zeros((32, 40))]
    viewer, layer = draw(levels, [[2, 4], [9, 19]], multiscale=True)
    layer._data_level = 1
    window = view_window(layer, viewer.dims.point, viewer.dims.displayed)
    assert window == Window((4, 8), (20, 40))


def test_view_across_planes_keeps_axes_that_are_not_displayed_whole():
    viewer, layer = draw(np.zeros((4, 40, 50)), [[1, 0, 7], [2, 0, 36]])
    viewer.dims.order = (1, 0, 2)
    window = view_window(layer, viewer.dims.point, viewer.dims.displayed)
    assert window == Window((1, 0, 7), (3, 40, 37))


def test_view_in_3d_is_the_whole_volume_at_the_current_time():
    viewer, layer = draw(np.zeros((5, 4, 40, 50)), [[0, 1, 5, 7], [0, 2, 24, 36]])
    viewer.dims.ndisplay = 3
    viewer.dims.set_point(0, 2)
    window = view_window(layer, viewer.dims.point, viewer.dims.displayed)
    assert window == Window((2, 0, 0, 0), (3, 4, 40, 50))


@pytest.mark.parametrize(
    ("order", "display", "shape"),
    [((0, 1, 2, 3), 3, (1, 4, 40, 50)), ((0, 2, 1, 3), 2, (1, 4, 40, 50))],
)
def test_current_plane_is_all_that_is_displayed(qapp, order, display, shape):
    viewer = ViewerModel()
    layer = viewer.add_image(np.zeros((5, 4, 40, 50)))
    viewer.dims.order, viewer.dims.ndisplay = order, display
    controls = RegionControls(viewer)
    controls.planes.value = "current"
    assert controls.window(layer).shape == shape


@pytest.mark.parametrize("corners", [[[0, 0], [0, 0]], [[39, 0], [39, 20]]])
def test_layer_outside_the_view_is_an_error(corners):
    viewer, layer = draw(np.zeros((40, 50)), corners)
    with pytest.raises(OptionError, match="in view"):
        view_window(layer, viewer.dims.point, viewer.dims.displayed)


def test_hidden_layer_is_an_error():
    viewer, layer = draw(np.zeros((40, 50)), [[0, 0], [39, 49]], visible=False)
    with pytest.raises(OptionError, match="show it"):
        view_window(layer, viewer.dims.point, viewer.dims.displayed)


def test_shapes_are_matched_in_world_coordinates():
    layer = Image(np.zeros((5, 100, 100)), scale=(1, 2, 2), translate=(0, 10, 20))
    world = np.array([[30, 40], [30, 100], [90, 100], [90, 40]])
    shapes = Shapes([world / 0.5], scale=(0.5, 0.5))
    window = shapes_window(layer, shapes)
    assert window == Window((0, 10, 10), (5, 41, 41))


def test_shapes_in_other_units_are_matched_as_they_are_drawn():
    layer = Image(np.zeros((100, 100)), scale=(2, 2), units="um")
    box = np.array([[0.02, 0.04], [0.02, 0.1], [0.06, 0.1], [0.06, 0.04]])
    assert shapes_window(layer, Shapes([box], units="mm")) == Window((10, 20), (31, 51))


def test_shapes_of_a_turned_image_are_boxed_in_its_pixels():
    layer = Image(np.zeros((40, 60)), rotate=90)  # pixel (y, x) lies at (-x, y)
    shapes = Shapes([np.array([[-30, 5], [-30, 15], [-20, 15], [-20, 5]])])
    assert shapes_window(layer, shapes) == Window((5, 20), (16, 31))


def test_shapes_on_one_plane_keep_all_planes():
    layer = Image(np.zeros((5, 100, 100)))
    boxes = [
        np.array([[z, a, 1], [z, a, 9], [z, a + 9, 9], [z, a + 9, 1]])
        for z, a in ((1, 10), (3, 20))
    ]
    assert shapes_window(layer, Shapes(boxes)) == Window((0, 10, 1), (5, 30, 10))


def test_shapes_drawn_across_planes_keep_the_axis_that_they_do_not_extend_along():
    layer = Image(np.zeros((9, 100, 120)))
    box = np.array([[2, 50, 10], [2, 50, 40], [6, 50, 40], [6, 50, 10]])
    assert shapes_window(layer, Shapes([box])) == Window((2, 0, 10), (7, 100, 41))


def test_only_selected_shapes_count():
    layer = Image(np.zeros((100, 100)))
    boxes = [np.array([[a, a], [a, a + 9], [a + 9, a + 9], [a + 9, a]]) for a in (10, 60)]
    shapes = Shapes(boxes)
    assert shapes_window(layer, shapes) == Window((10, 10), (70, 70))
    shapes.selected_data = {1}
    assert shapes_window(layer, shapes) == Window((60, 60), (70, 70))


def test_shapes_are_clipped_to_the_layer():
    layer = Image(np.zeros((50, 60)))
    shapes = Shapes([np.array([[-20, -20], [-20, 500], [20, 500], [20, -20]])])
    assert shapes_window(layer, shapes) == Window((0, 0), (21, 60))


@pytest.mark.parametrize("shapes", [None, Shapes()])
def test_no_shapes_is_an_error(shapes):
    with pytest.raises(OptionError, match="no shape is drawn"):
        shapes_window(Image(np.zeros((50, 60))), shapes)


def test_shapes_outside_the_layer_are_an_error():
    shapes = Shapes([np.array([[200, 200], [200, 210], [210, 210], [210, 200]])])
    with pytest.raises(OptionError, match="outside"):
        shapes_window(Image(np.zeros((50, 60))), shapes)
