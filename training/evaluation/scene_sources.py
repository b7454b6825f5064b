"""Sources of the scenes that are scored: data sets, pairs and pools."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from napari_defocus.image.encoding import encode
from training.data.corpus import Corpus, photographs
from training.data.dpdd import dpdd_scenes
from training.data.images import read_colors
from training.data.pairs import PairFiles, find_pairs
from training.data.pixel4 import pixel4_scenes
from training.data.pool import Pool
from training.data.renderer import Renderer, SceneOptions
from training.data.rng import SampleRNG
from training.data.scene import Scenes
from training.data.sensor import Photographs, SensorOptions, photograph
from training.errors import TrainingError
from training.evaluation.blurred_scene import BlurredScene
from training.evaluation.deblurring import DISPLAY
from training.evaluation.maps import MapScene
from training.evaluation.models_under_test import EstimatorInput, ValueOptions

ScoredScene = tuple[BlurredScene | None, MapScene | None]
_PIXEL4_WHITE = 0.5
_RIM = 2
_SEED = 2_000_000
_SIZE = 256
_RENDERED = 64
#: Photographs only: fluorescence has models and scores of its own.
_SCENES = SceneOptions(max_radius=12, fluorescent_share=0)


def dpdd(folder: Path) -> Iterator[ScoredScene]:
    """Yield the DPDD scenes of a folder, with the results of DPDNet; their defocus is not known."""
    for scene in dpdd_scenes(folder):
        views = (scene.left, scene.right)
        others = {"DPDNet (two views)": scene.dpdnet}
        images = EstimatorInput(scene.blurred, views, DISPLAY)
        valid = np.ones(scene.blurred.shape[:2], bool)
        maps = MapScene(scene.name, images, scene.blurred, None, None, valid, in_pixels=False)
        yield BlurredScene(scene.name, scene.blurred, scene.target, views, others=others), maps


def pixel4(folder: Path) -> Iterator[ScoredScene]:
    """Yield the Pixel 4 scenes of a folder; the single image is the mean of the two views.

    The images to deblur are display-encoded, in three equal channels.
    """
    options: ValueOptions = {"encoding": "linear", "value_range": (0.0, _PIXEL4_WHITE)}
    for scene in pixel4_scenes(folder):
        center = (scene.left + scene.right) / np.float32(2)
        images = EstimatorInput(center, (scene.left, scene.right), options)
        picture = encode(center / np.float32(_PIXEL4_WHITE))
        maps = MapScene(
            scene.name, images, picture, scene.truth, scene.truth, scene.valid, in_pixels=False
        )
        photographs = (scene.left, scene.right, center, scene.all_in_focus)
        left, right, blurred, target = (_develop(light) for light in photographs)
        yield BlurredScene(scene.name, blurred, target, (left, right)), maps


def _develop(light: NDArray[np.float32]) -> NDArray[np.float32]:
    """Encode linear light (Y, X) as (Y, X, 3), without the rim that the sharp image lacks."""
    display = encode((light[_RIM:-_RIM, _RIM:-_RIM] / _PIXEL4_WHITE).clip(0, 1))
    return np.repeat(display[..., None], 3, -1)


def pairs(folder: Path) -> Iterator[ScoredScene]:
    """Yield blurred and sharp photographs of a folder in a layout of `find_pairs`."""
    for pair in _pairs(folder):
        blurred, sharp = _read(pair.blurred), _read(pair.sharp)
        if blurred.shape != sharp.shape:
            raise TrainingError(
                f"{pair.blurred} has {blurred.shape[:2]} px, {pair.sharp} {sharp.shape[:2]}"
            )
        views = None
        if pair.left is not None and pair.right is not None:
            views = _read(pair.left), _read(pair.right)
        yield BlurredScene(pair.name, blurred, sharp, views), None


def pair_files(folder: Path) -> list[Path]:
    """List all files that `pairs` reads."""
    return [path for pair in _pairs(folder) for path in pair.paths()]


def _pairs(folder: Path) -> list[PairFiles]:
    return find_pairs(folder, split="test")


def _read(path: Path) -> NDArray[np.float32]:
    pixels = read_colors(path)
    return pixels.astype(np.float32) / np.float32(np.iinfo(pixels.dtype).max)


def rendered(path: Path) -> Iterator[ScoredScene]:
    """Yield scenes with their true radius, rendered and photographed the same way each time.

    Parameters
    ----------
    path : Path
        File of a pool, or folder of photographs: 64 scenes, radii up to 12 px, are rendered from
        those held out.
    """
    for index, scenes in enumerate(_pool(path) if path.is_file() else _render(path)):
        rng = SampleRNG.from_key(_SEED, samples=[index])
        yield _both(f"{index:04d}", photograph(scenes, rng, SensorOptions(), views=True))


def _pool(path: Path) -> Iterator[Scenes]:
    pool = Pool(path)
    return (pool.scenes(index, 1) for index in range(len(pool)))


def _render(folder: Path) -> Iterator[Scenes]:
    renderer = Renderer(Corpus(photographs(folder, held_out=True)), _SCENES)
    streams = (SampleRNG.from_key(_SEED, samples=[index]) for index in range(_RENDERED))
    return (renderer.draw(rng, _SIZE) for rng in streams)


def _both(name: str, photos: Photographs) -> ScoredScene:
    center, sharp = _picture(photos.center), _picture(photos.sharp)
    views = _picture(photos.left), _picture(photos.right)
    radius, blur = _picture(photos.radius)[..., 0], _picture(photos.blur)[..., 0]
    blurred = BlurredScene(name, center, sharp, views, radius, blur)
    images = EstimatorInput(center, views, DISPLAY)
    maps = MapScene(name, images, center, radius, blur, np.isfinite(radius), in_pixels=True)
    return blurred, maps


def _picture(planes: Tensor) -> NDArray[np.float32]:
    return np.ascontiguousarray(planes[0].permute(1, 2, 0).numpy())
