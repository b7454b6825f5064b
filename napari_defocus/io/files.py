"""Files as such: what they are, what may be written where, and writing whole or not at all."""

import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import BinaryIO, Literal

from ..errors import FileError

Format = Literal["TIFF", "PNG", "JPEG", "zarr", "raw"]
StrPath = str | os.PathLike[str]

SUFFIXES: dict[str, Format] = {
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".zarr": "zarr",
}
READABLE = "TIFF, PNG and JPEG files can be read"
LARGEST_PICTURE = 500_000_000  # pixels of a PNG or JPEG, which a few bytes can claim to hold

_BELIEVED = 1 << 30  # bytes of pixels that any file may hold, however blank they are
_LARGEST_RATIO = 20_000  # of pixels to file, beyond what blank pixels are compressed by
_TOKEN = 8  # random bytes in the name of a file that is being written
_SIGNATURES: tuple[tuple[bytes, Format], ...] = (
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),
    (b"MM\0+", "TIFF"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
)
# fmt: off
RAW_SUFFIXES = (
    ".arw", ".cr2", ".cr3", ".crw", ".dng", ".erf", ".mef", ".mrw", ".nef", ".nrw", ".orf", ".pef",
    ".raf", ".raw", ".rw2", ".srw", ".x3f",
)
# fmt: on


def recognize(path: Path) -> Format:
    """Say what a file is by its first bytes, whatever its name; and a folder, by its name.

    Raises
    ------
    FileError
        If it is missing, a folder other than a zarr store, empty, cannot be opened, or is none of
        TIFF, PNG and JPEG, and has no raw file's suffix.
    """
    try:
        kind = path.stat().st_mode
        if stat.S_ISDIR(kind):
            if is_store(path):
                return "zarr"
            raise FileError(f"{path} is a folder; give the name of an image file or a zarr store")
        if not stat.S_ISREG(kind):
            raise FileError(f"{path} is a pipe or a device; give the name of an image file")
        with path.open("rb") as file:
            head = file.read(16)
    except FileError:
        raise
    except (OSError, ValueError) as error:
        raise FileError(f"{path} cannot be read: {reason(error)}") from error
    if not head:
        raise FileError(f"{path} is empty; {READABLE}")
    if path.suffix.lower() in RAW_SUFFIXES:
        return "raw"
    for signature, known in _SIGNATURES:
        if head.startswith(signature):
            return known
    raise FileError(f"{path} is not an image of a known kind; {READABLE}")


def searched_suffixes() -> tuple[str, ...]:
    """Suffixes of what is looked for in a folder: of raw files, if they can be read here."""
    return (*SUFFIXES, *(RAW_SUFFIXES if find_spec("rawpy") else ()))


def is_store(path: Path) -> bool:
    """Whether a path is a folder with the name of a zarr store."""
    return SUFFIXES.get(path.suffix.lower()) == "zarr" and path.is_dir()


def target_format(path: Path) -> Format:
    """Say what a file of this name is to hold.

    Raises
    ------
    FileError
        If the suffix is none that can be written.
    """
    kind = SUFFIXES.get(path.suffix.lower())
    if kind is None:
        seen = f"the suffix {path.suffix!r}" if path.suffix else "no suffix"
        raise FileError(f"{path} has {seen}; it should be one of {', '.join(SUFFIXES)}")
    return kind


def check_target(path: StrPath, *, overwrite: bool = False) -> None:
    """Refuse a file that could not be written, before the work that leads to it is done.

    Parameters
    ----------
    path : path
        Where something is to be written later.
    overwrite : bool
        Whether a file that is there may be replaced.

    Raises
    ------
    FileError
        If the folder does not exist or cannot be written, the name is too long or otherwise none,
        or something is there already.

    Examples
    --------
    >>> check_target("/no such folder/a.tif")
    Traceback (most recent call last):
    ...
    napari_defocus.errors.FileError: /no such folder/a.tif cannot be written: there is no folder...
    """
    path = Path(path)
    there = _is_there(path)
    if path.is_dir() and not is_store(path):
        raise FileError(f"{path} is a folder; give the name of a file to write")
    if not path.parent.is_dir():
        raise FileError(f"{path} cannot be written: there is no folder {path.parent}")
    if not os.access(path.parent, os.W_OK):
        raise FileError(f"{path} cannot be written: the folder {path.parent} is write-protected")
    if there and not overwrite:
        raise FileError(
            f"{path} exists already; give another name, or overwrite=True (--overwrite)"
        )


def _is_there(path: Path) -> bool:
    """Whether a file, folder or link has this name, where a name that none can have is an error."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except (OSError, ValueError) as error:
        raise FileError(f"{path} cannot be written: {reason(error)}") from error
    return True


@contextmanager
def writing(path: StrPath, *, overwrite: bool = False) -> Iterator[BinaryIO]:
    """Open a file that appears under its name only once it is whole.

    Parameters
    ----------
    path : path
        Where the file is to be; a symbolic link is followed.
    overwrite : bool
        Whether a file that is there may be replaced.

    Yields
    ------
    binary file
        Open for reading and writing, in the same folder under a temporary name, which is gone
        in the end, whatever happens.

    Raises
    ------
    FileError
        As `check_target`, or if writing fails, for instance on a full disk.
    """
    check_target(path, overwrite=overwrite)
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{secrets.token_hex(_TOKEN)}.part")
    try:
        with temporary.open("x+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        check_target(path, overwrite=overwrite)
        temporary.replace(target)
    except OSError as error:
        raise FileError(f"{path} cannot be written: {reason(error)}") from error
    finally:
        with suppress(OSError):  # as the file system became read-only, or went away
            temporary.unlink()


@contextmanager
def making(path: StrPath, *, overwrite: bool = False) -> Iterator[Path]:
    """Make a folder that appears under its name only once it is whole.

    Parameters
    ----------
    path : path
        Where the folder is to be.
    overwrite : bool
        Whether what is there may be replaced.

    Yields
    ------
    pathlib.Path
        A new folder, which is renamed in the end, or removed if something was raised.

    Raises
    ------
    FileError
        As `check_target`, or if writing fails, for instance on a full disk.
    """
    check_target(path, overwrite=overwrite)
    target = Path(os.path.realpath(path))
    try:
        with scratch(target.parent) as folder:
            whole, former = folder / "whole", folder / "former"
            whole.mkdir()
            yield whole
            check_target(path, overwrite=overwrite)
            if os.path.lexists(target):
                target.rename(former)
            whole.rename(target)
    except OSError as error:
        raise FileError(f"{path} cannot be written: {reason(error)}") from error


@contextmanager
def scratch(folder: Path) -> Iterator[Path]:
    """Make a folder of a temporary name in another, which is gone in the end.

    Parameters
    ----------
    folder : pathlib.Path
        Where it is made.

    Yields
    ------
    pathlib.Path
        The new folder.
    """
    temporary = folder / f".{secrets.token_hex(_TOKEN)}.part"
    temporary.mkdir()
    try:
        yield temporary
    finally:
        remove(temporary)


def remove(path: Path) -> None:
    """Remove a file, or a folder with all it holds, as far as that can be done."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()


def unfinished_files(folder: Path) -> list[Path]:
    """Return what processes that were killed while writing have left in a folder."""
    return [path for path in folder.glob(".*.part") if len(path.stem) == 1 + 2 * _TOKEN]


def check_memory(path: Path, size: int, *, held: int | None = None) -> None:
    """Refuse an image that this machine cannot hold, or that a small file only claims to hold.

    Parameters
    ----------
    path : pathlib.Path
        Where it comes from.
    size : int
        Bytes once decoded.
    held : int, optional
        Bytes of the file or files that hold it, if not of `path`.

    Raises
    ------
    FileError
        If they are more than the machine's memory, or very many and from next to nothing.
    """
    memory = _machine_memory()
    if memory and size > memory:
        raise FileError(
            f"{path} holds {size / 2**30:.1f} GiB of pixels, more than the "
            f"{memory / 2**30:.1f} GiB of memory of this machine; crop or split it first"
        )
    if held is None:
        held = path.stat().st_size
    if size > max(_BELIEVED, _LARGEST_RATIO * held):
        raise FileError(
            f"{path} is damaged: {held} bytes claim to hold {size / 2**30:.1f} GiB of pixels"
        )


def check_pixels(path: Path, width: int, height: int) -> None:
    """Refuse a PNG or JPEG that claims to be larger than any photograph."""
    if width * height > LARGEST_PICTURE:
        raise FileError(
            f"{path} claims {width} x {height} pixels; pictures of up to "
            f"{LARGEST_PICTURE // 10**6} megapixels are read from PNG and JPEG files"
        )


def reason(error: Exception) -> str:
    """Return what went wrong in the words of the system, without the file's name."""
    return getattr(error, "strerror", None) or " ".join(str(error).split()) or type(error).__name__


def _machine_memory() -> int | None:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None
