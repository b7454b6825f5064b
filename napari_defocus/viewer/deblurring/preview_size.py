"""Sizes at which a preview is computed."""

import math
from collections.abc import Sequence

#: Pixels of a fine preview, above which a view that the screen shows smaller is computed smaller.
_MOST_PIXELS = 1_000_000
#: Shortest side in pixels of such a preview.
_LEAST_SIDE = 16
#: Side in pixels of the copy that networks work on for a coarse preview. Of 512 x 512 pixels, that
#: takes a fifth of the time of the fine one.
_COARSE_SIDE = 192
#: Most times that the copy is smaller: maps of less tell subject and background worse.
_COARSEST = 4
#: Side in pixels of previews that are fine at once, for they take no time.
_SMALL_SIDE = 160


def pixel_step(shape: Sequence[int], screen_pixels: float) -> int:
    """Return the side of the blocks of an image that become a pixel of a preview each.

    Parameters
    ----------
    shape : (..., Y, X)
        Size of the part of the image in view.
    screen_pixels : float
        Pixels of the screen that show a pixel of the image, along an axis.

    Returns
    -------
    int
        No larger than what the screen shows, and than the size of the preview asks for.

    Examples
    --------
    >>> pixel_step((4000, 6000), 0.15), pixel_step((4000, 6000), 1.0), pixel_step((500, 500), 0.2)
    (5, 1, 1)
    """
    needed = math.ceil(math.sqrt(shape[-2] * shape[-1] / _MOST_PIXELS))
    return max(1, min(needed, int(1 / screen_pixels), min(shape[-2:]) // _LEAST_SIDE))


def coarseness(shape: Sequence[int], step: int) -> int:
    """Return how many times smaller the copy of a coarse preview is; 1 of a small one.

    Parameters
    ----------
    shape : (..., Y, X)
        Size of the part of the image.
    step : int
        Pixels of the image for one of the preview, along an axis.

    Examples
    --------
    >>> coarseness((100, 100), 1), coarseness((512, 512), 1), coarseness((4000, 6000), 5)
    (1, 3, 4)
    """
    side = math.sqrt(shape[-2] * shape[-1]) / step
    return 1 if side <= _SMALL_SIDE else min(max(2, math.ceil(side / _COARSE_SIDE)), _COARSEST)
