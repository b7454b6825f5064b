"""File errors: they are an OSError and a DefocusError, and keep their message."""

import copy
import os
import pickle

import numpy as np
import pytest

from napari_defocus.batch import records, run
from napari_defocus.errors import DefocusError, FileError
from napari_defocus.io import atomic, limits, read_picture
from napari_defocus.io.raw import read_raw

from .raw_files import mosaic, write_dng

SENTENCE = "a.tif cannot be read: No such file or directory"


def test_file_error_is_an_oserror_too():
    with pytest.raises(OSError, match="No such file") as caught:
        read_picture("no such file.tif")
    assert isinstance(caught.value, FileError)
    assert isinstance(caught.value, DefocusError)
    assert str(caught.value).startswith("no such file.tif cannot be read")


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_file_error_can_be_pickled(protocol):
    error = pickle.loads(pickle.dumps(FileError(SENTENCE), protocol))
    assert type(error) is FileError
    assert str(error) == str(copy.copy(error)) == SENTENCE


def test_file_error_can_be_made_without_arguments_as_dask_does():
    error = FileError.__new__(FileError)
    error.args = (SENTENCE,)
    assert str(error) == SENTENCE


@pytest.mark.parametrize("manager", [atomic.atomic_file, atomic.atomic_folder])
def test_file_error_raised_while_writing_is_not_reworded(tmp_path, manager):
    with pytest.raises(FileError) as caught, manager(tmp_path / "b.tif"):
        raise FileError(SENTENCE)
    assert str(caught.value) == SENTENCE
    assert not list(tmp_path.iterdir())


def test_file_error_raised_in_a_locked_folder_is_not_reworded(tmp_path):
    with pytest.raises(FileError) as caught, run._lock_folder(tmp_path):
        raise FileError(SENTENCE)
    assert str(caught.value) == SENTENCE


def test_raw_file_larger_than_memory_is_refused_in_one_sentence(tmp_path, monkeypatch):
    pytest.importorskip("rawpy")
    path = tmp_path / "a.dng"
    write_dng(path, mosaic(0.2, 0.2, 0.2))
    pixels = 6 * np.prod(mosaic(0.2, 0.2, 0.2).shape)
    for memory in (1, int(pixels) - 1):  # less than the file, and less than its pixels
        monkeypatch.setattr(limits, "_machine_memory", lambda memory=memory: memory)
        with pytest.raises(FileError) as caught:
            read_raw(path)
        assert str(caught.value).startswith(f"{path} holds")


def test_unreadable_file_in_a_hashed_folder_is_named_once(tmp_path, monkeypatch):
    (tmp_path / "zarr.json").touch()

    def fail(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", fail)
    with pytest.raises(FileError) as caught:
        records.file_hash(tmp_path)
    assert str(caught.value) == f"{tmp_path / 'zarr.json'} cannot be read: Permission denied"
