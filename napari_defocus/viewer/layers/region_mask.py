"""Mask of the pixels that drawn shapes enclose."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ...errors import OptionError
from ...provenance_record import array_hash
from .geometry import to_pixels_of
from .regions import chosen_shapes, extended_axes, whole_layer
from .window import Window

if TYPE_CHECKING:
    from napari.layers import Image, Shapes

#: Corners of the polygon that an ellipse is drawn as.
_CORNERS = 128


@dataclass(frozen=True)
class RegionMask:
    """Pixels of a region that are worked on; the others stay as they are.

    Parameters
    ----------
    inside : (Y, X) bool array
        The pixels, the same in all planes.
    shapes : str
        Name of the Shapes layer.
    """

    inside: npt.NDArray[np.bool_]
    shapes: str

    def keep_outside(self, result: Any, before: Any, *, color: bool) -> Any:
        """Return a result (..., Y, X) or (..., Y, X, C) with the values before, outside."""
        inside = self.inside[..., None] if color else self.inside
        return np.where(inside, result, before)

    def described(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """Return the provenance of a result that was made inside only."""
        return {**record, "input": {**record["input"], "mask": array_hash(self.inside)}}


def shapes_mask(
    image: "Image", shapes: "Shapes", region: "tuple[tuple[int, int], ...] | None" = None
) -> npt.NDArray[np.bool_]:
    """Return which pixels of an image lie in the selected shapes, or in all if none is selected.

    Parameters
    ----------
    image : napari.layers.Image
        The image.
    shapes : napari.layers.Shapes
        Shapes, which can be placed and scaled differently from the image.
    region : sequence of (start, stop), optional
        Part of the image for each of its axes except color; by default all of it.

    Returns
    -------
    (Y, X) bool array
        Of the region. Rectangles along its axes hold all pixels that they touch, other shapes those
        whose centers they hold. Shapes drawn across planes count as boxes.

    Examples
    --------
    In napari's console::

        from napari_defocus.viewer import shapes_mask
        mask = shapes_mask(viewer.layers["photo"], viewer.layers["region"])
    """
    window = whole_layer(image)
    if region is not None:
        window = Window(tuple(a for a, _ in region), tuple(b for _, b in region))
    size = window.shape[-2:]
    inside = np.zeros(size, bool)
    kinds = np.asarray(shapes.shape_type, dtype=object)
    for index in chosen_shapes(shapes):
        outline = np.asarray(shapes.data[index])
        if extended_axes([outline], image)[:-2].any():
            return np.ones(size, bool)
        corners = [
            to_pixels_of(shapes, image, vertex) for vertex in _outline(outline, kinds[index])
        ]
        inside |= _fill(np.array(corners)[:, -2:] - window.start[-2:], size)
    return inside


def region_mask(image: "Image", shapes: "Shapes", window: Window) -> RegionMask | None:
    """Return the pixels of a window that shapes enclose; None if they enclose all.

    Raises
    ------
    OptionError
        If they enclose none.
    """
    region = tuple(zip(window.start, window.stop, strict=True))
    inside = shapes_mask(image, shapes, region)
    if not inside.any():
        raise OptionError(
            f"the shapes of {shapes.name!r} enclose no pixel of {image.name!r}; draw an area, such "
            "as a rectangle or a lasso"
        )
    return None if inside.all() else RegionMask(inside, shapes.name)


def _outline(corners: npt.NDArray[np.floating], kind: str) -> npt.NDArray[np.floating]:
    """Return the corners of the polygon that a shape is drawn as."""
    if kind != "ellipse":
        return corners
    center = corners.mean(axis=0)
    across, down = (corners[1] - corners[0]) / 2, (corners[3] - corners[0]) / 2
    angle = np.linspace(0, 2 * np.pi, _CORNERS, endpoint=False)[:, None]
    return np.asarray(center + np.cos(angle) * across + np.sin(angle) * down)


def _fill(corners: npt.NDArray[np.floating], size: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    """Return the pixels of an area that a polygon holds."""
    from skimage.draw import polygon2mask

    low, high = corners.min(axis=0), corners.max(axis=0)
    inside, area, box = np.zeros(size, bool), abs(_area(corners)), np.prod(high - low)
    if np.isclose(area, box):
        first, last = np.floor(low + 0.5), np.ceil(high + 0.5)
        rows, columns = (
            slice(max(0, int(a)), max(0, int(b))) for a, b in zip(first, last, strict=True)
        )
        inside[rows, columns] = True
    if np.isclose(area, box) or np.isclose(area, 0):  # a line that is no box holds nothing
        return inside
    return np.asarray(polygon2mask(size, corners), dtype=bool)


def _area(corners: npt.NDArray[np.floating]) -> float:
    """Return the area of a polygon, signed by its sense."""
    following = np.roll(corners, -1, axis=0)
    return float(np.sum(corners[:, 0] * following[:, 1] - corners[:, 1] * following[:, 0]) / 2)
