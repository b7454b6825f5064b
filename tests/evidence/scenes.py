"""Small scenes with a known blur, noise, and a place that a fraud is planted in."""

import numpy as np

from napari_defocus import reblur

SIDE, RADIUS, SIGMA = 128, 3.0, 0.006
PATCH = np.s_[52:72, 44:68]
DISPLAY = {"encoding": "srgb", "value_range": (0.0, 1.0)}
MAP = np.full((SIDE, SIDE), RADIUS)


def smooth_noise(rng, side, width):
    """Return noise of unit variance, smoothed by Gaussians in the Fourier domain."""
    frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.fftfreq(side))
    spectrum = np.fft.fft2(rng.standard_normal((side, side)))
    field = np.fft.ifft2(spectrum * np.exp(-2 * (np.pi * width * frequency) ** 2)).real
    return field / field.std()


def sharp_picture(seed=0):
    """Return a sharp picture (Y, X) with detail at several scales."""
    rng = np.random.default_rng(seed)
    detail = sum(smooth_noise(rng, SIDE, width) for width in (0.8, 2.0, 6.0))
    return (0.5 + 0.06 * detail).clip(0.05, 0.95).astype(np.float32)


def photograph_of(sharp, seed=1, sigma=SIGMA):
    """Return the picture blurred by `MAP`, with noise."""
    noise = sigma * np.random.default_rng(seed).standard_normal(sharp.shape)
    return (reblur(sharp, MAP, **DISPLAY) + noise).astype(np.float32)


def plant(sharp, amplitude=0.2):
    """Return a picture with a bright bar and its shadow added at `PATCH`."""
    planted = sharp.copy()
    rows, columns = PATCH
    planted[rows, columns.start : columns.start + 8] += amplitude
    planted[rows, columns.stop - 8 : columns.stop] -= amplitude
    return planted.clip(0, 1)
