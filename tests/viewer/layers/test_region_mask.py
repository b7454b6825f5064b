"""Drawn shapes: their form is worked on, and the rest stays the image."""

import numpy as np
import pytest
from napari.layers import Image, Shapes
from scipy.ndimage import gaussian_filter

from napari_defocus import check, deblur, estimate_defocus
from napari_defocus.errors import MapError, OptionError
from napari_defocus.viewer.layers.region_mask import region_mask, shapes_mask
from napari_defocus.viewer.layers.regions import WHERE_THE_MAP_IS
from napari_defocus.viewer.layers.results import METADATA_KEY
from napari_defocus.viewer.layers.window import Window

ELLIPSE = np.array([[10, 20], [10, 70], [50, 70], [50, 20]])
TRIANGLE = np.array([[4, 4], [4, 44], [44, 4]])


def test_an_ellipse_holds_its_form_and_a_rectangle_all_that_it_touches():
    image = Image(np.zeros((64, 96)))
    inside = shapes_mask(image, Shapes([ELLIPSE], shape_type="ellipse"))
    y, x = np.mgrid[:64, :96]
    expected = ((y - 30) / 20) ** 2 + ((x - 45) / 25) ** 2 < 1
    assert (inside != expected).mean() < 0.01
    box = shapes_mask(image, Shapes([ELLIPSE]))
    assert (box == (y >= 10) & (y <= 50) & (x >= 20) & (x <= 70)).all()


def test_shapes_are_joined_and_matched_where_they_are_shown():
    image = Image(np.zeros((3, 64, 96)), scale=(1, 0.5, 0.5), translate=(0, 8, 8))
    shapes = Shapes(
        [TRIANGLE / 2 + 8, [[20, 40], [20, 50], [30, 50], [30, 40]]], shape_type="polygon"
    )
    inside = shapes_mask(image, shapes, ((0, 3), (0, 64), (0, 90)))
    assert inside.shape == (64, 90)
    assert inside[10, 10]
    assert not inside[40, 40]
    assert inside[30, 70]
    shapes.selected_data = {1}
    assert not shapes_mask(image, shapes)[10, 10]


def test_a_mask_of_everything_is_none_and_one_of_nothing_an_error():
    image, window = Image(np.zeros((64, 96))), Window((10, 20), (51, 71))
    assert region_mask(image, Shapes([ELLIPSE]), window) is None
    line = Shapes([[[10, 20], [50, 70]]], shape_type="line")
    with pytest.raises(OptionError, match="enclose no pixel of .*draw an area"):
        region_mask(image, line, window)


@pytest.fixture
def photo(photo):
    """A blurred picture (64, 96, 3)."""
    return gaussian_filter(photo, (2, 2, 0))


@pytest.fixture
def deblurring(viewer, open_widget, photo):
    image = viewer.add_image(photo, rgb=True, name="photo")
    shapes = viewer.add_shapes([TRIANGLE], shape_type="polygon", name="spot")
    widget = open_widget("Deblur")
    widget.image.value, widget.region.value, widget.shapes.value = image, "shapes", shapes
    return widget


def test_a_result_outside_the_shape_stays_the_image(viewer, deblurring, finish, photo):
    deblurring.protect_radius.value = 0
    finish(deblurring.run())
    result = viewer.layers.selection.active
    part = photo[4:45, 4:45]
    inside = shapes_mask(viewer.layers["photo"], viewer.layers["spot"])[4:45, 4:45]
    full = deblur(part, channel_axis=-1, protect_radius=0, bokeh_radius="auto")
    np.testing.assert_array_equal(result.data[inside], full[inside])
    np.testing.assert_array_equal(result.data[~inside], part[~inside])
    assert (full[~inside] != part[~inside]).any()
    assert result.metadata[METADATA_KEY]["input"]["mask"].startswith("sha256:")
    assert "not the region" in deblurring.as_command_line()


@pytest.mark.parametrize("name", ["Deblur", "Defocus Map"])
def test_copied_python_gives_the_same(viewer, deblurring, open_widget, finish, name):
    widget = open_widget(name)
    shapes, image = viewer.layers["spot"], viewer.layers["photo"]
    widget.image.value, widget.region.value, widget.shapes.value = image, "shapes", shapes
    finish(widget.run())
    variables = {"viewer": viewer}
    exec(widget.as_python(), variables)
    expected = variables["sharp"] if name == "Deblur" else variables["defocus"].radius
    layer = viewer.layers.selection.active if name == "Deblur" else viewer.layers["photo defocus"]
    np.testing.assert_array_equal(layer.data, expected)


def test_a_partial_map_deblurs_there_and_leaves_the_rest(
    viewer, deblurring, open_widget, finish, photo
):
    estimation = open_widget("Defocus Map")
    image, shapes = viewer.layers["photo"], viewer.layers["spot"]
    estimation.image.value, estimation.region.value, estimation.shapes.value = (
        image,
        "shapes",
        shapes,
    )
    finish(estimation.run())
    deblurring.region.value = WHERE_THE_MAP_IS
    deblurring.bokeh_radius.value = 0.0
    worker = deblurring.run()
    code = deblurring.as_python()
    finish(worker)
    result = viewer.layers["photo deblurred"].data
    assert result.shape == photo.shape
    inside = shapes_mask(image, shapes)
    assert (result[inside] != photo[inside]).any()
    np.testing.assert_array_equal(result[~inside], photo[~inside])
    part = estimate_defocus(photo[4:45, 4:45], channel_axis=-1)
    radius = np.zeros(photo.shape[:2], np.float32)
    radius[4:45, 4:45] = np.where(inside[4:45, 4:45], part.radius, 0)
    np.testing.assert_array_equal(viewer.layers["photo defocus"].data, radius[4:45, 4:45])
    variables = {"viewer": viewer}
    exec(code, variables)
    np.testing.assert_array_equal(result, variables["sharp"])


def test_without_a_map_there_is_no_region_where_it_is(viewer, deblurring):
    deblurring.region.value = WHERE_THE_MAP_IS
    deblurring.defocus.value = None
    with pytest.raises(MapError, match="estimate a map of a region"):
        deblurring.run()


def test_draw_region_adds_a_layer_and_selects_the_lasso(viewer, open_widget, photo):
    image = viewer.add_image(photo, rgb=True, name="photo", scale=(0.5, 0.5))
    widget = open_widget("Defocus Map")
    widget.draw_region.native.click()
    shapes = viewer.layers.selection.active
    assert shapes.name == "photo region"
    assert shapes.mode == "add_polygon_lasso"
    assert (widget.region.value, widget.shapes.value) == ("shapes", shapes)
    assert (shapes.scale == image.scale).all()
    shapes.mode = "pan_zoom"
    widget.draw_region.native.click()
    assert viewer.layers.selection.active is shapes
    assert shapes.mode == "add_polygon_lasso"
    assert len(viewer.layers) == 2


def test_a_check_says_nothing_of_what_lies_outside_the_shape(
    viewer, deblurring, open_widget, finish, photo
):
    image, shapes = viewer.layers["photo"], viewer.layers["spot"]
    sharp = viewer.add_image(photo[::-1].copy(), rgb=True, name="another")
    widget = open_widget("Check")
    widget.image.value, widget.region.value, widget.shapes.value = image, "shapes", shapes
    widget.sharp.value = sharp
    finish(widget.run())
    inside = shapes_mask(image, shapes)[4:45, 4:45]
    assert np.isnan(widget.check.unexplained[~inside]).all()
    assert not widget.check.invented[~inside].any()
    full = check(photo[4:45, 4:45], sharp.data[4:45, 4:45], channel_axis=-1)
    np.testing.assert_array_equal(widget.check.unexplained[inside], full.unexplained[inside])
    variables = {"viewer": viewer}
    exec(widget.as_python(), variables)
    assert variables["result"].score == widget.check.score


def test_refocusing_leaves_what_lies_outside_the_shape(viewer, deblurring, open_widget, finish):
    image, shapes = viewer.layers["photo"], viewer.layers["spot"]
    image.data = np.stack([image.data, image.data[::-1]])  # a series
    viewer.add_image(np.full(image.data.shape[:-1], 3, np.float32), name="radii")
    widget = open_widget("Defocus").step("Refocus")
    widget.image.value, widget.region.value, widget.shapes.value = image, "shapes", shapes
    widget.defocus.value, widget.focus.value = viewer.layers["radii"], 1.0
    code = widget.as_python()
    finish(widget.run())
    result = viewer.layers.selection.active.data
    inside, part = shapes_mask(image, shapes)[4:45, 4:45], image.data[:, 4:45, 4:45]
    assert (result[:, inside] != part[:, inside]).any()
    np.testing.assert_array_equal(result[:, ~inside], part[:, ~inside])
    variables = {"viewer": viewer}
    exec(code, variables)
    np.testing.assert_array_equal(result, variables["view"])


@pytest.fixture
def focus_stack(viewer, open_widget):
    """A widget for a stack whose left half is sharp in plane 1 and right half in plane 3."""
    rng = np.random.default_rng(5)
    scene = gaussian_filter(rng.integers(0, 60_000, (96, 128)).astype(float), 0.7)
    left, right = (
        np.stack([gaussian_filter(scene, 0.3 + 2 * abs(plane - best)) for plane in range(5)])
        for best in (1, 3)
    )
    stack = np.where(np.arange(128) < 64, left, right).astype(np.uint16)
    image = viewer.add_image(stack, name="stack")
    half = [(-0.5, -0.5), (-0.5, 63.5), (95.5, 40.5), (95.5, -0.5)]
    shapes = viewer.add_shapes([half], shape_type="polygon", name="left")
    widget = open_widget("Focus Stack")
    widget.image.value, widget.region.value, widget.shapes.value = image, "shapes", shapes
    return widget


def test_the_profile_of_a_stack_is_that_of_the_shape(viewer, focus_stack, finish):
    finish(focus_stack.run())
    inside = shapes_mask(viewer.layers["stack"], viewer.layers["left"])[:, :64]
    assert inside[0].all()
    assert not inside[-1].all()
    variables = {"viewer": viewer}
    exec(focus_stack.as_python(), variables)
    for name in ("radius", "confidence", "variance", "tile_radius"):
        expected = getattr(variables["profile"], name)
        np.testing.assert_array_equal(getattr(focus_stack.profile_view.profile, name), expected)
    stack = viewer.layers["stack"]
    stack.data[:, 90:, 50:64] = 30_000  # outside of the shape, and inside of its box
    before = focus_stack.profile_view.profile.radius
    finish(focus_stack.run())  # black and white are those of the box
    np.testing.assert_allclose(focus_stack.profile_view.profile.radius, before, rtol=0.01)


def test_a_stack_is_merged_inside_the_shape(viewer, focus_stack, finish):
    finish(focus_stack.merge())
    stack = viewer.layers["stack"].data[:, :, :64]
    inside = shapes_mask(viewer.layers["stack"], viewer.layers["left"])[:, :64]
    merged, depth = viewer.layers["stack all in focus"], viewer.layers["stack depth (planes)"]
    assert np.isnan(depth.data[0, ~inside]).all()
    assert np.isfinite(depth.data[0, inside]).all()
    np.testing.assert_array_equal(merged.data[0, ~inside], stack[1][~inside])
    variables = {"viewer": viewer}
    exec(focus_stack.as_python(), variables)
    np.testing.assert_array_equal(merged.data[0], variables["merged"].image)
    np.testing.assert_array_equal(depth.data[0], variables["merged"].depth)
