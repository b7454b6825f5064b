"""Comparison of a sharp picture with its image as a network, so that the engine can tile it."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..optics.light import decode_srgb, encode_srgb
from ..optics.pupil import Pupil
from ..optics.reblur import reblur_layers
from .bands import GRID, local_mean, local_reach, to_pixels
from .inferred import inferred_reach, inferred_share
from .noise import NoiseModel
from .residual import Residual, derivative_by_radius, excess, residual_reach

#: Multiply-adds per pixel: of each layer that is blurred, and of the bands. A tile of 512 px is
#: done in less than a second.
_LAYER_OPERATIONS, _BAND_OPERATIONS = 1000.0, 8000.0
#: Standard deviation in px of the window in which brightness is measured.
_WINDOW = 4.0
#: Share of a pixel's light from outside the image from which on nothing is said.
_MOST_OUTSIDE = 0.6


@dataclass(frozen=True)
class EvidenceDescriptor:
    """Description of the comparison, by which the engine tiles it."""

    receptive_radius: int
    multiple: int = GRID
    in_channels: int = 7
    out_channels: int = 3
    bfloat16: bool = False


class EvidenceNetwork(nn.Module):
    """Comparison of a sharp picture, blurred again, with its image.

    Parameters
    ----------
    noise : NoiseModel
        Noise of the image.
    farthest, nearest : float
        Smallest and largest signed radius in pixels of the map.
    pupil : Pupil
        Shape of the kernels.
    linear : bool
        Whether linear light is compared, not display values.
    """

    def __init__(
        self, noise: NoiseModel, farthest: float, nearest: float, pupil: Pupil, *, linear: bool
    ) -> None:
        super().__init__()
        blur = pupil.reach(math.ceil(max(abs(farthest), abs(nearest)))) + 1
        reach = blur + max(residual_reach(), inferred_reach(), local_reach(_WINDOW))
        self.descriptor = EvidenceDescriptor(reach)
        layers = math.ceil(nearest) - math.floor(farthest) + 1
        self.operations_per_pixel = _BAND_OPERATIONS + _LAYER_OPERATIONS * layers
        self._noise, self._pupil, self._linear = noise, pupil, linear

    def forward(self, x: Tensor) -> Tensor:
        """Compare (1, 7, H, W): sharp picture, image, signed radius, its error, three shares.

        The pictures are gray, and display-encoded. The shares, 0 to 1, are where the sharp picture
        is clipped or missing, what of a pixel's light comes from outside, and whether both are
        finite. Returned are (1, 3, H, W), NaN where nothing can be said: the statistic, the
        inferred share, and the energy of the residual over that of the noise.
        """
        sharp, image, radius, error, unknown, outside, valid = x[0]
        light = torch.stack([decode_srgb(sharp), unknown])[None]
        again = reblur_layers(light, radius[None, None], self._pupil)[0]
        unknown = (again[1] + outside).clamp(0, 1)
        if self._linear:
            blurred, image, sharp = again[0], decode_srgb(image), decode_srgb(sharp)
        else:
            blurred = encode_srgb(again[0])
        noise = self._noise.at(local_mean(image[None], _WINDOW)[0])
        # the image shows what a smaller radius would let through, the reblurred picture the rest
        slope = derivative_by_radius((blurred + image) / 2, radius)
        residual = Residual(valid * (blurred - image), image, slope, unknown, error)
        statistic, energy = excess(residual, noise)
        inferred = inferred_share(sharp - image, blurred, noise)
        result = to_pixels(torch.stack([statistic, inferred, energy]))
        judged = (outside < _MOST_OUTSIDE) & (valid > 0)
        return result.where(judged, torch.nan)[None]
