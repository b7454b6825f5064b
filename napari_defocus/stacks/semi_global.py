"""Semi-global matching: costs of labels, summed along straight paths across an image."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..array_types import FloatArray

#: Steps in rows and columns of the paths.
_PATHS = [(0, 1), (1, 0), (1, 1), (1, -1)]


def aggregate(costs: FloatArray, total: FloatArray, step: float, jump: FloatArray) -> Iterator[int]:
    """Add to `total` the costs of labels by the paths that end at each place.

    Parameters
    ----------
    costs : (Y, X, L) float32 array
        Cost of each label at each place.
    total : (Y, X, L) float32 array
        What is added to.
    step : float
        Penalty where neighbors on a path differ by one label.
    jump : (Y, X) float32 array
        Penalty where they differ by more, at the later place.

    Yields
    ------
    int
        Number of the path that is done, of 8.

    Notes
    -----
    Hirschmüller, "Stereo processing by semiglobal matching and mutual information", IEEE
    Transactions on Pattern Analysis and Machine Intelligence 30 (2008). Each place takes part in
    paths from eight directions, so that places without information take the label of those around.

    Examples
    --------
    >>> costs = np.zeros((1, 5, 3), np.float32)
    >>> costs[0, 0] = [2, 0, 2]
    >>> total = np.zeros_like(costs)
    >>> paths = [*aggregate(costs, total, 0.5, np.full((1, 5), 1, np.float32))]
    >>> total.argmin(axis=2).tolist()
    [[1, 1, 1, 1, 1]]
    """
    number = 0
    for down, right in _PATHS:
        for backward in (False, True):
            flip = np.s_[::-1, ::-1] if backward else np.s_[:, :]
            _add_paths(costs[flip], total[flip], step, jump[flip], (down, right))
            yield number
            number += 1


def _add_paths(
    costs: FloatArray,
    total: FloatArray,
    step: float,
    jump: FloatArray,
    direction: tuple[int, int],
) -> None:
    down, right = direction
    if not down:  # along rows: take columns for rows
        costs, total, jump = (np.swapaxes(part, 0, 1) for part in (costs, total, jump))
        down, right = 1, 0
    previous = np.array(costs[0])
    total[0] += previous
    for row in range(1, len(costs)):
        before, entering = _shifted(previous, right)
        least = before.min(axis=-1, keepdims=True)
        best = np.minimum(before, least + jump[row][:, None])
        np.minimum(best[:, 1:], before[:, :-1] + step, out=best[:, 1:])
        np.minimum(best[:, :-1], before[:, 1:] + step, out=best[:, :-1])
        best -= least
        if entering is not None:
            best[entering] = 0
        previous = costs[row] + best
        total[row] += previous


def _shifted(previous: FloatArray, right: int) -> tuple[FloatArray, int | None]:
    """Return the costs that paths bring to the next row, and the place where a path begins."""
    if not right:
        return previous, None
    entering = 0 if right > 0 else len(previous) - 1
    return np.roll(previous, right, axis=0), entering
