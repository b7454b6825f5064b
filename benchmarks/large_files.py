"""Large files of several formats for `large.py`, written window by window from one photograph.

Each holds 2.1 GB of pixels: 16 planes of 8192 x 8192 (uint16), or a slide of 26,624 x 26,624 (RGB).
They are not compressed, or fast to decompress, so that time is not that of a decoder.
"""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import napari_defocus
from napari_defocus.io import read_picture

ROOT = Path(__file__).resolve().parents[1]
PHOTO = Path(napari_defocus.__file__).parent / "samples" / "canyon-wren.jpg"
_CHUNK = 512

Array = npt.NDArray[Any]


def photograph(side: int, *, gray: bool) -> Callable[[int, int], Array]:
    """Return a function of two rows, which returns those of the photograph, tiled and mirrored."""
    photo = read_picture(PHOTO).data
    photo = (photo.mean(-1) * 200).astype(np.uint16) if gray else photo
    photo = np.concatenate([photo, photo[::-1]])
    photo = np.concatenate([photo, photo[:, ::-1]], axis=1)
    columns = np.arange(side) % photo.shape[1]
    return lambda top, bottom: photo[np.arange(top, bottom) % photo.shape[0]][:, columns]


def write_zarr(path: Path, planes: int, side: int) -> None:
    """Write an OME-Zarr image (Z, Y, X), without smaller copies."""
    import zarr

    rows = photograph(side, gray=True)
    group = zarr.create_group(str(path), zarr_format=3)
    chunks = (1, min(_CHUNK, side), min(_CHUNK, side))
    image = group.create_array("0", shape=(planes, side, side), dtype="u2", chunks=chunks)
    for top in range(0, side, _CHUNK):
        band = rows(top, min(top + _CHUNK, side))
        for plane in range(planes):
            image[plane, top : top + _CHUNK] = band
    scale = {"type": "scale", "scale": [1.0, 0.2, 0.2]}
    axes = [{"name": axis, "type": "space", "unit": "micrometer"} for axis in "zyx"]
    multiscale = {"axes": axes, "datasets": [{"path": "0", "coordinateTransformations": [scale]}]}
    group.attrs["ome"] = {"version": "0.5", "multiscales": [multiscale]}


def write_tiff(path: Path, planes: int, side: int) -> None:
    """Write a stack as most programs do: each plane in one strip, not compressed."""
    import tifffile

    rows = photograph(side, gray=True)
    with tifffile.TiffWriter(path, bigtiff=True) as writer:
        for _ in range(planes):
            writer.write(rows(0, side), photometric="minisblack", contiguous=False, metadata=None)


def write_tiled_tiff(path: Path, planes: int, side: int) -> None:
    """Write a stack in tiles that are compressed by zstd."""
    import tifffile

    rows = photograph(side, gray=True)

    def tiles() -> Iterator[Array]:
        for _ in range(planes):
            for top in range(0, side, _CHUNK):
                band = rows(top, top + _CHUNK)
                for left in range(0, side, _CHUNK):
                    yield np.ascontiguousarray(band[:, left : left + _CHUNK])

    tifffile.imwrite(
        path,
        tiles(),
        shape=(planes, side, side),
        dtype=np.uint16,
        tile=(_CHUNK, _CHUNK),
        compression="zstd",
        bigtiff=True,
    )


def write_czi(path: Path, planes: int, side: int) -> None:
    """Write a z-stack of mosaics of 2048 px, by Zeiss's library."""
    from pylibCZIrw import czi

    rows, tile = photograph(side, gray=True), min(2048, side)
    with czi.create_czi(str(path)) as file:
        for plane in range(planes):
            for top in range(0, side, tile):
                band = rows(top, top + tile)
                for left in range(0, side, tile):
                    part = np.ascontiguousarray(band[:, left : left + tile, None])
                    file.write(part, plane={"C": 0, "T": 0, "Z": plane}, location=(left, top))


def write_ims(path: Path, planes: int, side: int) -> None:
    """Write an Imaris file as `tests` do, in chunks of 8 x 256 x 256 that deflate compresses."""
    import h5py

    sys.path.insert(0, str(ROOT))
    from tests.io.microscopy import ims_file

    tile = min(256, side)
    chunks = (min(8, planes), tile, tile)
    ims_file.write_ims(path, np.zeros((1, 1, 1, 8, 8), np.uint16))
    rows = photograph(side, gray=True)
    name = "DataSet/ResolutionLevel 0/TimePoint 0/Channel 0"
    with h5py.File(path, "r+") as file:
        del file[name]["Data"]
        for axis, length in zip("ZYX", (planes, side, side), strict=True):
            file[name].attrs[f"ImageSize{axis}"] = np.frombuffer(str(length).encode(), "S1")
        data = file[name].create_dataset(
            "Data",
            (planes, side, side),
            "u2",
            chunks=chunks,
            compression="gzip",
            compression_opts=1,
        )
        for top in range(0, side, tile):
            data[:, top : top + tile] = rows(top, top + tile)[None]


def write_svs(path: Path, planes: int, side: int) -> None:
    """Write a slide of one level in tiles of JPEG, with as many bytes of RGB as the stacks have."""
    import tifffile

    del planes
    rows = photograph(side, gray=False)

    def tiles() -> Iterator[Array]:
        for top in range(0, side, _CHUNK):
            band = rows(top, top + _CHUNK)
            for left in range(0, side, _CHUNK):
                yield np.ascontiguousarray(band[:, left : left + _CHUNK])

    text = f"Aperio Image Library v11.2.1\r\n{side}x{side} JPEG/RGB|AppMag = 20|MPP = 0.5"
    tifffile.imwrite(
        path,
        tiles(),
        shape=(side, side, 3),
        dtype=np.uint8,
        tile=(_CHUNK, _CHUNK),
        compression="jpeg",
        photometric="rgb",
        bigtiff=True,
        description=text,
        metadata=None,
    )


#: Writer of each kind of file, by its suffix.
WRITERS = {
    ".tif": write_tiff,
    ".tiled.tif": write_tiled_tiff,
    ".zarr": write_zarr,
    ".czi": write_czi,
    ".ims": write_ims,
    ".svs": write_svs,
}
