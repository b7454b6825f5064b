"""From linear light to what a camera writes: exposure, noise, tone curve, 8 bits, JPEG."""

import io
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from napari_defocus.optics.light import encode_srgb
from training.data.scene import Scenes


@dataclass(frozen=True)
class SensorOptions:
    """How strongly pictures are degraded beside defocus.

    Attributes
    ----------
    shot, read : tuple of float
        Log-uniform ranges of the shot-noise gain (variance per unit of light) and of the read
        noise (standard deviation), where white is 1.
    grey_share, jpeg_share, linear_share : float
        Share of scenes turned grey, written as JPEG, and left in linear light undisplayed.
    """

    shot: tuple[float, float] = (3e-6, 1.5e-3)
    read: tuple[float, float] = (2e-4, 8e-3)
    grey_share: float = 0.12
    jpeg_share: float = 0.15


@dataclass(frozen=True)
class Photographs:
    """Display-encoded pictures in [0, 1] of a batch of scenes; radius as in `Scenes`."""

    sharp: Tensor
    centre: Tensor
    left: Tensor
    right: Tensor
    radius: Tensor


def photograph(
    scenes: Scenes, rng: np.random.Generator, options: SensorOptions, *, views: bool
) -> Photographs:
    """Expose, add noise, display-encode; `views` also does so to the two dual-pixel views."""
    count = len(scenes.sharp)

    def log_uniform(low: float, high: float) -> Tensor:
        drawn = np.exp(rng.uniform(np.log(low), np.log(high), count))
        return torch.from_numpy(drawn.astype(np.float32))[:, None, None, None]

    gain = log_uniform(0.55, 1.5)
    shot, read = log_uniform(*options.shot), log_uniform(*options.read)
    grey = torch.from_numpy(rng.random(count) < options.grey_share)[:, None, None, None]
    curve = _ToneCurve.random(count, rng)
    jpeg = rng.random(count) < options.jpeg_share
    eight_bit = torch.from_numpy(rng.random(count) < 0.6)[:, None, None, None]

    def develop(light: Tensor, noise_gain: float) -> Tensor:
        exposed = torch.where(grey, _grey(light), light) * gain
        if noise_gain:
            deviation = (noise_gain * shot * exposed + read**2).sqrt()
            noise = torch.randn(exposed.shape, generator=_torch_chance(rng)) * deviation
            exposed = exposed + torch.where(grey, noise[:, :1], noise)
        return curve(exposed.clamp(0, 1))

    def captured(light: Tensor, noise_gain: float) -> Tensor:
        display = develop(light, noise_gain)
        display = torch.where(eight_bit, (display * 255).round() / 255, display)
        return _jpeg(display, jpeg, rng) if jpeg.any() else display

    centre = captured((scenes.left + scenes.right) / 2, 1.0)
    if views:
        balance = log_uniform(0.95, 1.05)
        left, right = captured(scenes.left * balance, 2.0), captured(scenes.right, 2.0)
    else:
        left = right = centre
    return Photographs(develop(scenes.sharp, 0.0), centre, left, right, scenes.radius)


@dataclass(frozen=True)
class _ToneCurve:
    """sRGB curve, bent by a random contrast and gamma; each field is (N, 1, 1, 1)."""

    contrast: Tensor
    gamma: Tensor

    @classmethod
    def random(cls, count: int, rng: np.random.Generator) -> "_ToneCurve":
        bent = rng.random((count, 1, 1, 1)) < 0.6
        contrast = np.where(bent, rng.uniform(-0.3, 0.8, bent.shape), 0)
        gamma = np.where(bent, np.exp(rng.normal(0, 0.12, bent.shape)), 1)
        return cls(torch.from_numpy(contrast).float(), torch.from_numpy(gamma).float())

    def __call__(self, light: Tensor) -> Tensor:
        display = encode_srgb(light).clamp(1e-6, 1) ** self.gamma
        return display + self.contrast * display * (1 - display) * (2 * display - 1)


def _grey(light: Tensor) -> Tensor:
    return light.mean(1, keepdim=True).expand_as(light)


def _torch_chance(rng: np.random.Generator) -> torch.Generator:
    return torch.Generator().manual_seed(int(rng.integers(2**62)))


def _jpeg(display: Tensor, chosen: np.ndarray, rng: np.random.Generator) -> Tensor:
    result = display.clone()
    for index in np.flatnonzero(chosen):
        pixels = (display[index].permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "JPEG", quality=int(rng.integers(60, 97)))
        decoded = np.asarray(Image.open(buffer)).astype(np.float32) / 255
        result[index] = torch.from_numpy(decoded).permute(2, 0, 1)
    return result
