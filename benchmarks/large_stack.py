"""Long stack of planes for `large.py`, as zarr and as TIFF, written plane by plane.

Strips of a texture, side by side, are in focus in different planes around the middle; their blur
grows by 0.3 pixels from plane to plane. The values are counts of 16 bits, with noise.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter, uniform_filter

_STRIPS, _APART, _GROWTH = 8, 3.0, 0.3
#: Radius from which on a box filters instead of a Gaussian of the same spread, for speed.
_BOX = 4.0
#: Standard deviations in pixels of the blobs of the texture, and counts of its mean.
_BLOBS, _MEAN = (0.8, 2.0, 6.0), 4000.0

Array = npt.NDArray[Any]


def strip_focus(planes: int) -> Array:
    """Return the plane in which each strip is in focus."""
    return (planes - 1) / 2 + _APART * (np.arange(_STRIPS) - (_STRIPS - 1) / 2)


def stack_planes(planes: int, side: int) -> Iterator[Array]:
    """Yield the planes (Y, X) of the stack."""
    rng = np.random.default_rng(0)
    sharp = _texture(rng, side)
    edges = np.linspace(0, side, _STRIPS + 1).astype(int)
    for plane in range(planes):
        parts = []
        for left, right, focus in zip(edges, edges[1:], strip_focus(planes), strict=False):
            parts.append(_blur(sharp[:, left:right], _GROWTH * abs(plane - focus)))
        light = np.concatenate(parts, axis=1)
        noise = np.sqrt(light) * rng.standard_normal(light.shape, np.float32)
        yield np.rint(light + noise).clip(0, 65535).astype(np.uint16)


def _blur(image: Array, radius: float) -> Array:
    """Return an image as blurred as by a disk of a radius in pixels."""
    if radius < _BOX:
        return gaussian_filter(image, radius / 2, mode="mirror", truncate=3)
    for _ in range(2):
        image = uniform_filter(image, round(1.2 * radius), mode="mirror")
    return image


def _texture(rng: np.random.Generator, side: int) -> Array:
    texture = np.zeros((side, side), np.float32)
    for width in _BLOBS:
        blobs = gaussian_filter(rng.standard_normal((side, side), np.float32), width)
        texture += blobs / blobs.std()
    return _MEAN * (1 + 0.2 * texture).clip(0.1)


def write_zarr(path: Path, planes: int, side: int) -> None:
    """Write the stack in chunks of a plane."""
    import zarr

    shape, chunks = (planes, side, side), (1, side, side)
    stack = zarr.create_array(str(path), shape=shape, dtype="u2", chunks=chunks)
    for number, plane in enumerate(stack_planes(planes, side)):
        stack[number] = plane


def write_tiff(path: Path, planes: int, side: int) -> None:
    """Write the stack with a plane a page, not compressed."""
    import tifffile

    with tifffile.TiffWriter(path, bigtiff=True) as writer:
        for plane in stack_planes(planes, side):
            writer.write(plane, photometric="minisblack", contiguous=False, metadata=None)


#: Writer of each kind of file, by its suffix.
STACK_WRITERS: dict[str, Callable[[Path, int, int], None]] = {
    ".zarr": write_zarr,
    ".tif": write_tiff,
}
