"""Options that every task shares: how values are read and how the result is computed."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, fields
from numbers import Integral, Real
from typing import Any, Literal, get_args

from .errors import OptionError, quote
from .objective import Objective, parse_optics

_PRECISIONS = ("auto", "float32", "bfloat16")
_ENCODINGS = ("auto", "srgb", "linear")
_READING = ("channel_axis", "encoding", "imaging", "nodata", "range_axis")
#: Kind of image: from cameras, or from microscopes and other instruments.
Imaging = Literal["photograph", "microscopy"]
IMAGINGS: tuple[Imaging, ...] = get_args(Imaging)


@dataclass(frozen=True)
class Options:
    """How values are read and how the result is computed.

    The parameters are those of every public function; this is the only home of their defaults.

    Parameters
    ----------
    channel_axis : int, "none" or None
        The axis of 1 (gray), 3 (RGB) or 4 (RGB and alpha) channels; negative counts from the end.
        None: an array has no color, and all axes before Y and X hold planes that are processed one
        by one; a file says itself where its colors are. "none": there is no color, even where the
        last axis has 3 or 4 elements.
    encoding : {"auto", "srgb", "linear"}
        Whether values are display values or proportional to light. "auto" takes color and uint8
        for display values, everything else for linear.
    value_range : (float, float) or array, optional
        Values of black and white. By default the data type's for color and uint8 (0 and 1 for
        floats), or those of the number of bits that the colors have, with a `ValuesWarning`;
        otherwise the smallest value and the 99.99th percentile of the whole array, hot and dead
        pixels left out: so give it when one series comes in several arrays. An array (..., 2)
        broadcasts over the axes before Y and X: one pair a fluorescence channel, for instance; the
        channels of a color image come last. It is kept as nested tuples.
        A part of an image gives what the whole gives if it gets the whole's `value_range`.
    downscale : int or "auto"
        Work on the image shrunk by this factor. "auto" chooses the factor for every pixel from its
        radius, because networks know radii of a few pixels best; an image that was enlarged two or
        four times is worked on at its original size.
    device : str
        "auto" (the accelerator if there is one, otherwise the CPU), "cpu", "cuda", "cuda:1",
        "mps", ... With "auto" the CPU takes over, with a warning, if the accelerator runs out of
        memory.
    precision : {"auto", "float32", "bfloat16"}
        Precision of the computation. "auto" is float32; bfloat16 can be faster, but its rounding
        shows, and tiles agree to about 0.005 of the range only. It is used where the processor has
        instructions for it; otherwise float32 is used, with a warning.
    tile : int, None or "auto"
        Side in pixels of the tiles that are computed one at a time, halo not counted; None is the
        whole plane. "auto" follows from the network, the kind of device and the size of the image,
        so that all machines use the same tiles; on a CPU with two cores one takes less than a
        second. Where memory runs out, tiles are halved, with a warning.
    imaging : {"auto", "photograph", "microscopy"}
        Kind of image, which decides the model "auto", the encoding "auto" and the value range that
        is measured. In microscopy values are proportional to light, black and white are measured in
        any data type, and the channels of a color image are worked on one by one. "auto" takes a
        file for what its metadata say, color and uint8 for photographs, everything else for
        microscopy.
    nodata : float, "none" or "auto"
        Value of pixels that hold no data: they count as not finite, and come back unchanged. "auto"
        is the value that the file declares, if any. Values more than 100 times the range away from
        black and white count as no data too, and usual fill values such as -9999 if they lie
        outside the range by its width, unless it is "none".
    range_axis : int or None
        An axis before Y and X whose planes have a black and white of their own, such as that of
        fluorescence channels; negative counts from the end. None: all planes of an array share
        theirs; a file's channels have their own.
    optics : Objective, "none" or "auto"
        Objective, wavelength and pixel size of a microscope (:class:`napari_defocus.Objective`), or
        a text such as ``"na=1.4,wavelength_um=0.52,pixel_size_um=0.1,index=1.515"``. What its spot
        in focus explains is then in focus, and is left as it is. "auto": what a file's metadata
        say, of an array nothing; "none": nothing even of files. Only for microscopy.

    Raises
    ------
    OptionError
        If one of them is something else. The value range is checked when the image is known.

    See Also
    --------
    EstimateJob, DeblurJob, RefocusJob : take options
    measure_range : measure the value range

    Notes
    -----
    On one device, `tile` changes results by at most 1e-4 of the range in float32. Devices and
    precisions round differently, so byte for byte equal results need the same of both.

    Examples
    --------
    >>> Options(device="cpu").changed()
    {'device': 'cpu'}
    """

    channel_axis: int | str | None = None
    encoding: str = "auto"
    value_range: Any = None
    downscale: int | str = "auto"
    device: str = "auto"
    precision: str = "auto"
    tile: int | str | None = "auto"
    imaging: str = "auto"
    nodata: float | str = "auto"
    range_axis: int | None = None
    optics: Any = "auto"

    def __post_init__(self) -> None:
        for name, check in _CHECKS.items():
            object.__setattr__(self, name, check(getattr(self, name)))

    @classmethod
    def from_text(cls, texts: Mapping[str, Any]) -> Options:
        """Return the options that words of the command line mean.

        Parameters
        ----------
        texts : mapping of str to str
            By the options' names: "auto", "none" (`channel_axis`, `nodata`), "whole" (`tile`) or
            numbers.
            A value that is not text, such as a `value_range`, is taken as it is.

        Raises
        ------
        OptionError
            If a word is not accepted.

        Examples
        --------
        >>> Options.from_text({"tile": "whole", "channel_axis": "-1"}).changed()
        {'channel_axis': -1, 'tile': None}
        """
        return cls(**{name: _parse(name, text) for name, text in texts.items()})

    def reading(self) -> dict[str, Any]:
        """Return the options by which :func:`napari_defocus.image.layout.read_layout` reads."""
        return {name: getattr(self, name) for name in _READING}

    def changed(self) -> dict[str, Any]:
        """Return the options that differ from their defaults, by name."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if value != getattr(Options, name)}

    def to_text(self) -> dict[str, str]:
        """Return the options that differ from their defaults as words of the command line.

        Examples
        --------
        >>> Options(tile=None, value_range=(0, 4095)).to_text()
        {'value_range': '0 4095', 'tile': 'whole'}
        """
        return {name: _to_text(value) for name, value in self.changed().items()}


def check_number(
    name: str, value: Any, accepted: str, least: float = -math.inf, most: float = math.inf
) -> float:
    """Return a value as a float; an OptionError unless it is a finite number within limits."""
    number = math.nan
    if isinstance(value, int | float | Real) and value is not True and value is not False:
        with suppress(OverflowError):  # of a whole number beyond all floats
            number = float(value)
    if not (math.isfinite(number) and least <= number <= most):
        raise OptionError(f"{name} is {quote(value)}; {accepted} is expected")
    return number


_TEXTS: dict[str, dict[str, Any]] = {
    "channel_axis": {"auto": None, "none": "none"},
    "downscale": {"auto": "auto"},
    "tile": {"auto": "auto", "whole": None},
    "nodata": {"auto": "auto", "none": "none"},
    "range_axis": {"auto": None},
}


def _parse(name: str, text: Any) -> Any:
    words = _TEXTS.get(name)
    if words is None or not isinstance(text, str):
        return text
    if text in words:
        return words[text]
    number, kind = (float, "a number") if name == "nodata" else (int, "a whole number")
    try:
        return number(text)
    except ValueError:
        accepted = ", ".join([*words, kind])
        raise OptionError(f"{name} is {quote(text)}; accepted are {accepted}") from None


def _to_text(value: Any) -> str:
    if value is None:
        return "whole"
    if isinstance(value, Objective):
        return value.to_text()
    if isinstance(value, float):
        return f"{value:.17g}"
    if not isinstance(value, tuple):
        return str(value)
    if any(isinstance(part, tuple) for part in value):
        raise OptionError(
            f"value_range is {value}; a command accepts black and white of the whole file only, so "
            "process such images from Python"
        )
    return " ".join(repr(float(number)).removesuffix(".0") for number in value)


def _is_whole_number(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


def _check_channel_axis(axis: Any) -> int | str | None:
    if _is_whole_number(axis):
        return int(axis)
    if axis is None or (isinstance(axis, str) and axis == "none"):
        return axis
    raise OptionError(
        f"channel_axis is {quote(axis)}; None, 'none' or the number of an axis is expected"
    )


def _check_encoding(encoding: Any) -> str:
    if isinstance(encoding, str) and encoding in _ENCODINGS:
        return str(encoding)
    raise OptionError(f"encoding is {quote(encoding)}; 'auto', 'srgb' or 'linear' are expected")


def _check_imaging(imaging: Any) -> str:
    if isinstance(imaging, str) and imaging in ("auto", *IMAGINGS):
        return str(imaging)
    raise OptionError(
        f"imaging is {quote(imaging)}; 'auto', 'photograph' or 'microscopy' are expected"
    )


def _check_nodata(nodata: Any) -> float | str:
    if isinstance(nodata, str) and nodata in ("auto", "none"):
        return nodata
    if isinstance(nodata, int | float | Real) and not isinstance(nodata, bool):
        with suppress(OverflowError):  # of a whole number beyond all floats
            value = float(nodata)
            if math.isinf(value):
                raise OptionError(
                    f"nodata is {value}, which never holds data; leave it out, or give a finite "
                    "value that stands for no data, such as -9999"
                )
            return value
    raise OptionError(f"nodata is {quote(nodata)}; 'auto', 'none' or a number is expected")


def _check_range_axis(axis: Any) -> int | None:
    if axis is None or _is_whole_number(axis):
        return None if axis is None else int(axis)
    raise OptionError(f"range_axis is {quote(axis)}; None or the number of an axis is expected")


def _check_optics(optics: Any) -> Objective | str:
    """Return optics checked; a text that lacks numbers, which a file may add, as it is."""
    if isinstance(optics, Objective):
        return optics
    if isinstance(optics, Mapping):  # as JSON holds it
        return Objective(**optics)
    if not isinstance(optics, str):
        raise OptionError(f"optics is {quote(optics)}; an Objective, 'auto' or 'none' is expected")
    if optics in ("auto", "none"):
        return optics
    numbers = parse_optics(optics)
    is_complete = {"na", "wavelength_um", "pixel_size_um"} <= set(numbers)
    return Objective(**numbers) if is_complete else optics


def _as_tuples(value_range: Any) -> Any:
    """Return arrays and lists, of any depth, as tuples, which can be compared and stored as JSON.

    Whether these are ranges is checked when the image is known.
    """
    if hasattr(value_range, "tolist"):
        value_range = value_range.tolist()
    if isinstance(value_range, list | tuple):
        return tuple(map(_as_tuples, value_range))
    return value_range


def _check_downscale(factor: Any) -> int | str:
    if _is_whole_number(factor) and factor >= 1:
        return int(factor)
    if isinstance(factor, str) and factor == "auto":
        return factor
    raise OptionError(
        f"downscale is {quote(factor)}; 'auto' or a whole number of 1 or more is expected"
    )


def _check_device(device: Any) -> str:
    if isinstance(device, str) and device:
        return device
    raise OptionError(
        f"device is {quote(device)}; 'auto', 'cpu', 'cuda', 'cuda:1' or 'mps' are accepted"
    )


def _check_precision(precision: Any) -> str:
    if isinstance(precision, str) and precision in _PRECISIONS:
        return str(precision)
    raise OptionError(
        f"precision is {quote(precision)}; 'auto', 'float32' or 'bfloat16' are accepted"
    )


def _check_tile(tile: Any) -> int | str | None:
    if _is_whole_number(tile) and tile >= 1:
        return int(tile)
    if tile is None or (isinstance(tile, str) and tile == "auto"):
        return tile
    raise OptionError(
        f"tile is {quote(tile)}; 'auto', None (whole) or the side of a tile in pixels is expected"
    )


_CHECKS: dict[str, Callable[[Any], Any]] = {
    "channel_axis": _check_channel_axis,
    "encoding": _check_encoding,
    "value_range": _as_tuples,
    "downscale": _check_downscale,
    "device": _check_device,
    "precision": _check_precision,
    "tile": _check_tile,
    "imaging": _check_imaging,
    "nodata": _check_nodata,
    "range_axis": _check_range_axis,
    "optics": _check_optics,
}
