"""Lazy reading of zarr arrays and OME-Zarr images, in versions 2 and 3 of the zarr format."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import FileError, reason
from . import ngff
from .lazy_file import LazyArray, to_dask
from .picture import Metadata, Picture
from .zarr_arrays import import_zarr

#: Attribute by which bioformats2raw says that images are groups named by numbers.
_LAYOUT = "bioformats2raw.layout"


def read_zarr(path: Path) -> Picture:
    """Read an OME-Zarr image at full size, or a plain zarr array.

    Parameters
    ----------
    path : pathlib.Path
        Folder of the store.

    Returns
    -------
    Picture
        Its pixels are a dask array (..., Y, X); channels are planes.

    Raises
    ------
    FileError
        If it is not a zarr store, is damaged, or holds no image.
    OptionError
        If zarr is not installed.
    """
    zarr = import_zarr()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _picture(path, zarr.open(store=str(path), mode="r"))
    except FileError:
        raise
    except FileNotFoundError as error:
        raise FileError(f"{path} is no zarr store: it holds neither array nor group") from error
    except Exception as error:  # damaged metadata can raise any exception
        raise FileError(f"{path} is a damaged zarr store: {reason(error)}") from error


def _picture(path: Path, node: Any) -> Picture:
    attributes = dict(node.attrs)
    if hasattr(node, "shape"):
        return _from_array(path, node, _plain_axes(node), Metadata())
    ome = attributes.get("ome", attributes)
    if "plate" in ome:
        raise FileError(f"{path} is a plate of many images; give these one by one")
    if _LAYOUT in ome:
        return _picture(path, node["0"])
    image = ngff.parse_attributes(attributes)
    if image is not None:
        further = "a further image" if image.others == 1 else f"{image.others} further images"
        ignored = further if image.others else ""
        whole, *copies = (node[name] for name in image.paths)
        picture = _from_array(path, whole, image.axes, image.metadata, ignored)
        return replace(picture, copies=tuple(_lazy(path, copy, image.axes) for copy in copies))
    arrays = [array for _, array in sorted(node.arrays())]
    if len(arrays) != 1:
        raise FileError(
            f"{path} is a zarr group of {len(arrays)} arrays that says nothing of an image; "
            "an OME-Zarr image or an array is expected"
        )
    return _from_array(path, arrays[0], _plain_axes(arrays[0]), Metadata())


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
    pixels = LazyArray(path, tuple(array.shape), array.dtype, array.__getitem__)
    return to_dask(pixels, axes, array.chunks)


def _plain_axes(array: Any) -> str:
    """Return the letters of the array's dimension names if all are in TCZYX, else planes, Y, X."""
    names = [str(name).upper() for name in getattr(array.metadata, "dimension_names", None) or ()]
    axes = "".join(names)
    if len(axes) == len(names) == array.ndim and set(axes) <= set("TCZYX"):
        return axes
    planes: int = array.ndim - 2
    return "Q" * planes + "YX"
