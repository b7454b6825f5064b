"""Scenes of occluding, slanted layers, seen in dual-pixel views of known signed blur radius."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from napari_defocus.optics.convolution import fast_length, transfer_function
from training.data.corpus import Corpus
from training.data.lens import dual_kernels, random_lenses

_SHEETS = 3


@dataclass(frozen=True)
class SceneOptions:
    """How scenes are drawn.

    Attributes
    ----------
    size : int
        Side of the rendered scenes in pixels.
    layers : int
        Layers of a scene, the background counted.
    min_radius, max_radius : float
        Range of the largest radius of a scene, in pixels; drawn log-uniformly.
    """

    size: int = 144
    layers: int = 3
    min_radius: float = 0.7
    max_radius: float = 22.0


@dataclass(frozen=True)
class Scenes:
    """A batch of scenes in linear light; values may exceed 1 in highlights.

    Attributes
    ----------
    sharp, left, right : Tensor
        (N, 3, H, W).
    radius : Tensor
        (N, 1, H, W) signed radius in px, > 0 where left content lies to the right of right's.
    """

    sharp: Tensor
    left: Tensor
    right: Tensor
    radius: Tensor


def render(corpus: Corpus, count: int, seed: int, options: SceneOptions) -> Scenes:
    """Render scenes; the same seed gives the same scenes."""
    rng = np.random.default_rng(seed)
    chance = torch.Generator().manual_seed(seed)
    margin = int(options.max_radius) + 2
    side = fast_length(options.size + 2 * margin)
    textures = _textures(corpus, count, options.layers, side, rng)
    alphas = torch.stack([_masks(count, side, chance) for _ in range(options.layers)], 1)
    alphas[:, 0] = 1
    low, high, radius = _depths(count, side, chance, options)
    flipped = torch.rand(count, generator=chance) < 0.5
    sign = torch.where(flipped, -1.0, 1.0)
    low, high, radius = (
        low * sign[:, None],
        high * sign[:, None],
        radius * sign[:, None, None, None],
    )
    sharp, seen_radius = _in_focus(textures, alphas, radius)
    left, right = _defocused(textures, alphas, radius, low, high, chance, margin)
    inner = slice(margin, margin + options.size)
    return Scenes(
        *(t[..., inner, inner].contiguous() for t in (sharp, left, right, seen_radius[:, None]))
    )


def _textures(
    corpus: Corpus, count: int, layers: int, side: int, rng: np.random.Generator
) -> Tensor:
    crops = torch.stack([corpus.crop(side, rng) for _ in range(count * layers)])
    crops = crops.view(count, layers, 3, side, side)
    boost = torch.from_numpy(rng.exponential(1.0, (count, 1, 1, 1, 1)).astype(np.float32))
    return crops * (1 + boost * ((crops.amax(2, keepdim=True) - 0.75) / 0.25).clamp(min=0) ** 2)


def _masks(count: int, side: int, chance: torch.Generator) -> Tensor:
    """Blobs, bands, straight edges or nothing, (count, side, side); edges are one pixel wide."""
    cells = int(torch.randint(3, 14, (1,), generator=chance))
    noise = torch.randn(count, 1, cells, cells, generator=chance)
    field = functional.interpolate(noise, (side, side), mode="bicubic", align_corners=False)[:, 0]
    line = torch.linspace(-1, 1, side)
    turn = 6.283 * torch.rand(count, 1, 1, generator=chance)
    plane = torch.cos(turn) * line[None, None] + torch.sin(turn) * line[None, :, None]
    kind = torch.rand(count, 1, 1, generator=chance)
    field = torch.where(kind < 0.25, 2 * plane + 0.2 * field, field)
    field = torch.where(kind > 0.75, 0.35 - field.abs(), field)
    offset = 0.8 * torch.rand(count, 1, 1, generator=chance) - 0.5
    field = field - offset
    slope = torch.hypot(*torch.gradient(field, dim=(1, 2))).clamp(min=1e-3)
    present = torch.rand(count, 1, 1, generator=chance) < 0.6
    return (field / slope + 0.5).clamp(0, 1) * present


def _depths(
    count: int, side: int, chance: torch.Generator, options: SceneOptions
) -> tuple[Tensor, Tensor, Tensor]:
    """Ends (B, L) and field (B, L, H, W) of each layer's signed radius, farthest layer first."""

    def rand(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=chance)

    span = np.log(options.max_radius / options.min_radius)
    largest = options.min_radius * torch.exp(span * rand(count, 1) ** 1.2)
    centre = largest * (2 * rand(count, options.layers) - 1)
    in_focus = rand(count, options.layers) < 0.2
    centre = torch.where(in_focus, 0.3 * (centre / largest), centre).sort(1, descending=True)[0]
    tilt = largest * 0.5 * rand(count, options.layers) ** 2
    tilt = torch.where(in_focus & (rand(count, options.layers) < 0.7), tilt * 0, tilt)
    limit = options.max_radius
    low, high = (centre - tilt).clamp(-limit, limit), (centre + tilt).clamp(-limit, limit)
    turn = 6.283 * rand(count, options.layers, 1, 1)
    line = torch.linspace(-1, 1, side)
    ramp = torch.cos(turn) * line + torch.sin(turn) * line[:, None]
    bend = rand(count, options.layers, 1, 1) - 0.5
    ramp = (0.5 + 0.5 * (ramp + bend * (1 - ramp**2))).clamp(0, 1)
    return low, high, low[..., None, None] + (high - low)[..., None, None] * ramp


def _in_focus(textures: Tensor, alphas: Tensor, radius: Tensor) -> tuple[Tensor, Tensor]:
    sharp, seen = textures[:, 0], radius[:, 0]
    for layer in range(1, textures.shape[1]):
        alpha = alphas[:, layer]
        sharp = sharp * (1 - alpha[:, None]) + textures[:, layer] * alpha[:, None]
        seen = torch.where(alpha > 0.5, radius[:, layer], seen)
    return sharp, seen


def _defocused(
    textures: Tensor,
    alphas: Tensor,
    radius: Tensor,
    low: Tensor,
    high: Tensor,
    chance: torch.Generator,
    margin: int,
) -> tuple[Tensor, Tensor]:
    """Both views: each layer blurred with its kernels, laid over what lies behind it."""
    count, layers, _, side, _ = textures.shape
    lens = random_lenses(count, chance)
    steps = torch.linspace(0, 1, _SHEETS)
    position = (radius - low[..., None, None]) / (high - low).where(
        (high - low).abs() > 1e-3, torch.tensor(1.0)
    )[..., None, None]
    views = torch.zeros(count, 2, 3, side, side)
    for layer in range(layers):
        knots = low[:, layer, None] + (high - low)[:, layer, None] * steps
        kernels = dual_kernels(lens, knots, margin)
        transfer = transfer_function(kernels, side, side)
        alpha = alphas[:, layer, None]
        premultiplied = torch.cat([textures[:, layer] * alpha, alpha], 1)
        apart = (position[:, layer, None] - steps[:, None, None]).abs() * (_SHEETS - 1)
        sheets = (1 - apart).clamp(0, 1)[:, :, None] * premultiplied[:, None]
        spectrum = torch.einsum("bschw,bsvhw->bvchw", torch.fft.rfft2(sheets), transfer)
        blurred = torch.fft.irfft2(spectrum, s=(side, side))
        colour, cover = blurred[:, :, :3], blurred[:, :, 3:].clamp(0, 1)
        views = views * (1 - cover) + colour
    return views[:, 0].clamp(min=0), views[:, 1].clamp(min=0)
