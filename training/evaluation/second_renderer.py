"""Scenes of a second renderer, which shares no lens, layout or camera with the training's.

Blades with hard edges and cat's eyes that grow toward the rim; a receding ground, billboards of
straight edges and thin rods; a camera that removes noise, sharpens and bends the tones.
"""

import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy.ndimage import convolve, gaussian_filter, median_filter
from scipy.signal import fftconvolve

from training.data.corpus import Corpus, photographs
from training.data.demosaic import DEMOSAICED
from training.data.rng import SampleRNG
from training.evaluation.blurred_scene import BlurredScene
from training.evaluation.deblurring import DISPLAY
from training.evaluation.maps import MapScene
from training.evaluation.models_under_test import EstimatorInput

Floats = NDArray[np.floating]

#: Side of a scene, and the margin that is blurred into it, in px.
_SIDE, _MARGIN = 256, 32
#: Largest radius of a scene in px, log-uniform.
_LARGEST = (1.0, 12.0)
#: Samples along a pixel of a kernel, and distance of the sheets that a surface is cut into, in px.
_FINE, _SHEET = 8, 0.75
#: Most surfaces of a scene.
_SURFACES = 4


@dataclass(frozen=True)
class _Lens:
    blades: int
    turn: float
    cut: float
    azimuth: float

    def kernel(self, radius: float, field: float) -> Floats:
        """Return the kernel (S, S) of a signed radius at a place of the field in [-1, 1]."""
        half = math.ceil(abs(radius)) + 1
        side = (2 * half + 1) * _FINE
        if abs(radius) < 0.3:
            kernel = np.zeros((2 * half + 1,) * 2)
            kernel[half, half] = 1.0
            return kernel
        size, middle = abs(radius) * _FINE, side / 2
        angles = self.turn + 2 * math.pi * np.arange(self.blades) / self.blades
        turned = angles + (math.pi if radius > 0 else 0.0)
        corners = [(middle + size * math.cos(a), middle + size * math.sin(a)) for a in turned]
        picture = Image.new("L", (side, side))
        ImageDraw.Draw(picture).polygon(corners, fill=1)
        mask = np.asarray(picture, float)
        away = self.cut * field * size * np.sign(radius)
        y, x = np.mgrid[:side, :side] - middle + 0.5
        x, y = x - away * math.cos(self.azimuth), y - away * math.sin(self.azimuth)
        mask = mask * (np.hypot(x, y) <= 1.02 * size)
        kernel = mask.reshape(2 * half + 1, _FINE, 2 * half + 1, _FINE).mean((1, 3))
        return np.asarray(kernel / kernel.sum())


@dataclass(frozen=True)
class _Surface:
    light: Floats
    cover: Floats
    radius: Floats


def second_renderer(
    folder: Path, count: int = 48, seed: int = 7_000_000, *, held_out: bool = True
) -> Iterator[tuple[BlurredScene, MapScene]]:
    """Yield scenes with their true radius, of one image each.

    Parameters
    ----------
    folder : Path
        Folder of photographs.
    count, seed : int
        Number of scenes, and seed.
    held_out : bool
        Take photographs held out of training; otherwise all others, for tuning.
    """
    corpus = Corpus(photographs(folder, held_out=held_out))
    for sample in range(count):
        stream = SampleRNG.from_key(seed, samples=[sample])
        crops = corpus.crops(stream, _SURFACES, _SIDE + 2 * _MARGIN)[0].permute(0, 2, 3, 1)
        yield _scene(f"{sample:04d}", crops.double().numpy(), stream.streams[0])


def _scene(name: str, crops: Floats, rng: np.random.Generator) -> tuple[BlurredScene, MapScene]:
    lens = _Lens(
        blades=int(rng.integers(5, 12)),
        turn=rng.uniform(0, math.pi),
        cut=rng.uniform(0, 0.6),
        azimuth=rng.uniform(0, 2 * math.pi),
    )
    surfaces = _surfaces(crops, rng)
    sharp, blurred, radius = _photograph_surfaces(surfaces, lens)
    inner = np.s_[_MARGIN:-_MARGIN, _MARGIN:-_MARGIN]
    gain, camera = rng.uniform(0.6, 1.4), _Camera.random(rng)
    picture = camera.take(gain * blurred[inner], rng)
    target = camera.develop(gain * sharp[inner])
    defocus = radius[inner].astype(np.float32)
    blur = np.sqrt(defocus**2 + camera.softening).astype(np.float32)
    images = EstimatorInput(picture, None, DISPLAY)
    valid = np.ones(defocus.shape, bool)
    return (
        BlurredScene(name, picture, target, radius=np.abs(defocus), blur=blur),
        MapScene(name, images, picture, np.abs(defocus), blur, valid, in_pixels=True),
    )


def _surfaces(crops: Floats, rng: np.random.Generator) -> list[_Surface]:
    """Return the surfaces of a scene, farthest first."""
    side = _SIDE + 2 * _MARGIN
    largest = math.exp(rng.uniform(*np.log(_LARGEST)))
    focus = rng.uniform(0.2, 1.0)
    y, x = np.mgrid[:side, :side] / side
    tilt = rng.uniform(0, 2 * math.pi)
    along = 0.5 + ((x - 0.5) * math.cos(tilt) + (y - 0.5) * math.sin(tilt)) / math.sqrt(2)
    near = rng.uniform(0, 1) * rng.integers(0, 2)
    ground = largest * (near * along - focus * near)
    ground = ground - (1 - near) * largest * rng.uniform(-1, 1)
    surfaces = [_Surface(crops[0], np.ones((side, side)), ground)]
    depth = float(ground.mean())
    for crop in crops[1 : rng.integers(1, _SURFACES + 1)]:
        depth = rng.uniform(min(depth, largest), largest)
        radius = np.full((side, side), depth) if rng.random() < 0.8 else depth + 0 * along
        surfaces.append(_Surface(crop, _cover(rng, side), radius))
    return surfaces


def _cover(rng: np.random.Generator, side: int) -> Floats:
    """Draw a polygon, or rods, with edges of one pixel."""
    scale = 4
    picture = Image.new("L", (side * scale,) * 2)
    draw = ImageDraw.Draw(picture)
    if rng.random() < 0.7:
        center, count = rng.uniform(0.2, 0.8, 2), int(rng.integers(3, 9))
        angles = np.sort(rng.uniform(0, 2 * math.pi, count))
        reach = rng.uniform(0.1, 0.45, count)
        corners = center + reach[:, None] * np.stack([np.cos(angles), np.sin(angles)], 1)
        draw.polygon([tuple(c) for c in corners * side * scale], fill=255)
    else:
        for _ in range(rng.integers(2, 7)):
            ends = rng.uniform(-0.2, 1.2, (2, 2)) * side * scale
            draw.line([tuple(e) for e in ends], fill=255, width=int(rng.integers(3, 20)) * scale)
    return np.asarray(picture.reduce(scale), float) / 255


def _photograph_surfaces(surfaces: list[_Surface], lens: _Lens) -> tuple[Floats, Floats, Floats]:
    """Return the scene sharp, and blurred, (Y, X, 3) in linear light, and its radius (Y, X)."""
    sharp = np.zeros_like(surfaces[0].light)
    radius = np.zeros(sharp.shape[:2])
    total = np.zeros((2, *sharp.shape))
    for surface in surfaces:
        cover = surface.cover[..., None]
        sharp = sharp * (1 - cover) + surface.light * cover
        radius = np.where(surface.cover > 0.5, surface.radius, radius)
        for end, field in enumerate((-1.0, 1.0)):
            light, shade = _blur(surface, lens, field)
            total[end] = total[end] * (1 - shade[..., None]) + light
    ramp = np.linspace(0, 1, sharp.shape[1])[:, None]
    return sharp, total[0] * (1 - ramp) + total[1] * ramp, radius


def _blur(surface: _Surface, lens: _Lens, field: float) -> tuple[Floats, Floats]:
    """Return light and coverage of a surface, cut into sheets of even radius."""
    low, high = float(surface.radius.min()), float(surface.radius.max())
    count = 1 + math.ceil((high - low) / _SHEET)
    light, shade = np.zeros_like(surface.light), np.zeros_like(surface.cover)
    step = max((high - low) / max(count - 1, 1), 1e-3)
    for radius in np.linspace(low, high, count):
        share = surface.cover * np.clip(1 - np.abs(surface.radius - radius) / step, 0, 1)
        kernel = lens.kernel(float(radius), field)
        part = np.concatenate([surface.light * share[..., None], share[..., None]], -1)
        done = fftconvolve(part, kernel[..., None], mode="same", axes=(0, 1))
        light, shade = light + done[..., :3], shade + done[..., 3]
    return light, np.clip(shade, 0, 1)


@dataclass(frozen=True)
class _Camera:
    shot: float
    read: float
    mosaic: bool
    denoise: float
    sharpen: float
    toe: float
    quality: int

    @classmethod
    def random(cls, rng: np.random.Generator) -> "_Camera":
        return cls(
            shot=math.exp(rng.uniform(math.log(2e-5), math.log(1e-3))),
            read=math.exp(rng.uniform(math.log(5e-4), math.log(5e-3))),
            mosaic=bool(rng.random() < 0.6),
            denoise=rng.uniform(0, 0.7) * (rng.random() < 0.5),
            sharpen=rng.uniform(0, 0.8) * (rng.random() < 0.5),
            toe=rng.uniform(0, 0.5),
            quality=int(rng.integers(75, 99)),
        )

    @property
    def softening(self) -> float:
        """Return what the camera adds to the squared radius, by the mean square width.

        Sharpening raises contrast but brings back no detail: it does not count.
        """
        return DEMOSAICED**2 * self.mosaic + 4 * self.denoise**2

    def take(self, light: Floats, rng: np.random.Generator) -> NDArray[np.float32]:
        """Return the picture (Y, X, 3) of light."""
        noise = rng.normal(0, 1, light.shape) * np.sqrt(self.shot * light.clip(0) + self.read**2)
        banding = rng.normal(0, 0.2 * self.read, (len(light), 1, 1))
        exposed: Floats = light + noise + banding
        if self.mosaic:
            exposed = _demosaic(exposed)
        if self.denoise:
            luma = exposed.mean(-1, keepdims=True)
            color = median_filter(exposed - luma, (3, 3, 1))
            exposed = color + gaussian_filter(luma, (self.denoise, self.denoise, 0))
        display = self.develop(exposed)
        if self.sharpen:
            display = display + self.sharpen * (display - gaussian_filter(display, (1, 1, 0)))
        buffer = io.BytesIO()
        pixels = (display.clip(0, 1) * 255).round().astype(np.uint8)
        Image.fromarray(pixels).save(buffer, "JPEG", quality=self.quality, subsampling=1)
        return np.asarray(Image.open(buffer), np.float32) / np.float32(255)

    def develop(self, light: Floats) -> NDArray[np.float32]:
        """Return light with the camera's tones, with a soft shoulder, display-encoded."""
        shown = light.clip(0) * (1 + 0.15) / (light.clip(0) ** 2 * 0.15 + 1)
        display = shown.clip(0, 1) ** (1 / 2.2)
        return (display + self.toe * display * (1 - display) * (display - 0.5)).astype(np.float32)


def _demosaic(light: Floats) -> Floats:
    """Keep one color of each pixel, as a Bayer mosaic does, and interpolate the others linearly."""
    rows, columns = np.indices(light.shape[:2]) % 2
    masks = [(rows == 0) & (columns == 0), rows != columns, (rows == 1) & (columns == 1)]
    kernel = np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]]) / 4
    planes = []
    for color, mask in enumerate(masks):
        total = convolve(light[..., color] * mask, kernel, mode="mirror")
        planes.append(total / convolve(mask.astype(float), kernel, mode="mirror"))
    return np.stack(planes, -1)
