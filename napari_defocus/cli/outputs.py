"""Output files: default names, checks before work begins, writing with provenance."""

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy.typing as npt

from ..errors import FileError
from ..io import Picture, check_target, target_format, write_picture
from ..io.atomic import remove_leftovers
from ..io.formats import WRITABLE
from ..io.same_file import is_same_file
from ..io.zarr_layout import enclosing_store, flat_name, is_zarr_folder
from ..provenance_record import sidecar_path, write_sidecar
from .console import print_path


@dataclass(frozen=True)
class Outputs:
    """The files that a command writes, checked when it is made, before work begins.

    Parameters
    ----------
    inputs : sequence of paths
        Files that the command reads, and that no output may replace.
    outputs : sequence of paths
        Files that it writes.
    overwrite : bool
        Replace files that exist.

    Raises
    ------
    FileError
        If one of them cannot be written, or is another, lies within another, or holds another, as
        zarr stores can.
    """

    inputs: Sequence[Path]
    outputs: Sequence[Path]
    overwrite: bool

    def __post_init__(self) -> None:
        for path in self.inputs:
            _refuse_folder(path)
        uses = {Path(os.path.realpath(path)): f"{path} is read" for path in self.inputs}
        for path in self.outputs:
            for file in (path, sidecar_path(path)):
                place = Path(os.path.realpath(file))
                is_store = place.suffix.lower() == ".zarr"
                for other, use in uses.items():
                    within = is_store and any(is_same_file(place, each) for each in other.parents)
                    if within or any(is_same_file(other, each) for each in (place, *place.parents)):
                        raise FileError(f"{file} cannot be written: {use} by the same command")
                uses[place] = f"{file} is written"
                check_target(file, overwrite=self.overwrite)
            _refuse_store_part(path)
            target_format(path)
        for folder in {path.parent for path in self.outputs}:
            remove_leftovers(folder)

    def write(
        self,
        path: Path,
        data: npt.NDArray[Any],
        record: Mapping[str, Any],
        like: Picture | None = None,
        channel_axis: int | None = None,
    ) -> None:
        """Write one output and its provenance, and print its path."""
        write_picture(path, data, like, channel_axis=channel_axis, overwrite=self.overwrite)
        write_sidecar(path, record, overwrite=self.overwrite)
        print_path(path)


def _refuse_folder(path: Path) -> None:
    if path.is_dir() and not is_zarr_folder(path):
        raise FileError(
            f"{path} is a folder; give the name of an image file or a zarr store, or use batch"
        )


def _refuse_store_part(path: Path) -> None:
    store = enclosing_store(path.parent)
    if store is not None:
        raise FileError(
            f"{path} lies within the zarr store {store}; give a name outside of it, or use batch, "
            "which keeps the layout of plates and series"
        )


def beside(image: Path, addition: str, suffix: str | None = None) -> Path:
    """Return the default path of a result: beside the image, with an addition to its name.

    Parameters
    ----------
    image : pathlib.Path
        File that the result is made from.
    addition : str
        Word that is added to its name.
    suffix : str, optional
        Suffix of the result; by default that of `image`, or ``.tif`` where that cannot be written.

    Raises
    ------
    FileError
        If `image` is a folder, and no zarr store.

    Examples
    --------
    >>> beside(Path("cells.ome.tif"), "deblurred").name
    'cells-deblurred.ome.tif'
    >>> beside(Path("a.JPG"), "defocus", ".tif").name
    'a-defocus.tif'
    >>> beside(Path("a.zarr/B/2/0"), "deblurred").name
    'a-B-2-0-deblurred.zarr'
    """
    _refuse_folder(image)
    image = flat_name(image)
    stem, ending = image.stem, image.suffix if image.suffix.lower() in WRITABLE else ".tif"
    if stem.lower().endswith(".ome"):
        stem, ending = stem[:-4], stem[-4:] + ending
    return image.with_name(f"{stem}-{addition}{suffix or ending}")


def check_holds_floats(path: Path, what: str, advice: str = "") -> None:
    """Raise a FileError if a file's format cannot hold a map or confidence, which are floats."""
    if not target_format(path).holds_floats:
        raise FileError(f"{path} cannot hold {what}, a real number a pixel; write a .tif{advice}")


def check_is_plane(path: Path, axes: str, shape: tuple[int, ...]) -> None:
    """Raise a FileError if a map that is to be painted is a stack of planes."""
    planes = math.prod(shape[:-2])
    if planes != 1:
        raise FileError(f"{path} can show one plane, and the map has {planes}: axes {axes}")
