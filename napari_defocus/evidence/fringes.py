"""Evidence that a part of an image shows fringes of unstained objects, not light or absorption.

What neither shines nor absorbs only moves light: out of focus and at edges it is brighter here and
darker beside, and even over wide areas. A radius of defocus means nothing there.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from ..array_types import FloatArray

Floats = npt.NDArray[np.float64]

#: Edges in cycles per pixel of the rings whose mean powers are compared: the first ring shows wide
#: areas, the others what is in them.
_EDGES = (0.006, 0.025, 0.035, 0.05, 0.07, 0.1, 0.14, 0.2)
#: Frequencies that show noise, in cycles per pixel.
_NOISE = 0.5
#: Standard deviation in pixels of the Gaussian, and quantiles, by which what is brighter than the
#: median is compared with what is darker.
_SMOOTHING, _TAILS = 1.5, (0.01, 0.5, 0.99)
#: Decimal logarithms between which each of three signs sets in: power of wide areas by the largest
#: of the others; how unlike the tails are; and that largest power by the noise, below which noise
#: hides the first two. Of simulated fields of 18 kinds that shine or absorb 4 of 898 have all three
#: by a tenth; in the mean brightfield of unstained cells has them by 0.84, interference contrast by
#: 0.78, and phase contrast, which `halos` knows, by 0.25.
_NARROW, _EVEN, _SHOWN = (0.0, -0.15), (0.4, 0.25), (0.5, 0.9)


def fringes(window: FloatArray) -> float:
    """Return the degree, 0 to 1, to which a window looks like fringes of unstained objects.

    Parameters
    ----------
    window : (N, N) float32 array
        Part of an image, in values proportional to light.

    Notes
    -----
    A weak phase object of spectrum P(f) has the image ``2 sin(pi wavelength z f^2) P(f)`` at the
    distance z (J. M. Cowley, "Diffraction Physics"), which vanishes at low frequencies. In focus
    only what the objective's aperture cuts off remains, which does too.

    Examples
    --------
    >>> from scipy.ndimage import gaussian_filter
    >>> noise = np.random.default_rng(0).standard_normal((256, 256))
    >>> ripples = gaussian_filter(noise, 2) - gaussian_filter(noise, 4)
    >>> fringes(1 + ripples), fringes(np.exp(20 * ripples)), fringes(gaussian_filter(noise, 3))
    (1.0, 0.0, 0.0)
    """
    from scipy.ndimage import gaussian_filter

    flat = window - slow_part(window)
    wide, largest, noise = compare_powers(flat)
    if not largest > 0:
        return 0.0
    low, middle, high = np.quantile(gaussian_filter(flat, _SMOOTHING), _TAILS)
    unlike = np.log10(max(high - middle, 1e-12) / max(middle - low, 1e-12))
    signs = (
        np.interp(-np.log10(max(wide / largest, 1e-6)), np.negative(_NARROW), (0, 1)),
        np.interp(-abs(unlike), np.negative(_EVEN), (0, 1)),
        np.interp(np.log10(largest / max(noise, 1e-12)), _SHOWN, (0, 1)),
    )
    return float(min(signs))


def slow_part(window: FloatArray) -> Floats:
    """Return the parabola that comes nearest a window, such as uneven illumination."""
    terms = _parabola_terms(len(window))
    fit: Floats = (window.ravel().astype(np.float64) @ terms) @ terms.T
    return fit.reshape(window.shape)


@lru_cache(maxsize=4)
def _parabola_terms(side: int) -> Floats:
    """Return orthonormal polynomials of second order (pixels, 6)."""
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j].reshape(2, -1)
    terms = np.stack([np.ones_like(y), y, x, y * y, x * x, x * y], axis=1)
    return np.asarray(np.linalg.qr(terms)[0])


def compare_powers(flat: Floats) -> tuple[float, float, float]:
    """Return the power of wide areas, the largest of what is in them, and that of the noise.

    The first two are less the noise, and at least 0.
    """
    line = np.hanning(len(flat) + 2)[1:-1]
    taper = np.outer(line, line)
    power = np.abs(np.fft.rfft2(flat * taper)) ** 2 / (taper**2).sum()
    frequency = np.hypot(np.fft.fftfreq(len(flat))[:, None], np.fft.rfftfreq(len(flat)))
    noise = float(power[frequency >= _NOISE].mean())
    rings = pairwise(_EDGES)
    means = [power[(frequency >= low) & (frequency < high)].mean() for low, high in rings]
    wide, *others = (max(float(mean) - noise, 0.0) for mean in means)
    return wide, max(others), noise
