"""Rendered focus stacks whose sharp picture, depth and best plane are known."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import affine_transform, gaussian_filter
from torch import Tensor

from napari_defocus.image.encoding import encode
from napari_defocus.optics.convolution import convolve
from napari_defocus.optics.reblur import reblur_layers
from training.data.corpus import Corpus, photographs
from training.data.random_fields import random_plane, smooth_field
from training.data.random_microscopes import RandomMicroscopes
from training.data.rng import SampleRNG
from training.evaluation.microscopy.specimens import OFFSET, structures

Image = NDArray[np.float32]

#: Every third stack shows a specimen, the others photographs.
_SPECIMEN_EVERY = 3
_SIDE, _PLANES, _GROWTH = 192, (9, 26), (0.4, 1.3)
#: Half the range of depths in pixels of radius, by the shape of the scene.
SHAPES: Mapping[str, float] = {"flat": 0.0, "tilt": 1.5, "relief": 2.5, "steps": 3.0}
#: Photons of the brightest pixels, by the light; None: no noise but rounding.
LIGHTS: Mapping[str, float | None] = {"clean": None, "noisy": 2000.0, "low": 20.0}
_READ = 1.5
#: Log-uniform range of the change of the scale from plane to plane in photographs that breathe.
_BREATHING = (0.001, 0.004)
_MARGIN = 24
#: Radii between which pictures of specimens are interpolated, in pixels.
_RADII = 1.0


@dataclass(frozen=True)
class FocusStack:
    """A stack with what it shows.

    Attributes
    ----------
    planes : array
        (K, Y, X, 3) uint8 display values, or (K, Y, X) uint16 counts.
    sharp : array
        (Y, X, 3) or (Y, X) float: all in focus, without noise, in the values of the planes.
    depth : array
        (Y, X) fractional index of the plane in focus.
    growth : float
        Growth of the radius in pixels from plane to plane.
    scales : array
        (K,) scale of each plane relative to `sharp`.
    kind, shape, light : str
        "photograph" or "specimen", and keys of `SHAPES` and `LIGHTS`.
    """

    planes: NDArray[Any]
    sharp: Image
    depth: Image
    growth: float
    scales: NDArray[np.floating[Any]]
    kind: str
    shape: str
    light: str

    def error(self, best: float) -> float:
        """Return the distance of a plane from the nearest one that is as sharp as any.

        That is one in which at least three quarters as many pixels are within a pixel of focus as
        in the best one: of two surfaces, or of a slope, there are several.
        """
        planes = np.arange(len(self.planes))
        radius = self.growth * np.abs(planes[:, None, None] - self.depth)
        sharp = (radius <= 1).mean(axis=(1, 2))
        return float(np.abs(planes[sharp >= 0.75 * sharp.max()] - best).min())

    @property
    def breathes(self) -> bool:
        """Whether the scale differs from plane to plane."""
        return bool(np.ptp(self.scales) > 0)

    @property
    def white(self) -> float:
        """Value of white, for PSNR."""
        return 255.0 if self.kind == "photograph" else float(self.sharp.max()) - OFFSET

    @property
    def options(self) -> dict[str, Any]:
        """How the values are read."""
        return {"channel_axis": -1} if self.kind == "photograph" else {}

    def sharp_at(self, plane: int) -> Image:
        """Return the sharp picture in the scale of a plane."""
        return _scaled(self.sharp, float(self.scales[plane]))


def stacks(folder: Path, count: int, seed: int, *, held_out: bool = True) -> Iterator[FocusStack]:
    """Yield stacks of photographs of a folder and of specimens.

    Parameters
    ----------
    folder : Path
        Folder of photographs.
    count, seed : int
        Number of stacks, and seed.
    held_out : bool
        Take photographs and specimens that are held out of training.
    """
    corpus = Corpus(photographs(folder, held_out=held_out))
    shapes, lights = list(SHAPES), list(LIGHTS)
    for sample in range(count):
        rng = SampleRNG.from_key(seed, samples=[sample])
        shape, light = shapes[sample % len(shapes)], lights[sample // 2 % len(lights)]
        if sample % _SPECIMEN_EVERY == _SPECIMEN_EVERY - 1:
            yield _specimen_stack(rng, shape, light)
        else:
            breathing = sample % 5 == 1
            yield _photograph_stack(corpus, rng, shape, light, breathing=breathing)


def empty_stacks(count: int, seed: int) -> Iterator[tuple[str, NDArray[Any]]]:
    """Yield stacks (9, Y, X) that show nothing but noise, and the kind of noise."""
    kinds = ("white", "photons", "smoothed", "JPEG")
    for sample in range(count):
        rng = np.random.default_rng([seed, sample])
        kind = kinds[sample % len(kinds)]
        level = rng.uniform(20, 200)
        slope = np.linspace(-1, 1, _SIDE) * rng.uniform(0, 0.2) * level
        light = np.broadcast_to(level + slope, (9, _SIDE, _SIDE))
        noise = rng.normal(0, np.exp(rng.uniform(0, np.log(12))), light.shape)
        if kind == "smoothed":
            width = rng.uniform(0.6, 2.0)
            noise = gaussian_filter(noise, (0, width, width)) * 2 * width
        planes = rng.poisson(light).astype(float) if kind == "photons" else light + noise
        values = planes.round().clip(0, 255).astype(np.uint8)
        yield kind, np.stack(list(map(_recompress, values))) if kind == "JPEG" else values


def _recompress(plane: NDArray[np.uint8]) -> NDArray[np.uint8]:
    import io

    import PIL.Image

    file = io.BytesIO()
    PIL.Image.fromarray(plane).save(file, "JPEG", quality=80)
    return np.asarray(PIL.Image.open(file))


def _photograph_stack(
    corpus: Corpus, rng: SampleRNG, shape: str, light: str, *, breathing: bool
) -> FocusStack:
    side = _SIDE + 2 * _MARGIN
    sharp = corpus.crops(rng, 1, side, tries=8)[:, 0]
    depth, growth, count = _draw_depth(rng, shape, side)
    step = float(rng.log_uniform(*_BREATHING)[0]) if breathing else 0.0
    scales = 1 + step * (np.arange(count) - count // 2)
    planes = []
    for plane, scale in enumerate(scales.tolist()):
        radius = growth * (plane - _scaled(depth, scale))
        picture = _scaled(np.moveaxis(sharp[0].numpy(), 0, -1), scale)
        blurred = reblur_layers(
            torch.from_numpy(np.moveaxis(picture, -1, 0).copy())[None],
            torch.from_numpy(radius)[None, None],
        )
        planes.append(_develop(_expose(blurred[0], rng, LIGHTS[light])))
    inner = np.s_[_MARGIN:-_MARGIN, _MARGIN:-_MARGIN]
    display = encode(np.moveaxis(sharp[0].numpy(), 0, -1)) * 255
    return FocusStack(
        np.stack([plane[inner] for plane in planes]),
        display[inner],
        depth[inner],
        growth,
        scales,
        "photograph",
        shape,
        light,
    )


def _specimen_stack(rng: SampleRNG, shape: str, light: str) -> FocusStack:
    side = _SIDE + 2 * _MARGIN
    matter = structures(rng, side)
    depth, growth, count = _draw_depth(rng, shape, side)
    microscope = RandomMicroscopes(held_out=True).draw(rng)
    largest = float(np.abs(growth * (np.arange(count)[:, None, None] - depth)).max())
    radii = torch.arange(0, largest + 2 * _RADII, _RADII)
    half = min(int(radii[-1]) + 8, _MARGIN + 8)
    signs = [1.0, -1.0]
    slices = []
    for sign in signs:
        kernels = microscope.kernels(torch.zeros(len(radii), dtype=torch.long), sign * radii, half)
        slices.append(convolve(matter, kernels[:, 0])[0, :, 0].clamp(min=0))
    scale = (LIGHTS[light] or 2000.0) / slices[0][0].max()
    planes = []
    for plane in range(count):
        offset = torch.from_numpy(growth * (plane - depth))
        blurred = torch.where(offset > 0, _between(slices[0], offset), _between(slices[1], -offset))
        counts = scale * blurred
        if LIGHTS[light] is not None:
            counts = rng.poisson(counts[None])[0] + _READ * rng.noise(side, side)[0]
        planes.append((OFFSET + counts).round().clamp(0, 65535).numpy().astype(np.uint16))
    inner = np.s_[_MARGIN:-_MARGIN, _MARGIN:-_MARGIN]
    return FocusStack(
        np.stack([plane[inner] for plane in planes]),
        (OFFSET + scale * slices[0][0]).numpy()[inner],
        depth[inner],
        growth,
        np.ones(count),
        "specimen",
        shape,
        light,
    )


def _between(slices: Tensor, radius: Tensor) -> Tensor:
    """Interpolate pictures (R, H, W) of whole radii at a radius (H, W)."""
    low = (radius / _RADII).clamp(0, len(slices) - 1.001).long()
    share = (radius / _RADII - low).clamp(0, 1)
    first, second = (slices.gather(0, part[None])[0] for part in (low, low + 1))
    return torch.lerp(first, second, share)


def _draw_depth(rng: SampleRNG, shape: str, side: int) -> tuple[Image, float, int]:
    """Return depth in planes (side, side), growth of the radius from plane to plane, and planes."""
    count = int(rng.integers(*_PLANES)[0])
    growth = float(rng.log_uniform(*_GROWTH)[0])
    half = min(SHAPES[shape] / growth, 0.3 * count)
    middle = (count - 1) / 2 + float(rng.uniform(-0.15, 0.15)[0]) * count
    middle = float(np.clip(middle, half + 0.5, count - 1.5 - half))
    if shape == "tilt":
        form = random_plane(rng, 1, side)
    elif shape == "relief":
        form = smooth_field(rng, 1, side, 2.5).clamp(-1, 1)
    elif shape == "steps":
        form = 2 * (smooth_field(rng, 1, side, 2.5) > 0).float() - 1
    else:
        form = torch.zeros(1, 1, side, side)
    return (middle + half * form[0, 0]).numpy().astype(np.float32), growth, count


def _expose(light: Tensor, rng: SampleRNG, photons: float | None) -> Tensor:
    """Add the noise of photons and of reading to light (3, H, W)."""
    if photons is None:
        return light
    counts = rng.poisson(photons * light.clamp(min=0)[None])[0]
    return (counts + _READ * rng.noise(*light.shape)[0]) / photons


def _develop(light: Tensor) -> NDArray[np.uint8]:
    display = encode(np.moveaxis(light.numpy(), 0, -1))
    return (255 * display).round().clip(0, 255).astype(np.uint8)


def _scaled(image: Image, scale: float) -> Image:
    """Return an image (Y, X, ...) enlarged about its middle."""
    if scale == 1:
        return image
    middle = (np.array(image.shape[:2]) - 1) / 2
    matrix = np.eye(2) / scale
    offset = middle - matrix @ middle
    channels = image[..., None] if image.ndim == 2 else image
    moved = [
        affine_transform(channels[..., c], matrix, offset, order=3, mode="nearest")
        for c in range(channels.shape[-1])
    ]
    result: Image = np.stack(moved, -1).astype(np.float32)
    return result[..., 0] if image.ndim == 2 else result
