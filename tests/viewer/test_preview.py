import numpy as np
import pytest

from napari_defocus import deblur
from napari_defocus.viewer.preview import NAME


@pytest.fixture
def widget(viewer, open_widget, photo):
    viewer.add_image(photo, rgb=True, name="photo")
    viewer.scene.camera.zoom = 0.5  # all is in view, however large the canvas
    return open_widget("Deblur")


@pytest.fixture
def settled(widget, until):
    def wait():
        until(lambda: not widget._preview.busy)

    return wait


def shown(viewer):
    return [layer for layer in viewer.layers if layer.name == NAME]


def test_preview_is_what_the_result_will_be(viewer, widget, settled, photo):
    widget.preview.value = True
    settled()
    (layer,) = shown(viewer)
    assert np.array_equal(layer.data, deblur(photo, channel_axis=-1))
    assert np.allclose(layer.extent.world, viewer.layers["photo"].extent.world)


def test_preview_follows_the_settings_in_the_same_layer(viewer, widget, settled, photo):
    widget.preview.value = True
    settled()
    (first,) = shown(viewer)
    widget.strength.value = 0
    settled()
    assert shown(viewer) == [first]
    assert np.array_equal(first.data, photo)


def test_preview_shows_what_is_in_view(viewer, widget, settled, until):
    big = np.random.default_rng(0).integers(0, 255, (300, 400), np.uint8)
    layer = viewer.add_image(big, name="big")
    widget.image.value = layer
    viewer.scene.camera.zoom = 20
    until(lambda: layer.corner_pixels[0].min() > 0)
    widget.preview.value = True
    settled()
    (preview,) = shown(viewer)
    low, high = layer.corner_pixels
    assert np.allclose(preview.translate, low)
    assert preview.data.shape == tuple(high - low + 1)


def test_changes_while_it_computes_supersede_it(viewer, widget, settled, until, photo):
    widget.preview.value = True
    until(lambda: widget._preview._worker is not None)
    first = widget._preview._worker
    widget.strength.value = 0
    widget._preview._start()
    until(lambda: widget._preview._worker is not first)
    settled()
    (layer,) = shown(viewer)
    assert np.array_equal(layer.data, photo)


def test_preview_is_no_image_to_work_on_and_keeps_the_selection(viewer, widget, settled):
    viewer.layers.selection = {viewer.layers["photo"]}
    widget.preview.value = True
    settled()
    assert widget.image.choices == (viewer.layers["photo"],)
    assert widget.defocus.choices == (None,)
    assert viewer.layers.selection == {viewer.layers["photo"]}


def test_switching_off_removes_it(viewer, widget, settled):
    widget.preview.value = True
    settled()
    widget.preview.value = False
    assert shown(viewer) == []


def test_hiding_the_panel_discards_it_and_showing_brings_it_back(viewer, widget, settled):
    widget.preview.value = True
    settled()
    dock = widget.native.parent()
    dock.hide()
    assert shown(viewer) == []
    dock.show()
    settled()
    assert len(shown(viewer)) == 1


def test_hiding_the_panel_while_it_computes(viewer, widget, settled, until):
    widget.preview.value = True
    until(lambda: widget._preview._worker is not None)
    widget.native.parent().hide()
    settled()
    assert shown(viewer) == []


def test_removing_its_layer_switches_it_off(viewer, widget, settled):
    widget.preview.value = True
    settled()
    viewer.layers.remove(NAME)
    assert not widget.preview.value
    settled()
    assert shown(viewer) == []


def test_image_that_goes_takes_the_preview_with_it(viewer, widget, settled):
    widget.preview.value = True
    settled()
    viewer.layers.remove("photo")
    settled()
    assert shown(viewer) == []
    assert "no image is chosen" in widget._controls.status.value


def test_new_pixels_are_noticed(viewer, widget, settled, photo):
    widget.preview.value = True
    settled()
    viewer.layers["photo"].data = photo[::-1].copy()
    settled()
    (layer,) = shown(viewer)
    assert np.array_equal(layer.data, deblur(photo[::-1].copy(), channel_axis=-1))


def test_painting_the_map_is_noticed(viewer, widget, settled, photo):
    painted = viewer.add_labels(np.zeros(photo.shape[:2], int))
    widget.image.value, widget.defocus.value = viewer.layers["photo"], painted
    widget.preview.value = True
    settled()
    (layer,) = shown(viewer)
    assert np.array_equal(layer.data, photo)
    painted.brush_size = 30
    painted.paint((32, 48), 5)
    settled()
    assert not np.array_equal(layer.data, photo)


def test_stack_is_previewed_plane_by_plane_in_the_range_of_the_whole(
    viewer, widget, settled, stack
):
    widget.image.value = viewer.add_image(stack, name="cells")
    viewer.dims.current_step = (1, 1, 0, 0)
    widget.preview.value = True
    settled()
    (layer,) = shown(viewer)
    assert layer.data.shape == (1, 1, 48, 64)
    assert np.array_equal(layer.data[0, 0], deblur(stack)[1, 1])
    viewer.dims.current_step = (2, 0, 0, 0)
    settled()
    assert np.allclose(layer.translate, (2, 0, 0, 0))


def test_settled_preview_does_not_start_itself_again(viewer, widget, settled, stack, qtbot):
    widget.image.value = viewer.add_image(stack)
    widget.preview.value = True
    settled()
    with qtbot.waitSignal(widget._preview._timer.timeout, timeout=1500, raising=False) as again:
        pass
    assert not again.signal_triggered


def test_failure_switches_it_off(viewer, widget, settled):
    widget.model.value = "no-such-model"
    widget.preview.value = True
    settled()
    assert not widget.preview.value
    assert shown(viewer) == []


def test_window_closed_while_it_computes(registered, make_napari_viewer, until, photo):
    viewer = make_napari_viewer(show=True)
    viewer.add_image(photo, rgb=True)
    _, widget = viewer.window.add_plugin_dock_widget("napari-defocus", "Deblur")
    widget.preview.value = True
    until(lambda: widget._preview._worker is not None)
    worker = widget._preview._worker
    viewer.close()
    until(lambda: not worker.is_running)
