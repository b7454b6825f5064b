"""Focal stack of the command `refocus`: its focuses in words, and the file that holds it."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from ..errors import OptionError, quote
from ..io import Picture
from ..optics.refocus import focus_steps
from .outputs import beside

#: Letters of the axis of focuses: planes, unless the image has such an axis already.
_LETTERS = "ZTQ"
#: Largest number of pictures.
_MOST = 1000
#: Suffixes of files that hold several planes.
_STACKS = (".tif", ".tiff", ".zarr")


def parse_focus(text: str) -> float | tuple[float, ...]:
    """Return one focus, or those of a focal stack.

    Raises
    ------
    OptionError
        If the text is neither a number nor ``FIRST:LAST:N``.

    Examples
    --------
    >>> parse_focus("3.5"), parse_focus("0:4:3")
    (3.5, (0.0, 2.0, 4.0))
    """
    first, *others = text.split(":")
    try:
        if not others:
            return float(first)
        last, number = others
        if 2 <= int(number) <= _MOST:
            return focus_steps(float(first), float(last), int(number))
    except ValueError:
        pass
    raise OptionError(
        f"--focus is {quote(text)}; a number is expected, or FIRST:LAST:N for a focal stack of 2 "
        f"to {_MOST} pictures, such as 0:8:9"
    )


def stack_path(image: Path, focus: float | tuple[float, ...]) -> Path:
    """Return the default path of a refocused picture, or of a focal stack."""
    path = beside(image, "refocused")
    if isinstance(focus, tuple) and path.suffix.lower() not in _STACKS:
        return path.with_suffix(".tif")
    return path


def stack_template(picture: Picture, focus: float | tuple[float, ...]) -> Picture:
    """Return a picture of the shape and metadata of a result."""
    if not isinstance(focus, tuple):
        return picture
    data, count = picture.data, len(focus)
    pixels: object
    if isinstance(data, np.ndarray):
        pixels = np.broadcast_to(data[None], (count, *data.shape))
    else:
        import dask.array

        pixels = dask.array.broadcast_to(data[None], (count, *data.shape))
    letter = next(each for each in _LETTERS if each not in picture.axes)
    return replace(picture, data=pixels, axes=letter + picture.axes, alpha=None, copies=())
