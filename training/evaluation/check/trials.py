"""Trials of the check on rendered scenes, in which frauds are planted."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, gaussian_filter
from scipy.stats import norm
from torch import Tensor

from napari_defocus import Check, DefocusMap, check, estimate_defocus, reblur
from napari_defocus.optics.reblur import reblur_layers
from training.data.corpus import Corpus, photographs
from training.data.random_lenses import RandomLenses, TracedLenses
from training.data.renderer import Renderer, SceneOptions
from training.data.rng import SampleRNG
from training.data.sensor import SensorOptions, photograph
from training.evaluation.check.frauds import Picture, plant
from training.evaluation.deblurring import DISPLAY
from training.evaluation.microscopy.specimens import OFFSET, specimens
from training.evaluation.tables import Row

#: Rates of false alarms at which calibration is measured.
RATES = (0.01, 0.02, 0.05, 0.1)
#: Marks of trials that take no disks: the pupil is fit to the picture, or the kernels are given.
FITTED, GIVEN = "its pupil fit", "its kernels given"
#: Every fourth trial shows a fluorescent specimen.
_SPECIMEN_EVERY = 4
_SIDE = 256
_SCENES = SceneOptions(min_radius=2, max_radius=8, fluorescent_share=0, mirrored=False)
#: Largest radius in px of the kernels of a lens, and half the side of their square.
_LARGEST_RADIUS, _HALF = 13, 18
#: A third of the photographs are JPEG files of quality 90.
_SENSOR = SensorOptions(
    shot=(3e-5, 1.5e-3), read=(5e-4, 6e-3), jpeg_share=0, enlarged_share=0, blank_share=0
)
_JPEG_EVERY, _QUALITY = 3, 90
#: Pixels near the edges and near the patch are no honest ones: the first are seldom judged, and
#: windows reach into the second.
_RIM, _REACH = 4, 10


@dataclass(frozen=True)
class Scene:
    """An image with its true sharp picture.

    Attributes
    ----------
    image, sharp : array
        (Y, X, C) or (Y, X), black at 0 and white at 1.
    radius : array
        (Y, X) true signed radius of all blur, in px.
    noise : array
        What the image holds beside the blurred picture.
    options : mapping
        How values are read.
    source : str
        "photograph by an ideal lens", whose kernels are disks, "photograph by a random lens", or
        "specimen".
    kernels : array, optional
        (R, S, S) kernels of a random lens, of the radii of all blur 0, 1, ... px.
    """

    image: Picture
    sharp: Picture
    radius: Picture
    noise: Picture
    options: Mapping[str, Any]
    source: str
    kernels: Picture | None = None

    @property
    def pupil(self) -> Any:
        """What the scene was blurred with."""
        return "disk" if self.kernels is None else self.kernels


class _OneLens:
    """LensSource that keeps the lens that it drew last."""

    lens: TracedLenses

    def draw(self, rng: SampleRNG) -> TracedLenses:
        """Draw a random lens."""
        self.lens = RandomLenses().draw(rng)
        return self.lens


def scenes(folder: Path, count: int, seed: int, *, held_out: bool) -> Iterator[Scene]:
    """Yield scenes of photographs of a folder, and of held-out kinds of specimens.

    Parameters
    ----------
    folder : Path
        Folder of photographs.
    count : int
        Number of scenes.
    seed : int
        Seed of the scenes.
    held_out : bool
        Take photographs held out of training; otherwise all others, for tuning.
    """
    corpus = Corpus(photographs(folder, held_out=held_out))
    drawn = specimens(-(-count // _SPECIMEN_EVERY), seed)
    for index in range(count):
        if index % _SPECIMEN_EVERY == _SPECIMEN_EVERY - 1:
            [specimen] = next(drawn)
            yield _specimen_scene(specimen)
        else:
            yield _photograph_scene(corpus, seed, index)


def _photograph_scene(corpus: Corpus, seed: int, index: int) -> Scene:
    optics = _OneLens()
    renderer = Renderer(corpus, _SCENES, optics)
    scene = renderer.draw(SampleRNG.from_key(seed, samples=[index]), _SIDE)
    scene = replace(scene, radius=-scene.radius)  # positive in front of the plane of focus
    ideal = index % 2 == 0
    if ideal:
        blurred = reblur_layers(scene.sharp, scene.radius)
        scene = replace(scene, left=blurred, right=blurred)
    jpeg = index % _JPEG_EVERY == 0
    silent = replace(_SENSOR, shot=(1e-12, 1e-12), read=(1e-9, 1e-9))
    noisy, clean = (
        photograph(scene, SampleRNG.from_key(seed + 1, samples=[index]), options, views=False)
        for options in (_SENSOR, silent)
    )
    image = _picture(noisy.center)
    image = _recompress(image) if jpeg else image
    radius = np.copysign(_picture(noisy.blur), _picture(noisy.radius))[..., 0]
    noise = image - _picture(clean.center)
    source = f"photograph by {'an ideal' if ideal else 'a random'} lens"
    kernels = None if ideal else _kernels(optics.lens, float(noisy.softness))
    return Scene(image, _picture(noisy.sharp), radius, noise, DISPLAY, source, kernels)


def _kernels(lens: TracedLenses, softness: float) -> Picture:
    """Return the kernels behind the plane of focus, as gray photographs of the lens show them.

    The camera's own blur is part of them, and of their radii.
    """
    radii = torch.arange(_LARGEST_RADIUS + 1.0)
    own = (radii**2 - softness**2).clamp(min=0).sqrt()
    scene = torch.zeros(len(radii), dtype=torch.long)
    colors = [lens.kernels(scene, own + fringe, _HALF).mean(1) for fringe in lens.fringe[0]]
    kernels = torch.stack(colors).mean(0).numpy()
    return np.asarray(gaussian_filter(kernels, (0, softness / 2, softness / 2)), np.float32)


def _recompress(image: Picture) -> Picture:
    import io

    from PIL import Image

    file = io.BytesIO()
    Image.fromarray((image * 255).round().astype(np.uint8)).save(file, "JPEG", quality=_QUALITY)
    return np.asarray(Image.open(file), np.float32) / np.float32(255)


def _specimen_scene(specimen: Any) -> Scene:
    white = float(specimen.sharp.max()) - OFFSET
    image, sharp, blurred = (
        ((part - OFFSET) / white).astype(np.float32)
        for part in (specimen.counts, specimen.sharp, specimen.blurred)
    )
    radius = np.full(image.shape, -specimen.radius, np.float32)
    options = {"encoding": "linear", "value_range": (0.0, 1.0), "imaging": "microscopy"}
    return Scene(image, sharp, radius, image - blurred, options, "specimen")


def _picture(planes: Tensor) -> Picture:
    return np.ascontiguousarray(planes[0].permute(1, 2, 0).numpy())


def run_trials(folder: Path, count: int, seed: int, *, held_out: bool = True) -> Iterator[Row]:
    """Yield the outcome of each trial, by the true map and by the estimated one.

    Those of random lenses are also yielded with the pupil fit, and with the kernels given.

    Parameters
    ----------
    folder, count, seed, held_out
        As for `scenes`.
    """
    other: Picture | None = None
    for index, scene in enumerate(scenes(folder, count, seed, held_out=held_out)):
        sharp = scene.sharp if scene.sharp.ndim == 3 else scene.sharp[..., None]
        donor, other = other, sharp
        if donor is None or donor.shape[-1] != sharp.shape[-1]:
            donor = sharp[::-1, ::-1]
        rng = np.random.default_rng([seed, index])
        fraud = plant(sharp, scene.radius, donor, rng)
        if fraud is None:
            continue
        picture = fraud.picture.reshape(scene.sharp.shape)
        ratio, distance = _visibility(scene, picture, fraud.area)
        maps = {
            "true": DefocusMap(scene.radius, np.ones_like(scene.radius), signed=True),
            "estimated": estimate_defocus(scene.image, **scene.options),
        }
        pupils: dict[str, Any] = {"": "disk"}
        if scene.kernels is not None:
            pupils |= {FITTED: "auto", GIVEN: scene.kernels}
        for (name, defocus), (kernels, pupil) in product(maps.items(), pupils.items()):
            result = check(scene.image, picture, defocus, pupil=pupil, **scene.options)
            truth = check(scene.image, scene.sharp, defocus, pupil=pupil, **scene.options)
            yield {
                "trial": index,
                "source": scene.source,
                "kernels": kernels,
                "kind": fraud.kind,
                "map": name,
                "ratio": ratio,
                "limit": float(norm.cdf(distance - norm.isf(RATES[2]))),
                "flagged": float(result.invented[fraud.area].mean() >= 0.5),
                "clear": float(_is_clear(result, fraud.area)),
                **_rates("beside", result, _honest(fraud.area, scene.radius)),
                **_rates("truth", truth, _inner(fraud.area.shape)),
            }


def _visibility(scene: Scene, picture: Picture, area: NDArray[np.bool_]) -> tuple[float, float]:
    """Return the fraud's change, blurred, over the noise: per pixel of its area, and altogether."""
    before, after = (
        reblur(part, scene.radius, pupil=scene.pupil, **scene.options)
        for part in (scene.sharp, picture)
    )
    change = after - before
    noise = math.sqrt(float((scene.noise[area] ** 2).mean()))
    return (
        math.sqrt(float((change[area] ** 2).mean())) / noise,
        math.sqrt(float((change**2).sum())) / noise,
    )


def _is_clear(result: Check, area: NDArray[np.bool_]) -> bool:
    return any(
        area[region.top : region.bottom, region.left : region.right].any()
        for region in result.clear_regions
    )


def _honest(area: NDArray[np.bool_], radius: Picture) -> NDArray[np.bool_]:
    reach = _REACH + math.ceil(float(np.abs(radius[area]).max()))
    near: NDArray[np.bool_] = binary_dilation(area, iterations=reach)
    return _inner(area.shape) & ~near


def _inner(shape: tuple[int, ...]) -> NDArray[np.bool_]:
    inner = np.zeros(shape, bool)
    inner[_RIM:-_RIM, _RIM:-_RIM] = True
    return inner


def _rates(name: str, result: Check, honest: NDArray[np.bool_]) -> Row:
    return {
        f"{name} {rate:g}": float(result.with_false_alarms(rate).invented[honest].mean())
        for rate in RATES
    }
