"""Which files are meant by names, folders and patterns."""

import os

import pytest

from napari_defocus.batch.inputs import find_inputs
from napari_defocus.errors import FileError


def names(found):
    return [item.path.name for item in found]


def test_folders_are_searched_at_any_depth_and_keep_their_order(photos):
    found = find_inputs([photos])
    assert names(found) == ["a.png", "b.tif", "ü.jpg"]
    assert [str(item.folder) for item in found] == [".", ".", "deep er"]


@pytest.mark.parametrize(
    ("pattern", "wanted"),
    [("*.png", ["a.png"]), ("**/*.jpg", ["ü.jpg"]), ("?.*", ["a.png", "b.tif"])],
)
def test_patterns(photos, pattern, wanted, monkeypatch):
    assert names(find_inputs([photos / pattern])) == wanted
    monkeypatch.chdir(photos)
    assert names(find_inputs([pattern])) == wanted


def test_a_file_is_taken_once(photos):
    again = find_inputs([photos / "b.tif", photos, photos / "deep er" / ".." / "a.png"])
    assert names(again) == ["b.tif", "a.png", "ü.jpg"]


def test_results_and_hidden_files_are_no_inputs(photos):
    (photos / ".hidden.png").write_bytes(b"")
    (photos / "out").mkdir()
    (photos / "out" / "a.png").write_bytes(b"")
    assert names(find_inputs([photos], without=photos / "out")) == ["a.png", "b.tif", "ü.jpg"]


@pytest.mark.parametrize("given", ["missing.png", "*.bmp", "", os.sep + "*.none", "a\0b"])
def test_what_is_not_there_is_an_error(photos, given, monkeypatch):
    monkeypatch.chdir(photos / "deep er" if given == "" else photos)
    if given == "":
        (photos / "deep er" / "ü.jpg").unlink()
    with pytest.raises(FileError, match="is no file, no folder|holds no image file"):
        find_inputs([given])
