"""Preferences in napari's dialog."""

import pytest
from napari.settings import get_plugin_settings
from qtpy.QtWidgets import QAbstractSpinBox

from napari_defocus.viewer.preferences import compute_preferences


@pytest.mark.parametrize("side", [-1, 384, 4096])
def test_tile_size_can_be_set_in_the_preferences_dialog(window_viewer, qtbot, side):
    from napari._qt.dialogs.preferences_dialog import PreferencesDialog

    dialog = PreferencesDialog(window_viewer.window._qt_window)
    qtbot.addWidget(dialog)
    page = dialog._stack.widget(dialog._stack.count() - 1)
    (spin_box,) = page.findChildren(QAbstractSpinBox)
    spin_box.setValue(side)
    assert get_plugin_settings("napari-defocus").compute.tile == side
    assert compute_preferences().tile == (None if side < 0 else side)
