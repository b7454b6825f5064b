"""Black and white of some values, by their kind."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from ..errors import ImageError
from .extremes import Extremes
from .layout import Layout

Range = tuple[float, float]
#: Takes a sentence for the user.
Note = Callable[[str], None]

#: Share of the values above a measured white, so that single bright pixels do not set it.
CLIPPED_SHARE = 1e-4
#: Largest value of a color image of floats in which white is 1.
_BRIGHTEST = 2.0
#: Numbers of bits that cameras and files have, fewest first.
_BITS = (8, 10, 12, 14, 16)
#: Shares of white by which interpolation may exceed it and fall below black, and below which the
#: brightest color does not tell white.
_OVERSHOOT, _UNDERSHOOT, _DARKEST = 1.1, -0.5, 0.1
#: Largest distance of measured black and white, with which numbers of 64 bits do not overflow.
_WIDEST_MEASURED = 1e300


def display_range(values: Extremes, layout: Layout, note: Note) -> Range:
    """Return black and white of display values by the number of bits they seem to have."""
    brightest = float(values.top[-1])
    if layout.dtype.kind == "f":
        return _float_range(values, brightest, layout, note)
    largest = int(np.iinfo(layout.dtype).max)
    if brightest <= 0 or brightest == values.low:  # nothing that tells white
        return 0.0, float(largest)
    all_bits = largest.bit_length()
    bits = next(
        (bits for bits in _BITS if brightest < 2**bits), math.ceil(math.log2(brightest + 1))
    )
    if bits >= all_bits:
        return 0.0, float(largest)
    white = 2**bits - 1
    if bits > 8 or layout.dtype.itemsize == 2:  # nobody fills 255 of 2 147 483 647
        note(
            f"values of type {layout.dtype} reach {brightest:g} only; white is taken to be "
            f"{white}, as of {bits} bits; give value_range=(black, white) if it is not"
        )
    return 0.0, float(white)


def _float_range(values: Extremes, brightest: float, layout: Layout, note: Note) -> Range:
    is_light = layout.encoding == "linear" and values.total <= values.count  # mean of 1 at most
    if brightest <= _BRIGHTEST or is_light:
        if values.low >= _UNDERSHOOT or is_light:
            return 0.0, 1.0
        white = 1.0
    else:
        whites = [2.0**bits - 1 for bits in _BITS]
        white = next((white for white in whites if brightest <= _OVERSHOOT * white), 0.0)
        if brightest <= _DARKEST * whites[0] or not white:
            raise ImageError(
                f"color images of floats lie between 0 and 1, and this one reaches {brightest:g}; "
                "give value_range=(black, white), such as (0, 255)"
            )
    black = 0.0 if values.low >= _UNDERSHOOT * white else -white
    note(
        f"colors of floats reach from {values.low:g} to {brightest:g}; black is taken to be "
        f"{black:g} and white {white:g}; give value_range=(black, white) if they are not"
    )
    return black, white


def measured_range(values: Extremes) -> Range:
    """Return the smallest value and the 99.99th percentile, which lie apart."""
    low, high = percentiles(values)
    if high <= low:
        high = float(values.top[-1])
    if high <= low:  # a constant image
        high = low + (abs(low) or 1.0)
    if not high - low <= _WIDEST_MEASURED:
        raise ImageError(
            f"the image's values reach from {low:g} to {high:g}, too far apart to compute with; "
            "divide them by a power of ten, or give value_range=(black, white)"
        )
    return low, high


def percentiles(values: Extremes) -> Range:
    """Return the smallest value and the 99.99th percentile."""
    below = min((values.count - 1) * CLIPPED_SHARE, values.top.size - 1)  # places from the top
    places = np.arange(values.top.size)
    return values.low, float(np.interp(values.top.size - 1 - below, places, values.top))
