"""Scenes of occluding, slanted layers of sharp photographs, blurred in linear light."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from napari_defocus.optics.convolution import fast_length, transfer_function
from training.data.chance import Chance
from training.data.corpus import Corpus
from training.data.layers import Depths, random_depths, random_masks
from training.data.lens import RandomLenses
from training.data.optics import Lenses, Optics
from training.data.scene import Scenes, mirrored_at_random

_SHEETS = 3


@dataclass(frozen=True)
class SceneOptions:
    """How scenes are drawn.

    Attributes
    ----------
    layers : int
        Layers of a scene, the background counted.
    min_radius, max_radius : float
        Range of the largest radius of a scene, in pixels; drawn log-uniformly.
    """

    layers: int = 3
    min_radius: float = 0.7
    max_radius: float = 22.0


class Renderer:
    """A source that renders its scenes from sharp photographs.

    Parameters
    ----------
    corpus : Corpus
        The photographs.
    options : SceneOptions
        How scenes are drawn.
    optics : Optics
        Where their lenses come from.
    """

    def __init__(
        self,
        corpus: Corpus,
        options: SceneOptions | None = None,
        optics: Optics | None = None,
    ) -> None:
        self._corpus = corpus
        self._options = options or SceneOptions()
        self._optics = optics or RandomLenses()

    def draw(self, chance: Chance, crop: int) -> Scenes:
        """As `Source.draw`."""
        options = self._options
        margin = math.ceil(options.max_radius) + 2
        side = fast_length(crop + 2 * margin)
        textures = _textures(self._corpus, chance, options.layers, side)
        alphas = random_masks(chance, options.layers, side)
        alphas[:, 0] = 1
        depths = random_depths(chance, options.layers, side, options.min_radius, options.max_radius)
        sharp, radius = _in_focus(textures, alphas, depths.radius)
        left, right = _defocused(textures, alphas, depths, self._optics.draw(chance), margin)
        whole = torch.cat([sharp, left, right, radius], 1)
        inner = whole[..., margin : margin + crop, margin : margin + crop]
        photographic = torch.zeros(len(chance), dtype=torch.bool, device=chance.device)
        return mirrored_at_random(Scenes.of(inner, photographic), chance)


def _textures(corpus: Corpus, chance: Chance, layers: int, side: int) -> Tensor:
    """(N, L, 3, side, side) linear light, with highlights beyond white."""
    crops = corpus.crops(chance, layers, side)
    boost = -chance.uniform(1e-6, 1, 1, 1, 1, 1).log()
    return crops * (1 + boost * ((crops.amax(2, keepdim=True) - 0.75) / 0.25).clamp(min=0) ** 2)


def _in_focus(textures: Tensor, alphas: Tensor, radius: Tensor) -> tuple[Tensor, Tensor]:
    """The scene seen by a pinhole, (N, 3, H, W), and the radius (N, 1, H, W) of what is seen."""
    sharp, seen = textures[:, 0], radius[:, :1]
    for layer in range(1, textures.shape[1]):
        alpha = alphas[:, layer, None]
        sharp = sharp * (1 - alpha) + textures[:, layer] * alpha
        seen = torch.where(alpha > 0.5, radius[:, layer, None], seen)
    return sharp, seen


def _defocused(
    textures: Tensor, alphas: Tensor, depths: Depths, lenses: Lenses, margin: int
) -> tuple[Tensor, Tensor]:
    """Both views: each layer blurred with its kernels, laid over what lies behind it."""
    side = textures.shape[-1]
    steps = torch.linspace(0, 1, _SHEETS, device=textures.device)
    views = textures.new_zeros(len(textures), 2, 3, side, side)
    for layer in range(textures.shape[1]):
        low, high = depths.low[:, layer, None], depths.high[:, layer, None]
        kernels = lenses.kernels(low + (high - low) * steps, margin)
        transfer = transfer_function(kernels, side, side)
        alpha = alphas[:, layer, None]
        premultiplied = torch.cat([textures[:, layer] * alpha, alpha], 1)
        apart = (depths.along[:, layer, None] - steps[:, None, None]).abs() * (_SHEETS - 1)
        sheets = (1 - apart).clamp(0, 1)[:, :, None] * premultiplied[:, None]
        spectrum = torch.einsum("bschw,bsvhw->bvchw", torch.fft.rfft2(sheets), transfer)
        blurred = torch.fft.irfft2(spectrum, s=(side, side))
        colour, cover = blurred[:, :, :3], blurred[:, :, 3:].clamp(0, 1)
        views = views * (1 - cover) + colour
    left, right = views.clamp(min=0).unbind(1)
    return left, right
