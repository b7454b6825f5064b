"""Focus Stack widget: profile, slider, merged layers, copies."""

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt

from napari_defocus import DefocusError, all_in_focus, focus_profile
from napari_defocus.viewer.maps.map_source import MAP_KEY

from ...stacks.scenes import rendered_stack


@pytest.fixture(scope="module")
def stack():
    return (rendered_stack(5, 1.0, tilt=1.0) * 255).clip(0, 255).astype(np.uint8)


@pytest.fixture
def widget(viewer, open_widget, stack):
    """The widget with a stack of planes 2 micrometers apart."""
    viewer.add_image(
        stack,
        name="stack",
        scale=(2, 0.5, 0.5),
        translate=(7, 10, 20),
        axis_labels=("z", "y", "x"),
        units=("um", "um", "um"),
    )
    widget = open_widget("Focus Stack")
    widget.image.value = viewer.layers["stack"]
    return widget


@pytest.fixture
def profiled(widget, finish):
    finish(widget.run())
    return widget


def test_the_profile_is_that_of_the_api(profiled, stack):
    expected = focus_profile(stack, imaging="microscopy")
    np.testing.assert_array_equal(profiled.profile_view.profile.sharpest, expected.sharpest)
    np.testing.assert_array_equal(profiled.profile_view.plot.radius, expected.surface)
    header, *rows = profiled.profile_view.table().splitlines()
    assert header.split("\t")[0] == "plane"
    assert len(rows) == 5


def click(plot, plane, qtbot):
    place = QPoint(round(plot.position(plane)), 50)
    qtbot.mouseClick(plot, Qt.MouseButton.LeftButton, pos=place)


def test_plot_and_slider_move_each_other(viewer, profiled, qtbot):
    profiled.profile_view.plot.resize(300, 120)
    viewer.dims.set_point(0, 7 + 2 * 3)
    assert profiled.profile_view.plot.current == 3
    click(profiled.profile_view.plot, 4, qtbot)
    assert viewer.dims.point[0] == 7 + 2 * 4
    assert profiled.profile_view.plot.current == 4
    profiled.profile_view.go_to_best()
    assert profiled.profile_view.plot.current == round(float(profiled.profile_view.profile.best))
    assert not profiled.profile_view.plot.grab().isNull()


def test_merged_layers_show_wherever_the_slider_stands(viewer, widget, stack, finish):
    finish(widget.show_depth())
    expected = all_in_focus(stack, imaging="microscopy")
    image, depth = viewer.layers["stack all in focus"], viewer.layers["stack depth (micrometer)"]
    np.testing.assert_array_equal(image.data[0], expected.image)
    sure = expected.confidence >= 0.25
    assert sure.any()
    np.testing.assert_allclose(depth.data[0], np.where(sure, 2 * expected.depth, np.nan), rtol=1e-6)
    assert depth.visible
    assert "yellow at the last ones" in widget._controls.status.value
    assert depth.colorbar.visible
    assert viewer.layers[-1] is depth
    assert depth.metadata[MAP_KEY] is None
    source = viewer.layers["stack"]
    np.testing.assert_allclose(image.extent.world[:, 1:], source.extent.world[:, 1:])
    for plane in range(5):
        point = source.data_to_world((plane, 3, 4))
        np.testing.assert_array_equal(np.rint(image.world_to_data(point)), (0, 3, 4))
    assert image.metadata["napari-defocus"]["function"] == "all_in_focus"


def test_the_depth_is_hidden_unless_it_is_asked_for(viewer, widget, finish):
    finish(widget.merge())
    assert not viewer.layers["stack depth (micrometer)"].visible
    assert viewer.layers["stack all in focus"].visible


def test_the_depth_of_a_merged_stack_is_shown_without_another_run(viewer, widget, finish):
    upper = viewer.add_image(viewer.layers["stack"].data, name="upper", blending="additive")
    finish(widget.merge())
    depth = viewer.layers["stack depth (micrometer)"]
    assert viewer.layers[-1] is upper  # another channel is not covered
    count = len(viewer.layers)
    widget._buttons["depth"].native.click()
    assert depth.visible
    assert "yellow at the last ones" in widget._controls.status.value
    assert not widget.busy
    assert len(viewer.layers) == count
    widget.align.value = "shift"
    widget._buttons["depth"].native.click()
    assert widget.busy


def test_times_have_profiles_of_their_own(viewer, open_widget, stack, finish):
    viewer.add_image(np.stack([stack, stack[::-1]])[..., ::2, ::2], name="times")
    widget = open_widget("Focus Stack")
    assert widget.axis.value == 1
    finish(widget.run())
    for time in range(2):
        viewer.dims.set_point(0, time)
        np.testing.assert_array_equal(
            widget.profile_view.plot.radius, widget.profile_view.profile.surface[time]
        )
    assert widget.profile_view.table().splitlines()[0].startswith("axis 0\tplane")


def test_the_copied_code_does_the_same(viewer, profiled, finish):
    names = {"viewer": viewer}
    exec(profiled.as_python(), names)
    np.testing.assert_array_equal(names["profile"].sharpest, profiled.profile_view.profile.sharpest)
    assert profiled.as_command_line().startswith("napari-defocus focus stack.tif --axis 0")
    profiled.align.value = "none"
    finish(profiled.merge())
    names = {"viewer": viewer}
    exec(profiled.as_python(), names)
    image = viewer.layers["stack all in focus"]
    np.testing.assert_array_equal(names["merged"].image, image.data[0])
    command = profiled.as_command_line()
    words = "napari-defocus all-in-focus stack.tif 'stack all in focus.tif' --axis 0 --align none"
    assert command.startswith(words)


def test_single_planes_and_missing_profiles_are_refused(viewer, open_widget):
    viewer.add_image(np.zeros((16, 16), np.uint8), name="plane")
    widget = open_widget("Focus Stack")
    with pytest.raises(DefocusError, match="'plane' is a single plane; choose a stack"):
        widget.run()
    for action in (widget.profile_view.go_to_best, widget.profile_view.table):
        with pytest.raises(DefocusError, match="no profile is measured yet"):
            action()


def test_a_single_plane_is_told_before_anything_is_pressed(viewer, widget, stack):
    widget.image.value = viewer.add_image(stack[0], name="plane")
    assert "A single plane" in widget.profile_view.statement.value
    widget.image.value = viewer.layers["stack"]
    assert not widget.profile_view.statement.value


def test_planes_can_be_chosen_only_of_axes_beside_that_of_focus(viewer, widget, stack):
    assert not widget.planes.visible
    widget.image.value = viewer.add_image(np.stack([stack, stack]), name="series")
    assert widget.planes.visible
