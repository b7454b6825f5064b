"""Specimens for evaluation, drawn by other rules than those of the training."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, map_coordinates

Image = NDArray[np.float64]
Draw = Callable[[np.random.Generator, int, int], Image]

#: Steps of a filament in a pixel.
_STEPS = 4
#: Highest frequency of direct light that a phase ring delays, in cycles per pixel; phase between
#: the two images of interference contrast where there is nothing.
_RING, _BIAS = 0.01, 0.8


def _grain(rng: np.random.Generator, side: int, width: float) -> Image:
    """Return smooth noise of unit deviation."""
    noise = gaussian_filter(rng.standard_normal((side, side)), width, mode="wrap")
    return np.asarray(noise / noise.std())


def _ellipses(
    rng: np.random.Generator, side: int, number: int, radii: tuple[float, float], edge: float
) -> Image:
    """Return soft, bent ellipses of varied brightness; where they overlap, the brighter one."""
    total = np.zeros((side, side))
    bend = 0.25 * np.stack([_grain(rng, side, 0.6 * radii[1]) for _ in range(2)])
    reach = int(2 * radii[1])
    for _ in range(number):
        across = rng.uniform(*radii, 2)
        turn, row, column = rng.uniform(0, np.pi), *rng.uniform(0, side, 2)
        top, left = max(int(row) - reach, 0), max(int(column) - reach, 0)
        part = np.s_[top : int(row) + reach, left : int(column) + reach]
        height, width = total[part].shape
        y, x = np.mgrid[top : top + height, left : left + width]
        u = (y - row) * np.cos(turn) + (x - column) * np.sin(turn)
        v = (x - column) * np.cos(turn) - (y - row) * np.sin(turn)
        distance = np.hypot(u / across[0] + bend[0][part], v / across[1] + bend[1][part])
        edges = np.clip((1 - distance) * across.mean() / edge + 0.5, 0, 1)
        thick = 0.5 + 0.5 * np.sqrt(np.clip(1 - distance**2, 0, 1))
        total[part] = np.maximum(total[part], rng.uniform(0.5, 1) * edges * thick)
    return total


def nuclei(rng: np.random.Generator, side: int, finer: int) -> Image:
    """Draw thick nuclei with chromatin of two scales and dark nucleoli."""
    number = max(int(rng.uniform(8, 20) * (side / finer / 256) ** 2), 3)
    shapes = _ellipses(rng, side, number, (8 * finer, 20 * finer), 1.0 * finer)
    texture = 1 + 0.22 * _grain(rng, side, 1.2 * finer) + 0.2 * _grain(rng, side, 3 * finer)
    nucleoli = 1 / (1 + np.exp(6 * (_grain(rng, side, 3 * finer) - 2)))
    return np.asarray(shapes * np.clip(texture, 0.2, 2) * (0.4 + 0.6 * nucleoli))


def cell_bodies(rng: np.random.Generator, side: int, finer: int) -> Image:
    """Draw crowded, overlapping cell bodies whose inside is granular."""
    number = int(rng.uniform(60, 110) * (side / finer / 256) ** 2)
    total = sum(
        _ellipses(rng, side, max(number // 3, 2), (6 * finer, 14 * finer), 1.5 * finer)
        for _ in range(3)
    )
    granules = np.clip(1 + 0.3 * _grain(rng, side, 0.9 * finer), 0.1, 3)
    return np.asarray(total * granules)


def vesicles(rng: np.random.Generator, side: int, finer: int) -> Image:
    """Draw many small vesicles, filled or hollow."""
    y, x = np.mgrid[:side, :side]
    total = np.zeros((side, side))
    for _ in range(int(rng.uniform(60, 160) * (side / finer / 256) ** 2)):
        radius, width = finer * rng.uniform(1, 5), 0.7 * finer
        row, column = rng.uniform(0, side, 2)
        top, left = int(max(row - 8 * finer, 0)), int(max(column - 8 * finer, 0))
        part = np.s_[top : top + 16 * finer, left : left + 16 * finer]
        distance = np.hypot(y[part] - row, x[part] - column)
        filled = 1 / (1 + np.exp((distance - radius) / (0.3 * width)))
        hollow = np.exp(-0.5 * ((distance - radius) / width) ** 2)
        total[part] += rng.uniform(0.2, 1) * (filled if rng.random() < 0.5 else hollow)
    return total


def filaments(rng: np.random.Generator, side: int, finer: int) -> Image:
    """Draw filaments that bend at random, as a persistent random walk does."""
    total = np.zeros((side, side))
    for _ in range(int(rng.uniform(14, 40) * side / finer / 256)):
        length = int(rng.uniform(0.5, 1.6) * side * _STEPS / 2)
        turn = rng.uniform(0, 2 * np.pi) + np.cumsum(0.05 * rng.standard_normal(length))
        row, column = (
            rng.uniform(0, side) + np.cumsum(step) / _STEPS * 2
            for step in (np.sin(turn), np.cos(turn))
        )
        _add_points(total, row, column, np.full(length, rng.uniform(0.3, 1)))
    return np.asarray(gaussian_filter(total, 0.5 * finer))


def points(rng: np.random.Generator, side: int, finer: int) -> Image:
    """Draw points between pixels, of varied brightness."""
    number = int(rng.uniform(60, 200) * (side / finer / 256) ** 2)
    total = np.zeros((side, side))
    row, column = rng.uniform(0, side, (2, number))
    _add_points(total, row, column, np.exp(0.5 * rng.standard_normal(number)))
    return np.asarray(gaussian_filter(total, 0.3 * finer))


def _add_points(total: Image, row: Image, column: Image, weight: Image) -> None:
    """Add points to an image, shared linearly by the four pixels around each."""
    top, left = np.floor(row).astype(int), np.floor(column).astype(int)
    for down in (0, 1):
        for right in (0, 1):
            share = (1 - np.abs(row - top - down)) * (1 - np.abs(column - left - right))
            at = top + down, left + right
            inside = (np.minimum(*at) >= 0) & (np.maximum(*at) < len(total))
            np.add.at(total, (at[0][inside], at[1][inside]), (share * weight)[inside])


#: Functions of a generator, a side in samples, and samples along a pixel's side, by name.
KINDS: Mapping[str, Draw] = {
    "nuclei": nuclei,
    "cell bodies": cell_bodies,
    "vesicles": vesicles,
    "filaments": filaments,
    "points": points,
}


def phase_image(
    rng: np.random.Generator, side: int, cutoff: float, fresnel: float, contrast: str = "none"
) -> Image:
    """Return unstained cells in transmitted light, which absorb nothing; the background is 1.

    Parameters
    ----------
    rng : numpy.random.Generator
        Draws the cells.
    side : int
        Side in pixels.
    cutoff : float
        Highest frequency that the objective passes, in cycles per pixel.
    fresnel : float
        Wavelength times distance from focus, in squared pixels.
    contrast : {"none", "phase", "interference"}
        What the microscope adds: a ring that delays the direct light by a quarter of a wave, or the
        light of the same cells moved by a pixel (DIC).

    Notes
    -----
    The field exp(i phase) travels by Fresnel's transfer function (Goodman, "Introduction to Fourier
    Optics", 4.2); light is coherent, as with a closed condenser.
    """
    shapes = _ellipses(rng, side, 24, (6, 16), 3.0)
    phase = 0.8 * shapes * (1 + 0.15 * _grain(rng, side, 1.5))
    square = np.add.outer(np.fft.fftfreq(side) ** 2, np.fft.fftfreq(side) ** 2)
    transfer = np.exp(-1j * np.pi * fresnel * square) * (square <= cutoff**2)
    field = np.exp(1j * phase)
    if contrast == "phase":
        transfer = np.where(square <= _RING**2, 0.5j, transfer)
    elif contrast == "interference":
        field = np.exp(1j * (phase + _BIAS)) - np.roll(np.exp(1j * phase), 1, (0, 1))
    light = np.abs(np.fft.ifft2(np.fft.fft2(field) * transfer)) ** 2
    return np.asarray(light / np.median(light))


def shift(image: Image, by: float) -> Image:
    """Return an image moved along Y, and half as far along X, by linear interpolation."""
    y, x = np.mgrid[: image.shape[0], : image.shape[1]] - np.array([by, by / 2])[:, None, None]
    return np.asarray(map_coordinates(image, (y, x), order=1, mode="nearest"))
