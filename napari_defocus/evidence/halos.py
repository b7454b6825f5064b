"""Evidence that a part of an image shows unstained cells in phase contrast.

Light that passed no cell is the ground of such an image. It is bright, and cells are brighter with
dark halos, or darker with bright ones. What shines has a dim ground with nothing below it; what
absorbs has a bright one with nothing above it.
"""

from __future__ import annotations

import numpy as np

from ..array_types import FloatArray
from .fringes import Floats, compare_powers, slow_part
from .photon_noise import measure_photon_noise

#: Standard deviation in pixels of the Gaussian, and quantiles, by which brightness is judged; and
#: the number of bins of its histogram, whose mode is the ground.
_SMOOTHING, _DARKEST, _BRIGHTEST, _RANGE, _BINS = 1.5, 0.01, 0.99, (0.002, 0.998), 128
#: Values between which each of four signs sets in: how much darker and how much brighter parts are,
#: by the light of the ground; photons of the ground in a pixel; decimal logarithm of the power of
#: wide areas by the largest of the others, which a phase ring takes away. Of 840 simulated fields
#: that shine none has all four, nor have 300 of up to 50 000 photons; of 60 that absorb two have
#: them by a tenth. In the mean phase contrast of bright cells has them by 0.97; by 0.5 where its
#: ground has 500 photons; and by 0.3 where cells are crowded and hardly any ground is left.
_DARKER, _BRIGHTER, _PHOTONS, _WIDE = (0.3, 0.45), (0.8, 1.2), (250.0, 600.0), (0.75, 0.6)


def halos(window: FloatArray) -> float:
    """Return the degree, 0 to 1, to which a window looks like cells in phase contrast.

    Parameters
    ----------
    window : (N, N) float32 array
        Part of an image, in values proportional to light.

    Notes
    -----
    Where there are no photons, and so where black lies, follows from noise
    (:func:`measure_photon_noise`).

    Examples
    --------
    >>> from scipy.ndimage import gaussian_filter
    >>> rng = np.random.default_rng(0)
    >>> cells = gaussian_filter((rng.random((256, 256)) < 1e-3).astype(float), 5)
    >>> cells /= cells.max()
    >>> light = np.maximum(1 + 8 * (cells - gaussian_filter(cells, 10)), 0.2)
    >>> counted = [rng.poisson(2000 * each) / 8000 for each in (light, 0.2 + cells, 2 - cells)]
    >>> [round(halos(each.astype(np.float32)), 1) for each in counted]
    [1.0, 0.0, 0.0]
    """
    from scipy.ndimage import gaussian_filter

    noise = measure_photon_noise([window])
    if not noise.slope:
        return 0.0
    wide, largest, _ = compare_powers(window - slow_part(window))
    smooth = gaussian_filter(window.astype(np.float64), _SMOOTHING)
    ground = _mode(smooth)
    light = ground - noise.dark
    darkest, brightest = np.quantile(smooth, (_DARKEST, _BRIGHTEST))
    if not (largest > 0 and light > 0):
        return 0.0
    signs = (
        np.interp((ground - darkest) / light, _DARKER, (0, 1)),
        np.interp((brightest - ground) / light, _BRIGHTER, (0, 1)),
        np.interp(light / noise.slope, _PHOTONS, (0, 1)),
        np.interp(-np.log10(max(wide / largest, 1e-6)), np.negative(_WIDE), (0, 1)),
    )
    return float(min(signs))


def _mode(values: Floats) -> float:
    """Return the most frequent of some values."""
    low, high = np.quantile(values, _RANGE)
    counts, edges = np.histogram(values, _BINS, (float(low), float(high)))
    place = int(np.convolve(counts, (1, 2, 3, 2, 1), "same").argmax())
    return float(edges[place : place + 2].mean())
