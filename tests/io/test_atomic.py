"""Names that are given in one step, and scratch folders of writers that live or are dead."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from napari_defocus.errors import FileError
from napari_defocus.io import atomic
from napari_defocus.io.atomic import (
    atomic_file,
    atomic_folder,
    find_scratch_folders,
    remove_leftovers,
    scratch_folder,
)

#: A name that somebody else takes a moment before the writer does.
_trap = {}


def _spring(event, arguments):
    target = _trap.get("target")
    if target is None or event not in ("os.link", "os.rename", "os.mkdir", "open"):
        return
    if str(target) in map(str, arguments[:2]):
        del _trap["target"]
        target.write_bytes(b"mine")


sys.addaudithook(_spring)


@pytest.fixture(params=["links", PermissionError, NotImplementedError])
def file_system(request, monkeypatch):
    """A file system with hard links, one without, and an operating system without such links."""

    def refuse(*_, **__):
        raise request.param(1, "Operation not permitted")

    if request.param != "links":
        monkeypatch.setattr(os, "link", refuse)


@pytest.mark.parametrize("kind", [atomic_file, atomic_folder])
def test_a_name_that_is_taken_at_the_last_moment_is_not_replaced(tmp_path, file_system, kind):
    path = tmp_path / "a.zarr"
    with pytest.raises(FileError, match="a.zarr exists already"), kind(path):
        _trap["target"] = path
    assert path.read_bytes() == b"mine"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.zarr"]


def test_files_and_folders_get_their_names(tmp_path, file_system):
    for content in (b"new", b"newer"):
        with atomic_file(tmp_path / "a.tif", overwrite=content == b"newer") as file:
            file.write(content)
        with atomic_folder(tmp_path / "a.zarr", overwrite=content == b"newer") as folder:
            (folder / ".zgroup").write_bytes(content)
        assert (tmp_path / "a.tif").read_bytes() == content
        assert (tmp_path / "a.zarr" / ".zgroup").read_bytes() == content
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.tif", "a.zarr"]


def test_what_another_program_has_open_is_replaced_once_it_is_closed(tmp_path, monkeypatch):
    attempts = []

    def replace(path, target):
        attempts.append(target)
        if len(attempts) < 3:  # as Windows does
            raise PermissionError(13, "The process cannot access the file")
        path.rename(target)

    monkeypatch.setattr(Path, "replace", replace)
    monkeypatch.setattr(atomic, "_PAUSES", (0, 0))
    (tmp_path / "a.tif").write_bytes(b"old")
    with atomic_file(tmp_path / "a.tif", overwrite=True) as file:
        file.write(b"new")
    assert (tmp_path / "a.tif").read_bytes() == b"new"
    attempts[:] = []
    monkeypatch.setattr(atomic, "_PAUSES", (0,))
    with (
        pytest.raises(FileError, match="cannot access the file"),
        atomic_file(tmp_path / "a.tif", overwrite=True) as file,
    ):
        file.write(b"newer")
    assert (tmp_path / "a.tif").read_bytes() == b"new"
    assert [path.name for path in tmp_path.iterdir()] == ["a.tif"]


@pytest.mark.parametrize("exists", [True, False])
def test_a_link_is_replaced_where_it_is_not_to_be_followed(tmp_path, exists):
    if exists:
        (tmp_path / "precious").write_bytes(b"mine")
    (tmp_path / "a.json").symlink_to(tmp_path / "precious")
    with atomic_file(tmp_path / "a.json", overwrite=True, follow_links=False) as file:
        file.write(b"new")
    assert (tmp_path / "a.json").read_bytes() == b"new"
    assert not (tmp_path / "a.json").is_symlink()
    assert [path.read_bytes() for path in tmp_path.glob("precious")] == [b"mine"] * exists


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs POSIX pipes")
def test_a_pipe_is_not_replaced_and_neither_is_one_behind_a_link(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "a.tif").symlink_to(tmp_path / "pipe")
    for name in ("pipe", "a.tif"):
        with (
            pytest.raises(FileError, match="is a pipe or a device"),
            atomic_file(tmp_path / name, overwrite=True),
        ):
            pass
    assert (tmp_path / "pipe").is_fifo()


# Scratch folders

WRITE = """
import sys
from napari_defocus.io.atomic import atomic_file
with atomic_file(sys.argv[1]) as file:
    file.write(b"whole")
    print("half", flush=True)
    sys.stdin.read()
"""


def test_leftovers_are_removed_once_their_writer_is_dead(tmp_path):
    command = [sys.executable, "-c", WRITE, tmp_path / "a.tif"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, **pipes) as ends, subprocess.Popen(command, **pipes) as killed:
        for writer in (ends, killed):
            assert writer.stdout.readline() == b"half\n"
        remove_leftovers(tmp_path)
        assert len(find_scratch_folders(tmp_path)) == 2
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        remove_leftovers(tmp_path)
        assert len(find_scratch_folders(tmp_path)) == 1
        ends.stdin.close()
        assert ends.wait() == 0
    assert [path.name for path in tmp_path.iterdir()] == ["a.tif"]
    assert (tmp_path / "a.tif").read_bytes() == b"whole"


def leave_behind(parent, *contents):
    """Leave a scratch folder as a killed process does; return it."""
    with scratch_folder(parent) as folder:
        for name in contents:
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(b"whole")
        shutil.copytree(folder, parent / "copy")
    return (parent / "copy").rename(folder)


def test_only_scratch_folders_of_this_machine_are_removed(tmp_path):
    dead = leave_behind(tmp_path, "new")
    elsewhere = leave_behind(tmp_path, "new")
    (lock,) = elsewhere.glob("*.lock")
    lock.rename(elsewhere / "writer-0123456789abcdef.lock")
    empty = tmp_path / ".napari-defocus-0123456789abcdef.part"
    movies = tmp_path / ".napari-defocus-0123456789abcdea.part"
    for folder in (empty, movies):
        folder.mkdir()
    (movies / "movie.mp4").touch()
    (tmp_path / ".holiday_movie_01.part").touch()
    (tmp_path / ".0123456789abcdef.part").touch()
    (tmp_path / ".napari-defocus-0123456789abcdeb.part").symlink_to(movies)
    stay = {*tmp_path.iterdir()} - {dead, empty}
    remove_leftovers(tmp_path)
    assert {*tmp_path.iterdir()} == stay
    assert (movies / "movie.mp4").exists()


def test_a_folder_that_was_being_replaced_gets_its_name_back(tmp_path):
    leave_behind(tmp_path, "former/a.zarr")
    remove_leftovers(tmp_path)
    assert (tmp_path / "a.zarr").read_bytes() == b"whole"
    leave_behind(tmp_path, "former/a.zarr")
    (tmp_path / "a.zarr").write_bytes(b"newer")
    remove_leftovers(tmp_path)
    assert (tmp_path / "a.zarr").read_bytes() == b"newer"
    assert [path.name for path in tmp_path.iterdir()] == ["a.zarr"]
