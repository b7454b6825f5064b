"""Comparison of a result with its image: key, grid, and the handle of the split view."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import QApplication, QLabel

from napari_defocus.errors import OptionError
from napari_defocus.viewer.comparing.compare import BEFORE_KEY, show_before
from napari_defocus.viewer.comparing.split import SplitHandle
from napari_defocus.viewer.layers.origin import origin, origin_entry, origin_of
from napari_defocus.viewer.layers.regions import whole_layer
from napari_defocus.viewer.layers.results import layer_template

DARK, BRIGHT = np.zeros((60, 80), np.uint8), np.full((60, 80), 255, np.uint8)


def add_pair(viewer):
    """Add a black image, and a white picture made from it."""
    image = viewer.add_image(DARK, name="photo", contrast_limits=(0, 255))
    template = layer_template(image, whole_layer(image))
    metadata = origin_entry(template.image)
    result = viewer.add_image(BRIGHT, name="result", contrast_limits=(0, 255), metadata=metadata)
    assert origin_of(result) is image
    return image, result


def visible(viewer):
    return [layer.name for layer in viewer.layers if layer.visible]


def test_results_are_hidden_while_the_key_is_held(viewer):
    image, _ = add_pair(viewer)
    viewer.add_image(DARK, name="other")
    image.visible = False
    held = show_before(viewer)
    next(held)
    assert visible(viewer) == ["photo", "other"]
    assert next(held, None) is None
    assert visible(viewer) == ["result", "other"]


def test_the_key_is_bound(open_widget, viewer):
    open_widget("Deblur")
    assert any(str(key) == BEFORE_KEY for key in viewer.keymap)


def test_a_result_is_discarded_and_its_image_shown_again(open_widget, viewer):
    image, result = add_pair(viewer)
    image.visible = False
    widget = open_widget("Deblur")
    widget.compare.discard()
    assert result not in viewer.layers
    assert image.visible
    assert viewer.layers.selection.active is image
    with pytest.raises(OptionError, match="no result"):
        widget.compare.discard()


def test_side_by_side_shows_the_pair_in_a_grid_and_goes_back(open_widget, viewer):
    add_pair(viewer)
    viewer.add_image(DARK, name="other")
    compare = open_widget("Deblur").compare
    compare.side_by_side.value = True
    assert visible(viewer) == ["photo", "result"]
    assert viewer.canvas.grid.enabled
    compare.side_by_side.value = False
    assert visible(viewer) == ["photo", "result", "other"]
    assert not viewer.canvas.grid.enabled


def test_hiding_the_panel_ends_the_comparison(open_widget, viewer):
    add_pair(viewer)
    viewer.add_image(DARK, name="other")
    widget = open_widget("Deblur")
    widget.compare.side_by_side.value = True
    widget.native.hide()
    assert not viewer.canvas.grid.enabled
    assert visible(viewer) == ["photo", "result", "other"]


def test_a_comparison_ends_without_its_image(open_widget, viewer):
    image, _ = add_pair(viewer)
    compare = open_widget("Deblur").compare
    compare.side_by_side.value = True
    viewer.layers.remove(image)
    assert not compare.side_by_side.value
    assert not viewer.canvas.grid.enabled


def test_a_comparison_goes_on_with_the_next_result(open_widget, viewer):
    image, _ = add_pair(viewer)
    compare = open_widget("Deblur").compare
    compare.side_by_side.value = True
    metadata = origin_entry(origin(image))
    viewer.layers.selection.active = viewer.add_image(BRIGHT, name="next", metadata=metadata)
    compare.renew()
    assert visible(viewer) == ["photo", "next"]


@pytest.mark.window
def test_the_split_view_ends_in_three_dimensions(window_viewer, dock_widget):
    add_pair(window_viewer)
    compare = dock_widget("Deblur").compare
    compare.split.value = True
    window_viewer.dims.ndisplay = 3
    assert not compare.split.value
    window_viewer.dims.ndisplay = 2
    left, right = halves(window_viewer)
    assert left.mean() > 200 < right.mean()


@pytest.mark.parametrize("control", ["split", "side_by_side"])
def test_without_a_result_nothing_is_switched_on(open_widget, viewer, control):
    viewer.add_image(DARK)
    compare = open_widget("Deblur").compare
    getattr(compare, control).value = True
    assert not getattr(compare, control).value
    assert not viewer.canvas.grid.enabled


@pytest.mark.window
def test_the_handle_divides_image_and_result_and_can_be_dragged(window_viewer, dock_widget, qtbot):
    _, result = add_pair(window_viewer)
    widget = dock_widget("Deblur")
    widget.compare.split.value = True
    canvas = window_viewer.window._qt_viewer.canvas.native
    handle = canvas.findChild(SplitHandle)
    left, right = halves(window_viewer)
    assert left.mean() < 60 < 200 < right.mean()
    start = QPoint(handle.width() // 2, 40)
    qtbot.mousePress(handle, Qt.MouseButton.LeftButton, pos=start)
    target = handle.mapFromParent(QPoint(int(canvas.width() * 0.9), 40))
    qtbot.mouseMove(handle, target)
    QApplication.processEvents()
    qtbot.mouseRelease(handle, Qt.MouseButton.LeftButton)
    handle.move_to(0.9)
    assert handle.share == pytest.approx(0.9, abs=0.02)
    words = {label.text(): label for label in canvas.findChildren(QLabel) if label.isVisible()}
    assert words["before"].geometry().right() < handle.x()
    assert words["after"].x() > handle.geometry().right()
    assert halves(window_viewer)[1].mean() < 150
    qtbot.keyClick(handle, Qt.Key.Key_Left)
    assert handle.share == pytest.approx(0.88, abs=0.01)
    window_viewer.layers.remove(result)
    assert not widget.compare.split.value


@pytest.mark.slow
@pytest.mark.window
@pytest.mark.skipif(os.environ.get("QT_QPA_PLATFORM") == "offscreen", reason="there is no screen")
@pytest.mark.parametrize("scale", [pytest.param("1", marks=pytest.mark.slow), "2"])
def test_the_result_begins_at_the_handle_at_any_scaling_of_the_screen(scale, tmp_path):
    program = Path(__file__).with_name("scaled_split.py")
    environment = os.environ | {
        "QT_SCALE_FACTOR": scale,
        "NAPARI_CONFIG": str(tmp_path / "settings.yaml"),
    }
    done = subprocess.run(
        [sys.executable, program], env=environment, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout.splitlines()[-1])
    assert report["ratio"] == float(scale)
    for share, edges in zip((0.3, 0.5, 0.7), report["edges"], strict=True):
        assert edges == [pytest.approx(share, abs=0.01)]


def halves(viewer):
    """Return the middle of the canvas, left and right of its center, as drawn."""
    picture = viewer.screenshot(canvas_only=True, flash=False)[..., 0].astype(float)
    height, width = picture.shape
    rows = slice(int(height * 0.4), int(height * 0.6))
    return picture[rows, int(width * 0.35) : int(width * 0.45)], picture[
        rows, int(width * 0.55) : int(width * 0.65)
    ]
