"""Files of results: metadata of the image's file, scale and units, provenance, refusals."""

import gc
import json

import numpy as np
import pytest
from PIL import Image

from napari_defocus import Options, provenance
from napari_defocus.errors import OptionError
from napari_defocus.io import read_picture
from napari_defocus.jobs import DeblurJob
from napari_defocus.viewer.files.save import (
    fitting_suffixes,
    save_layer,
    suggested_path,
    write_image,
)
from napari_defocus.viewer.layers.origin import origin_of
from napari_defocus.viewer.layers.regions import whole_layer
from napari_defocus.viewer.layers.results import layer_template, picture_layer

NAME = "napari-defocus"

MAKER = 0x010F  # Exif tag


@pytest.fixture
def file(tmp_path, photo):
    path = tmp_path / "photo.jpg"
    exif = Image.Exif()
    exif[MAKER] = "a camera"
    Image.fromarray(photo).save(path, exif=exif.tobytes(), quality=95)
    return path


def test_a_result_is_saved_with_the_metadata_of_its_image(viewer, open_widget, finish, until, file):
    (image,) = viewer.open(file)
    widget = open_widget("Deblur")
    widget.image.value = image
    finish(widget.run())
    result = viewer.layers[f"{image.name} deblurred"]
    path = suggested_path(result)
    assert path == file.with_name("photo-deblurred.jpg")
    finish(widget.save(path))
    with Image.open(path) as saved:
        assert saved.getexif()[MAKER] == "a camera"
    record = json.loads(path.with_name(f"{path.name}.json").read_text(encoding="utf-8"))
    assert record["function"] == "deblur"
    told = f"saved {path}; how it was made is in photo-deblurred.jpg.json"
    assert widget._controls.status.value == told
    before = path.read_bytes()
    finish(widget.save(path))
    assert "exists" in widget._controls.status.value
    assert path.read_bytes() == before


def test_the_suggested_name_tells_the_channel(viewer, open_widget, finish, file):
    (image,) = viewer.open(file)
    image.name = "photo GFP"
    widget = open_widget("Deblur")
    widget.image.value = image
    finish(widget.run())
    path = suggested_path(viewer.layers["photo GFP deblurred"])
    assert path == file.with_name("photo-GFP-deblurred.jpg")


def test_a_deblurred_part_is_saved_within_its_picture(viewer, open_widget, finish, file, tmp_path):
    (image,) = viewer.open(file)
    widget = open_widget("Deblur")
    widget.image.value, widget.region.value = image, "shapes"
    viewer.add_shapes([np.array([[10, 20], [10, 59], [41, 59], [41, 20]])])
    finish(widget.run())
    result = viewer.layers.selection.active
    result.data = 255 - result.data  # another picture than before, whatever the networks do
    rows, columns = (slice(*ends) for ends in result.metadata["napari-defocus"]["input"]["region"])
    finish(widget.save(tmp_path / "whole.png"))
    assert "the whole picture with the part" in widget._controls.status.value
    saved = read_picture(tmp_path / "whole.png")
    expected = image.data.copy()
    expected[rows, columns] = result.data
    np.testing.assert_array_equal(saved.data, expected)
    assert (saved.data != image.data).any()
    assert b"a camera" in saved.metadata.exif


def test_a_layer_without_a_file_keeps_scale_and_units(viewer, tmp_path, stack):
    layer = viewer.add_image(
        stack[0], scale=(2, 0.5, 0.25), units=("um",) * 3, axis_labels=("z", "y", "x"), name="cells"
    )
    assert str(suggested_path(layer)) == "cells.tif"
    layer.name = "t/2: cells"
    assert str(suggested_path(layer)) == "t-2- cells.tif"
    save_layer(layer, tmp_path / "cells.ome.tif")
    saved = read_picture(tmp_path / "cells.ome.tif")
    np.testing.assert_array_equal(saved.data, stack[0])
    sizes = {axis: length.value for axis, length in saved.metadata.pixel_size.items()}
    assert sizes == pytest.approx({"Z": 2, "Y": 0.5, "X": 0.25})


def test_the_dialog_offers_what_can_hold_a_layer_the_suggested_first(deblurred, viewer):
    _, result = deblurred
    assert fitting_suffixes(result) == [".jpg", ".tif", ".png", ".jxl", ".avif", ".webp"]
    radii = viewer.add_image(np.linspace(0, 9, 64).reshape(8, 8))
    assert fitting_suffixes(radii) == [".tif", ".zarr"]


def test_a_part_of_a_file_is_saved_without_its_metadata(viewer, file, tmp_path):
    (layer,) = viewer.open(file)
    layer.data = layer.data[8:40]
    save_layer(layer, tmp_path / "part.jpg")
    with Image.open(tmp_path / "part.jpg") as saved:
        assert saved.size == (96, 32)
        assert MAKER not in saved.getexif()


def test_without_a_result_nothing_is_saved(open_widget, tmp_path):
    with pytest.raises(OptionError, match="no result"):
        open_widget("Deblur").save(tmp_path / "a.tif")


@pytest.fixture
def deblurred(viewer, file):
    """The picture of the file, and a result of it such as *Deblur* adds."""
    return open_and_invert(viewer, file)


@pytest.fixture
def window_deblurred(window_viewer, file):
    """The same in a viewer with a window, where File > Save finds it."""
    return open_and_invert(window_viewer, file)


def open_and_invert(viewer, file):
    (image,) = viewer.open(file)
    template = layer_template(image, whole_layer(image))
    record = provenance(DeblurJob(image.data, options=Options(channel_axis=-1)))
    data, arguments = picture_layer(255 - image.data, record, template, "deblurred")
    return image, viewer.add_image(data, **arguments)


def save_selected(viewer, layer, path, **options):
    viewer.layers.selection = {layer}
    return viewer.layers.save(str(path), selected=True, **options)


@pytest.mark.parametrize("suffix", [".tif", ".png", ".jpg"])
def test_file_save_writes_metadata_and_provenance(viewer, deblurred, tmp_path, suffix):
    _, result = deblurred
    path = tmp_path / f"a{suffix}"
    assert save_selected(viewer, result, path, plugin=NAME) == [str(path)]
    assert json.loads((tmp_path / f"a{suffix}.json").read_text())["function"] == "deblur"
    saved = read_picture(path)
    assert b"a camera" in saved.metadata.exif
    if suffix != ".jpg":
        np.testing.assert_array_equal(saved.data, result.data)


def test_metadata_outlive_the_layer_of_the_image(viewer, file, tmp_path):
    result = open_and_invert(viewer, file)[1]
    viewer.layers.remove(viewer.layers[0])
    gc.collect()
    assert origin_of(result) is None
    save_layer(result, tmp_path / "a.jpg")
    assert b"a camera" in read_picture(tmp_path / "a.jpg").metadata.exif


@pytest.mark.parametrize("suffix", [".ome.tif", ".ome.zarr"])
def test_file_save_takes_this_writer_where_napari_has_none(viewer, stack, tmp_path, suffix):
    layer = viewer.add_image(
        stack[0], scale=(2, 0.5, 0.25), units=("um",) * 3, axis_labels=("z", "y", "x")
    )
    path = tmp_path / f"a{suffix}"
    assert save_selected(viewer, layer, path) == [str(path)]
    saved = read_picture(path)
    np.testing.assert_array_equal(np.asarray(saved.data), stack[0])
    assert {axis: each.value for axis, each in saved.metadata.pixel_size.items()} == pytest.approx(
        {"Z": 2, "Y": 0.5, "X": 0.25}
    )


def test_the_writer_finds_the_file_of_an_image_in_the_window(window_deblurred, tmp_path):
    image, _ = window_deblurred
    (path,) = write_image(str(tmp_path / "a.png"), *image.as_layer_data_tuple()[:2])
    assert b"a camera" in read_picture(path).metadata.exif


@pytest.mark.parametrize("plugin", [None, NAME])
def test_a_failed_save_says_so_and_names_no_file(viewer, tmp_path, plugin):
    radii = viewer.add_image(np.linspace(0, 9, 64).reshape(8, 8))
    path = tmp_path / ("a.jxl" if plugin is None else "a.jpg")
    with pytest.raises(OSError, match=r"a\.j.. cannot hold|float"):
        save_selected(viewer, radii, path, plugin=plugin)
    assert not list(tmp_path.iterdir())


def test_labels_are_saved_with_their_scale(viewer, tmp_path):
    labels = viewer.add_labels(
        np.eye(8, dtype=np.int32), scale=(0.5, 0.5), units=("um", "um"), axis_labels=("y", "x")
    )
    path = tmp_path / "a.ome.tif"
    assert save_selected(viewer, labels, path) == [str(path)]
    saved = read_picture(path)
    np.testing.assert_array_equal(saved.data, labels.data)
    assert saved.metadata.pixel_size["Y"].value == 0.5
