"""Areas of an image that show nothing by which blur could be told.

Blur is told by detail: edges, points, texture. Where an image holds noise alone, as in a clear sky
or on the dark ground beside specimens, an estimator carries over what it has read nearby. Such
areas have no more energy in any octave band than noise.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional

from .bands import GRID, local_mean, local_reach, octave_bands, octave_reach
from .noise import NoiseModel, estimate_noise

#: Side in pixels of the squares whose means are looked at. Their noise is nearly white, also that
#: of colors interpolated from a mosaic, and the widest band spans 20 px.
SQUARE = 2
#: Side in pixels of the cells that are told apart.
CELL = SQUARE * GRID
#: Standard deviations, in squares, of the windows in which the energies of the bands are measured,
#: and of that of brightness.
_WINDOWS, _BRIGHTNESS_WINDOW = (2.0, 2.0, 4.0, 4.0), 4.0
#: Share of the largest energy of a band nearby below which energy is only the tail of its filter
#: and its window, and how many cells are near.
_TAIL, _NEAR = 0.01, (2, 3, 5, 8)
#: Energy in a band, in units of that of noise, from which it is detail: noise is measured within a
#: factor of 2.5.
_DETAIL = 2.5
#: Standard deviation, in shares of the range, below which nobody sees detail in display values:
#: half a step of 8 bits. JPEG leaves as much in a sky.
_LEAST_DETAIL = 0.5 / 255


def cells_reach() -> int:
    """Return how far beyond a cell `featureless_cells` reads, in squares."""
    return octave_reach() + local_reach(max(_WINDOWS)) + GRID * max(_NEAR)


def squares(image: Tensor) -> Tensor:
    """Return the means of squares of 2 x 2 pixels of an image, (H, W) to (h, w).

    Height and width are made multiples of four squares by repeating the last row and column.
    """
    height, width = image.shape
    margin = (0, -width % CELL, 0, -height % CELL)
    padded = functional.pad(image[None], margin, mode="replicate")
    return functional.avg_pool2d(padded, SQUARE)[0]


def measure_noise(blocks: list[Tensor], quantum: float, *, even: bool) -> NoiseModel:
    """Estimate the noise of squares from blocks of an image, or what of display values is not seen.

    Parameters
    ----------
    blocks : list of Tensor
        (H, W) parts of the image, black at 0 and white at 1.
    quantum, even
        As for :func:`napari_defocus.evidence.noise.estimate_noise`.
    """
    model = estimate_noise([squares(block) for block in blocks], quantum / SQUARE, even=even)
    if not even:
        return model
    return replace(model, energies=model.energies.clamp(min=_LEAST_DETAIL**2 / _DETAIL))


def featureless_cells(means: Tensor, noise: NoiseModel) -> Tensor:
    """Return which cells of 8 x 8 pixels show no more than noise.

    Parameters
    ----------
    means : Tensor
        (h, w) as `squares` returns them.
    noise : NoiseModel
        As `measure_noise` returns it.

    Returns
    -------
    Tensor
        (h / 4, w / 4) bool.

    Examples
    --------
    >>> grain = 0.5 + 0.01 * torch.randn(256, 256, generator=torch.Generator().manual_seed(0))
    >>> noise = measure_noise([grain], 0, even=True)
    >>> grain[120:136, 120:136] += 0.2
    >>> cells = featureless_cells(squares(grain), noise)
    >>> bool(cells[0, 0]), bool(cells[15, 15])
    (True, False)
    """
    limits = _DETAIL * noise.at(local_mean(means, _BRIGHTNESS_WINDOW))
    bands = octave_bands(means[None])[:, 0]
    nothing = torch.ones(limits.shape[1:], dtype=torch.bool)
    for band, limit, window, near in zip(bands, limits, _WINDOWS, _NEAR, strict=True):
        energy = local_mean(band**2, window)
        largest = functional.max_pool2d(energy[None], 2 * near + 1, 1, near)[0]
        nothing &= energy <= torch.maximum(limit, _TAIL * largest)
    return nothing
