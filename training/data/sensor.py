"""From linear light to what a camera writes: exposure, noise, tone curve, 8 bits, JPEG."""

import io
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from napari_defocus.optics.light import encode_srgb
from training.data.chance import Chance
from training.data.scene import Scenes


@dataclass(frozen=True)
class SensorOptions:
    """How strongly pictures are degraded beside defocus.

    Attributes
    ----------
    shot, read : tuple of float
        Log-uniform ranges of the shot-noise gain (variance per unit of light) and of the read
        noise (standard deviation), where white is 1.
    grey_share, bent_share, jpeg_share : float
        Share of scenes turned grey, with a tone curve other than sRGB's, and written as JPEG.
    """

    shot: tuple[float, float] = (3e-6, 1.5e-3)
    read: tuple[float, float] = (2e-4, 8e-3)
    grey_share: float = 0.12
    bent_share: float = 0.6
    jpeg_share: float = 0.15


@dataclass(frozen=True)
class Photographs:
    """Display-encoded pictures of a batch of scenes.

    Attributes
    ----------
    sharp, centre, left, right : Tensor
        (N, 3, H, W) in [0, 1].
    radius : Tensor
        (N, 1, H, W) signed radius in px as in `Scenes`; NaN where it is not known.
    """

    sharp: Tensor
    centre: Tensor
    left: Tensor
    right: Tensor
    radius: Tensor


def photograph(
    scenes: Scenes, chance: Chance, options: SensorOptions, *, views: bool
) -> Photographs:
    """Expose, add noise, display-encode.

    Parameters
    ----------
    scenes : Scenes
        N scenes.
    chance : Chance
        N streams, on the device of the scenes.
    options : SensorOptions
        How strongly to degrade.
    views : bool
        Whether to take the two dual-pixel views too; otherwise both are the centre picture.

    Returns
    -------
    Photographs
        Of the size of the scenes.
    """
    gain = chance.log_uniform(0.55, 1.5, 1, 1, 1)
    shot = chance.log_uniform(*options.shot, 1, 1, 1)
    read = chance.log_uniform(*options.read, 1, 1, 1)
    grey = chance.happens(options.grey_share, 1, 1, 1)
    curve = _ToneCurve.random(chance, options.bent_share)
    jpeg = chance.happens(options.jpeg_share)
    quality = chance.integers(60, 97)
    eight_bit = chance.happens(0.6, 1, 1, 1)
    balance = chance.log_uniform(0.95, 1.05, 1, 1, 1)

    def exposed(light: Tensor) -> Tensor:
        return torch.where(grey, _grey(light), light) * gain

    def captured(light: Tensor, noise_gain: float) -> Tensor:
        seen = exposed(light)
        noise = chance.noise(*seen.shape[1:]) * (noise_gain * shot * seen + read**2).sqrt()
        seen = seen + torch.where(grey, noise[:, :1], noise)
        display = curve(seen.clamp(0, 1))
        display = torch.where(eight_bit, (display * 255).round() / 255, display)
        return _jpeg(display, jpeg, quality)

    sharp = curve(exposed(scenes.sharp).clamp(0, 1))
    centre = captured((scenes.left + scenes.right) / 2, 1.0)
    if views:
        left, right = captured(scenes.left * balance, 2.0), captured(scenes.right, 2.0)
    else:
        left = right = centre
    return Photographs(sharp, centre, left, right, scenes.radius)


@dataclass(frozen=True)
class _ToneCurve:
    """sRGB curve, bent by a random contrast and gamma; each field is (N, 1, 1, 1)."""

    contrast: Tensor
    gamma: Tensor

    @classmethod
    def random(cls, chance: Chance, share: float) -> "_ToneCurve":
        bent = chance.happens(share, 1, 1, 1)
        contrast = chance.uniform(-0.3, 0.8, 1, 1, 1)
        gamma = (0.12 * chance.normal(1, 1, 1)).exp()
        return cls(torch.where(bent, contrast, 0), torch.where(bent, gamma, 1))

    def __call__(self, light: Tensor) -> Tensor:
        display = encode_srgb(light).clamp(1e-6, 1) ** self.gamma
        return display + self.contrast * display * (1 - display) * (2 * display - 1)


def _grey(light: Tensor) -> Tensor:
    return light.mean(1, keepdim=True).expand_as(light)


def _jpeg(display: Tensor, chosen: Tensor, quality: Tensor) -> Tensor:
    """The chosen pictures as they come back from a JPEG file."""
    result = display.clone()
    for index in chosen.nonzero().flatten().tolist():
        pixels = (display[index].permute(1, 2, 0).cpu().numpy() * 255).round().astype(np.uint8)
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "JPEG", quality=int(quality[index]))
        decoded = torch.from_numpy(np.array(Image.open(buffer))).to(display)
        result[index] = decoded.permute(2, 0, 1) / 255
    return result
