"""Files with maps, read back as maps by napari, whoever wrote them; other files stay napari's."""

import json

import npe2
import numpy as np
import pytest
from napari.errors import MultipleReaderError
from npe2 import PluginManifest

from napari_defocus import DefocusMap, Options, estimate_defocus, provenance
from napari_defocus.batch import Settings, make_plan, run_plan
from napari_defocus.io import read_picture, write_picture
from napari_defocus.io.picture import Length, Metadata, Picture
from napari_defocus.jobs import EstimateJob
from napari_defocus.viewer import layer_map
from napari_defocus.viewer.files.map_files import confidence_path, find_map
from napari_defocus.viewer.files.open_files import open_files
from napari_defocus.viewer.layers.regions import whole_layer
from napari_defocus.viewer.layers.results import layer_template
from napari_defocus.viewer.maps.map_layers import add_map
from napari_defocus.viewer.maps.map_result import map_result
from napari_defocus.viewer.maps.map_source import MAP_KEY
from napari_defocus.views import Views

NAME = "napari-defocus"
SIZES = {axis: Length(0.5, "um") for axis in "YX"}


@pytest.fixture(scope="module")
def cells():
    """A gray picture (64, 96) whose pixels are half a micrometer wide."""
    rng = np.random.default_rng(5)
    data = rng.integers(0, 4000, (8, 12), np.uint16).repeat(8, axis=0).repeat(8, axis=1)
    return Picture(data, "YX", Metadata(pixel_size=SIZES))


@pytest.fixture(scope="module")
def defocus(cells):
    return estimate_defocus(cells.data)


@pytest.fixture
def maps(tmp_path, cells):
    """Return a function that writes the map of the cells by a batch, and returns its path."""

    def write(suffix=".tif", **settings):
        write_picture(tmp_path / f"cells{suffix}", cells.data, cells)
        plan = make_plan(
            [tmp_path / f"cells{suffix}"], tmp_path / "out", Settings(task="map", **settings)
        )
        assert [event.outcome.state for event in run_plan(plan) if event.outcome] == ["done"]
        return plan.items[0].results["radius"]

    return write


def test_a_map_of_a_batch_is_read_with_colors_confidence_and_scale(viewer, maps, defocus):
    path = maps(".ome.tif")
    confidence, view, radius = viewer.open(path, plugin=NAME)
    assert [layer.name for layer in (confidence, view, radius)] == [
        "cells confidence", "cells defocus (sure)", "cells defocus",
    ]  # fmt: skip
    np.testing.assert_array_equal(radius.data, defocus.radius)
    np.testing.assert_array_equal(layer_map(radius).confidence, defocus.confidence)
    assert radius.colormap.name == "defocus"
    assert [layer.visible for layer in (confidence, view, radius)] == [False, True, False]
    assert radius.scale.tolist() == [0.5, 0.5]
    assert str(radius.units[0]) == "micrometer"


def test_what_is_not_sure_is_clear(viewer, maps):
    path = maps()
    confidence = read_picture(confidence_path(path))
    confidence.data[...], confidence.data[:, 48:] = 1, 0
    write_picture(confidence_path(path), confidence.data, confidence, overwrite=True)
    _, view, _ = viewer.open(path, plugin=NAME)
    assert view.data[:, :32, 3].min() == 255
    assert view.data[:, 64:, 3].max() == 0


def test_radii_in_micrometers_become_pixels_and_are_used_as_such(viewer, maps, cells, defocus):
    path = maps(unit="um")
    image = viewer.add_image(cells.data, scale=(0.5, 0.5), units=("um", "um"))
    radius = viewer.open(path, plugin=NAME)[-1]
    np.testing.assert_allclose(radius.data, defocus.radius, rtol=1e-5)
    used = layer_map(radius, image)
    assert isinstance(used, DefocusMap)
    np.testing.assert_array_equal(used.radius, radius.data)


def test_napari_takes_this_reader_without_asking_once_the_plugin_was_used(
    viewer, maps, open_widget, tmp_path
):
    path = maps()
    with pytest.raises(MultipleReaderError):
        viewer.open(path, plugin=None)
    open_widget("Defocus Map")
    layers = viewer.open(path, plugin=None)
    assert MAP_KEY in layers[-1].metadata
    ordinary = tmp_path / "cells.tif"
    (layer,) = viewer.open(ordinary, plugin=None)
    assert layer.source.reader_plugin == "napari"


def test_the_choice_of_the_user_stays(viewer, maps, registered):
    from napari.settings import get_settings

    path = maps()
    get_settings().plugins.extension2reader = {"*-defocus.tif": "napari"}
    registered.activate(NAME)
    (layer,) = viewer.open(path, plugin=None)
    assert layer.source.reader_plugin == "napari"


def test_ordinary_files_and_folders_are_offered_to_napari_alone(registered, tmp_path):
    for name in ("photo.tif", "photo.jpg", "a-confidence.tif", "cells.zarr"):
        (tmp_path / name).touch()
    (tmp_path / "folder").mkdir()
    for path in tmp_path.iterdir():
        plugins = {reader.plugin_name for reader in registered.iter_compatible_readers(str(path))}
        assert NAME not in plugins


def test_a_file_that_is_only_named_like_a_map_is_refused(registered, tmp_path):
    path = tmp_path / "out-of-defocus.tif"
    write_picture(path, np.zeros((8, 9), np.uint8))
    assert find_map(path) is None
    with pytest.raises(ValueError, match="refused"):
        npe2.read([str(path)], stack=False, plugin_name=NAME)
    path.with_name(f"{path.name}.json").write_text(json.dumps(["software", "napari-defocus"]))
    assert find_map(path) is None


def test_radii_without_confidence_are_shown_alone_and_used_as_certain(viewer, maps, cells):
    path = maps()
    confidence_path(path).unlink()
    confidence_path(path).with_name(f"{confidence_path(path).name}.json").unlink()
    image = viewer.add_image(cells.data, scale=(0.5, 0.5), units=("um", "um"))
    (radius,) = viewer.open(path, plugin=NAME)
    assert radius.colormap.name == "defocus"
    np.testing.assert_array_equal(layer_map(radius, image), radius.data)


def test_a_map_that_was_saved_from_the_list_of_layers_comes_back(viewer, tmp_path, cells, defocus):
    image = viewer.add_image(cells.data, name="cells", scale=(0.5, 0.5), units=("um", "um"))
    record = provenance(EstimateJob(Views(cells.data)))
    result = map_result(defocus, record, Options(), "auto")
    layers = add_map(viewer, result, layer_template(image, whole_layer(image)))
    viewer.layers.selection = {layers.radius}
    path = tmp_path / "cells-defocus.tif"
    written = viewer.layers.save(str(path), selected=True, plugin=NAME)
    assert written == [str(path), str(tmp_path / "cells-confidence.tif")]
    _, _, radius = viewer.open(path, plugin=NAME)
    np.testing.assert_array_equal(radius.data, defocus.radius)
    np.testing.assert_array_equal(layer_map(radius).confidence, defocus.confidence)


def test_maps_in_ome_zarr_are_opened_as_maps_too(viewer, maps, defocus):
    pytest.importorskip("zarr")
    path = maps(".ome.zarr")
    assert path.name == "cells-defocus.ome.zarr"
    open_files(viewer, [path])
    _, view, radius = viewer.layers
    assert "confidence 0." in str(view.get_status((3, 4), world=True)["coordinates"])
    np.testing.assert_array_equal(np.asarray(radius.data), defocus.radius)


def test_patterns_of_manifest_and_preferences_are_the_same():
    from napari_defocus.viewer.files.reader_choice import PATTERNS

    (reader,) = PluginManifest.from_distribution(NAME).contributions.readers
    assert reader.filename_patterns == list(PATTERNS)
