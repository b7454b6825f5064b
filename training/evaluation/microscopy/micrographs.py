"""Real micrographs: a stack of nuclei, and a sharp cell blurred by a microscope's kernel."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tifffile
import torch
from skimage.data import cell

from napari_defocus.optics.convolution import convolve
from training.data.random_microscopes import RandomMicroscopes
from training.data.rng import SampleRNG
from training.errors import TrainingError
from training.evaluation.microscopy.measures import Image, psnr, ring_correlation, sharpness
from training.evaluation.microscopy.restoration import Plugin

Row = dict[str, str | float]

_AWAY = (3, 5, 7)
_RADII = (2.0, 3.0, 5.0)
_PHOTONS_PER_VALUE = 4.0


def score_stack(path: Path, plugin: Plugin) -> Iterator[Row]:
    """Score planes beside the sharpest of a stack, before and after deblurring."""
    stack = _stack(path)
    best = int(np.argmax([sharpness(plane) for plane in stack]))
    for away in _AWAY:
        for plane in (best - away, best + away):
            if 0 <= plane < len(stack):
                restored = plugin.restore(stack[plane])
                name = f"plane {plane}, sharpest is {best}"
                yield _compare(name, stack[plane], restored, stack[best])


def best_planes(path: Path, plugin: Plugin) -> Row:
    """Find the sharpest plane of a stack by the map and by the normalized variance."""
    stack = _stack(path)
    defocus = plugin.map(stack)
    sure = np.maximum(defocus.confidence, 1e-6)
    radii = (defocus.radius * sure).sum((1, 2)) / sure.sum((1, 2))
    by_variance = int(np.argmax([sharpness(plane) for plane in stack]))
    return {"by the map": int(np.argmin(radii)), "by normalized variance": by_variance}


def score_cell(plugin: Plugin) -> Iterator[Row]:
    """Score the cell of skimage as counts, blurred with noise in optics held out of training."""
    sharp = cell()[-512:, -512:].astype(np.float32)
    for number, radius in enumerate(_RADII):
        rng = SampleRNG.from_key(7, samples=[number])
        microscope = RandomMicroscopes(held_out=True).draw(rng)
        kernel = microscope.kernels(torch.tensor([0]), torch.tensor([radius]), 24)[0, :1]
        light = _PHOTONS_PER_VALUE * convolve(torch.from_numpy(sharp)[None, None], kernel)
        counts = rng.poisson(light[:, 0, 0].clamp(min=0))[0].numpy().astype(np.uint16)
        restored = plugin.restore(counts)
        yield _compare(f"cell, radius {radius:g} px", counts, restored, _PHOTONS_PER_VALUE * sharp)


def _stack(path: Path) -> Image:
    stack: Image = tifffile.imread(path)
    if stack.ndim != 3:
        raise TrainingError(f"{path} has the shape {stack.shape}; a stack (Z, Y, X) is expected")
    return stack


def _compare(name: str, before: Image, after: Image, sharp: Image) -> Row:
    leveled_before, leveled_after = (_match_scale(image, sharp) for image in (before, after))
    return {
        "image": name,
        "psnr before": psnr(leveled_before, sharp),
        "psnr after": psnr(leveled_after, sharp),
        "ring correlation before": ring_correlation(before, sharp),
        "ring correlation after": ring_correlation(after, sharp),
    }


def _match_scale(image: Image, like: Image) -> Image:
    """Fit brightness and contrast, which differ between planes of a stack."""
    slope, level = np.polyfit(image.astype(float).ravel(), like.astype(float).ravel(), 1)
    fitted: Image = slope * image + level
    return fitted
