"""Files of results: metadata of the image's file, scale and units, provenance, refusals."""

import json

import numpy as np
import pytest
from PIL import Image

from napari_defocus.errors import OptionError
from napari_defocus.io import read_picture
from napari_defocus.viewer.save import save_layer, suggested_path

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
    assert widget._controls.status.value == f"saved {path}"
    before = path.read_bytes()
    finish(widget.save(path))
    assert "exists" in widget._controls.status.value
    assert path.read_bytes() == before


def test_a_layer_without_a_file_keeps_scale_and_units(viewer, tmp_path, stack):
    layer = viewer.add_image(
        stack[0], scale=(2, 0.5, 0.25), units=("um",) * 3, axis_labels=("z", "y", "x"), name="cells"
    )
    assert str(suggested_path(layer)) == "cells.tif"
    save_layer(layer, tmp_path / "cells.ome.tif")
    saved = read_picture(tmp_path / "cells.ome.tif")
    np.testing.assert_array_equal(saved.data, stack[0])
    sizes = {axis: length.value for axis, length in saved.metadata.pixel_size.items()}
    assert sizes == pytest.approx({"Z": 2, "Y": 0.5, "X": 0.25})


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
