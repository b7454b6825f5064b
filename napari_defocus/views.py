"""What a map is estimated from: a picture, or both halves of its dual pixels."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from .batch.how import How
from .defocus_map import DefocusMap
from .io import Picture
from .io.raw import DualPixel, read_dual_pixel


@dataclass(frozen=True)
class Views:
    """One view or two.

    Parameters
    ----------
    data : tuple of arrays
        The picture, or the left and the right view: what `estimate_defocus` takes.
    halves : DualPixel, optional
        Where both come from, if that is one raw file.
    """

    data: tuple[Any, ...]
    halves: DualPixel | None = None

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.data)

    @property
    def task(self) -> Literal["single", "dual"]:
        """What a model must be made for to estimate from them."""
        return "single" if self.count == 1 else "dual"

    def upright(self, found: DefocusMap) -> DefocusMap:
        """Turn a map of the views to what it is of the picture."""
        if self.halves is None:
            return found
        radius, confidence = map(self.halves.upright, found)
        return DefocusMap(radius, confidence, found.signed, found.model)


def find_views(path: Path, picture: Picture, how: How, *, dual_pixel: bool) -> Views:
    """Return what a picture's map is to be estimated from.

    Parameters
    ----------
    path : pathlib.Path
        Its file.
    picture : Picture
        As `how` interprets it.
    how : How
        What values mean.
    dual_pixel : bool
        Whether to use both halves of a Canon dual-pixel raw file, where there are two.

    Raises
    ------
    FileError
        If the file is damaged.
    """
    halves = read_dual_pixel(path) if dual_pixel else None
    if halves is None:
        return Views((picture.data,))
    sides = (halves.left, halves.right)
    return Views(tuple(how.interpreted(side).data for side in sides), halves)
