"""Preview: equal to the result, renewed after changes, stopped when hidden."""

import numpy as np
import pytest
from qtpy.QtCore import QPoint, QSizeF, Qt
from qtpy.QtGui import QColor, QImage, QRegion
from qtpy.QtWidgets import QWidget

from napari_defocus import deblur
from napari_defocus.map_edits import LEAVE_ALONE
from napari_defocus.viewer.comparing.compare import show_before
from napari_defocus.viewer.deblurring.preview import NAME


@pytest.fixture
def viewer(window_viewer):
    """A viewer with a window: previews cover the part that the canvas shows."""
    return window_viewer


@pytest.fixture
def widget(viewer, dock_widget, photo):
    viewer.add_image(photo, rgb=True, name="photo")
    viewer.scene.camera.zoom = 0.5  # all is in view, however large the canvas
    return dock_widget("Deblur")


@pytest.fixture
def large_photo(photo):
    """A picture that is large enough for a coarse preview."""
    return photo.repeat(3, axis=0).repeat(3, axis=1)[:170, :180]


@pytest.fixture
def wait(widget, until):
    def wait_until_idle():
        until(lambda: not widget._preview.busy)

    return wait_until_idle


def worker_of(widget):
    return widget._preview._passes.worker


def preview_layers(viewer):
    return [layer for layer in viewer.layers if layer.name == NAME]


def test_preview_equals_the_result_after_any_change(viewer, widget, wait, photo):
    widget.preview.value = True
    wait()
    (layer,) = preview_layers(viewer)
    assert np.array_equal(layer.data, deblur(photo, channel_axis=-1))
    assert np.allclose(layer.extent.world, viewer.layers["photo"].extent.world)
    viewer.layers["photo"].data = photo[::-1].copy()
    wait()
    assert preview_layers(viewer) == [layer]
    assert np.array_equal(layer.data, deblur(photo[::-1].copy(), channel_axis=-1))
    widget.strength.value = 0
    wait()
    assert preview_layers(viewer) == [layer]
    assert np.array_equal(layer.data, photo[::-1])


def test_preview_layer_is_no_image_to_choose_and_goes_when_it_is_not_wanted(viewer, widget, wait):
    viewer.layers.selection = {viewer.layers["photo"]}
    widget.preview.value = True
    wait()
    assert widget.image.choices == (viewer.layers["photo"],)
    assert widget.defocus.choices == (None,)
    assert viewer.layers.selection == {viewer.layers["photo"]}
    dock = widget.native.parent()
    dock.hide()
    assert preview_layers(viewer) == []
    dock.show()
    wait()
    assert len(preview_layers(viewer)) == 1
    widget.preview.value = False
    assert preview_layers(viewer) == []
    widget.preview.value = True
    wait()
    viewer.layers.remove(NAME)
    assert not widget.preview.value
    wait()
    assert preview_layers(viewer) == []


def test_preview_covers_the_part_in_view(viewer, widget, wait, until):
    big = np.random.default_rng(0).integers(0, 255, (300, 400), np.uint8)
    layer = viewer.add_image(big, name="big")
    widget.image.value = layer
    viewer.scene.camera.zoom = 20
    until(lambda: layer.corner_pixels[0].min() > 0)
    widget.preview.value = True
    wait()
    (preview,) = preview_layers(viewer)
    low, high = layer.corner_pixels
    assert np.allclose(preview.translate, low)
    assert preview.data.shape == tuple(high - low + 1)


def test_change_during_a_preview_starts_it_again(viewer, widget, wait, until, photo):
    widget.preview.value = True
    until(lambda: worker_of(widget) is not None)
    first = worker_of(widget)
    widget.strength.value = 0
    widget._preview._start()
    until(lambda: worker_of(widget) is not first)
    wait()
    (layer,) = preview_layers(viewer)
    assert np.array_equal(layer.data, photo)


def test_hiding_the_panel_stops_the_computation(viewer, widget, wait, until):
    widget.preview.value = True
    until(lambda: worker_of(widget) is not None)
    widget.native.parent().hide()
    wait()
    assert preview_layers(viewer) == []


def test_removing_the_image_removes_the_preview(viewer, widget, wait):
    widget.preview.value = True
    wait()
    viewer.layers.remove("photo")
    wait()
    assert preview_layers(viewer) == []
    assert "no image is chosen" in widget._controls.status.value


def test_preview_follows_painting_of_the_map(viewer, widget, wait, photo):
    painted = viewer.add_labels(np.full(photo.shape[:2], LEAVE_ALONE))
    widget.image.value, widget.defocus.value = viewer.layers["photo"], painted
    widget.preview.value = True
    wait()
    (layer,) = preview_layers(viewer)
    assert np.array_equal(layer.data, photo)
    painted.brush_size = 30
    painted.paint((32, 48), 5)
    wait()
    assert not np.array_equal(layer.data, photo)


def test_stack_is_previewed_one_plane_in_the_value_range_of_the_whole(viewer, widget, wait, stack):
    widget.image.value = viewer.add_image(stack, name="cells")
    viewer.dims.current_step = (1, 1, 0, 0)
    widget.preview.value = True
    wait()
    (layer,) = preview_layers(viewer)
    assert layer.data.shape == (1, 1, 48, 64)
    assert np.array_equal(layer.data[0, 0], deblur(stack)[1, 1])
    viewer.dims.current_step = (2, 0, 0, 0)
    wait()
    assert np.allclose(layer.translate, (2, 0, 0, 0))


def test_finished_preview_does_not_start_again_by_itself(viewer, widget, wait, stack, qtbot):
    widget.image.value = viewer.add_image(stack)
    widget.preview.value = True
    wait()
    with qtbot.waitSignal(widget._preview._timer.timeout, timeout=1500, raising=False) as again:
        pass
    assert not again.signal_triggered


def test_failure_switches_the_preview_off(viewer, widget, wait):
    widget.model.value = "no-such-model"
    widget.preview.value = True
    wait()
    assert not widget.preview.value
    assert preview_layers(viewer) == []


def test_coarse_preview_of_the_whole_view_comes_first(viewer, widget, wait, until, large_photo):
    layer = viewer.add_image(large_photo, rgb=True, name="large")
    widget.image.value = layer
    widget.preview.value = True
    until(lambda: bool(preview_layers(viewer)))
    (preview,) = preview_layers(viewer)
    coarse = preview.data
    assert widget._preview.frame.text == "coarse preview…"
    assert np.allclose(preview.extent.world, layer.extent.world)
    wait()
    assert preview_layers(viewer) == [preview]
    assert widget._preview.frame.text == "preview"
    assert np.array_equal(preview.data, deblur(large_photo, channel_axis=-1))
    assert np.array_equal(coarse, deblur(large_photo, channel_axis=-1, downscale=2))


def test_another_amount_needs_no_run(viewer, widget, wait, until, photo):
    widget.preview.value = True
    wait()
    (layer,) = preview_layers(viewer)
    ended = []
    widget._preview._passes._on_end = lambda: ended.append(True)
    widget.amount.value = 0.25
    wait()
    assert np.array_equal(layer.data, deblur(photo, channel_axis=-1, amount=0.25))
    widget.amount.value = 1.0
    wait()
    assert np.array_equal(layer.data, deblur(photo, channel_axis=-1))
    assert not ended
    widget.strength.value = 0.5
    wait()
    assert ended


def test_amount_that_changes_during_a_run_holds(viewer, widget, wait, until, photo):
    widget.preview.value = True
    until(lambda: worker_of(widget) is not None)
    widget.amount.value = 0.25
    wait()
    (layer,) = preview_layers(viewer)
    assert np.array_equal(layer.data, deblur(photo, channel_axis=-1, amount=0.25))


def test_frame_goes_around_the_preview_and_lets_the_mouse_through(viewer, widget, wait, until):
    canvas = viewer.window._qt_viewer.canvas.native
    widget.preview.value = True
    wait()
    (outline,) = canvas.findChildren(QWidget, "PreviewFrame")
    assert outline.testAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
    size = QSizeF(96 / 2, 64 / 2)  # by the zoom
    assert outline._corners().boundingRect().size() == size
    assert QColor("#ffb000").rgb() in colors_at_the_top(outline)
    preview_layers(viewer)[0].visible = False
    assert QColor("#ffb000").rgb() not in colors_at_the_top(outline)
    widget.preview.value = False
    until(lambda: not canvas.findChildren(QWidget, "PreviewFrame"))


def colors_at_the_top(outline):
    """Return the colors along the upper edge of the frame."""
    picture = QImage(outline.size(), QImage.Format.Format_ARGB32)
    picture.fill(Qt.GlobalColor.transparent)
    outline.render(picture, QPoint(), QRegion(), QWidget.RenderFlag.DrawChildren)
    edge = outline._corners().boundingRect()
    row = round(edge.top())
    return {
        picture.pixel(column, row + shift)
        for column in range(round(edge.left()), round(edge.right()))
        for shift in (-1, 0, 1)
    }


def test_key_for_before_hides_the_preview(viewer, widget, wait):
    widget.preview.value = True
    wait()
    (layer,) = preview_layers(viewer)
    held = show_before(viewer)
    next(held)
    assert not layer.visible
    next(held, None)
    assert layer.visible


def test_closing_the_window_stops_the_computation(registered, make_napari_viewer, until, photo):
    viewer = make_napari_viewer(show=True)
    viewer.add_image(photo, rgb=True)
    _, widget = viewer.window.add_plugin_dock_widget("napari-defocus", "Deblur")
    widget.preview.value = True
    until(lambda: worker_of(widget) is not None)
    worker = worker_of(widget)
    viewer.close()
    until(lambda: not worker.is_running)
