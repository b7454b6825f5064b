"""Dock: one image, one map and one kind of image for all steps."""

from dataclasses import replace

import numpy as np
import pytest
from qtpy.QtCore import QPoint
from qtpy.QtWidgets import QApplication

from napari_defocus import Options, deblur, estimate_defocus
from napari_defocus.viewer.deblurring.mixture import percent
from napari_defocus.viewer.layers.results import layer_template
from napari_defocus.viewer.layers.window import Window
from napari_defocus.viewer.maps.map_layers import add_map
from napari_defocus.viewer.maps.map_result import map_result

RECORD = {"input": {"hash": "sha256:0"}}


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


def test_planes_and_the_meaning_of_values_are_chosen_once_for_all_steps(viewer, dock, stack):
    dock.image.value = viewer.add_image(stack, name="cells")
    first = dock.step("Map")
    first.planes.value = "current"
    first.black.value, first.white.value, first.value_range.value = "10", "900", "own"
    later = [dock.step("Deblur"), dock.step("Check")]
    for step in later:
        assert (step.planes.value, step.value_range.value) == ("current", "own")
        assert (step.black.value, step.white.value) == ("10", "900")
    later[0].planes.value, later[1].encoding.value = "all", "linear"
    assert first.planes.value == later[1].planes.value == "all"
    assert first.encoding.value == later[0].encoding.value == "linear"


def test_a_hidden_reference_is_left_for_the_photograph_that_is_opened_with_it(viewer, dock, photo):
    step = dock.step("Deblur")
    viewer.layers.clear()
    viewer.open_sample("napari-defocus", "missed_focus")
    assert dock.image.value is step.image.value is viewer.layers["osprey, missed focus"]
    viewer.add_image(photo, rgb=True, name="another")
    assert dock.image.value is viewer.layers["osprey, missed focus"]


def test_painting_goes_on_with_an_image_that_was_opened_later(viewer, dock, photo):
    step = dock.step("Edit")
    other = viewer.add_image(photo[::-1].copy(), rgb=True, name="other")
    dock.image.value = other
    assert step.image.value is other


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
    dock.step("Map")
    finish(dock.step("Deblur").run())
    assert names(viewer) == [
        "photo", "photo confidence", "photo defocus (sure)", "photo defocus", "photo deblurred",
    ]  # fmt: skip
    kept = viewer.layers["photo defocus"]
    assert np.array_equal(kept.data, estimate_defocus(photo, channel_axis=-1).radius)
    assert [layer.name for layer in viewer.layers if layer.visible] == ["photo", "photo deblurred"]
    assert dock.step("Deblur").defocus.value is kept
    assert not dock.step("Map")._summary.value
    dock.open_step("Deblur")
    dock.open_step("Map")
    assert "in focus" in dock.step("Map")._summary.value
    finish(dock.step("Deblur").run())
    assert names(viewer).count("photo defocus") == 1


def test_a_map_chosen_in_one_step_is_that_of_all(viewer, dock, photo):
    painted = viewer.add_image(np.full(photo.shape[:2], 2.0), name="painted")
    deblurring, checking = dock.step("Deblur"), dock.step("Check")
    deblurring.defocus.value = painted
    assert checking.defocus.value is painted
    assert dock.step("Refocus").defocus.value is painted  # made only now


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


def test_the_newest_map_of_a_part_is_not_used_for_the_whole(viewer, dock, finish, photo):
    part = photo[:40, :48].copy()
    template = replace(
        layer_template(viewer.layers["photo"], Window((0, 0), part.shape[:2])), name="part"
    )
    add_map(viewer, map_result(estimate_defocus(part, channel_axis=-1), RECORD, Options(), "auto"),
            template)  # fmt: skip
    assert dock.step("Deblur").defocus.value is viewer.layers["part defocus"]
    dock.step("Refocus").run_button.native.click()
    assert "estimate a map of that region" in dock.step("Refocus")._controls.status.value
    dock.step("Check").sharp.value = viewer.add_image(photo, rgb=True, name="sharp")
    finish(dock.step("Check").run())
    assert "photo not supported by the image" in viewer.layers
    finish(dock.step("Deblur").run())
    assert "covers only part of 'photo'" in dock.step("Deblur")._controls.status.value
    expected = deblur(photo, estimate_defocus(photo, channel_axis=-1), channel_axis=-1)
    assert np.array_equal(viewer.layers["photo deblurred"].data, expected)


def test_maps_and_results_of_other_pixels_are_not_used(viewer, dock, finish, photo):
    finish(dock.step("Deblur").run())
    deblurring, refocusing = dock.step("Deblur"), dock.step("Refocus")
    assert refocusing.sharp.value is viewer.layers["photo deblurred"]
    viewer.layers["photo"].data = photo[:40, 16:][::-1].copy()
    assert deblurring.defocus.value is None
    assert refocusing.sharp.value is None
    finish(deblurring.run())
    assert viewer.layers["photo deblurred [1]"].data.shape == (40, 80, 3)
    assert deblurring.defocus.value is viewer.layers["photo defocus [1]"]


def test_the_newest_map_is_the_one_made_last_wherever_it_lies(viewer, dock, finish):
    for _ in range(2):
        finish(dock.step("Map").run())
    viewer.layers.move(viewer.layers.index("photo defocus"), len(viewer.layers))
    assert dock.step("Deblur").defocus.value is viewer.layers["photo defocus [1]"]


def test_a_dock_opened_again_goes_on_with_the_image_of_the_result(
    viewer, dock, finish, open_widget
):
    viewer.add_image(np.zeros((20, 20)), name="other")
    finish(dock.step("Deblur").run())
    assert viewer.layers.selection.active is viewer.layers["photo deblurred"]
    assert open_widget("Defocus").image.value is viewer.layers["photo"]
    assert open_widget("Check").image.value is viewer.layers["photo"]


def test_a_map_of_pixels_that_were_changed_in_place_is_noted(viewer, dock, finish):
    finish(dock.step("Map").run())
    step = dock.step("Deblur")
    finish(step.run())
    assert "from other pixels" not in step._controls.status.value
    viewer.layers["photo"].data[:20] = 7
    finish(step.run())
    assert "estimated from other pixels than 'photo' has now" in step._controls.status.value


def test_numbers_and_models_wait_under_more_options(dock):
    step = dock.open_step("Deblur")
    advanced = (step.model, step.strength, step.protect_radius, step.downscale)
    assert not any(control.native.isVisibleTo(step.native) for control in advanced)
    assert step.amount.native.isVisibleTo(step.native)
    step.more.value = True
    assert all(control.native.isVisibleTo(step.native) for control in advanced)
    refocusing = dock.open_step("Refocus")
    refocusing.more.value = True
    assert not refocusing.model.native.isVisibleTo(refocusing.native)


def test_handles_stop_where_their_setting_does(dock, finish):
    finish(dock.step("Map").run())
    step = dock.step("Deblur")
    largest = step.protect_radius.max
    for _ in range(2):
        step._range.histogram.show_range(largest + 1, 0.0)
        step._range.histogram.lower_changed.emit(largest + 1)
        assert step._range.histogram.range[0] == largest


def test_a_small_share_is_not_called_nothing():
    assert [percent(share) for share in (0.0, 0.002, 0.014)] == ["0%", "less than 1%", "1%"]


def test_the_step_map_tells_of_the_map_of_its_image(viewer, dock, finish, stack):
    step = dock.step("Map")
    finish(step.run())
    text = step._summary.value
    assert "in focus" in text
    dock.image.value = viewer.add_image(stack, name="cells")
    assert not step._summary.value
    assert not step._histogram.isVisible()
    dock.image.value = viewer.layers["photo"]
    assert step._summary.value == text


def test_a_radius_that_is_set_by_a_handle_moves_nothing_below_it(dock):
    step = dock.open_step("Deblur")
    QApplication.processEvents()  # which lays the step out
    place = step.run_button.native.mapTo(dock.native, QPoint(0, 0))
    step.bokeh_radius.value = 3.0
    assert step.bokeh_radius.scope.value == "up to"
    assert step.bokeh_radius.radius.native.text() == "3.00 px"
    assert step.bokeh_radius.radius.native.isVisible()
    QApplication.processEvents()
    assert step.run_button.native.mapTo(dock.native, QPoint(0, 0)) == place


def test_a_picture_without_a_subject_before_a_background_is_noted(dock, finish):
    step = dock.step("Deblur")
    finish(step.run())
    assert "shows no subject" in step._controls.status.value
    step.bokeh_radius.value = 0.0
    finish(step.run())
    assert "shows no subject" not in step._controls.status.value


@pytest.mark.window
def test_an_error_below_the_edge_of_the_panel_is_scrolled_to(
    window_viewer, dock_widget, until, photo
):
    window_viewer.add_image(photo, rgb=True)
    step = dock_widget("Defocus").open_step("Deblur")
    window_viewer.window.resize(1280, 600)
    step.more.value, step.region.value = True, "shapes"
    status = step._controls.status.native
    step.run_button.native.click()
    until(lambda: not status.visibleRegion().isEmpty())
    assert "no shape" in status.text()
