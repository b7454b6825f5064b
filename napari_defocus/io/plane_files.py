"""Files that hold the planes of one stack."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from ..array_types import Array
from ..errors import FileError
from .picture import Picture
from .read import read_picture

_NUMBER = re.compile(r"([0-9]+)")


def natural_order(paths: Iterable[Path]) -> list[Path]:
    """Return paths sorted by the numbers in their names: p2 before p10.

    Examples
    --------
    >>> [path.name for path in natural_order([Path("p10.tif"), Path("p2.tif")])]
    ['p2.tif', 'p10.tif']
    """
    return sorted(paths, key=_natural_key)


def _natural_key(path: Path) -> tuple[list[str | int], str]:
    parts = _NUMBER.split(str(path).casefold())  # every other part is a number
    return [int(part) if i % 2 else part for i, part in enumerate(parts)], str(path)


def open_planes(paths: Sequence[Path]) -> Picture:
    """Return a stack whose planes are read from their files when they are needed.

    Parameters
    ----------
    paths : sequence of paths
        At least one file, each of one plane, in order.

    Returns
    -------
    Picture
        A dask array with the axis Z first, and the metadata of the first file.

    Raises
    ------
    FileError
        If the first file cannot be read, or holds more than a plane. That another one is unlike it
        is said when the plane is read.
    """
    import dask
    import dask.array

    first = read_picture(paths[0])
    if first.axes.removesuffix("S") != "YX":
        raise FileError(
            f"{paths[0]} holds planes along the axes {first.axes}; of several files each should "
            "hold one plane, so give a file with a stack alone"
        )
    read = dask.delayed(functools.partial(_read_like, first.data.shape, str(first.data.dtype)))
    shape, dtype = first.data.shape, first.data.dtype
    planes = [dask.array.from_delayed(read(path), shape, dtype) for path in paths]
    return replace(first, data=dask.array.stack(planes), axes="Z" + first.axes, alpha=None)


def _read_like(shape: tuple[int, ...], dtype: str, path: Path) -> Array:
    """Read a plane; a FileError unless it is of a shape and data type."""
    plane: Array = read_picture(path).data
    if (plane.shape, str(plane.dtype)) != (shape, dtype):
        raise FileError(
            f"{path} holds {plane.dtype} {plane.shape}, and the first plane {dtype} {shape}; "
            "planes of a stack must be equal in size and type, so crop, convert or leave it out"
        )
    return plane
