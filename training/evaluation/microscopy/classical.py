"""Classical restorations of a field that are given the truth: the best of each."""

from collections.abc import Iterator

import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.signal import fftconvolve

from training.evaluation.microscopy.fields import Field, Image

_SIGMAS = (0.0, 0.5, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0)
_ITERATIONS = (3, 6, 12, 25, 50)
_NOISES = np.geomspace(1e-4, 1, 9)


def decibels(image: Image, field: Field) -> float:
    """Return the PSNR in dB of electrons; the peak is the range of the truth."""
    error = float(np.mean((image - field.sharp) ** 2))
    return float(10 * np.log10(float(np.ptp(field.sharp)) ** 2 / max(error, 1e-12)))


def best_gaussian(field: Field) -> Image:
    """Denoise by the Gaussian, of eight widths, that comes nearest the truth."""
    return _best(field, (gaussian_filter(field.electrons, sigma) for sigma in _SIGMAS))


def best_wiener(field: Field) -> Image:
    """Deconvolve by Wiener's filter with the true kernel and the best of nine noise levels."""
    return _best(field, _wiener(field))


def _wiener(field: Field) -> Iterator[Image]:
    half = field.kernel.shape[0] // 2
    padded = np.pad(field.electrons, half, mode="reflect")
    blur, focus = (
        np.fft.rfft2(np.roll(_padded(kernel, padded.shape), (-half, -half), (0, 1)))
        for kernel in (field.kernel, field.in_focus)
    )
    spectrum = np.fft.rfft2(padded)
    for noise in _NOISES:
        inverse = blur.conj() * focus / (np.abs(blur) ** 2 + noise)
        restored = np.fft.irfft2(spectrum * inverse * (1 + noise), padded.shape)
        yield np.asarray(restored[half:-half, half:-half])


def _padded(kernel: Image, shape: tuple[int, ...]) -> Image:
    result = np.zeros(shape)
    result[: kernel.shape[0], : kernel.shape[1]] = kernel
    return result


def best_richardson_lucy(field: Field) -> Image:
    """Deconvolve with the true kernel by the number of iterations that comes nearest the truth.

    Each estimate is tried as it is, and as the microscope in focus shows it.
    """
    return _best(field, _richardson_lucy(field))


def _richardson_lucy(field: Field) -> Iterator[Image]:
    half = field.kernel.shape[0] // 2
    padded = np.pad(np.maximum(field.electrons, 1e-3), half, mode="reflect")
    inner = np.s_[half:-half, half:-half]
    estimate = np.full(padded.shape, padded.mean())
    mirrored, done = field.kernel[::-1, ::-1], 0
    for number in _ITERATIONS:
        for _ in range(number - done):
            expected = np.maximum(fftconvolve(estimate, field.kernel, mode="same"), 1e-6)
            estimate = estimate * fftconvolve(padded / expected, mirrored, mode="same")
            estimate = np.maximum(estimate, 0)
        done = number
        yield estimate[inner]
        yield np.asarray(fftconvolve(estimate, field.in_focus, mode="same")[inner])


def _best(field: Field, images: Iterator[Image]) -> Image:
    return max(images, key=lambda image: decibels(image, field))
