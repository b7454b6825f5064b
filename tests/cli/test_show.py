"""The commands models and info: tables of models, image files and this machine."""

import json

import numpy as np
import pytest
import tifffile

from napari_defocus import __version__
from napari_defocus.io import write_picture
from napari_defocus.models import list_models

from ..io.microscopy.lif_file import lif_bytes
from .conftest import blobs


def test_models_are_listed(run):
    completed = run("models")
    assert completed.status == 0
    for card in list_models():
        assert card.name in completed.out
        assert card.license in completed.out


def test_models_are_verified(run):
    assert run("models", "--verify").out.count("sound") == len(list_models())


def test_card_is_shown_in_full(run):
    completed = run("models", "single", "--verify")
    (card,) = (card for card in list_models() if card.name == "single")
    assert card.sha256 in completed.out
    assert "sound" in completed.out
    assert "recipe" in completed.out


def test_the_card_of_a_weights_file_is_shown(run, tmp_path):
    (card,) = (card for card in list_models() if card.name == "dual-pixel")
    (tmp_path / "mine.safetensors").write_bytes(card.path.read_bytes())
    assert "dual" in run("models", tmp_path / "mine.safetensors").out


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (
            "nonsense",
            "there is no model 'nonsense'; there are: dual-pixel, microscopy-faithful, "
            "microscopy-single, photo-faithful, photo-natural, single",
        ),
        ("none.safetensors", "none.safetensors cannot be read: No such file"),
    ],
)
def test_unknown_models_are_an_error(run, name, words):
    assert words in run("models", name).error


def test_info_of_a_photograph(run, photo):
    completed = run("info", photo)
    assert completed.status == 0
    for words in ("40 x 48 x 3, RGB, uint8", "300 x 300 pixels per inch", "EXIF", "0 and 255",
                  "srgb: display values", "photo-faithful"):  # fmt: skip
        assert words in completed.out


def test_info_of_a_stack(run, tmp_path):
    stack = (blobs(2, 3, 24, 32) * 4000).astype(np.uint16)
    fields = {"axes": "TCYX", "unit": "um", "finterval": 2.0}
    tifffile.imwrite(tmp_path / "a.tif", stack, imagej=True, metadata=fields, resolution=(10, 10))
    completed = run("info", tmp_path / "a.tif")
    for words in ("axes TCYX, uint16", "0.1 µm", "2 s", "ImageJ", "linear: proportional to light",
                  "2 x 3, one by one"):  # fmt: skip
        assert words in completed.out


def test_info_of_an_image_in_a_microscopes_file(run, tmp_path):
    pytest.importorskip("liffile", reason="needs liffile, of the extra formats")
    stack = np.arange(2 * 20 * 30, dtype=np.uint16).reshape(2, 20, 30)
    images = [(stack, "CYX", {}), (stack[:, :10], "CYX", {})]
    (tmp_path / "a.lif").write_bytes(lif_bytes(*images))
    completed = run("info", tmp_path / "a.lif" / "1")
    for words in ("2 x 10 x 30", "63x, NA 1.4, Oil", "Blue, Green", "a further image", "a.lif/0"):
        assert words in " ".join(completed.out.split())


def test_info_ignores_values_that_are_not_finite(run, tmp_path):
    data = blobs(20, 20).astype(np.float32) + 3
    data[2, :4] = np.nan, np.inf, 2, 5
    write_picture(tmp_path / "a.tif", data)
    completed = run("info", tmp_path / "a.tif")
    assert "2 to 5" in completed.out
    assert "2 values" in completed.out


def test_info_says_why_a_picture_cannot_be_used(run, tmp_path):
    write_picture(tmp_path / "a.tif", np.full((20, 20), np.nan, np.float32))
    completed = run("info", tmp_path / "a.tif")
    assert completed.status == 0
    assert "no finite value" in completed.out


def test_info_shows_the_provenance_of_a_result(run, photo):
    run("deblur", photo)
    completed = run("info", photo.parent / "photo-deblurred.jpg")
    assert f"deblur by napari-defocus {__version__}, models: photo-faithful" in completed.out
    (photo.parent / "photo-deblurred.jpg.json").write_text(json.dumps([1]))
    assert "cannot be understood" in run("info", photo.parent / "photo-deblurred.jpg").out


def test_info_of_a_missing_file_is_an_error(run, tmp_path):
    assert "cannot be read" in run("info", tmp_path / "a.tif").error


def test_info_without_a_file_shows_the_machine(run):
    completed = run("info")
    for words in (__version__, "Python", "torch", "device"):
        assert words in completed.out
