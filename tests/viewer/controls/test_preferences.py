"""Preferences: defaults, stored values, and values that are refused."""

import pytest
from napari.components import ViewerModel
from napari.settings import get_plugin_settings

from napari_defocus.options import Options
from napari_defocus.viewer.controls.preferences import compute_preferences


@pytest.mark.usefixtures("registered")
def test_defaults_are_auto():
    assert compute_preferences() == Options()


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize(("stored", "tile"), [(0, "auto"), (-1, None), (384, 384)])
def test_stored_preferences_are_used(stored, tile):
    settings = get_plugin_settings("napari-defocus").compute
    settings.device, settings.precision, settings.tile = "cpu", "bfloat16", stored
    assert compute_preferences() == Options(device="cpu", precision="bfloat16", tile=tile)


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize(("name", "value"), [("device", ""), ("precision", "float8"), ("tile", -2)])
def test_impossible_values_are_refused(name, value):
    settings = get_plugin_settings("napari-defocus").compute
    with pytest.raises(ValueError, match=name):
        setattr(settings, name, value)


def test_widgets_start_from_the_preferences(open_widget):
    settings = get_plugin_settings("napari-defocus").compute
    settings.device, settings.tile = "cpu", 384
    widget = open_widget("Deblur")
    assert widget.device.value == "cpu"
    assert widget.tile.value == 384


def test_widgets_work_while_the_plugin_is_not_registered(npe2pm, qapp):
    from napari_defocus.viewer.deblurring.deblur import DeblurWidget

    widget = DeblurWidget(ViewerModel())
    assert widget.device.value == "auto"
    widget.close()
