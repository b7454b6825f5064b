"""Preferences in napari's dialog."""

import pytest
from napari.settings import get_plugin_settings
from qtpy.QtWidgets import QAbstractSpinBox, QComboBox, QLabel

from napari_defocus.viewer.controls.preferences import compute_preferences


@pytest.fixture
def page(window_viewer, qtbot):
    """The plugin's page."""
    from napari._qt.dialogs.preferences_dialog import PreferencesDialog

    dialog = PreferencesDialog(window_viewer.window._qt_window)
    qtbot.addWidget(dialog)
    return dialog._stack.widget(dialog._stack.count() - 1)


@pytest.mark.parametrize("side", [-1, 384, 4096])
def test_tile_size_can_be_set_in_the_preferences_dialog(page, side):
    (spin_box,) = page.findChildren(QAbstractSpinBox)
    spin_box.setValue(side)
    assert get_plugin_settings("napari-defocus").compute.tile == side
    assert compute_preferences().tile == (None if side < 0 else side)


def test_device_is_chosen_from_a_list(page):
    devices = next(box for box in page.findChildren(QComboBox) if box.findText("cuda:1") >= 0)
    devices.setCurrentText("cpu")
    assert get_plugin_settings("napari-defocus").compute.device == "cpu"
    assert compute_preferences().device == "cpu"


def test_the_page_says_what_a_tile_size_of_0_means(page):
    assert any("0 is automatic" in label.text() for label in page.findChildren(QLabel))
