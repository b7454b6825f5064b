"""Regions of a layer: the whole layer, the part in view, or drawn shapes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from ...errors import OptionError
from .geometry import to_pixels_of
from .window import Window

if TYPE_CHECKING:
    from napari.layers import Image, Shapes

Region = Literal["whole layer", "current view", "shapes"]
#: Further region of a task that takes a map: all pixels that the map covers; the rest stays.
WHERE_THE_MAP_IS = "where the map is"
Planes = Literal["all", "current"]


def spatial_shape(layer: "Image") -> tuple[int, ...]:
    """Return the shape of the layer's data at full resolution, without color channels."""
    data = layer.data[0] if layer.multiscale else layer.data
    return tuple(int(n) for n in data.shape[: layer.ndim])


def whole_layer(layer: "Image") -> Window:
    """Return the window of the whole layer."""
    shape = spatial_shape(layer)
    return Window((0,) * len(shape), shape)


def narrow_to_plane(
    window: Window, layer: "Image", point: Sequence[float], displayed: Sequence[int] = ()
) -> Window:
    """Narrow the leading axes to the plane at `point`.

    Parameters
    ----------
    window : Window
        Window to narrow.
    layer : napari.layers.Image
        Layer the window belongs to.
    point : sequence of float
        World coordinates of the sliders (``viewer.dims.point``).
    displayed : sequence of int
        Axes of the layer that the canvas shows; they keep their range.
    """
    shape = spatial_shape(layer)
    index = np.rint(layer.world_to_data(point)).astype(int)
    start, stop = list(window.start), list(window.stop)
    for axis in range(layer.ndim - 2):
        if axis not in displayed:
            start[axis] = int(np.clip(index[axis], 0, shape[axis] - 1))
            stop[axis] = start[axis] + 1
    return Window(tuple(start), tuple(stop))


def view_window(layer: "Image", point: Sequence[float], displayed: Sequence[int]) -> Window:
    """Return the part of a layer that the canvas shows, at full resolution.

    In 3D display this is the whole volume, from wherever it is looked at.

    Parameters
    ----------
    layer : napari.layers.Image
        Layer that has been drawn.
    point : sequence of float
        World coordinates of the sliders (``viewer.dims.point``).
    displayed : sequence of int
        World axes on the canvas (``viewer.dims.displayed``).

    Raises
    ------
    OptionError
        If nothing of the layer is in view.
    """
    own = displayed_axes(layer, point, displayed)
    shape = spatial_shape(layer)
    start, stop = [0] * layer.ndim, list(shape)
    if len(displayed) == 2:
        corners = _full_resolution_corners(layer)
        for axis in own:
            start[axis] = int(np.clip(corners[0, axis], 0, shape[axis]))
            stop[axis] = int(np.clip(corners[1, axis], 0, shape[axis]))
    window = narrow_to_plane(Window(tuple(start), tuple(stop)), layer, point, own)
    # the corners of a layer out of view meet at its border
    if not layer.visible or min(window.shape[-2:]) < 2:
        raise OptionError(
            f"nothing of the layer {layer.name!r} is in view: show it, move it into view, or "
            "choose another region"
        )
    return window


def shapes_window(layer: "Image", shapes: "Shapes | None") -> Window:
    """Return the box around the selected shapes, or around all if none is selected.

    Parameters
    ----------
    layer : napari.layers.Image
        Layer to cut from. Axes on which no shape extends are kept whole: all planes, if the shapes
        are drawn on one.
    shapes : napari.layers.Shapes or None
        Layer with the shapes; it can be placed and scaled differently from `layer`.

    Raises
    ------
    OptionError
        If there is no shape, or none lies on the layer.
    """
    if shapes is None:
        raise OptionError(
            "the region is 'shapes', but no shape is drawn, or its layer is not chosen: draw a "
            "rectangle, or choose its layer under 'shapes'"
        )
    if len(shapes.data) == 0:
        raise OptionError(
            f"the region is 'shapes', but no shape is drawn in {shapes.name!r}: draw a rectangle "
            "first"
        )
    outlines = [np.asarray(shapes.data[index]) for index in chosen_shapes(shapes)]
    corners = [to_pixels_of(shapes, layer, vertex) for each in outlines for vertex in each]
    extended = extended_axes(outlines, layer)
    size = np.array(spatial_shape(layer))
    low = np.clip(np.floor(np.min(corners, axis=0) + 0.5), 0, size).astype(int)
    high = np.clip(np.ceil(np.max(corners, axis=0) + 0.5), 0, size).astype(int)
    if np.any(high[extended] <= low[extended]):
        raise OptionError(f"the shapes of {shapes.name!r} lie outside the layer {layer.name!r}")
    return Window(
        tuple(int(a) for a in np.where(extended, low, 0)),
        tuple(int(b) for b in np.where(extended, high, size)),
    )


def chosen_shapes(shapes: "Shapes") -> "Sequence[int]":
    """Return the indices of the selected shapes, or of all if none is selected."""
    return sorted(shapes.selected_data) or range(len(shapes.data))


def extended_axes(
    outlines: list[npt.NDArray[np.floating]], layer: "Image"
) -> npt.NDArray[np.bool_]:
    """Return for each axis of a layer whether shapes mark a range of it, by their own axes.

    A shape drawn on one plane of a stack has the same coordinate along that axis everywhere.
    """
    varies = np.any([np.ptp(outline, axis=0) > 0 for outline in outlines], axis=0)
    if varies.sum() < 2:  # a line along an axis
        varies[-2:] = True
    extended = np.zeros(layer.ndim, dtype=bool)
    shared = min(layer.ndim, len(varies))
    extended[-shared:] = varies[-shared:]
    return extended


def displayed_axes(layer: "Image", point: Sequence[float], displayed: Sequence[int]) -> list[int]:
    """Return displayed axes of the world as axes of the layer, which has the last ones."""
    surplus = len(point) - layer.ndim
    return [axis - surplus for axis in displayed if axis >= surplus]


def _full_resolution_corners(layer: "Image") -> npt.NDArray[np.int64]:
    """Return the first and the end index in view, at the finest level."""
    corners = np.array(layer.corner_pixels) + np.array([[0], [1]])
    if layer.multiscale:
        corners = corners * np.asarray(layer.downsample_factors[layer.data_level])
    return np.stack([np.floor(corners[0]), np.ceil(corners[1])]).astype(np.int64)
