"""Result of a check, and its verdict in words."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from ..options import check_number
from .regions import Region, find_regions
from .significance import threshold

#: Share of honest pixels that may be flagged, by default.
FALSE_ALARMS = 0.05
#: Score that a place of an honest picture hardly ever reaches: one in twenty pictures has one.
CLEAR_SCORE = 6.0
#: How many times the false alarms a share of flagged pixels must be to be more than chance.
_MORE_THAN_CHANCE = 1.6


@dataclass(frozen=True)
class Score:
    """Figures for a whole picture.

    Parameters
    ----------
    consistency : float
        How well the picture, blurred again, agrees with the image, in dB relative to noise: 0 if it
        differs by the noise alone, negative if by more.
    flagged : float
        Share of pixels that are flagged.
    inferred : float
        Mean inferred share.
    """

    consistency: float
    flagged: float
    inferred: float


@dataclass(frozen=True, eq=False)
class Check:
    """Agreement of a sharp picture with its image, as :func:`napari_defocus.check` returns it.

    Parameters
    ----------
    unexplained : (..., Y, X) float32 array
        Standard score of every pixel's surroundings: how much more the picture, blurred again,
        differs from the image than noise and errors of the blur explain. Below 2 is usual. NaN
        where nothing can be said: where a value is missing, and in corners that blur reaches into.
    inferred : (..., Y, X) float32 array
        Share, 0 to 1, of the change of detail at frequencies that blur has pushed below the noise:
        there the image neither supports nor contradicts what the picture shows.
    residual : (..., Y, X) float32 array
        Energy of the difference, over the energy of noise.
    false_alarms : float
        Share of honest pixels that may be flagged; above 0 and below 0.5.
    spread : (..., Y, X) float32 array, optional
        Standard deviation of the picture between runs on the image flipped, shifted and with more
        noise, in the picture's own values: what a network made up differs from run to run.

    Raises
    ------
    OptionError
        If `false_alarms` is something else.

    See Also
    --------
    check : make one
    deblur : make a sharper picture

    Notes
    -----
    `invented`, `regions`, `score` and `verdict` follow from the arrays when they are first used;
    lazy arrays are computed then. With another rate of false alarms (`with_false_alarms`), nothing
    but a threshold changes.

    Examples
    --------
    >>> scores = np.zeros((64, 64), np.float32)
    >>> scores[20:30, 20:40] = 8
    >>> result = Check(scores, np.zeros_like(scores), np.ones_like(scores))
    >>> result.regions[0].area, round(result.score.flagged, 3)
    (200, 0.049)
    >>> print(result.verdict)
    1 place is not supported by the image, 20 x 10 pixels at row 20, column 20; 0% of the ...
    """

    unexplained: Any
    inferred: Any
    residual: Any
    false_alarms: float = FALSE_ALARMS
    spread: Any = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "false_alarms", check_false_alarms(self.false_alarms))

    @property
    def threshold(self) -> float:
        """The score above which pixels are flagged."""
        return threshold(self.false_alarms)

    @property
    def invented(self) -> Any:
        """(..., Y, X) bool array of flagged pixels, lazy if the scores are."""
        return self.unexplained > self.threshold

    @cached_property
    def computed(self) -> Check:
        """The same with NumPy arrays, lazy ones computed together."""
        arrays = self.unexplained, self.inferred, self.residual
        if all(isinstance(array, np.ndarray) for array in arrays):
            return self
        import dask

        unexplained, inferred, residual = dask.compute(*arrays)
        return Check(unexplained, inferred, residual, self.false_alarms, self.spread)

    @cached_property
    def regions(self) -> tuple[Region, ...]:
        """Connected regions of flagged pixels, the strongest first."""
        done = self.computed
        return find_regions(done.unexplained, done.invented)

    @cached_property
    def score(self) -> Score:
        """Consistency, flagged share and inferred share of the whole."""
        done = self.computed
        judged = np.isfinite(done.unexplained)
        if not judged.any():
            return Score(0.0, 0.0, 0.0)
        energy = float(done.residual[judged].mean(dtype=np.float64))
        return Score(
            consistency=float(-10 * np.log10(max(energy, 1e-12))),
            flagged=float(done.invented[judged].mean()),
            inferred=float(done.inferred[judged].mean(dtype=np.float64)),
        )

    @property
    def clear_regions(self) -> tuple[Region, ...]:
        """Regions that are too strong for chance, whatever rate of false alarms is set."""
        return tuple(region for region in self.regions if region.strength >= CLEAR_SCORE)

    @property
    def verdict(self) -> str:
        """One sentence that says what was found."""
        return f"{self._unsupported()}; {self.score.inferred:.0%} of the changed detail is inferred"

    def summary(self) -> dict[str, Any]:
        """Return verdict, score, regions and median spread, ready for JSON."""
        spread = None if self.spread is None else float(np.nanmedian(self.spread))
        return {
            "verdict": self.verdict,
            "false_alarms": self.false_alarms,
            "score": asdict(self.score),
            "regions": [asdict(region) for region in self.regions],
            **({} if spread is None else {"median_spread": spread}),
        }

    def with_false_alarms(self, false_alarms: float) -> Check:
        """Return the same check for another share of honest pixels that may be flagged."""
        return replace(self, false_alarms=false_alarms)

    def _unsupported(self) -> str:
        flagged, clear = self.score.flagged, self.clear_regions
        if flagged > _MORE_THAN_CHANCE * self.false_alarms:
            return (
                f"{flagged:.0%} of the picture is not supported by the image, where chance would "
                f"flag {self.false_alarms:.0%}"
            )
        if not clear:
            return (
                f"the image supports the picture: {flagged:.1%} is flagged, where chance would "
                f"flag {self.false_alarms:.0%}"
            )
        first = clear[0]
        size = f"{first.right - first.left} x {first.bottom - first.top} pixels"
        where = f"{size} at row {first.top}, column {first.left}"
        if len(clear) == 1:
            return f"1 place is not supported by the image, {where}"
        return f"{len(clear)} places are not supported by the image, the clearest of {where}"


def check_false_alarms(value: Any) -> float:
    """Return a rate of false alarms; an OptionError unless it lies between 0 and 0.5."""
    accepted = "a share of honest pixels from 0.0001 to 0.5, such as 0.05,"
    return check_number("false_alarms", value, accepted, 1e-4, 0.5)
