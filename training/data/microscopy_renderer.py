"""Scenes under a microscope: a thin, slanted specimen, and light from other depths."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from napari_defocus.optics.convolution import fast_length
from training.data.blur_layers import blur_layers
from training.data.corpus import Corpus
from training.data.fluorescence import SPECIMENS, fluorescent_textures
from training.data.layers import Depths
from training.data.lenses import Optics, OpticsSource
from training.data.random_fields import random_plane, slope, smooth_field
from training.data.random_microscopes import RandomMicroscopes
from training.data.rng import SampleRNG
from training.data.scene import Scenes, mirror_at_random

#: Range of the haze's radius, as a share of the largest radius.
_HAZE_BETWEEN = (0.5, 1.6)


@dataclass(frozen=True)
class SpecimenOptions:
    """Ranges and shares of the random scenes.

    Attributes
    ----------
    min_radius, max_radius : float
        Range of the largest radius of a specimen, in pixels; drawn log-uniformly.
    transmitted_share : float
        Share of scenes in transmitted light: dark structures on a bright background.
    haze_share : float
        Share of scenes with haze: light or shadows from other depths.
    kinds : sequence of str
        Kinds of structures, from `fluorescence.KINDS`.
    """

    min_radius: float = 0.5
    max_radius: float = 14.0
    transmitted_share: float = 0.35
    haze_share: float = 0.6
    kinds: Sequence[str] = SPECIMENS


class MicroscopyRenderer:
    """Source of scenes under microscopes; both views are the same.

    The sharp image shows the specimen in focus, with its diffraction. It keeps the haze from other
    depths, because this light is real and belongs to the measurement.

    Parameters
    ----------
    corpus : Corpus
        Photographs, whose textures stand for tissue in transmitted light.
    options : SpecimenOptions
        Ranges and shares of the random scenes.
    optics : OpticsSource
        Source of the microscopes.
    """

    def __init__(
        self,
        corpus: Corpus,
        options: SpecimenOptions | None = None,
        optics: OpticsSource | None = None,
    ) -> None:
        self._corpus = corpus
        self._options = options or SpecimenOptions()
        self._optics = optics or RandomMicroscopes()

    def draw(self, rng: SampleRNG, crop: int) -> Scenes:
        """As `Source.draw`; scenes that are not in transmitted light are fluorescent."""
        options = self._options
        margin = math.ceil(_HAZE_BETWEEN[1] * options.max_radius) + 2
        side = fast_length(crop + 2 * margin)
        fluorescent = ~rng.bernoulli(options.transmitted_share)
        microscopes = self._optics.draw(rng)
        specimen = self._matter(rng, side, fluorescent)
        depths = _specimen_depths(rng, side, options)
        light = _image_layers(specimen, depths, microscopes, margin)
        sharp = _image_layers(specimen, _in_focus(depths), microscopes, margin)
        haze = _image_layers(
            self._matter(rng, side, fluorescent),
            _haze_depths(rng, side, options.max_radius),
            microscopes,
            margin,
        )
        strength = rng.log_uniform(0.05, 1, 1, 1, 1) * rng.bernoulli(options.haze_share, 1, 1, 1)
        light, sharp = (_add_haze(image, strength * haze, fluorescent) for image in (light, sharp))
        whole = torch.cat([sharp, light, light, depths.radius], 1)
        inner = whole[..., margin : margin + crop, margin : margin + crop]
        return mirror_at_random(Scenes.of(inner, fluorescent), rng)

    def _matter(self, rng: SampleRNG, side: int, fluorescent: Tensor) -> Tensor:
        """Draw emission or, in transmitted light, absorption, (N, 3, side, side)."""
        shining = fluorescent_textures(rng, side, self._options.kinds)
        absorbing = _absorbance(self._corpus, rng, side)
        return torch.where(fluorescent[:, None, None, None], shining, absorbing)


def _image_layers(matter: Tensor, depths: Depths, lenses: Optics, margin: int) -> Tensor:
    """Image matter at its depths through the microscopes, (N, 3, H, W)."""
    single = matter[:, None]
    covered = torch.zeros_like(single[:, :, 0])
    return blur_layers(single, covered, depths, lenses, margin)[0]


def _add_haze(light: Tensor, haze: Tensor, fluorescent: Tensor) -> Tensor:
    """Add light of other depths; in transmitted light, absorb there as well."""
    shining = light + haze
    passed = (-(light + haze)).exp()
    return torch.where(fluorescent[:, None, None, None], shining, passed)


def _specimen_depths(rng: SampleRNG, side: int, options: SpecimenOptions) -> Depths:
    """Draw a slanted, bent sheet whose largest radius is log-uniform in a range."""
    least, most = options.min_radius, options.max_radius
    largest = rng.log_uniform(least, most, 1) * (2 * rng.bernoulli(0.5, 1) - 1)
    other = largest * (1 - rng.uniform(0, 1.2, 1) * rng.bernoulli(0.5, 1))
    low, high = torch.minimum(largest, other), torch.maximum(largest, other)
    along = 0.5 + 0.5 * random_plane(rng, 1, side) + 0.3 * smooth_field(rng, 1, side, 1)
    return _between(low, high, along.clamp(0, 1))


def _haze_depths(rng: SampleRNG, side: int, largest: float) -> Depths:
    """Draw a sheet far out of focus, on either side."""
    low, high = (share * largest for share in _HAZE_BETWEEN)
    at = rng.uniform(low, high, 1) * (2 * rng.bernoulli(0.5, 1) - 1)
    return _between(at, at, at[..., None, None].expand(-1, 1, side, side))


def _between(low: Tensor, high: Tensor, along: Tensor) -> Depths:
    radius = low[..., None, None] + (high - low)[..., None, None] * along
    return Depths(low, high, radius)


def _in_focus(depths: Depths) -> Depths:
    none = torch.zeros_like(depths.low)
    return Depths(none, none, torch.zeros_like(depths.radius))


def _absorbance(corpus: Corpus, rng: SampleRNG, side: int) -> Tensor:
    """Draw tissue with textures of photographs on an empty background, (N, 3, side, side)."""
    gray = corpus.crops(rng, 1, side)[:, 0].mean(1, keepdim=True)
    low, high = gray.flatten(1).quantile(torch.tensor([0.02, 0.98], device=gray.device), 1).unbind()
    span = (high - low).clamp(min=0.05)[:, None, None, None]
    dark = ((high[:, None, None, None] - gray) / span).clamp(0, 1.3)
    field = smooth_field(rng, 1, side, 0.8) + rng.uniform(-0.2, 1.5, 1, 1, 1)
    tissue = (field / slope(field) + 0.5).clamp(0, 1)
    density = rng.log_uniform(0.15, 2.5, 1, 1, 1)
    return (density * dark * tissue).expand(-1, 3, -1, -1)
