"""Dock: one image, one map and one kind of image for all steps."""

import numpy as np
import pytest

from napari_defocus import deblur, estimate_defocus


@pytest.fixture
def dock(open_widget, viewer, photo):
    viewer.add_image(photo, rgb=True, name="photo")
    return open_widget("Defocus")


def names(viewer):
    return [layer.name for layer in viewer.layers]


def test_steps_follow_the_image(viewer, dock, stack):
    other = viewer.add_image(stack, name="cells")
    steps = [dock.step(name) for name in ("Map", "Deblur", "Check")]
    dock.image.value = other
    assert all(step.image.value is other for step in steps)
    steps[1].image.value = viewer.layers["photo"]
    assert dock.image.value is viewer.layers["photo"]
    assert all(step.image.value is dock.image.value for step in steps)


def test_the_kind_of_image_is_preset_with_its_reason(viewer, dock, stack):
    assert dock.imaging.value == "photograph"
    assert "in color" in dock.imaging.tooltip
    dock.image.value = viewer.add_image(stack)
    assert dock.imaging.value == "microscopy"
    assert "uint16" in dock.imaging.tooltip
    assert dock.step("Map").imaging.value == "auto"
    dock.imaging.value = "photograph"
    assert dock.step("Map").imaging.value == "photograph"
    assert dock.step("Deblur").imaging.value == "photograph"


def test_the_map_just_made_is_used_by_the_next_steps(viewer, dock, finish, photo):
    finish(dock.step("Map").run())
    deblurring = dock.step("Deblur")
    assert deblurring.defocus.value is viewer.layers["photo defocus"]
    finish(deblurring.run())
    expected = deblur(photo, estimate_defocus(photo, channel_axis=-1), channel_axis=-1)
    result = viewer.layers["photo deblurred"]
    assert np.array_equal(result.data, expected)
    assert names(viewer)[-1] == "photo deblurred"
    checking = dock.step("Check")
    assert checking.sharp.value is result
    assert checking.defocus.value is viewer.layers["photo defocus"]


def test_a_map_estimated_on_the_way_is_kept(viewer, dock, finish, photo):
    finish(dock.step("Deblur").run())
    assert names(viewer) == [
        "photo", "photo confidence", "photo defocus (sure)", "photo defocus", "photo deblurred",
    ]  # fmt: skip
    kept = viewer.layers["photo defocus"]
    assert np.array_equal(kept.data, estimate_defocus(photo, channel_axis=-1).radius)
    assert [layer.name for layer in viewer.layers if layer.visible] == ["photo", "photo deblurred"]
    assert dock.step("Deblur").defocus.value is kept
    finish(dock.step("Deblur").run())
    assert names(viewer).count("photo defocus") == 1


def test_a_map_chosen_in_one_step_is_that_of_all(viewer, dock, photo):
    painted = viewer.add_image(np.full(photo.shape[:2], 2.0), name="painted")
    deblurring, checking = dock.step("Deblur"), dock.step("Check")
    deblurring.defocus.value = painted
    assert checking.defocus.value is painted


def test_a_new_map_is_chosen_even_after_another_choice(viewer, dock, finish):
    deblurring = dock.step("Deblur")
    finish(dock.step("Map").run())
    deblurring.defocus.value = None
    finish(dock.step("Map").run())
    assert deblurring.defocus.value is viewer.layers["photo defocus [1]"]


@pytest.mark.window
def test_the_dock_fits_a_small_screen_with_every_step(window_viewer, dock_widget, photo):
    window_viewer.add_image(photo, rgb=True)
    dock = dock_widget("Defocus")
    for name in ("Map", "Deblur", "Check"):
        dock.open_step(name).more.value = True
    window_viewer.window.resize(1280, 720)
    assert window_viewer.window._qt_window.height() <= 720
    assert dock.native.minimumSizeHint().height() < 500


def test_the_histogram_sets_what_is_left_alone(dock, finish):
    finish(dock.step("Map").run())
    step = dock.step("Deblur")
    histogram = step._range.histogram
    step.protect_radius.value, step.bokeh_radius.value = 0.75, 3.0
    assert histogram.range == (0.75, 3.0)
    histogram.lower_changed.emit(1.25)
    histogram.upper_changed.emit(0.0)
    assert (step.protect_radius.value, step.bokeh_radius.value) == (1.25, 0.0)


def test_the_background_of_photographs_stays_by_default_unless_chosen_otherwise(
    viewer, dock, stack
):
    step = dock.step("Deblur")
    assert step.bokeh_radius.value == "auto"
    dock.image.value = viewer.add_image(stack, name="cells")
    assert step.bokeh_radius.value == 0.0
    dock.image.value = viewer.layers["photo"]
    assert step.bokeh_radius.value == "auto"
    step.bokeh_radius.scope.value = "everything"
    dock.image.value = viewer.layers["cells"]
    dock.image.value = viewer.layers["photo"]
    assert step.bokeh_radius.value == 0.0


def test_the_result_says_how_much_changed_and_errors_stand_in_the_panel(
    viewer, dock, finish, photo
):
    step = dock.step("Deblur")
    step.protect_radius.value = 4.0
    step.defocus.value = viewer.add_image(np.zeros(photo.shape[:2]), name="painted")
    finish(step.run())
    assert step._controls.status.value.startswith("done: 0% of the pixels changed")
    viewer.layers["painted"].data = np.full(photo.shape[:2], np.nan)
    finish(step.run())
    assert "NaN" in step._controls.status.value
