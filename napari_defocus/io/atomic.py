"""Files and folders that appear under their name only once they are complete."""

import hashlib
import os
import platform
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from filelock import FileLock, Timeout

from ..errors import FileError, reason
from .formats import StrPath
from .zarr_layout import METADATA_FILES, is_zarr_folder

_SCRATCH_NAME = re.compile(r"\.napari-defocus-[0-9a-f]{16}\.part")
#: Folder within a scratch folder, for what is replaced.
_FORMER = "former"
_IS_WINDOWS = os.name == "nt"
#: Nobody else looks into a scratch folder. On Windows a result would keep its folder's permissions.
_SCRATCH_MODE = 0o777 if _IS_WINDOWS else 0o700
#: Seconds between attempts to move what another program may have open, as scanners of viruses have
#: new files; on Windows this forbids to move them.
_PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8) if _IS_WINDOWS else ()


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
        or the file exists, or is a pipe or a device.

    Examples
    --------
    >>> check_target("/no such folder/a.tif")
    Traceback (most recent call last):
    ...
    napari_defocus.errors.FileError: ...a.tif cannot be written: there is no folder...
    """
    path = Path(path)
    exists = _exists(path)
    if path.is_dir() and not _is_replaceable_folder(path):
        raise FileError(f"{path} is a folder; give the name of a file to write")
    if path.exists() and not path.is_file() and not path.is_dir():
        raise FileError(f"{path} is a pipe or a device; give the name of a file to write")
    if not path.parent.is_dir():
        raise FileError(f"{path} cannot be written: there is no folder {path.parent}")
    if not os.access(path.parent, os.W_OK):
        raise FileError(f"{path} cannot be written: the folder {path.parent} is write-protected")
    if exists and not overwrite:
        raise _exists_already(path)


def _exists(path: Path) -> bool:
    """Return whether a file, folder or link has this name; refuse an impossible name."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except (OSError, ValueError) as error:
        raise FileError(f"{path} cannot be written: {reason(error)}") from error
    return True


def _is_replaceable_folder(path: Path) -> bool:
    """Return whether a folder is a zarr store, or empty and named as one."""
    if not is_zarr_folder(path):
        return False
    with suppress(OSError):
        names = {entry.name for entry in path.iterdir()}
        return not names or not names.isdisjoint(METADATA_FILES)
    return False


def _exists_already(path: Path) -> FileError:
    return FileError(f"{path} exists already; give another name, or overwrite=True (--overwrite)")


@contextmanager
def atomic_file(
    path: StrPath, *, overwrite: bool = False, follow_links: bool = True
) -> Iterator[BinaryIO]:
    """Open a file for writing that appears under its name only once it is complete.

    Parameters
    ----------
    path : path
        File to write.
    overwrite : bool
        Whether an existing file may be replaced.
    follow_links : bool
        Where `path` is a symbolic link, replace the file that it leads to, and not the link.

    Yields
    ------
    binary file
        Open for reading and writing, in a scratch folder beside `path`. On exit it gets its name,
        or is removed if anything was raised.

    Raises
    ------
    FileError
        As `check_target`, or if writing fails, for instance on a full disk.
    """
    with (
        _replacing(Path(path), overwrite=overwrite, follow_links=follow_links) as new,
        new.open("x+b") as file,
    ):
        yield file
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def atomic_folder(path: StrPath, *, overwrite: bool = False) -> Iterator[Path]:
    """Make a folder that appears under its name only once it is complete.

    Parameters
    ----------
    path : path
        Folder to make; a symbolic link is followed.
    overwrite : bool
        Whether an existing file or folder may be replaced.

    Yields
    ------
    pathlib.Path
        New folder in a scratch folder beside `path`. On exit it gets its name, or is removed if
        anything was raised.

    Raises
    ------
    FileError
        As `check_target`, or if writing fails, for instance on a full disk.
    """
    with _replacing(Path(path), overwrite=overwrite, follow_links=True) as new:
        new.mkdir()
        yield new


@contextmanager
def _replacing(path: Path, *, overwrite: bool, follow_links: bool) -> Iterator[Path]:
    """Yield a path for a new file or folder, which is moved to `path` on exit."""
    check_target(path, overwrite=overwrite)
    target = Path(os.path.realpath(path)) if follow_links else path
    try:
        with scratch_folder(target.parent) as scratch:
            yield scratch / "new"
            move_into_place(scratch / "new", target, overwrite=overwrite)
    except FileError:
        raise
    except OSError as error:
        raise FileError(f"{path} cannot be written: {reason(error)}") from error


def move_into_place(new: Path, target: Path, *, overwrite: bool) -> None:
    """Give a file or folder from a scratch folder its name beside that scratch folder.

    Parameters
    ----------
    new : pathlib.Path
        Complete file or folder in a scratch folder.
    target : pathlib.Path
        Its name, in the folder that holds the scratch folder. A link is not followed.
    overwrite : bool
        Whether what has this name now may be replaced. If not, the name is taken in one step that
        fails where it is taken already, even if that happened a moment ago.

    Raises
    ------
    FileError
        As `check_target`.
    OSError
        If the system refuses.
    """
    check_target(target, overwrite=overwrite)
    try:
        if not overwrite or not os.path.lexists(target):
            _take_name(new, target)
        elif not new.is_dir() and not target.is_dir():
            _move(new, target, replace=True)
        else:
            _exchange(new, target)
    except FileExistsError as error:
        raise _exists_already(target) from error


def _move(path: Path, target: Path, *, replace: bool = False) -> None:
    """Rename a file or folder, once no other program has it open."""
    move = path.replace if replace else path.rename
    for pause in _PAUSES:
        try:
            move(target)
        except PermissionError:
            time.sleep(pause)
        else:
            return
    move(target)


def _take_name(new: Path, target: Path) -> None:
    """Rename a file or folder; raise FileExistsError if the name is taken."""
    if _IS_WINDOWS:
        _move(new, target)  # Windows never replaces
    elif new.is_dir():
        target.mkdir()
        try:
            new.rename(target)  # takes the place of an empty folder
        except OSError:
            with suppress(OSError):
                target.rmdir()
            raise
    else:
        _link(new, target)


def _link(new: Path, target: Path) -> None:
    try:
        os.link(new, target, follow_symlinks=False)
    except FileExistsError:
        raise
    except (OSError, NotImplementedError):  # a file or operating system without such hard links
        target.open("xb").close()
        try:
            new.replace(target)
        except OSError:
            target.unlink()
            raise


def _exchange(new: Path, target: Path) -> None:
    """Replace a folder, or something by a folder, so that a kill between leaves one of them."""
    former = new.with_name(_FORMER) / target.name
    former.parent.mkdir()
    _move(target, former)
    try:
        _take_name(new, target)
    except OSError:
        with suppress(OSError):
            _take_name(former, target)
        raise


@contextmanager
def scratch_folder(parent: Path) -> Iterator[Path]:
    """Make a folder for temporary files that is removed on exit.

    It holds a file that is locked meanwhile, so that `remove_leftovers` spares it. The system
    releases the lock when the process is killed.

    Parameters
    ----------
    parent : pathlib.Path
        Folder in which it is made.

    Yields
    ------
    pathlib.Path
        The new folder.
    """
    folder, lock = _make_scratch(parent)
    try:
        yield folder
    finally:
        lock.release()
        _remove(folder)


def _make_scratch(parent: Path) -> tuple[Path, FileLock]:
    while True:
        folder = parent / f".napari-defocus-{secrets.token_hex(8)}.part"
        folder.mkdir(mode=_SCRATCH_MODE)
        path = folder / _lock_name()
        lock = FileLock(path, timeout=0, thread_local=False)
        try:
            lock.acquire()
        except (Timeout, FileNotFoundError):
            continue  # another process took it for a leftover, as it was not locked yet
        except BaseException:
            _remove(folder)
            raise
        if path.exists():
            return folder, lock
        lock.release()


def _lock_name() -> str:
    """Return the name of a scratch folder's lock, which tells on which machine its writer runs."""
    host = hashlib.sha256(platform.node().encode(errors="replace")).hexdigest()
    return f"writer-{host[:16]}.lock"


def find_scratch_folders(parent: Path) -> list[Path]:
    """Return the scratch folders in a folder, in use or left behind."""
    try:
        return [path for path in parent.iterdir() if _SCRATCH_NAME.fullmatch(path.name)]
    except OSError:
        return []


def remove_leftovers(parent: Path) -> None:
    """Remove the scratch folders that killed processes of this machine have left in a folder.

    A folder that was being replaced when the process was killed gets its name back.

    Parameters
    ----------
    parent : pathlib.Path
        Folder of the results; it may be missing.
    """
    for path in find_scratch_folders(parent):
        with suppress(OSError):  # a writer holds the lock, or another process removes it now
            _remove_leftover(path)


def _remove_leftover(folder: Path) -> None:
    if folder.is_symlink():
        return
    path = folder / _lock_name()
    if not path.is_file() or path.is_symlink():
        folder.rmdir()  # nothing but an empty one, of a process killed before it had its lock
        return
    with FileLock(path, timeout=0, thread_local=False):
        for former in (folder / _FORMER).glob("*"):
            with suppress(FileExistsError):
                _take_name(former, folder.parent / former.name)
        for entry in folder.iterdir():
            if entry != path:
                _remove(entry)
    _remove(folder)


def _remove(path: Path) -> None:
    """Remove a file, or a folder with all its contents, as far as the system allows."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()
