"""Files and folders that appear under their name only once they are complete."""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from ..errors import FileError, reason
from .formats import StrPath, is_zarr_store

#: Random bytes in a temporary name, which is their hexadecimal digits between "." and ".part".
_TOKEN_BYTES = 8


def check_target(path: StrPath, *, overwrite: bool = False) -> None:
    """Refuse a file that could not be written, before the work that leads to it begins.

    Parameters
    ----------
    path : path
        File or zarr store to be written later.
    overwrite : bool
        Whether an existing file may be replaced.

    Raises
    ------
    FileError
        If the folder is missing or write-protected, the name is too long or otherwise impossible,
        or the file exists.

    Examples
    --------
    >>> check_target("/no such folder/a.tif")
    Traceback (most recent call last):
    ...
    napari_defocus.errors.FileError: /no such folder/a.tif cannot be written: there is no folder...
    """
    path = Path(path)
    exists = _exists(path)
    if path.is_dir() and not is_zarr_store(path):
        raise FileError(f"{path} is a folder; give the name of a file to write")
    if not path.parent.is_dir():
        raise FileError(f"{path} cannot be written: there is no folder {path.parent}")
    if not os.access(path.parent, os.W_OK):
        raise FileError(f"{path} cannot be written: the folder {path.parent} is write-protected")
    if exists and not overwrite:
        raise FileError(
            f"{path} exists already; give another name, or overwrite=True (--overwrite)"
        )


def _exists(path: Path) -> bool:
    """Return whether a file, folder or link has this name; refuse an impossible name."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except (OSError, ValueError) as error:
        raise FileError(f"{path} cannot be written: {reason(error)}") from error
    return True


@contextmanager
def atomic_file(path: StrPath, *, overwrite: bool = False) -> Iterator[BinaryIO]:
    """Open a file for writing that appears under its name only once it is complete.

    Parameters
    ----------
    path : path
        File to write; a symbolic link is followed.
    overwrite : bool
        Whether an existing file may be replaced.

    Yields
    ------
    binary file
        Open for reading and writing, under a temporary name in the same folder. On exit it is
        renamed to `path`, or removed if anything was raised.

    Raises
    ------
    FileError
        As `check_target`, or if writing fails, for instance on a full disk.
    """
    check_target(path, overwrite=overwrite)
    target = Path(os.path.realpath(path))
    temporary = target.with_name(_temporary_name())
    try:
        with temporary.open("x+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        check_target(path, overwrite=overwrite)
        temporary.replace(target)
    except FileError:
        raise
    except OSError as error:
        raise FileError(f"{path} cannot be written: {reason(error)}") from error
    finally:
        with suppress(OSError):  # the file system may have become read-only, or be gone
            temporary.unlink()


@contextmanager
def atomic_folder(path: StrPath, *, overwrite: bool = False) -> Iterator[Path]:
    """Make a folder that appears under its name only once it is complete.

    Parameters
    ----------
    path : path
        Folder to make.
    overwrite : bool
        Whether an existing file or folder may be replaced.

    Yields
    ------
    pathlib.Path
        New folder under a temporary name. On exit it is renamed to `path`, or removed if anything
        was raised.

    Raises
    ------
    FileError
        As `check_target`, or if writing fails, for instance on a full disk.
    """
    check_target(path, overwrite=overwrite)
    target = Path(os.path.realpath(path))
    try:
        with scratch_folder(target.parent) as folder:
            new, former = folder / "new", folder / "former"
            new.mkdir()
            yield new
            check_target(path, overwrite=overwrite)
            if os.path.lexists(target):
                target.rename(former)
            new.rename(target)
    except FileError:
        raise
    except OSError as error:
        raise FileError(f"{path} cannot be written: {reason(error)}") from error


@contextmanager
def scratch_folder(parent: Path) -> Iterator[Path]:
    """Make a folder for temporary files that is removed on exit.

    Parameters
    ----------
    parent : pathlib.Path
        Folder in which it is made.

    Yields
    ------
    pathlib.Path
        The new folder.
    """
    temporary = parent / _temporary_name()
    temporary.mkdir()
    try:
        yield temporary
    finally:
        remove(temporary)


def remove(path: Path) -> None:
    """Remove a file, or a folder with all its contents, as far as the system allows."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()


def find_leftovers(folder: Path) -> list[Path]:
    """Return the temporary files and folders that killed processes have left in a folder."""
    length = len(Path(_temporary_name()).stem)
    return [path for path in folder.glob(".*.part") if len(path.stem) == length]


def _temporary_name() -> str:
    return f".{secrets.token_hex(_TOKEN_BYTES)}.part"
