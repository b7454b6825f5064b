"""Paths that some file systems take for the same file."""

import os

import pytest

from napari_defocus.io.same_file import fold_path, is_same_file


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "Café.JPG"
    path.write_bytes(b"content")
    return path


def test_paths_that_differ_in_case_and_accents_are_equal_when_folded(photo):
    assert fold_path(photo) == fold_path(photo.with_name("cafe\N{COMBINING ACUTE ACCENT}.jpg"))
    assert fold_path(photo) != fold_path(photo.with_name("cafe.jpg"))


def test_another_spelling_is_the_same_file_where_the_file_system_ignores_it(photo):
    other = photo.with_name("café.jpg")
    if not other.exists():  # this file system tells them apart: give the file both names
        assert not is_same_file(photo, other)
        other.write_bytes(b"another one")
        assert not is_same_file(photo, other)
        other.unlink()
        os.link(photo, other)
    assert is_same_file(photo, other)


def test_links_and_files_that_do_not_exist_are_compared_by_their_paths(photo, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(photo)
    assert is_same_file(link, photo)
    assert is_same_file(tmp_path / "a.tif", tmp_path / "." / "a.tif")
    assert not is_same_file(tmp_path / "a.tif", tmp_path / "A.tif")
