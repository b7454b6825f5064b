"""The files that are meant by names, patterns and folders."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import FileError, reason
from ..io.formats import is_zarr_store, readable_suffixes


@dataclass(frozen=True)
class Found:
    """A file, and where its results go within the output folder.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    folder : pathlib.Path
        Relative; of a file found in a folder, the part of its path within it.
    """

    path: Path
    folder: Path


def find_inputs(given: Iterable[str | Path], *, without: Path | None = None) -> list[Found]:
    """Find all image files that are meant.

    Parameters
    ----------
    given : iterable of str or path
        Files and zarr stores; folders, whose images are found at any depth; patterns such as
        ``*.tif``, with ``**`` for any depth.
    without : path, optional
        A folder that is not looked into: that of the results.

    Returns
    -------
    list of Found
        Each file once, in the order of what was given, the files of a folder by name.

    Raises
    ------
    FileError
        If something given is not there, or holds no image file.

    Examples
    --------
    >>> find_inputs(["no such folder"])
    Traceback (most recent call last):
    ...
    napari_defocus.errors.FileError: no such folder is no file, no folder, and no pattern that...
    """
    apart = None if without is None else Path(os.path.realpath(without))
    found: dict[Path, Found] = {}
    for one in given:
        for item in _meant(Path(one), apart):
            found.setdefault(Path(os.path.realpath(item.path)), item)
    return list(found.values())


def _meant(given: Path, apart: Path | None) -> list[Found]:
    try:
        is_folder = given.is_dir() and not is_zarr_store(given)
    except OSError as error:
        raise FileError(f"{given} cannot be read: {reason(error)}") from error
    if is_folder:
        inside = list(_images(given, apart))
        if not inside:
            looked_for = ", ".join(readable_suffixes())
            raise FileError(f"{given} holds no image file; looked for {looked_for}")
        return inside
    if given.exists():
        return [Found(given, Path())]
    root = Path(given.anchor)
    files = [Found(path, Path()) for path in sorted(_matches(root, given)) if _is_image(path)]
    if not files:
        raise FileError(f"{given} is no file, no folder, and no pattern that matches a file")
    return files


def _matches(root: Path, pattern: Path) -> list[Path]:
    try:
        return list(root.glob(str(pattern.relative_to(root))))
    except (ValueError, OSError):
        return []


def _is_image(path: Path) -> bool:
    """Whether it is a file, or the folder of a zarr store; not one within such a folder."""
    return (path.is_file() or is_zarr_store(path)) and not any(map(is_zarr_store, path.parents))


def _is_meant(path: Path) -> bool:
    """Whether it is an image, or a link to one that is gone, which is to be told."""
    return _is_image(path) or (path.is_symlink() and not path.exists())


def _images(folder: Path, apart: Path | None) -> Iterator[Found]:
    suffixes = readable_suffixes()
    for path in sorted(_entries(folder)):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if hidden or path.suffix.lower() not in suffixes or not _is_meant(path):
            continue
        if apart is None or apart not in Path(os.path.realpath(path)).parents:
            yield Found(path, path.parent.relative_to(folder))


def _entries(folder: Path) -> Iterator[Path]:
    """All that lies in a folder, at any depth, but for what lies in zarr stores."""
    for parent, folders, files in os.walk(folder):
        here = Path(parent)
        yield from (here / name for name in (*files, *folders))
        folders[:] = [name for name in folders if not is_zarr_store(here / name)]
