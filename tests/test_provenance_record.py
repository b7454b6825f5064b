"""Provenance: models, parameters and input of a result."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dask.array
import numpy as np
import pytest

from napari_defocus import DeblurJob, DeblurSettings, __version__
from napari_defocus.errors import FileError
from napari_defocus.models import ModelCard, find_model
from napari_defocus.provenance_record import array_hash, provenance, sidecar_path, write_sidecar

IMAGE = np.arange(64, dtype=np.uint8).reshape(8, 8)


def record(defocus=None, **settings):
    return provenance(DeblurJob(IMAGE, defocus, DeblurSettings(**settings)), path="cells.tif")


@dataclass
class DescribedWork:
    """A job with parameters of any type."""

    parameters: dict[str, Any]
    function: str = "deblur"
    source: Any = field(default_factory=lambda: IMAGE)
    models: tuple[ModelCard, ...] = ()


def test_models_software_and_input_are_named():
    made = record()
    card = find_model("auto", "deblur")
    assert made["version"] == __version__
    assert made["function"] == "deblur"
    assert (made["model"], made["sha256"]) == (card.name, card.sha256)
    assert [model["task"] for model in made["models"]] == ["deblur", "single"]
    assert made["input"] == {
        "hash": array_hash(IMAGE),
        "shape": [8, 8],
        "dtype": "uint8",
        "path": "cells.tif",
        "layer": None,
        "region": None,
    }


def test_layer_and_region_are_named():
    made = provenance(DeblurJob(IMAGE), layer="Cells", region=[(0, 8), (np.int64(2), 6)])
    assert made["input"]["path"] is None
    assert made["input"]["layer"] == "Cells"
    assert made["input"]["region"] == [[0, 8], [2, 6]]


def test_parameters_are_resolved():
    parameters = record(strength=np.float32(0.5), defocus=IMAGE)["parameters"]
    assert parameters["strength"] == 0.5
    assert parameters["defocus"] == array_hash(IMAGE)
    assert parameters["value_range"] == [0, 255]
    assert parameters["encoding"] == "srgb"


def test_everything_fits_json():
    made = provenance(
        DescribedWork(
            {
                "strength": np.float32(0.5),
                "value_range": (np.int64(0), 255.0),
                "model": Path("own.safetensors"),
                "defocus": IMAGE,
                "tile": None,
                "nested": {"downscale": "auto"},
            }
        )
    )
    assert json.loads(json.dumps(made)) == made
    assert made["parameters"]["strength"] == 0.5
    assert made["parameters"]["value_range"] == [0, 255.0]
    assert made["parameters"]["model"] == "own.safetensors"
    assert made["parameters"]["defocus"] == array_hash(IMAGE)


@pytest.mark.parametrize(
    "other", [IMAGE.astype(np.int8), IMAGE.reshape(4, 16), IMAGE + 1, IMAGE[:, ::-1]]
)
def test_different_images_have_different_hashes(other):
    assert array_hash(other) != array_hash(IMAGE)


def test_hash_does_not_depend_on_memory_order():
    assert array_hash(np.asfortranarray(IMAGE)) == array_hash(IMAGE)
    assert array_hash(np.zeros((0, 4))) == array_hash(np.ones((0, 4)))


def test_hash_of_a_lazy_image_computes_nothing():
    def fail(block):
        raise AssertionError("computed")

    lazy = dask.array.from_array(IMAGE).map_blocks(fail, dtype=np.uint8)
    assert array_hash(lazy).startswith("dask:")
    assert array_hash(lazy) != array_hash(lazy + 1)


@pytest.mark.parametrize("chunks", [(1, 3, 7), (2, 5, 4), -1])
def test_hash_of_a_lazy_image_from_a_file_is_that_of_its_values(chunks):
    stack = np.random.default_rng(0).integers(0, 999, (3, 16, 20), np.uint16)
    lazy = dask.array.from_array(stack, chunks, name=False)
    made = provenance(DescribedWork({"defocus": lazy}, source=lazy), path="cells.zarr")
    assert made["input"]["hash"] == made["parameters"]["defocus"] == array_hash(stack)


def test_sidecar_lies_beside_the_result(tmp_path):
    path = write_sidecar(tmp_path / "sharp.tif", record(strength=1.0))
    assert path == sidecar_path(tmp_path / "sharp.tif") == tmp_path / "sharp.tif.json"
    assert json.loads(path.read_text()) == record(strength=1.0)


def test_sidecar_is_replaced_only_with_overwrite(tmp_path):
    write_sidecar(tmp_path / "sharp.tif", record(strength=1.0))
    with pytest.raises(FileError, match=r"sharp\.tif\.json"):
        write_sidecar(tmp_path / "sharp.tif", record(strength=0.5))
    path = write_sidecar(tmp_path / "sharp.tif", record(strength=0.5), overwrite=True)
    assert json.loads(path.read_text())["parameters"]["strength"] == 0.5
