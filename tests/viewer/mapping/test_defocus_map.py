"""Defocus Map widget: results, regions, errors, cancellation, and threads that end."""

import gc
import json
import re
import threading

import dask.array as da
import numpy as np
import pytest
from napari.utils.notifications import notification_manager
from qtpy.QtCore import QCoreApplication, QEvent

from napari_defocus import __version__, estimate_defocus
from napari_defocus.errors import DefocusError, ImageError, OptionError
from napari_defocus.map_statistics import UNSURE
from napari_defocus.models import find_model
from napari_defocus.viewer.layers.results import METADATA_KEY
from napari_defocus.viewer.maps.map_source import MAP_KEY


@pytest.fixture
def widget(open_widget):
    return open_widget("Defocus Map")


def names(viewer):
    return [layer.name for layer in viewer.layers]


def test_map_and_confidence_become_layers_placed_like_the_image(viewer, widget, finish, photo):
    image = viewer.add_image(photo, rgb=True, name="photo", scale=(2, 3), translate=(10, 20))
    finish(widget.run())
    assert names(viewer) == [
        "photo", "photo confidence", "photo defocus (sure)", "photo defocus",
    ]  # fmt: skip
    _, confidence, view, radius = viewer.layers
    for layer in (confidence, radius, view):
        assert layer.data.shape[:2] == photo.shape[:2]
        assert np.allclose(layer.extent.world, image.extent.world)
    assert [layer.visible for layer in viewer.layers] == [True, False, True, False]
    assert confidence.contrast_limits == [0, 1]
    assert radius.contrast_limits[0] == 0
    assert radius.colormap.name == "defocus"


def test_map_is_the_same_as_from_the_api(viewer, widget, finish, photo):
    viewer.add_image(photo, rgb=True)
    finish(widget.run())
    radius, confidence = estimate_defocus(photo, channel_axis=-1)
    assert np.array_equal(viewer.layers[-1].data, radius)
    assert np.array_equal(viewer.layers[-3].data, confidence)


def test_two_views_give_a_signed_map_with_colors_around_zero(viewer, widget, finish, photo):
    right = viewer.add_image(np.roll(photo, 3, axis=1), rgb=True, name="right")
    left = viewer.add_image(photo, rgb=True, name="left")
    widget.image.value, widget.right.value = left, right
    finish(widget.run())
    radius = viewer.layers["left defocus"]
    low, high = radius.contrast_limits
    assert low == -high
    assert radius.colormap.name == "defocus ±"
    assert radius.metadata[METADATA_KEY]["model"] == "dual-pixel"


def test_only_models_for_the_number_of_views_are_listed(viewer, widget, photo):
    for name in ("right", "left"):
        viewer.add_image(photo, rgb=True, name=name)
    assert "dual-pixel" not in widget.model.names.choices
    widget.right.value = viewer.layers["right"]
    assert "dual-pixel" in widget.model.names.choices
    assert "single" not in widget.model.names.choices


def test_views_that_differ_in_shape_are_refused(viewer, widget, photo):
    viewer.add_image(photo[:32], rgb=True, name="right")
    left = viewer.add_image(photo, rgb=True, name="left")
    widget.image.value, widget.right.value = left, viewer.layers["right"]
    with pytest.raises(ImageError, match="views differ"):
        widget.run()


def test_provenance_is_json_with_version_weights_region_and_input(viewer, widget, finish, photo):
    viewer.add_image(photo, rgb=True, name="photo")
    finish(widget.run())
    for layer in viewer.layers[1:]:
        record = json.loads(json.dumps(layer.metadata[METADATA_KEY]))
        assert record["version"] == __version__
        assert record["sha256"] == find_model("auto", "single").sha256
        assert record["input"]["region"] == [[0, 64], [0, 96]]
        assert record["input"]["hash"].startswith("sha256:")


def test_stack_gives_a_map_of_every_plane(viewer, widget, finish, stack):
    viewer.add_image(stack, units=("s", "um", "um", "um"), axis_labels=("t", "z", "y", "x"))
    finish(widget.run())
    radius = viewer.layers[-1]
    assert radius.data.shape == stack.shape
    assert radius.axis_labels == ("t", "z", "y", "x")
    assert np.array_equal(radius.data, estimate_defocus(stack).radius)


def test_current_plane_is_read_in_the_value_range_of_the_whole_stack(viewer, widget, finish, stack):
    viewer.add_image(stack, scale=(1, 5, 1, 1))
    viewer.dims.current_step = (2, 1, 0, 0)
    widget.planes.value = "current"
    finish(widget.run())
    radius = viewer.layers[-1]
    assert radius.data.shape == (1, 1, 48, 64)
    assert np.allclose(radius.translate, (2, 5, 0, 0))
    assert np.array_equal(radius.data[0, 0], estimate_defocus(stack).radius[2, 1])


def test_planes_control_is_visible_only_for_stacks(viewer, widget, photo, stack):
    flat = viewer.add_image(photo, rgb=True)
    widget.image.value = flat
    assert not widget.planes.visible
    widget.image.value = viewer.add_image(stack)
    assert widget.planes.visible
    widget.region.value = "current view"
    assert not widget.planes.visible


def test_region_around_shapes(viewer, widget, finish, photo):
    viewer.add_image(photo, rgb=True, scale=(2, 2), name="photo")
    viewer.add_shapes([np.array([[16, 32], [16, 95], [79, 95], [79, 32]])], name="here")
    widget.region.value = "shapes"
    widget.shapes.value = viewer.layers["here"]
    finish(widget.run())
    radius = viewer.layers["photo defocus"]
    assert radius.data.shape == (32, 32)
    assert np.allclose(radius.translate, (16, 32))
    assert np.array_equal(radius.data, estimate_defocus(photo[8:40, 16:48], channel_axis=-1).radius)


def test_region_in_view(window_viewer, dock_widget, finish, until):
    noise = np.random.default_rng(0).integers(0, 255, (300, 400), np.uint8)
    layer = window_viewer.add_image(noise)
    widget = dock_widget("Defocus Map")
    window_viewer.scene.camera.zoom *= 4
    until(lambda: layer.corner_pixels[0].min() > 0)
    low, high = layer.corner_pixels
    widget.region.value = "current view"
    finish(widget.run())
    assert window_viewer.layers[-1].data.shape == tuple(high - low + 1)
    assert np.allclose(window_viewer.layers[-1].translate, low)


@pytest.mark.parametrize("kind", ["dask", "multiscale"])
def test_dask_and_multiscale_layers_give_the_same_map(viewer, widget, finish, photo, kind):
    if kind == "dask":
        viewer.add_image(da.from_array(photo, chunks=(32, 32, 3)), rgb=True)
    else:
        viewer.add_image([photo, photo[::2, ::2]], rgb=True, multiscale=True)
    finish(widget.run())
    assert np.array_equal(viewer.layers[-1].data, estimate_defocus(photo, channel_axis=-1).radius)


def test_histogram_and_median_radius_are_shown(viewer, widget, finish, photo):
    viewer.add_image(photo, rgb=True, scale=(0.5, 0.5), units=("um", "um"))
    finish(widget.run())
    sure = viewer.layers[-3].data >= UNSURE
    assert widget._histogram.counts.counts.sum() == sure.sum() > 0
    assert f"of the {sure.mean():.0%} of the pixels that tell" in widget._summary.value
    (median,) = re.findall(r"median radius ([\d.]+) px = ([\d.]+) µm", widget._summary.value)
    assert float(median[0]) == pytest.approx(2 * float(median[1]), rel=0.01)
    record = viewer.layers[-1].metadata["napari-defocus"]["radii"]
    assert record["unit"] == "px"
    assert record["median_um"] == pytest.approx(record["median_px"] / 2)


def test_widget_starts_with_the_selected_layer(viewer, open_widget, photo):
    first = viewer.add_image(photo, rgb=True)
    viewer.add_image(photo, rgb=True)
    viewer.layers.selection.active = first
    assert open_widget("Defocus Map").image.value is first


def test_results_are_not_listed_as_images(viewer, widget, finish, photo):
    image = viewer.add_image(photo, rgb=True)
    finish(widget.run())
    assert widget.image.choices == (image,)


def test_run_without_an_image_is_an_error(widget):
    with pytest.raises(OptionError, match="no image is chosen"):
        widget.run()


def test_a_button_shows_an_error_in_the_panel_alone(widget):
    before = len(notification_manager.records)
    widget._controls.run_button.native.click()
    assert "no image is chosen" in widget._controls.status.value
    assert len(notification_manager.records) == before


def test_a_right_view_is_offered_for_photographs_among_more_options(viewer, widget, photo):
    viewer.add_image(photo, rgb=True)
    assert not widget.right.native.isVisible()
    widget.more.value = True
    assert widget.right.native.isVisible()
    widget.imaging.value = "microscopy"
    assert not widget.right.native.isVisible()


@pytest.mark.parametrize("name", ["no-such-model", "/no/such/file.safetensors"])
def test_error_in_the_thread_is_shown_and_the_widget_can_run_again(
    viewer, widget, finish, photo, name
):
    viewer.add_image(photo, rgb=True)
    widget.model.value = name
    before = len(notification_manager.records)
    assert finish(widget.run()) is None
    (shown,) = list(notification_manager.records)[before:]
    assert isinstance(shown.exception, DefocusError)
    assert not widget.busy
    assert widget._controls.run_button.enabled
    widget.model.value = "auto"
    assert finish(widget.run()) is not None


def test_second_run_during_a_run_is_refused(viewer, widget, finish, photo):
    viewer.add_image(photo, rgb=True)
    worker = widget.run()
    with pytest.raises(OptionError, match="in progress"):
        widget.run()
    finish(worker)
    assert len(viewer.layers) == 4


def test_second_run_adds_new_layers(viewer, widget, finish, photo):
    viewer.add_image(photo, rgb=True, name="photo")
    finish(widget.run())
    finish(widget.run())
    assert len(viewer.layers) == 7
    assert names(viewer)[-1] == "photo defocus [1]"


def test_cancel_before_and_after_the_first_tile(viewer, widget, finish, until):
    viewer.add_image(np.random.default_rng(0).integers(0, 255, (512, 512), np.uint8))
    widget.tile.value = 256
    worker = widget.run()
    widget.cancel()
    assert not widget.busy
    assert finish(worker) is None
    worker = widget.run()
    until(lambda: widget._controls.status.value == "computing…")
    widget._controls.cancel_button.native.click()
    assert widget._controls.status.value == "canceled"
    assert widget._controls.run_button.enabled
    finish(worker)
    assert len(viewer.layers) == 1


def test_run_survives_removal_of_the_image(viewer, widget, finish, photo):
    viewer.add_image(photo, rgb=True, name="photo")
    worker = widget.run()
    viewer.layers.clear()
    finish(worker)
    assert names(viewer) == ["photo confidence", "photo defocus (sure)", "photo defocus"]


def test_run_finishes_after_its_dock_widget_is_removed(window_viewer, dock_widget, finish, photo):
    window_viewer.add_image(photo, rgb=True)
    widget = dock_widget("Defocus Map")
    worker = widget.run()
    window_viewer.window.remove_dock_widget(widget.native)
    finish(worker)
    assert len(window_viewer.layers) == 4


def test_run_goes_on_when_its_widget_is_destroyed(window_viewer, dock_widget, until, finish, photo):
    window_viewer.add_image(photo, rgb=True)
    widget = dock_widget("Defocus Map")
    worker = widget.run()
    window_viewer.window.remove_dock_widget(widget.native)
    widget.native.deleteLater()
    QCoreApplication.sendPostedEvents(widget.native, QEvent.Type.DeferredDelete.value)
    until(lambda: not widget.busy)
    finish(worker)
    assert len(window_viewer.layers) == 4


def test_run_stops_when_the_window_closes(registered, make_napari_viewer, finish, photo):
    viewer = make_napari_viewer(show=True)
    viewer.add_image(photo, rgb=True)
    _, widget = viewer.window.add_plugin_dock_widget("napari-defocus", "Defocus Map")
    worker = widget.run()
    viewer.close()
    finish(worker)
    assert not widget.busy
    assert "defocus" not in " ".join(names(viewer))


def test_no_thread_and_no_widget_remain(registered, make_napari_viewer, finish, photo):
    viewer = make_napari_viewer(strict_qt="raise")
    threads = threading.active_count()
    viewer.add_image(photo, rgb=True)
    _, widget = viewer.window.add_plugin_dock_widget("napari-defocus", "Defocus Map")
    finish(widget.run())
    del widget
    gc.collect()
    assert threading.active_count() <= threads + 1


def test_a_tick_shows_the_map_over_results_that_would_cover_it(open_widget, viewer, finish, photo):
    viewer.add_image(photo, rgb=True, name="photo")
    dock = open_widget("Defocus")
    step = dock.step("Map")
    assert not step.show_map.native.isVisibleTo(step.native)
    finish(step.run())
    view = viewer.layers["photo defocus (sure)"]
    assert step.show_map.native.isVisibleTo(step.native)
    assert step.show_map.value
    finish(dock.step("Deblur").run())
    assert not step.show_map.value
    assert not view.visible
    step.show_map.value = True
    assert view.visible
    assert viewer.layers[-1] is view
    view.visible = False
    assert not step.show_map.value
    dock.image.value = viewer.add_image(photo[::-1].copy(), rgb=True, name="other")
    assert not step.show_map.native.isVisibleTo(step.native)


def test_statistics_leave_out_where_nothing_shows(viewer, widget, finish, photo):
    wide = np.full((64, 400, 3), 128, np.uint8)
    wide[:, :96] = photo
    viewer.add_image(wide, rgb=True, name="wide")
    widget.image.value = viewer.layers["wide"]
    finish(widget.run())
    estimated = viewer.layers["wide defocus"].metadata[MAP_KEY]
    assert estimated.featureless[:, 200:].all()
    assert not estimated.featureless[:, :90].any()
    assert estimated.statistics.sure < 0.5
    assert (viewer.layers["wide defocus (sure)"].data[:, 220:, 3] == 0).all()
