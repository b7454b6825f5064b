"""Measures of restored micrographs: errors, spots, rings, flicker, sharpness."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, uniform_filter
from skimage.feature import blob_log
from skimage.filters import threshold_otsu

Image = NDArray[np.integer] | NDArray[np.floating]

_WINDOW = 17


def psnr(image: Image, truth: Image) -> float:
    """Return the PSNR in dB, in linear values; the peak is the truth's range."""
    error = float(np.mean((image.astype(float) - truth) ** 2))
    return float(10 * np.log10(float(np.ptp(truth)) ** 2 / max(error, 1e-12)))


def correlation_by_frequency(image: Image, other: Image) -> NDArray[np.float64]:
    """Return the Fourier ring correlation in rings of one frequency step, up to Nyquist's.

    Notes
    -----
    Saxton and Baumeister, "The correlation averaging of a regularly arranged bacterial cell
    envelope protein" (1982); a Hann window keeps the borders out.
    """
    rows, columns = image.shape
    window = np.outer(np.hanning(rows), np.hanning(columns))
    one, two = (np.fft.fft2(window * (x - x.mean())) for x in (image, other))
    frequency = np.hypot(np.fft.fftfreq(rows)[:, None], np.fft.fftfreq(columns))
    rings = np.minimum((frequency * min(rows, columns)).round(), min(rows, columns) // 2 + 1)
    index = rings.astype(int).ravel()

    def sum_rings(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.bincount(index, values.ravel()).astype(float)

    cross = sum_rings((one * two.conj()).real)
    power = np.sqrt(sum_rings(np.abs(one) ** 2) * sum_rings(np.abs(two) ** 2))
    correlation: NDArray[np.float64] = (cross / np.maximum(power, 1e-12))[1:-1]
    return correlation


def ring_correlation(image: Image, other: Image) -> float:
    """Return the mean Fourier ring correlation up to half of Nyquist's frequency."""
    rings = correlation_by_frequency(image, other)
    return float(rings[: len(rings) // 2].mean())


def overlap(image: Image, truth: Image) -> float:
    """Return the Dice score of the masks of an image and of the truth, by Otsu's threshold."""
    estimate, reference = (x > threshold_otsu(gaussian_filter(x, 1)) for x in (image, truth))
    return 2 * float((estimate & reference).sum()) / max(int(estimate.sum() + reference.sum()), 1)


def count_spots(image: Image, low: float, high: float) -> int:
    """Count the spots of a Laplacian-of-Gaussian detector, on values scaled by a range."""
    scaled = (image.astype(float) - low) / (high - low)
    return len(blob_log(scaled, min_sigma=1, max_sigma=3, num_sigma=3, threshold=0.1))


def aperture_sums(image: Image, places: NDArray[np.floating], radius: float) -> Image:
    """Return the light within a radius of each place (row, column), less that of its ring."""
    rows, columns = np.indices(image.shape)
    sums = []
    for row, column in places:
        distance = np.hypot(rows - row, columns - column)
        inside, around = distance <= radius, (distance > radius) & (distance <= radius + 4)
        sums.append(float((image[inside] - np.median(image[around])).sum()))
    return np.array(sums)


def deepest_ring(image: Image, truth: Image, places: NDArray[np.floating], radius: float) -> float:
    """Return the dip below the truth beside spots, smoothed, as a share of their peaks."""
    rows, columns = np.indices(image.shape)
    below = gaussian_filter(truth - image, 1)
    dips = []
    for row, column in places:
        distance = np.hypot(rows - row, columns - column)
        beside = (distance > 2) & (distance <= 2 * radius)
        peak = truth[distance <= 2].max() - np.median(truth)
        dips.append(float(below[beside].max() / peak))
    return float(np.mean(dips))


def flicker(frames: Image) -> float:
    """Return the standard deviation over time, root mean square over pixels; (T, Y, X)."""
    return float(np.sqrt(frames.astype(float).var(axis=0, ddof=1).mean()))


def sharpness(image: Image) -> float:
    """Return the normalized variance, a focus measure: mean window variance over mean squared.

    The variance of the whole image says how unlike its parts are, which thick specimens change from
    plane to plane more than focus does.
    """
    values = image.astype(float)
    local = uniform_filter(values**2, _WINDOW) - uniform_filter(values, _WINDOW) ** 2
    return float(local.mean() / max(values.mean() ** 2, 1e-12))
