"""Residual between a picture blurred again and its image, and what may explain it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from .bands import local_mean, local_reach, octave_bands, octave_gains, octave_reach

#: Standard deviation in px of the window in which each octave band is pooled.
WINDOWS = (4.0, 4.0, 5.0, 7.0)
#: Standard deviations of what nobody measures: contrast, for tone curves and kernels are not quite
#: those of the model, and light of what is clipped or lies outside.
CONTRAST, UNKNOWN = 0.03, 0.3
#: Share of local detail by which even the best model of blur misses an image: in rendered scenes.
MODEL_ERROR = 0.08
#: Least energy ratio, whose logarithm stands for pixels that were not changed.
_LEAST = 1e-4


@dataclass(frozen=True)
class Residual:
    """What is compared, and how it changes with what is not known exactly; each (H, W).

    Parameters
    ----------
    difference : Tensor
        The picture blurred again, less the image.
    image : Tensor
        The image.
    by_radius : Tensor
        Change of the reblurred picture by a pixel of radius.
    unknown : Tensor
        Share of light that is unknown: clipped, missing, or from outside.
    radius_error : Tensor
        Expected error of the radius in px.
    """

    difference: Tensor
    image: Tensor
    by_radius: Tensor
    unknown: Tensor
    radius_error: Tensor


def derivative_by_radius(blurred: Tensor, radius: Tensor) -> Tensor:
    """Return the derivative of a blurred image (H, W) by the radius of its disks, per px.

    Notes
    -----
    A disk of radius r has a variance of r^2 / 4 along each axis, and blur spreads like heat: the
    image changes by half its Laplacian per unit of variance. This holds for what little detail
    below the disk's first null is left; a pixel of radius counts at least as 1 px.
    """
    padded = torch.nn.functional.pad(blurred[None, None], (1, 1, 1, 1), mode="replicate")[0, 0]
    neighbors = padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:]
    return (neighbors - 4 * blurred) * radius.abs().clamp(min=1) / 4


def residual_reach() -> int:
    """Return how far beyond a pixel `excess` reads, in pixels."""
    return octave_reach() + local_reach(max(WINDOWS)) + 1


def excess(residual: Residual, noise: Tensor) -> tuple[Tensor, Tensor]:
    """Compare a residual with the noise and with what errors of the radius explain.

    Parameters
    ----------
    residual : Residual
        The residual.
    noise : Tensor
        (4, h, w) variance of the noise in each octave band, of every fourth pixel.

    Returns
    -------
    (Tensor, Tensor)
        Each (h, w). The logarithm of the unexplained energy over the expected one, the
        largest of all bands; and the energy of the whole residual over that of the noise.

    Notes
    -----
    In every window and band, the residual is fitted by what the picture changes by with another
    radius, contrast and unknown light, each with a Gaussian prior. What the fit leaves is
    unexplained. This is the likelihood of the residual with these errors integrated out.
    """
    fields = residual.difference, residual.by_radius, residual.image, residual.unknown
    bands = octave_bands(torch.stack(fields))
    error = local_mean(residual.radius_error[None] ** 2, WINDOWS[0])[0]
    variances = error, torch.full_like(error, CONTRAST**2), torch.full_like(error, UNKNOWN**2)
    ratios, energy = [], torch.zeros_like(noise[0])
    for window, gain, level, parts in zip(WINDOWS, octave_gains(), noise, bands, strict=True):
        pairs = [(i, j) for i in range(len(parts)) for j in range(i, len(parts))]
        products = torch.stack([parts[i] * parts[j] for i, j in pairs])
        table = dict(zip(pairs, local_mean(products, window), strict=True))
        energy = energy + table[0, 0]
        expected = level + MODEL_ERROR**2 * table[2, 2]
        # samples of a window that are independent: a band holds fewer where it is coarser
        count = 4 * math.pi * window**2 * gain / octave_gains()[0]
        for field, variance in enumerate(variances, 1):
            table[field, field] = table[field, field] + level / (variance * count)
        eliminate_fields(table, len(parts))
        ratios.append(table[0, 0] / expected)
    statistic = (torch.stack(ratios).amax(0).clamp(min=0) + _LEAST).log()
    return statistic, energy / noise.sum(0)


def eliminate_fields(products: dict[tuple[int, int], Tensor], count: int, kept: int = 1) -> None:
    """Leave of the products of the first fields what the best fit by the others leaves.

    Parameters
    ----------
    products : dict
        Mean product of the fields i and j, for i <= j.
    count, kept : int
        Number of fields, and of those that are not fitted.
    """
    for pivot in range(count - 1, kept - 1, -1):
        shares = [products[i, pivot] / products[pivot, pivot] for i in range(pivot)]
        for i in range(pivot):
            for j in range(i, pivot):
                products[i, j] = products[i, j] - shares[i] * products[j, pivot]
