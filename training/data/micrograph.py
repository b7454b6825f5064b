"""Micrographs: from light to the values of a file, with photons, gain, offset and faulty pixels."""

from dataclasses import dataclass

import torch
from torch import Tensor

from napari_defocus.optics.light import encode_srgb
from training.data.random_fields import smooth_field
from training.data.rng import SampleRNG
from training.data.scene import Scenes
from training.data.sensor import Photographs

#: The share of values above white, as `napari_defocus.image.value_range.choose_range` measures it.
_CLIPPED = 1e-4
#: Limit of the sharp picture: in focus, small structures are brighter than white.
_BRIGHTEST = 10.0


@dataclass(frozen=True)
class DetectorOptions:
    """Ranges of the degradations beside defocus.

    Attributes
    ----------
    photons : tuple of float
        Log-uniform range of how many photons the brightest structures send to a pixel.
    bright_photons : tuple of float
        The same for the background of transmitted light.
    read : tuple of float
        Log-uniform range of the read noise, in electrons.
    offset : tuple of float
        Range of the mean value without light, in read noises above 0.
    vignetting : float
        Largest share of light that a corner lacks.
    hot_share : float
        Largest share of pixels that are far too bright.
    gain_noise : float
        Largest standard deviation of the pixels' gains.
    """

    photons: tuple[float, float] = (20.0, 3000.0)
    bright_photons: tuple[float, float] = (500.0, 30000.0)
    read: tuple[float, float] = (0.7, 8.0)
    offset: tuple[float, float] = (3.0, 50.0)
    vignetting: float = 0.4
    hot_share: float = 2e-4
    gain_noise: float = 0.01


def micrograph(
    scenes: Scenes, rng: SampleRNG, options: DetectorOptions | None = None
) -> Photographs:
    """Count, read out, and scale to the networks' form as the plugin scales a file's values.

    Parameters
    ----------
    scenes : Scenes
        N gray scenes.
    rng : SampleRNG
        N streams, on the device of the scenes.
    options : DetectorOptions
        Ranges of noise and counts.

    Returns
    -------
    Photographs
        Linear values scaled to the measured black and white, display-encoded; all views the same.
        The sharp picture is scaled by the same black and white, and free of noise; as the plugin
        does not clip, both go beyond white.
    """
    options = options or DetectorOptions()
    fluorescent = scenes.fluorescent[:, None, None, None]
    peak = torch.where(
        fluorescent,
        rng.log_uniform(*options.photons, 1, 1, 1),
        rng.log_uniform(*options.bright_photons, 1, 1, 1),
    )
    fall = _vignetting(rng, scenes.sharp.shape[-1], options.vignetting)
    sharp, light = (fall * image[:, :1] for image in (scenes.sharp, scenes.left))
    brightest = sharp.amax((1, 2, 3), keepdim=True).clamp(min=1e-6)
    sharp, light = peak * sharp / brightest, peak * light.clamp(min=0) / brightest
    read = rng.log_uniform(*options.read, 1, 1, 1)
    offset = read * rng.uniform(*options.offset, 1, 1, 1)
    values = offset + _read_out(light, read, rng, options)
    black = values.amin((1, 2, 3), keepdim=True)
    white = values.flatten(1).quantile(1 - _CLIPPED, 1)[:, None, None, None]
    span = (white - black).clamp(min=1e-6)
    sharp, exposure = (
        encode_srgb(((image - black) / span).clamp(0, _BRIGHTEST)).expand(-1, 3, -1, -1)
        for image in (offset + sharp, values)
    )
    return Photographs(sharp, exposure, exposure, exposure, scenes.radius)


def _read_out(light: Tensor, read: Tensor, rng: SampleRNG, options: DetectorOptions) -> Tensor:
    """Add read noise, uneven gain and hot pixels to photon counts."""
    counts = rng.poisson(light)
    gain = 1 + options.gain_noise * rng.uniform(0, 1, 1, 1, 1) * rng.noise(*light.shape[1:])
    values = gain * counts + read * rng.noise(*light.shape[1:])
    hot = (rng.noise(*light.shape[1:]) / 2**0.5).erf() > 1 - 2 * options.hot_share * rng.uniform(
        0, 1, 1, 1, 1
    )
    return torch.where(hot, values + counts.amax((1, 2, 3), keepdim=True), values)


def _vignetting(rng: SampleRNG, side: int, most: float) -> Tensor:
    """Draw part of a field that darkens toward its rim, (N, 1, side, side) in [1 - most, 1]."""
    field = (0.5 + 0.5 * smooth_field(rng, 1, side, 0.5)).clamp(0, 1)
    return 1 - most * rng.uniform(0, 1, 1, 1, 1) * field
