"""Planes of a stack as linear light, in which they are blended, and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from ..array_types import Array, FloatArray, Mask
from ..image.encoding import decode, encode, fill_missing
from ..image.layout import Layout
from ..image.missing import valid_mask

Floats = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True)
class LightCodec:
    """Conversion of a plane's colors to linear light, and of light to values of the data type.

    Parameters
    ----------
    layout : Layout
        Layout of the stack.
    value_range : (float, float) or (C, 2) array
        Black and white of display values; those of linear ones only tell which hold no data.
    """

    layout: Layout
    value_range: Any

    def to_light(self, plane: Array) -> tuple[Floats, Mask | None]:
        """Return light of a plane (C, Y, X) without alpha, and which pixels hold data.

        Display values become light from 0 to 1, linear ones stay as they are. Pixels without data
        are filled from their neighbors. The mask is None if all hold data.
        """
        colors = plane[:3]
        masks = [
            valid_mask(values, self.layout.nodata, limits)
            for values, limits in zip(colors, self._ranges(len(colors)), strict=True)
        ]
        light = colors.astype(self._dtype)
        valid = _all_valid(masks)
        if valid is not None:
            for channel in light:
                channel[...] = fill_missing(cast(FloatArray, channel), valid)
        if self.layout.encoding == "srgb":
            for channel, (low, high) in zip(light, self._ranges(len(light)), strict=True):
                channel[...] = decode(((channel - low) / (high - low)).astype(np.float32))
        return light, valid

    def to_values(self, light: Floats) -> Array:
        """Return light (C, Y, X) as values of the data type, rounded and clipped to it."""
        values = light
        if self.layout.encoding == "srgb":
            values = np.empty(light.shape, self._dtype)
            for out, channel, (low, high) in zip(
                values, light, self._ranges(len(light)), strict=True
            ):
                display = encode(channel.astype(np.float32)).astype(self._dtype)
                if self.layout.display_bounded:
                    np.clip(display, 0, 1, out=display)
                out[...] = low + (high - low) * display
        return self.to_type(values)

    def to_type(self, values: Floats) -> Array:
        """Return values as the data type, rounded and clipped to it."""
        dtype = self.layout.dtype
        if dtype.kind == "f":
            limit = np.finfo(dtype).max
            return np.clip(values, -limit, limit).astype(dtype)
        info = np.iinfo(dtype)
        top = float(info.max)
        if int(top) > info.max:  # 64 bits: the nearest float lies beyond the largest integer
            top = float(np.nextafter(top, 0))
        return np.clip(np.rint(values), info.min, top).astype(dtype)

    def without_data(self, plane: Array) -> Array:
        """Return values (C, Y, X) that say that a pixel holds no data: NaN, or a plane's own."""
        return np.full_like(plane, np.nan) if plane.dtype.kind == "f" else plane

    @property
    def _dtype(self) -> np.dtype[Any]:
        return np.dtype(np.float32 if self.layout.dtype.itemsize <= 2 else np.float64)

    def _ranges(self, channels: int) -> list[tuple[float, float]]:
        pairs = np.broadcast_to(self.value_range, (channels, 2)).tolist()
        return [(float(low), float(high)) for low, high in pairs]


def _all_valid(masks: list[Mask | None]) -> Mask | None:
    present = [mask for mask in masks if mask is not None]
    return np.logical_and.reduce(present) if present else None
