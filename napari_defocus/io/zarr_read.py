"""Lazy reading of zarr arrays and OME-Zarr images, in versions 2 and 3 of the zarr format."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import zarr

from ..errors import FileError, quote, reason
from . import ngff
from .lazy_file import LazyArray, to_dask
from .limits import LARGEST_RATIO, check_claim
from .picture import Metadata, Picture
from .quiet import without_warnings
from .zarr_codecs import largest_file, with_bounded_decoders
from .zarr_layout import Collection, is_zarr_folder, label_names, read_collection
from .zarr_store import BoundedStore

#: Entries of a group that does not describe an image.
_MOST_ENTRIES = 1000
#: Further images that a message names.
_MOST_NAMED = 3


def read_zarr(path: Path) -> Picture:
    """Read an OME-Zarr image at full size, or a plain zarr array.

    Parameters
    ----------
    path : pathlib.Path
        Folder of the store, or of an image within it. Of a well, and of a store that
        bioformats2raw made, the first image is read.

    Returns
    -------
    Picture
        Its pixels are a dask array (..., Y, X); channels are planes.

    Raises
    ------
    FileError
        If it is not a zarr store, is damaged, is a plate, or holds no image.
    """
    try:
        with without_warnings():
            collection = read_collection(path)
            return _read_image(path) if collection is None else _first_image(path, collection)
    except FileError:
        raise
    except FileNotFoundError as error:
        raise FileError(f"{path} is no zarr store: it holds neither array nor group") from error
    except ZeroDivisionError as error:
        raise FileError(f"{path} is a damaged zarr store: the size of its chunks is 0") from error
    except Exception as error:  # damaged metadata can raise any exception
        raise FileError(f"{path} is a damaged zarr store: {reason(error)}") from error


def _read_image(path: Path) -> Picture:
    store = BoundedStore(path)
    return _picture(path, zarr.open(store=store, mode="r", use_consolidated=False))


def _first_image(path: Path, collection: Collection) -> Picture:
    """Read the first image of a well or series, and say which others there are."""
    first, *others = collection.images or ("",)
    if collection.kind == "plate":
        example = f", such as {path / first}" if first else ""
        raise FileError(
            f"{path} is a plate of many images; give these one by one{example}, or the plate to "
            f"batch; it is {collection.describe()}"
        )
    if not first:
        raise FileError(f"{path} is {collection.describe()}; it should hold one at least")
    if not is_zarr_folder(path / first):
        raise FileError(f"{path} is damaged: it lacks {quote(first)}, which it lists")
    if not (path / first).resolve().is_relative_to(path.resolve()):
        raise FileError(f"{path} is damaged: {first} is a link out of the store")
    picture = _read_image(path / first)
    return replace(picture, ignored=_join(picture.ignored, _name_others(path, others)))


def _name_others(path: Path, names: Sequence[str]) -> str:
    if not names:
        return ""
    shown = ", ".join(str(path / name) for name in names[:_MOST_NAMED])
    more = ", ..." if len(names) > _MOST_NAMED else ""
    return f"{count_images(len(names))}, {shown}{more}"


def _join(*contents: str) -> str:
    return " and ".join(filter(None, contents))


def count_images(count: int) -> str:
    """Return the number of further images in words; empty if there are none."""
    return {0: "", 1: "a further image"}.get(count, f"{count} further images")


def _picture(path: Path, node: Any) -> Picture:
    attributes = dict(node.attrs)
    if hasattr(node, "shape"):
        return _from_array(path, node, _plain_axes(node), Metadata())
    image = ngff.parse_attributes(attributes)
    if image is not None:
        whole, *copies = (_member(path, node, name) for name in image.paths)
        axes, metadata = image.axes or ngff.unnamed_axes(whole.ndim), image.metadata
        labels = label_names(path)
        if labels:
            kept = {"folder": str(path / "labels"), "names": labels}
            metadata = replace(metadata, ngff={**(metadata.ngff or {}), "labels": kept})
        picture = _from_array(path, whole, axes, metadata, count_images(image.others))
        return replace(picture, copies=tuple(_lazy(path, copy, axes) for copy in copies))
    folder = path / node.path
    if len(list(islice(folder.iterdir(), _MOST_ENTRIES + 1))) > _MOST_ENTRIES:
        raise FileError(f"{path} is a zarr group of very many arrays; give these one by one")
    arrays = [array for _, array in sorted(node.arrays())]
    if len(arrays) != 1:
        raise FileError(
            f"{path} is a zarr group of {len(arrays)} arrays that says nothing of an image; "
            "an OME-Zarr image or an array is expected"
        )
    return _from_array(path, arrays[0], _plain_axes(arrays[0]), Metadata())


def _member(path: Path, node: Any, name: str) -> Any:
    try:
        return node[name]
    except KeyError as error:
        raise FileError(f"{path} is damaged: it lacks {quote(name)}, which it lists") from error


def _from_array(
    path: Path, array: Any, axes: str, metadata: Metadata, ignored: str = ""
) -> Picture:
    if len(axes) != array.ndim:
        raise FileError(f"{path} is damaged: {len(axes)} axes are named, {array.ndim} are there")
    if not axes.endswith("YX") or 0 in array.shape:
        raise FileError(
            f"{path} holds an array of axes {axes}, shape {array.shape}; the last should be Y and X"
        )
    return Picture(_lazy(path, array, axes), axes, metadata, ignored=ignored)


def _lazy(path: Path, array: Any, axes: str) -> Any:
    if array.dtype.kind not in "biufc":
        raise FileError(f"{path} holds {array.dtype} values; it should hold numbers")
    size = math.prod(array.shape) * array.dtype.itemsize
    check_claim(path, size, _stored_bytes(path / array.path, size // LARGEST_RATIO))
    reader = _Reader(path, array)
    pixels = LazyArray(path, tuple(array.shape), array.dtype, reader.read)
    return to_dask(pixels, axes, array.chunks)


class _Reader:
    """Reader of windows of an array. In the process it is sent to, it opens the array anew."""

    def __init__(self, path: Path, array: Any) -> None:
        self._path, self._name = path, array.path
        array.store.largest_chunk = max(array.store.largest_chunk, largest_file(array))
        self._array = with_bounded_decoders(array)

    def __reduce__(self) -> tuple[Any, ...]:
        return _open_reader, (self._path, self._name)

    def read(self, index: Any) -> Any:
        """Return a window."""
        return self._array[index]


def _open_reader(path: Path, name: str) -> _Reader:
    return _Reader(path, zarr.open_array(store=BoundedStore(path), path=name, mode="r"))


def _stored_bytes(folder: Path, enough: int) -> int:
    """Return the size of all files in a folder, or stop when there are `enough` bytes."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += (Path(parent) / name).stat().st_size
            if total > enough:
                return total
    return total


def _plain_axes(array: Any) -> str:
    """Return the letters of the array's dimension names if all are in TCZYX, else planes, Y, X."""
    names = [str(name).upper() for name in getattr(array.metadata, "dimension_names", None) or ()]
    axes = "".join(names)
    if len(axes) == len(names) == array.ndim and set(axes) <= set("TCZYX"):
        return axes
    planes: int = array.ndim - 2
    return "Q" * planes + "YX"
