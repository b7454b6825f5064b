"""Numbers of pixels of a defocus map in ranges of radii."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .map_view import view_limit

_BINS = 64


@dataclass(frozen=True)
class RadiusCounts:
    """Numbers of pixels of a map in each range of radii.

    Parameters
    ----------
    counts : (64,) or (32,) int array
        Pixels in each bin; the last (and, if signed, the first) includes all larger radii.
    limit : float
        Radius in pixels at the end of the axis.
    signed : bool
        Whether the axis starts at ``-limit`` instead of 0.
    """

    counts: npt.NDArray[np.int64]
    limit: float
    signed: bool

    @property
    def centers(self) -> npt.NDArray[np.float64]:
        """Radii in pixels at the centers of the bins, of shape (64,)."""
        edges = np.linspace(-self.limit if self.signed else 0.0, self.limit, len(self.counts) + 1)
        return (edges[:-1] + edges[1:]) / 2

    @property
    def unsigned(self) -> "RadiusCounts":
        """The same counts without signs."""
        if not self.signed:
            return self
        half = len(self.counts) // 2
        folded = self.counts[half:] + self.counts[:half][::-1]
        return RadiusCounts(folded, self.limit, signed=False)


def count_radii(radius: npt.NDArray[np.floating], *, signed: bool) -> RadiusCounts:
    """Count the radii of a map, leaving out NaN.

    Parameters
    ----------
    radius : (...) float array
        Blur radii in pixels.
    signed : bool
        Whether radii may be negative.

    Examples
    --------
    >>> int(count_radii(np.array([0.0, 1.0, np.nan]), signed=False).counts.sum())
    2
    """
    limit = view_limit(radius)
    finite = radius[np.isfinite(radius)]
    low = -limit if signed else 0.0
    counts, _ = np.histogram(np.clip(finite, low, limit), bins=_BINS, range=(low, limit))
    return RadiusCounts(counts, limit, signed)
