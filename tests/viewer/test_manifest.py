"""Manifest: commands, menus and samples that napari finds in it."""

import subprocess
import sys

import pytest
from npe2 import PluginManifest

NAME = "napari-defocus"
WIDGETS = ["Defocus", "Defocus Map", "Deblur", "Check", "Refocus", "Focus Stack", "Batch"]


@pytest.fixture
def manifest():
    return PluginManifest.from_distribution(NAME)


def test_manifest_is_valid_and_its_commands_can_be_imported(manifest):
    manifest.validate_imports()


def test_dock_and_batch_are_in_a_submenu_of_the_filter_menu(manifest):
    menus = manifest.contributions.menus
    (entry,) = menus["napari/layers/filter"]
    (submenu,) = manifest.contributions.submenus
    assert entry.submenu == submenu.id
    assert submenu.label == "Defocus"
    assert [item.command for item in menus[submenu.id]] == [f"{NAME}.dock", f"{NAME}.batch"]
    assert [widget.display_name for widget in manifest.contributions.widgets] == WIDGETS


def test_stacks_are_in_the_menus_of_projections_and_measurements(manifest):
    menus = manifest.contributions.menus
    for name in ("project", "measure"):
        assert [item.command for item in menus[f"napari/layers/{name}"]] == [f"{NAME}.focus_stack"]


def test_menu_opens_the_dock(window_viewer):
    from napari._app_model import get_app_model

    get_app_model().commands.execute_command(f"{NAME}.dock").result()
    assert list(window_viewer.window.dock_widgets) == [f"Defocus ({NAME})"]


@pytest.mark.parametrize("name", WIDGETS[:6])
def test_widget_opens_without_layers(dock_widget, name):
    widget = dock_widget(name)
    assert widget.image.value is None


@pytest.mark.parametrize(
    "key",
    [
        "photograph",
        "macro_stack",
        *(
            pytest.param(key, marks=pytest.mark.slow)
            for key in ("dual_pixel", "missed_focus", "known_radii", "fluorescence")
        ),
    ],
)
def test_sample_opens_from_the_menu(window_viewer, key):
    window_viewer.open_sample(NAME, key)
    assert len(window_viewer.layers) > 0


def test_opening_widgets_does_not_import_torch():
    code = f"""
import sys
import napari
viewer = napari.Viewer(show=False)
viewer.open_sample({NAME!r}, "photograph")
for widget in {WIDGETS!r}:
    viewer.window.add_plugin_dock_widget({NAME!r}, widget)
    assert "torch" not in sys.modules, widget
print(len(viewer.layers))
viewer.close()
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=600
    )
    assert done.stdout.split() == ["1"]
