"""Layers of results: what they take over from layers of any reader."""

import numpy as np
import pytest
import tifffile
from npe2 import DynamicPlugin

from napari_defocus.viewer.layers.results import METADATA_KEY

PLACE = {
    "scale": (2.0, -0.25, 0.5),
    "translate": (5.0, 60.0, -3.0),
    "rotate": 15.0,
    "units": ("second", "micrometer", "micrometer"),
    "axis_labels": ("time", "down", "across"),
}
LOOK = {
    "colormap": ["cyan", "magenta"],
    "blending": ["additive", "translucent"],
    "opacity": 0.5,
    "gamma": 0.7,
    "contrast_limits": [(10, 2000), (20, 3000)],
}
METADATA = {"instrument": "a microscope", "channels": ["nuclei", "actin"]}


@pytest.fixture
def reader(registered):
    """A reader of another plugin for files named .cells."""
    plugin = DynamicPlugin("other-reader", plugin_manager=registered)
    plugin.register()

    @plugin.contribute.reader(filename_patterns=["*.cells"])
    def get_reader(path):
        def read(paths):
            data = np.load(paths)
            names = {"channel_axis": 1, "name": ["nuclei", "actin"], "metadata": METADATA}
            return [(data, PLACE | LOOK | names, "image")]

        return read

    yield plugin
    plugin.cleanup()


@pytest.mark.parametrize("name", ["Defocus Map", "Deblur"])
@pytest.mark.usefixtures("reader")
def test_results_keep_what_another_plugins_reader_says(
    viewer, open_widget, finish, tmp_path, stack, name
):
    path = tmp_path / "slide.cells"
    with path.open("wb") as file:
        np.save(file, stack)
    viewer.open(path, plugin="other-reader")
    widget = open_widget(name)
    widget.image.value = image = viewer.layers["actin"]
    finish(widget.run())
    ending = "deblurred" if name == "Deblur" else "defocus"
    result = viewer.layers[f"actin {ending}"]
    assert np.allclose(result.extent.world, image.extent.world)
    for each in ("scale", "translate", "rotate", "shear"):
        assert np.allclose(getattr(result, each), getattr(image, each)), each
    assert (result.units, result.axis_labels) == (image.units, image.axis_labels)
    assert result.metadata["channels"] == ["nuclei", "actin"]
    assert METADATA_KEY in result.metadata
    if name == "Deblur":
        assert result.colormap.name == "magenta"
        for each in ("blending", "opacity", "gamma", "contrast_limits"):
            assert getattr(result, each) == getattr(image, each), each


def test_results_keep_what_naparis_own_reader_says(viewer, open_widget, finish, tmp_path, stack):
    path = tmp_path / "cells.tif"
    tifffile.imwrite(path, stack[:, 0], imagej=True, metadata={"axes": "CYX"})
    viewer.open(path, channel_axis=0, name=["a", "b", "c"], scale=(0.5, 0.25), units="um")
    widget = open_widget("Deblur")
    widget.image.value = viewer.layers["b"]
    finish(widget.run())
    result = viewer.layers["b deblurred"]
    assert result.scale.tolist() == [0.5, 0.25]
    assert result.units == viewer.layers["b"].units
    assert result.colormap.name == viewer.layers["b"].colormap.name
