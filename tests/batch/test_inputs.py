"""Files that names, folders and patterns stand for."""

import os

import pytest

from napari_defocus.batch.inputs import find_inputs
from napari_defocus.batch.plan import make_plan
from napari_defocus.errors import FileError
from napari_defocus.io import read_picture


def names(files):
    return [file.path.name for file in files]


def test_folders_are_searched_at_any_depth_and_keep_their_order(photos):
    files = find_inputs([photos])
    assert names(files) == ["a.png", "b.tif", "ü.jpg"]
    assert [str(file.folder) for file in files] == [".", ".", "deep er"]


@pytest.mark.parametrize(
    ("pattern", "wanted"),
    [("*.png", ["a.png"]), ("**/*.jpg", ["ü.jpg"]), ("?.*", ["a.png", "b.tif"])],
)
def test_patterns_match_files_anywhere(photos, pattern, wanted, monkeypatch):
    assert names(find_inputs([photos / pattern])) == wanted
    monkeypatch.chdir(photos)
    assert names(find_inputs([pattern])) == wanted


def test_a_file_is_taken_once(photos):
    again = find_inputs([photos / "b.tif", photos, photos / "deep er" / ".." / "a.png"])
    assert names(again) == ["b.tif", "a.png", "ü.jpg"]


def test_results_and_hidden_files_are_not_inputs(photos):
    (photos / ".hidden.png").write_bytes(b"")
    (photos / "out").mkdir()
    (photos / "out" / "a.png").write_bytes(b"")
    assert names(find_inputs([photos], exclude=photos / "out")) == ["a.png", "b.tif", "ü.jpg"]


@pytest.mark.parametrize("folder", [".", "deep er"])
def test_a_folder_whose_images_lie_among_the_results_is_refused_with_the_reason(photos, folder):
    with pytest.raises(FileError, match=r"all image files in .* lie in .*give another folder"):
        find_inputs([photos / folder], exclude=photos)


@pytest.mark.parametrize("name", ["missing.png", "*.bmp", "", os.sep + "*.none", "a\0b"])
def test_a_name_that_stands_for_no_image_is_an_error(photos, name, monkeypatch):
    monkeypatch.chdir(photos / "deep er" if name == "" else photos)
    if name == "":
        (photos / "deep er" / "ü.jpg").unlink()
    with pytest.raises(FileError, match="neither a file nor a folder|holds no image file"):
        find_inputs([name])


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads all")
def test_folder_that_cannot_be_read_is_an_input_of_its_own(photos):
    (photos / "deep er").chmod(0)
    try:
        assert names(find_inputs([photos])) == ["a.png", "b.tif", "deep er"]
        with pytest.raises(FileError, match="deep er cannot be read: Permission denied"):
            find_inputs([photos / "deep er"])
        with pytest.raises(FileError, match="deep er cannot be read: Permission denied"):
            read_picture(photos / "deep er")
    finally:
        (photos / "deep er").chmod(0o700)


def test_an_empty_name_is_not_the_working_directory(photos, settings, monkeypatch):
    monkeypatch.chdir(photos)
    for inputs, folder in (([""], "out"), (["a.png"], "")):
        with pytest.raises(FileError, match="empty"):
            make_plan(inputs, folder, settings())
