"""Layers of merged stacks, placed so that they show wherever the slider of the planes stands."""

from typing import Any

import numpy as np

from ...map_statistics import UNSURE
from ..layers.origin import origin_entry
from ..layers.results import METADATA_KEY, LayerData, LayerTemplate
from ..maps.map_source import MAP_KEY
from .stack_jobs import MergeResult


def merged_layers(result: MergeResult, template: LayerTemplate) -> list[LayerData]:
    """Return picture and depth (hidden) as image layers to be made.

    The depth is in units of the axis of the planes, from the origin of its coordinates in the
    layer, or in planes where the axis has no length; NaN, which napari does not draw, where it is
    not sure.
    """
    placement = thick_placement(template.placement, result)
    image, depth, confidence = result.merged
    step, unit = plane_step(template, result.axis)
    heights = (depth + result.window.start[result.axis]) * step
    heights[confidence < UNSURE] = np.nan
    finite = heights[np.isfinite(heights)]
    limits = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    shared = {
        **template.metadata,
        METADATA_KEY: result.provenance,
        **origin_entry(template.image),
    }
    return [
        (
            np.expand_dims(heights.astype(np.float32), result.axis),
            {
                "name": f"{template.name} depth ({unit})",
                "visible": False,
                "colormap": "viridis",
                "contrast_limits": limits if limits[1] > limits[0] else (limits[0], limits[0] + 1),
                "metadata": {**shared, MAP_KEY: None, "confidence": confidence},
                **placement,
            },
        ),
        (
            np.expand_dims(image, result.axis),
            {
                "name": f"{template.name} all in focus",
                "metadata": shared,
                **template.appearance,
                **placement,
            },
        ),
    ]


def plane_step(template: LayerTemplate, axis: int) -> tuple[float, str]:
    """Return the distance of planes, and its unit; 1 and "planes" if it is no length."""
    unit = str(template.placement["units"][axis])
    if unit in ("pixel", "pix", "dimensionless"):
        return 1.0, "planes"
    return abs(float(template.placement["scale"][axis])), unit


def thick_placement(placement: dict[str, Any], result: MergeResult) -> dict[str, Any]:
    """Return a placement in which one plane is as thick as the whole stack, in its middle."""
    from napari.utils.transforms import CompositeAffine

    axis, planes = result.axis, result.window.shape[result.axis]
    scale = np.array(placement["scale"], float)
    own = CompositeAffine(
        scale=scale,
        translate=placement["translate"],
        rotate=placement["rotate"],
        shear=placement["shear"],
        ndim=len(scale),
    )
    middle = np.zeros(len(scale))
    middle[axis] = (planes - 1) / 2
    thick = scale.copy()
    thick[axis] *= planes
    return {**placement, "scale": thick, "translate": np.asarray(own(middle))}
