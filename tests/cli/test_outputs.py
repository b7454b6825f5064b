"""Output files of a command: what they may not be, and what stays as it is."""

import os

import numpy as np
import pytest

from napari_defocus.cli.outputs import Outputs
from napari_defocus.errors import FileError
from napari_defocus.io import write_picture
from napari_defocus.io.atomic import find_scratch_folders

GRAY = np.zeros((8, 8), np.uint8)


@pytest.mark.parametrize(
    ("inputs", "outputs"),
    [
        (["a.zarr"], ["a.zarr/defocus.tif"]),
        (["a.zarr/inner.zarr"], ["a.zarr"]),
        (["a.tif"], ["b.tif", "b.tif"]),
        (["a.tif"], ["link.tif"]),
        (["a.tif"], ["A.TIF"]),
    ],
)
def test_outputs_within_or_around_other_files_are_refused(tmp_path, inputs, outputs):
    pytest.importorskip("zarr")
    write_picture(tmp_path / "a.zarr", GRAY)
    write_picture(tmp_path / "a.zarr" / "inner.zarr", GRAY)
    write_picture(tmp_path / "a.tif", GRAY)
    (tmp_path / "link.tif").symlink_to(tmp_path / "a.tif")
    if not (tmp_path / "A.TIF").exists():  # this file system tells case apart
        os.link(tmp_path / "a.tif", tmp_path / "A.TIF")
    with pytest.raises(FileError, match="by the same command"):
        Outputs([tmp_path / name for name in inputs], [tmp_path / name for name in outputs], True)


def test_a_folder_of_documents_named_as_a_store_is_not_replaced(tmp_path):
    (tmp_path / "my.zarr").mkdir()
    (tmp_path / "my.zarr" / "thesis.doc").write_text("mine")
    with pytest.raises(FileError, match="my.zarr is a folder"):
        Outputs([], [tmp_path / "my.zarr"], True)


def test_a_sidecar_that_is_a_link_is_replaced_and_not_followed(tmp_path):
    (tmp_path / "precious").write_text("mine")
    (tmp_path / "a.tif.json").symlink_to(tmp_path / "precious")
    outputs = Outputs([], [tmp_path / "a.tif"], True)
    outputs.write(tmp_path / "a.tif", GRAY, {"function": "deblur"})
    assert (tmp_path / "precious").read_text() == "mine"
    assert not (tmp_path / "a.tif.json").is_symlink()
    assert not find_scratch_folders(tmp_path)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["deblur", ""], "the word after deblur is empty"),
        (["refocus", "", "--focus", 1, "--aperture", 1], "the word after refocus is empty"),
        (["deblur", "photo.jpg", ""], "the word after photo.jpg is empty"),
        (["map", "photo.jpg", "--preview-out", ""], "the word after --preview-out is empty"),
        (["map", "photo.jpg", "--right="], "--right= has an empty value"),
        (["batch", "", "out"], "the word after batch is empty"),
        (["batch", "photo.jpg", ""], "the word after photo.jpg is empty"),
        (["map", "."], ". is a folder; give the name of an image file"),
        (["deblur", "/"], "/ is a folder; give the name of an image file"),
        (["deblur", "photo.jpg", "/"], "/ is a folder; give the name of a file"),
        (["map", "photo.jpg", "--preview-out", "."], ". is a folder; give the name of a file"),
        (["deblur", "photo.jpg", "--map", "/"], "/ is a folder; give the name of"),
    ],
)
def test_names_that_are_empty_or_no_files_are_refused(run, photo, monkeypatch, words, message):
    monkeypatch.chdir(photo.parent)
    assert message in run(*words).error
    assert [path.name for path in photo.parent.iterdir()] == ["photo.jpg"]
