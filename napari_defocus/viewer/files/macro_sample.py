"""Generated series of close-up photographs, each focused a little farther away, of known depth."""

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import affine_transform

from .samples import FloatArray, LayerData, blur_by_map, texture, to_picture

_SHAPE, _PLANES = (240, 320), 11
#: Growth of the blur radius in pixels, and of the scale, from one photograph to the next.
_GROWTH, _BREATHING = 1.1, 0.003
#: Height of the dome in planes, its radius relative to the height of the picture, and how many
#: planes the ground rises from top to bottom.
_DOME, _DOME_RADIUS, _SLOPE = 6.0, 0.38, 3.0


def macro_stack() -> list[LayerData]:
    """Return a generated focus series, (11, 240, 320) RGB, its sharp picture and its true depth.

    The radius grows by 1.1 pixels from plane to plane, and the scale by 0.3 %, as with lenses that
    breathe. Picture and depth have the scale of the middle plane; the depth counts in planes.
    """
    rng = np.random.default_rng(5)
    depth = _depth()
    sharp = texture(rng, *_SHAPE)
    stack = np.stack([_photograph(rng, sharp, depth, plane) for plane in range(_PLANES)])
    appearance = {"colormap": "viridis", "contrast_limits": (0, _PLANES - 1), "visible": False}
    return [
        (depth, {"name": "macro stack, true depth (planes)", **appearance}, "image"),
        (to_picture(sharp), {"name": "macro stack, sharp", "visible": False}, "image"),
        (stack, {"name": "macro stack", "rgb": True, "axis_labels": ("z", "y", "x")}, "image"),
    ]


def _depth() -> FloatArray:
    """Return the plane (Y, X) in which each pixel is in focus: a dome on ground that slopes."""
    rows, columns = np.indices(_SHAPE, dtype=np.float32)
    height, width = _SHAPE
    away = np.hypot(rows - height / 2, columns - width / 2) / (_DOME_RADIUS * height)
    dome = _DOME * np.sqrt(np.clip(1 - away**2, 0, 1))
    ground = _PLANES - 1.5 - _SLOPE * rows / height
    depth: FloatArray = (ground - dome).clip(0.5).astype(np.float32)
    return depth


def _photograph(
    rng: np.random.Generator, sharp: FloatArray, depth: FloatArray, plane: int
) -> npt.NDArray[np.uint8]:
    radius = np.asarray(_GROWTH * np.abs(plane - depth), np.float32)
    blurred = blur_by_map(sharp, radius)
    scale = 1 + _BREATHING * (plane - _PLANES // 2)
    matrix = np.eye(2) / scale
    middle = (np.array(_SHAPE) - 1) / 2
    moved = np.stack(
        [
            affine_transform(channel, matrix, middle - matrix @ middle, mode="nearest")
            for channel in blurred
        ]
    )
    noise: Any = rng.normal(0, 0.004, moved.shape)
    return to_picture((moved + noise).clip(0).astype(np.float32))
