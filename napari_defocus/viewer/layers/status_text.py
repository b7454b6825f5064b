"""Words in the status bar about the pixel of a layer under the pointer."""

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from napari.layers import Layer as _Layer
else:
    _Layer = object


class DescribedPixels(_Layer):  # type: ignore[misc]  # napari has no types
    """Base, beside one of napari's layers, of layers that describe their pixels in words."""

    def get_status(self, position: Any = None, **kwargs: Any) -> dict[str, str]:
        """Return texts for the status bar: coordinates, and the pixel in words."""
        status: dict[str, str] = super().get_status(position, **kwargs)
        if position is not None:
            place = self.world_to_data(position) if kwargs.get("world") else position
            pixel = tuple(np.rint(place).astype(int)[-self.ndim :])
            inside = all(0 <= i < size for i, size in zip(pixel, self.data.shape, strict=False))
            text = self.describe_pixel(pixel) if inside else ""
            status |= {"value": text, "coordinates": f"{status['coords']}: {text}"}
        return status

    @abstractmethod
    def describe_pixel(self, pixel: tuple[int, ...]) -> str:
        """Describe a pixel of the layer."""
