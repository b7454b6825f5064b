"""Detail of a restored photograph that the blur erased and that its sharp reference lacks."""

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft2, rfft2
from scipy.ndimage import gaussian_filter
from scipy.special import j1

Floats = NDArray[np.floating]

#: Centers of the bands in cycles per px, half an octave apart.
_BANDS = tuple(0.35 / 2 ** (step / 2) for step in range(6))
#: Width of a band: standard deviation of the logarithm of the frequency, in octaves.
_OCTAVES = 0.25
#: Transfer of the disk below which a band counts as erased; after its first zero it stays below
#: 0.13.
_ERASED = 0.13
#: Standard deviation in px of the windows, and the energy of the reference in them, in those of the
#: input, up to which the reference lacks a band.
_WINDOW, _LACKING = 8.0, 2.0
#: Pixels by which images are continued beyond their edges.
_MARGIN = 64


def invented_detail(result: Floats, blurred: Floats, target: Floats, radius: Floats) -> float:
    """Compare detail that a restoration has, and its reference lacks, with that of the input.

    Parameters
    ----------
    result, blurred, target : array
        (Y, X, 3) in [0, 1], display-encoded.
    radius : array
        (Y, X) radius of the blur in px.

    Returns
    -------
    float
        Energy of the result, divided by that of the input, in those bands of half an octave that a
        disk of the radius erases and in which the target has no more than twice the energy of the
        input around a pixel. 1 if nothing is added; NaN where there are none.

    Notes
    -----
    Bands of luma are log-normal in frequency. One counts at a pixel if it lies beyond the disk's
    first zero, at 0.61 / radius, and its transfer 2 J1(x) / x, x = 2 pi f radius, is below 0.13.
    """
    planes = [_luma(image) for image in (result, blurred, target)]
    padded = [np.pad(plane, _MARGIN, mode="symmetric") for plane in planes]
    spectra = [rfft2(plane.astype(np.float32)) for plane in padded]
    energies = np.zeros(2)
    for frequency in _BANDS:
        erased = _is_erased(radius, frequency)
        if not erased.any():
            continue
        weight = _weight(frequency, padded[0].shape)
        restored, before, reference = (
            irfft2(spectrum * weight, padded[0].shape)[_MARGIN:-_MARGIN, _MARGIN:-_MARGIN] ** 2
            for spectrum in spectra
        )
        smooth, smooth_reference = (gaussian_filter(e, _WINDOW) for e in (before, reference))
        counts = erased & (smooth_reference <= _LACKING * smooth)
        energies += [float(energy[counts].sum()) for energy in (restored, before)]
    return float(energies[0] / energies[1]) if energies[1] > 0 else np.nan


def _luma(image: Floats) -> Floats:
    light: Floats = image.astype(float) @ [0.2126, 0.7152, 0.0722]
    return light


def _weight(frequency: float, shape: tuple[int, ...]) -> Floats:
    """Return the weight of a band at each point of the spectrum of a real image."""
    steps = np.hypot(np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1]))
    octaves = np.log2(np.maximum(steps, 1e-6) / frequency)
    weight: Floats = np.exp(-0.5 * (octaves / _OCTAVES) ** 2).astype(np.float32)
    return weight


def _is_erased(radius: Floats, frequency: float) -> NDArray[np.bool_]:
    x = 2 * np.pi * frequency * np.abs(radius)
    beyond = x > 3.8317  # the first zero of J1
    transfer = np.abs(2 * j1(x) / np.maximum(x, 1e-6))
    return np.asarray(beyond & (transfer <= _ERASED))
