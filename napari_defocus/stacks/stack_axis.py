"""Axis of the planes in a picture from a file."""

from __future__ import annotations

from pathlib import Path

from ..errors import FileError, OptionError, quote
from ..io import Picture
from ..options import Options

#: Letter of the axis of fluorescence channels in a file.
_CHANNELS = "C"


def find_stack_axis(
    path: Path,
    picture: Picture,
    axis: str,
    options: Options,
    switch: str = "--axis",
    remedy: str = "give a file with a stack, or several files",
) -> int:
    """Return the number of an axis that is named by its letter, its number or "auto".

    Parameters
    ----------
    path : pathlib.Path
        The file, for messages.
    picture : Picture
        Its content.
    axis : str
        A letter, a number, or "auto": Z, or the only axis of planes, unless it holds channels.
    options : Options
        Which axis holds colors.
    switch : str
        Option that names the axis, for messages.
    remedy : str
        What to do where a file holds one plane, for messages.

    Raises
    ------
    FileError
        If the file holds one plane.
    OptionError
        If the axis cannot be told.
    """
    colors = picture.channel_axis if options.channel_axis is None else options.channel_axis
    without = None if colors in (None, "none") else int(colors) % len(picture.axes)
    letters = [(i, letter) for i, letter in enumerate(picture.axes) if i != without]
    planes = letters[:-2]
    named = {letter: i for i, letter in planes}
    if axis == "auto" and "Z" in named:
        return named["Z"]
    if axis == "auto" and len(planes) == 1 and _CHANNELS not in named:
        return planes[0][0]
    if axis.upper() in named:
        return named[axis.upper()]
    try:
        return int(axis)
    except ValueError:
        if axis == "auto" and [*named] == [_CHANNELS]:
            count = picture.data.shape[named[_CHANNELS]]
            raise FileError(
                f"{path} holds one plane of {count} channels; {remedy}, or give {switch} "
                f"{_CHANNELS} if these channels are planes of a stack"
            ) from None
        accepted = ", ".join(named)
        if not accepted:
            raise FileError(f"{path} holds one plane; {remedy}") from None
        raise OptionError(
            f"{switch} is {quote(axis)}, and {path} has planes along the axes {accepted}; give one "
            "of them, or its number"
        ) from None
