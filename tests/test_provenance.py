"""Provenance says enough to make a result again."""

import json
from pathlib import Path

import dask.array
import numpy as np
import pytest

from napari_defocus import __version__
from napari_defocus.errors import FileError
from napari_defocus.models import find_model
from napari_defocus.provenance import array_hash, provenance, sidecar_path, write_sidecar

IMAGE = np.arange(64, dtype=np.uint8).reshape(8, 8)


def record(**parameters):
    cards = [find_model("auto", "deblur"), find_model("auto", "single")]
    return provenance("deblur", IMAGE, parameters, cards)


def test_models_software_and_input_are_named():
    made = record()
    card = find_model("auto", "deblur")
    assert made["version"] == __version__
    assert made["function"] == "deblur"
    assert (made["model"], made["sha256"]) == (card.name, card.sha256)
    assert [model["task"] for model in made["models"]] == ["deblur", "single"]
    assert made["input"] == {"hash": array_hash(IMAGE), "shape": [8, 8], "dtype": "uint8"}


def test_everything_fits_json():
    made = record(
        strength=np.float32(0.5),
        value_range=(np.int64(0), 255.0),
        model=Path("own.safetensors"),
        defocus=IMAGE,
        tile=None,
        how={"scale": "auto"},
    )
    assert json.loads(json.dumps(made)) == made
    assert made["parameters"]["strength"] == 0.5
    assert made["parameters"]["value_range"] == [0, 255.0]
    assert made["parameters"]["defocus"] == array_hash(IMAGE)


@pytest.mark.parametrize(
    "other", [IMAGE.astype(np.int8), IMAGE.reshape(4, 16), IMAGE + 1, IMAGE[:, ::-1]]
)
def test_hash_tells_images_apart(other):
    assert array_hash(other) != array_hash(IMAGE)


def test_hash_is_that_of_the_values_however_they_lie_in_memory():
    assert array_hash(np.asfortranarray(IMAGE)) == array_hash(IMAGE)
    assert array_hash(np.zeros((0, 4))) == array_hash(np.ones((0, 4)))


def test_hash_of_a_lazy_image_computes_nothing():
    def fail(block):
        raise AssertionError("computed")

    lazy = dask.array.from_array(IMAGE).map_blocks(fail, dtype=np.uint8)
    assert array_hash(lazy).startswith("dask:")
    assert array_hash(lazy) != array_hash(lazy + 1)


def test_sidecar_lies_beside_the_result(tmp_path):
    path = write_sidecar(tmp_path / "sharp.tif", record(strength=1.0))
    assert path == sidecar_path(tmp_path / "sharp.tif") == tmp_path / "sharp.tif.json"
    assert json.loads(path.read_text()) == record(strength=1.0)


def test_sidecar_is_replaced_only_if_told(tmp_path):
    write_sidecar(tmp_path / "sharp.tif", record(strength=1.0))
    with pytest.raises(FileError, match="exists already"):
        write_sidecar(tmp_path / "sharp.tif", record(strength=0.5))
    path = write_sidecar(tmp_path / "sharp.tif", record(strength=0.5), overwrite=True)
    assert json.loads(path.read_text())["parameters"] == {"strength": 0.5}
