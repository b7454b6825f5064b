"""Corruptions of scenes: other files, noise, exposure and sizes."""

import io
from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum

import numpy as np
from PIL import Image as PillowImage
from skimage.transform import resize

from napari_defocus.image.encoding import decode, encode
from training.evaluation.blurred_scene import BlurredScene, Image

_QUALITY = 70
_SHOT, _READ = 1e-3, 4e-3
_EXPOSURE = 1.8


class Corruption(StrEnum):
    """Kinds of corruption."""

    jpeg = "jpeg"
    noisy = "noisy"
    overexposed = "overexposed"
    half = "half"
    double = "double"
    fourfold = "fourfold"
    sharp = "sharp"


def corrupt(scene: BlurredScene, corruption: Corruption) -> BlurredScene:
    """Corrupt a scene, without the results of other methods for the original.

    Parameters
    ----------
    scene : BlurredScene
        As it was taken.
    corruption : Corruption
        ``jpeg`` (quality 70) and ``noisy`` change what is to be deblurred, ``overexposed``, by the
        factor 1.8, and the sizes its target too; of ``sharp``, the target itself is deblurred.

    Returns
    -------
    BlurredScene
        Without its true radii where its size is another.
    """
    if corruption is Corruption.sharp:
        return BlurredScene(scene.name, scene.target, scene.target)
    spoil = _SPOILING.get(corruption, _keep)
    develop = _DEVELOPING.get(corruption, _keep)
    views = scene.views and (spoil(develop(scene.views[0])), spoil(develop(scene.views[1])))
    target = develop(scene.target)
    comparable = target.shape == scene.target.shape
    return replace(
        scene,
        blurred=spoil(develop(scene.blurred)),
        target=target,
        views=views,
        radius=scene.radius if comparable else None,
        blur=scene.blur if comparable else None,
        others={},
    )


def _keep(image: Image) -> Image:
    return image


def _compress(image: Image) -> Image:
    buffer = io.BytesIO()
    pixels = (image * 255).round().astype(np.uint8)
    PillowImage.fromarray(pixels).save(buffer, "JPEG", quality=_QUALITY)
    with PillowImage.open(buffer) as stored:
        return np.asarray(stored, np.float32) / np.float32(255)


def _add_noise(image: Image) -> Image:
    light = decode(image)
    noise = np.random.default_rng(0).standard_normal(light.shape, np.float32)
    return encode((light + noise * np.sqrt(_SHOT * light + _READ**2)).clip(0, 1))


def _overexpose(image: Image) -> Image:
    return encode((_EXPOSURE * decode(image)).clip(0, 1))


def _resize_by(factor: float) -> Callable[[Image], Image]:
    def apply(image: Image) -> Image:
        shape = [round(factor * side) for side in image.shape[:2]]
        result = resize(image, shape, order=3 if factor > 1 else 1, anti_aliasing=factor < 1)
        return np.asarray(result, np.float32).clip(0, 1)

    return apply


_SPOILING = {Corruption.jpeg: _compress, Corruption.noisy: _add_noise}
_DEVELOPING = {
    Corruption.overexposed: _overexpose,
    Corruption.half: _resize_by(0.5),
    Corruption.double: _resize_by(2),
    Corruption.fourfold: _resize_by(4),
}
