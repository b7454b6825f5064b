"""World coordinates of results: those of the pixels that they were made from."""

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from napari.layers import Image

    from .regions import Window


def placement(layer: "Image", window: "Window") -> dict[str, Any]:
    """Return keyword arguments that place a result on the part of the layer it was made from.

    Parameters
    ----------
    layer : napari.layers.Image
        The layer the pixels came from.
    window : Window
        The pixels the result was made from; the result has the same number of axes.

    Returns
    -------
    dict
        scale, translate, rotate, shear, affine, units and axis_labels of the new layer. The world
        coordinates of pixel 0 of the result are those of pixel ``window.start`` of `layer`.
    """
    from napari.utils.transforms import CompositeAffine

    own = CompositeAffine(
        scale=layer.scale,
        translate=layer.translate,
        rotate=layer.rotate,
        shear=layer.shear,
        ndim=layer.ndim,
    )
    return {
        "scale": np.array(layer.scale),
        "translate": np.asarray(own(np.array(window.start, dtype=float))),
        "rotate": np.array(layer.rotate),
        "shear": np.array(layer.shear),
        "affine": np.array(layer.affine.affine_matrix),
        "units": layer.units,
        "axis_labels": layer.axis_labels,
    }
