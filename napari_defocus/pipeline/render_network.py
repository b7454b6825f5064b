"""Reblurring as a network, so that the engine can tile it like one."""

import math
from dataclasses import dataclass

from torch import Tensor, nn

from ..optics.light import decode_srgb, encode_srgb
from ..optics.pupil import Pupil
from ..optics.reblur import layer_radii, reblur_layers

#: Multiply-adds per pixel and layer: Fourier transforms there and back, and blending.
_LAYER_OPERATIONS = 5000.0


@dataclass(frozen=True)
class RenderDescriptor:
    """Description of a renderer, by which the engine tiles it."""

    receptive_radius: int
    multiple: int = 1
    in_channels: int = 4
    out_channels: int = 3
    bfloat16: bool = False


class RenderNetwork(nn.Module):
    """Blur by signed radii, in layers that hide each other.

    Parameters
    ----------
    farthest, nearest : float
        Smallest and largest signed radius in pixels of the map.
    pupil : Pupil
        Shape of the kernels.
    """

    def __init__(self, farthest: float, nearest: float, pupil: Pupil) -> None:
        super().__init__()
        largest = max(abs(nearest), abs(farthest))
        self.descriptor = RenderDescriptor(receptive_radius=pupil.reach(math.ceil(largest)) + 1)
        layers = len(layer_radii(farthest, nearest)) - 2  # without those beyond the ends
        self.operations_per_pixel = _LAYER_OPERATIONS * layers
        self._pupil = pupil

    def forward(self, x: Tensor) -> Tensor:
        """Blur (N, 4, H, W), display-encoded RGB and signed radius, to (N, 3, H, W)."""
        return encode_srgb(reblur_layers(decode_srgb(x[:, :3]), x[:, 3:], self._pupil))
