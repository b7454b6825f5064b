"""Image files as layers: pixel sizes, units, lazy reading."""

import numpy as np
import pytest

from napari_defocus.errors import FileError
from napari_defocus.io import write_picture
from napari_defocus.io.picture import Length, Metadata, Picture
from napari_defocus.viewer.files.open_files import open_files
from napari_defocus.viewer.layers.file_layers import layer_arguments


def test_layers_have_the_pixel_sizes_and_units_of_their_file():
    sizes = {"Z": Length(2.0, "um"), "Y": Length(0.5, "µm"), "X": Length(0.25, "wug")}
    arguments = layer_arguments(
        Picture(np.zeros((3, 8, 9)), "ZYX", Metadata(pixel_size=sizes)), "a"
    )
    assert arguments["scale"] == [2.0, 0.5, 0.25]
    assert arguments["units"] == ["micrometer", "µm", "pixel"]
    assert not arguments["rgb"]
    assert not arguments["multiscale"]
    assert layer_arguments(Picture(np.zeros((8, 9, 3), np.uint8), "YXS"), "a")["rgb"]


def test_named_channels_become_layers(viewer):
    sizes = {"Z": Length(2.0, "um"), "Y": Length(0.5, "um"), "X": Length(0.25, "um")}
    metadata = Metadata(pixel_size=sizes, channel_names=("nuclei", "actin"))
    data = np.arange(3 * 2 * 8 * 9).reshape(3, 2, 8, 9)
    viewer.add_image(**layer_arguments(Picture(data, "ZCYX", metadata), "a"))
    assert [layer.name for layer in viewer.layers] == ["a nuclei", "a actin"]
    for channel, layer in enumerate(viewer.layers):
        assert np.array_equal(layer.data, data[:, channel])
        assert layer.scale.tolist() == [2.0, 0.5, 0.25]
        assert layer.axis_labels == ("z", "y", "x")
    arguments = layer_arguments(Picture(data, "ZCYX", Metadata(pixel_size=sizes)), "a")
    assert arguments["axis_labels"] == ["z", "c", "y", "x"]
    assert arguments["scale"] == [2.0, 1.0, 0.5, 0.25]


def test_stores_stay_lazy_and_broken_files_are_errors(viewer, tmp_path):
    pytest.importorskip("zarr")
    sizes = {axis: Length(0.5, "micrometer") for axis in "YX"}
    data = np.zeros((2, 600, 700), np.uint16)
    write_picture(tmp_path / "a.ome.zarr", data, Picture(data, "ZYX", Metadata(pixel_size=sizes)))
    (tmp_path / "b.tif").write_bytes(b"nothing")
    write_picture(tmp_path / "c.png", np.zeros((8, 9, 3), np.uint8), channel_axis=-1)
    paths = [tmp_path / name for name in ("b.tif", "a.ome.zarr", "c.png")]
    with pytest.raises(FileError, match="b.tif is not an image of a known kind"):
        open_files(viewer, paths)
    store, color = viewer.layers
    assert (store.name, color.name) == ("a", "c")
    assert store.multiscale
    assert [level.shape for level in store.data] == [(2, 600, 700), (2, 300, 350)]
    assert type(store.data[0]).__module__.startswith("dask")
    assert store.scale.tolist() == [1.0, 0.5, 0.5]
    assert store.source.path == str(paths[1])
    assert color.rgb
