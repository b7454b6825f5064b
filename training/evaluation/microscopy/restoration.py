"""Restoration of micrographs by the plugin and by Richardson-Lucy deconvolution."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.signal import fftconvolve
from skimage.restoration import richardson_lucy

from napari_defocus import DefocusMap, deblur, estimate_defocus, focus_profile
from training.evaluation.microscopy.measures import Image, psnr
from training.evaluation.microscopy.specimens import OFFSET, Specimen

_ITERATIONS = (3, 6, 12, 25, 50)


@dataclass(frozen=True)
class Plugin:
    """The models that are scored.

    Attributes
    ----------
    model, map_model : str
        Names or files.
    """

    model: str = "auto"
    map_model: str = "auto"

    def map(self, counts: Any, optics: Any = "auto") -> DefocusMap:
        """Estimate the map of linear values."""
        return estimate_defocus(counts, model=self.map_model, imaging="microscopy", optics=optics)

    def best_plane(self, stack: Any) -> float:
        """Return the fractional index of the sharpest plane of (Z, Y, X); NaN if none is told."""
        return float(focus_profile(stack, model=self.map_model, imaging="microscopy").best)

    def restore(
        self, counts: Any, defocus: DefocusMap | float | None = None, optics: Any = "auto"
    ) -> Any:
        """Deblur by the estimated map, by another, or by one radius everywhere."""
        if defocus is None:
            defocus = self.map(counts, optics)
        by: Any = defocus
        if isinstance(defocus, float):
            by = np.full(counts.shape[-2:], defocus, np.float32)
        return deblur(counts, by, model=self.model, imaging="microscopy", optics=optics)


def best_richardson_lucy(specimen: Specimen) -> Image:
    """Deconvolve by the true kernel, with the number of iterations that comes nearest the truth.

    The comparison favors it: it receives the true offset, and its estimate is also tried as the
    microscope in focus would show it.
    """
    candidates = list(_richardson_lucy(specimen, _ITERATIONS))
    return max(candidates, key=lambda image: psnr(image, specimen.sharp))


def _richardson_lucy(specimen: Specimen, iterations: Sequence[int]) -> Iterator[Image]:
    light = np.maximum(specimen.counts - OFFSET, 1e-3)
    half = specimen.kernel.shape[0] // 2
    padded = np.pad(light, half, mode="reflect")
    inner = np.s_[half:-half, half:-half]
    for number in iterations:
        estimate = richardson_lucy(padded, specimen.kernel, number, clip=False)
        yield estimate[inner] + OFFSET
        yield fftconvolve(estimate, specimen.in_focus, mode="same")[inner] + OFFSET
