"""Places of layers in the world, and in the pixels of each other."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from .window import Window

if TYPE_CHECKING:
    from napari.layers import Image, Layer

FloatArray = npt.NDArray[np.float64]


def to_pixels_of(layer: "Layer", other: "Layer", position: npt.ArrayLike) -> FloatArray:
    """Return where a position in one layer lies in another one, as the viewer shows them.

    Parameters
    ----------
    layer, other : napari.layers.Layer
        The layers. Axes of the world that one of them lacks come first.
    position : (N,) array-like
        Data coordinates in `layer`.

    Returns
    -------
    (N,) float array
        Data coordinates in `other`.
    """
    world = np.asarray(layer.data_to_world(position), dtype=float)
    shared = min(layer.ndim, other.ndim)
    world[-shared:] *= _unit_factors(layer.units[-shared:], other.units[-shared:])
    return np.asarray(other.world_to_data(world), dtype=float)


def pixel_transform(layer: "Layer", other: "Layer") -> tuple[FloatArray, FloatArray]:
    """Return the affine transform from data coordinates of one layer to those of another.

    Returns
    -------
    matrix, offset : (M, N) and (M,) float arrays
        For N axes of `layer` and M of `other`.
    """
    origin = np.zeros(layer.ndim)
    offset = to_pixels_of(layer, other, origin)
    steps = [to_pixels_of(layer, other, step) - offset for step in np.eye(layer.ndim)]
    return np.stack(steps, axis=1), offset


def _unit_factors(units: Sequence[Any], others: Sequence[Any]) -> FloatArray:
    """Return factors between units, 1 where they measure different things, as napari draws them."""
    import pint

    registry: Any = pint.get_application_registry()  # type: ignore[no-untyped-call]
    factors = [
        registry.Quantity(1.0, unit).to(other).magnitude if unit.is_compatible_with(other) else 1.0
        for unit, other in zip(units, others, strict=True)
    ]
    return cast("FloatArray", np.array(factors, dtype=float))


def placement(layer: "Image", window: Window, step: int = 1) -> dict[str, Any]:
    """Return keyword arguments that place a result on the part of the layer it was made from.

    Parameters
    ----------
    layer : napari.layers.Image
        The layer the pixels came from.
    window : Window
        The pixels the result was made from; the result has the same number of axes.
    step : int
        Side of the blocks of the layer, in Y and X, that each pixel of the result covers.

    Returns
    -------
    dict
        scale, translate, rotate, shear, affine, units and axis_labels of the new layer. The world
        coordinates of pixel 0 of the result are those of pixel ``window.start`` of `layer`, or of
        the middle of the block that begins there.
    """
    from napari.utils.transforms import CompositeAffine

    own = CompositeAffine(
        scale=layer.scale,
        translate=layer.translate,
        rotate=layer.rotate,
        shear=layer.shear,
        ndim=layer.ndim,
    )
    scale, first = np.array(layer.scale), np.array(window.start, dtype=float)
    scale[-2:] *= step
    first[-2:] += (step - 1) / 2
    return {
        "scale": scale,
        "translate": np.asarray(own(first)),
        "rotate": np.array(layer.rotate),
        "shear": np.array(layer.shear),
        "affine": np.array(layer.affine.affine_matrix),
        "units": layer.units,
        "axis_labels": layer.axis_labels,
    }


def with_leading_axis(placement: dict[str, Any], label: str) -> dict[str, Any]:
    """Return a placement with one more axis before the others, in steps of 1.

    Parameters
    ----------
    placement : dict
        Of `placement`.
    label : str
        Name of the new axis.
    """
    count = len(placement["scale"])
    rotate, affine = np.eye(count + 1), np.eye(count + 2)
    rotate[1:, 1:], affine[1:, 1:] = placement["rotate"], placement["affine"]
    return {
        "scale": np.concatenate([[1.0], placement["scale"]]),
        "translate": np.concatenate([[0.0], placement["translate"]]),
        "rotate": rotate,
        "shear": np.concatenate([np.zeros(count), placement["shear"]]),
        "affine": affine,
        "units": ("pixel", *placement["units"]),
        "axis_labels": (label, *placement["axis_labels"]),
    }
