"""Scenes of occluding, slanted layers of sharp photographs, blurred in linear light."""

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from napari_defocus.networks.blocks import box
from napari_defocus.optics.convolution import fast_length
from training.data.blur_layers import blur_layers
from training.data.corpus import Corpus
from training.data.fluorescence import fluorescent_textures
from training.data.layers import Depths, random_depths, random_masks
from training.data.lenses import FieldLenses, Lenses, LensSource
from training.data.noise_texture import noise_texture
from training.data.random_fields import LEAST_CELLS, smooth_field
from training.data.random_lenses import TYPICAL_DISPARITY, RandomLenses
from training.data.rng import SampleRNG
from training.data.scene import Scenes, mirror_at_random

_FADING, _SHADING_HALF = 6.0, 12
#: Strength of grit: the standard deviation of the logarithm of light.
_GRITTY = (0.02, 0.3)


@dataclass(frozen=True)
class SceneOptions:
    """Ranges and shares of the random scenes.

    Attributes
    ----------
    layers : int
        Layers of a scene, the background counted.
    min_radius, max_radius : float
        Range of the largest radius of a scene, in pixels; drawn log-uniformly.
    fluorescent_share : float
        Share of scenes that show fluorescence, of one layer, instead of photographs.
    faded_share : float
        Share of layers whose detail fades away in places, as on walls and skies: what lies there
        is to be learned from the surroundings.
    gritty_share : float
        Share of layers with faint, fine, random texture in places, like concrete and plaster.
    least_cells : float
        Fewest blobs along a side; below 1, surfaces may be larger than a scene.
    radius_of : "blur" or "disparity"
        Meaning of a scene's radii: the size of the blur; or the radius at which a typical lens has
        the disparity between the views, because views show little else.
    mirrored : bool
        Whether scenes are mirrored at random. If not, near layers have the smaller radii: positive
        ones lie behind the plane of focus.
    """

    layers: int = 3
    min_radius: float = 0.7
    max_radius: float = 22.0
    fluorescent_share: float = 0.1
    faded_share: float = 0.0
    gritty_share: float = 0.0
    least_cells: float = LEAST_CELLS
    radius_of: Literal["blur", "disparity"] = "blur"
    mirrored: bool = True


class Renderer:
    """Source that renders scenes from sharp photographs.

    Parameters
    ----------
    corpus : Corpus
        The photographs.
    options : SceneOptions
        Ranges and shares of the random scenes.
    optics : LensSource
        Source of the lenses.
    """

    def __init__(
        self,
        corpus: Corpus,
        options: SceneOptions | None = None,
        optics: LensSource | None = None,
    ) -> None:
        self._corpus = corpus
        self._options = options or SceneOptions()
        self._optics = optics or RandomLenses()

    def draw(self, rng: SampleRNG, crop: int) -> Scenes:
        """As `Source.draw`."""
        options = self._options
        margin = math.ceil(options.max_radius) + 2
        side = fast_length(crop + 2 * margin)
        fluorescent = rng.bernoulli(options.fluorescent_share)
        textures = _textures(self._corpus, rng, options.layers, side)
        if options.faded_share:
            textures = _fade(textures, rng, options.faded_share)
        if options.gritty_share:
            textures = _gritty(textures, rng, options.gritty_share)
        alphas = random_masks(rng, options.layers, side, options.least_cells)
        depths = random_depths(rng, options.layers, side, options.min_radius, options.max_radius)
        if fluorescent.any():
            textures[fluorescent, 0] = fluorescent_textures(rng.select(fluorescent), side)
            alphas[fluorescent] = 0
        sharp, radius = _in_focus(textures, alphas, depths.radius)
        lenses = self._optics.draw(rng)
        left, right = _blur_over_field(textures, alphas, depths, lenses, margin)
        if options.radius_of == "disparity":
            radius = lenses.disparity(radius) / TYPICAL_DISPARITY
        whole = torch.cat([sharp, left, right, radius], 1)
        inner = whole[..., margin : margin + crop, margin : margin + crop]
        scenes = Scenes.of(inner, fluorescent)
        return mirror_at_random(scenes, rng) if options.mirrored else scenes


def _blur_over_field(
    textures: Tensor, alphas: Tensor, depths: Depths, lenses: Lenses, half: int
) -> tuple[Tensor, Tensor]:
    """As `blur_layers`, but between the blur at both ends of a scene, where lenses have ends."""
    near = blur_layers(textures, alphas, depths, lenses, half)
    if not isinstance(lenses, FieldLenses):
        return near
    far = blur_layers(textures, alphas, depths, lenses.other_end, half)
    line = torch.linspace(-1, 1, textures.shape[-1], device=textures.device)
    x, y = lenses.toward[:, :, None, None, None].unbind(1)
    share = (0.5 + 0.5 * (x * line + y * line[:, None])).clamp(0, 1)
    left, right = (torch.lerp(a, b, share) for a, b in zip(near, far, strict=True))
    return left, right


def _textures(corpus: Corpus, rng: SampleRNG, layers: int, side: int) -> Tensor:
    """Draw linear light (N, L, 3, side, side) with highlights beyond white."""
    crops = corpus.crops(rng, layers, side)
    boost = -rng.uniform(1e-6, 1, 1, 1, 1, 1).log()
    return crops * (1 + boost * ((crops.amax(2, keepdim=True) - 0.75) / 0.25).clamp(min=0) ** 2)


def _fade(textures: Tensor, rng: SampleRNG, share: float) -> Tensor:
    """Fade the detail of textures in places, in a share of the layers."""
    layers, side = textures.shape[1], textures.shape[-1]
    field = smooth_field(rng, layers, side) + rng.uniform(-0.7, 0.4, layers, 1, 1)
    left = rng.uniform(0, 0.3, layers, 1, 1)
    contrast = left + (1 - left) * (_FADING * field).sigmoid()
    fading = rng.bernoulli(share, layers, 1, 1)
    return _set_contrast(textures, torch.where(fading, contrast, 1))


def _gritty(textures: Tensor, rng: SampleRNG, share: float) -> Tensor:
    """Replace textures by grit in places, in a share of the layers."""
    layers, side = textures.shape[1], textures.shape[-1]
    field = smooth_field(rng, layers, side) + rng.uniform(-0.4, 0.7, layers, 1, 1)
    place = (_FADING * field).sigmoid() * rng.bernoulli(share, layers, 1, 1)
    hidden = rng.uniform(0, 1, layers, 1, 1)
    grit = rng.log_uniform(*_GRITTY, layers, 1, 1) * noise_texture(rng, layers, side)
    return _set_contrast(textures, 1 - hidden * place) * (place * grit).exp()[:, :, None]


def _set_contrast(textures: Tensor, contrast: Tensor) -> Tensor:
    """Scale the contrast of textures (N, L, 3, H, W) around their shading by (N, L, H, W)."""
    shading = box(textures.flatten(0, 1), _SHADING_HALF).view_as(textures)
    return shading + contrast[:, :, None] * (textures - shading)


def _in_focus(textures: Tensor, alphas: Tensor, radius: Tensor) -> tuple[Tensor, Tensor]:
    """Return a pinhole's image (N, 3, H, W), and the radius (N, 1, H, W) of what it shows."""
    sharp, visible = textures[:, 0], radius[:, :1]
    for layer in range(1, textures.shape[1]):
        alpha = alphas[:, layer, None]
        sharp = sharp * (1 - alpha) + textures[:, layer] * alpha
        visible = torch.where(alpha > 0.5, radius[:, layer, None], visible)
    return sharp, visible
