"""How a file's values are to be understood, and how to compute: options as texts."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import OptionError

if TYPE_CHECKING:
    from ..image.layout import Imaging, Layout
    from ..io import Picture


@dataclass(frozen=True)
class How:
    """What was said about values and computation, as it was said.

    Parameters
    ----------
    channel_axis, encoding, scale, device, precision, tile : str
        As on the command line: "auto", words, or numbers as text.
    value_range : (float, float), optional
        As in the API.

    Examples
    --------
    >>> How(tile="whole").tile
    'whole'
    """

    channel_axis: str = "auto"
    encoding: str = "auto"
    value_range: tuple[float, float] | None = None
    scale: str = "auto"
    device: str = "auto"
    precision: str = "auto"
    tile: str = "auto"

    def interpreted(self, picture: "Picture") -> "Picture":
        """Return the picture with its colors as planes, if that was asked for."""
        return picture.as_planes() if self.channel_axis == "none" else picture

    def arguments(self, picture: "Picture") -> dict[str, Any]:
        """Keyword arguments for the API; encoding and range as they are found for the picture.

        Raises
        ------
        DefocusError
            If the picture or one of the options cannot be used.
        """
        return {
            "channel_axis": self._axis(picture),
            "encoding": self._layout(picture).encoding,
            "value_range": self._ranges(picture),
            "scale": _number_or("scale", self.scale, {"auto": "auto"}),
            "device": self.device,
            "precision": self.precision,
            "tile": _number_or("tile", self.tile, {"auto": "auto", "whole": None}),
        }

    def imaging(self, picture: "Picture") -> "Imaging":
        """What took the picture, as far as models care.

        Raises
        ------
        DefocusError
            As for `arguments`.
        """
        return self._layout(picture).imaging

    def _ranges(self, picture: "Picture") -> Any:
        """Black and white: of each channel where these are planes, for their brightness differs."""
        import numpy as np

        from ..image.dask_planes import range_of
        from ..image.layout import read_layout

        layout, axis = self._layout(picture), picture.axes.find("C")
        if self.value_range is not None or axis < 0 or layout.display_bounded:
            return range_of(picture.data, layout, self.value_range)
        found = [
            range_of(channel, read_layout(channel, None, self.encoding), None)
            for channel in np.moveaxis(picture.data, axis, 0)
        ]
        later = len(layout.leading) - axis - 1
        return np.reshape(np.array(found), (-1, *[1] * later, 2)).tolist()

    def _layout(self, picture: "Picture") -> "Layout":
        from ..image.layout import read_layout

        return read_layout(picture.data, self._axis(picture), self.encoding)

    def _axis(self, picture: "Picture") -> int | None:
        words = {"auto": picture.channel_axis, "none": None}
        axis: int | None = _number_or("channel_axis", self.channel_axis, words)
        return axis


def _number_or(name: str, text: str, words: dict[str, Any]) -> Any:
    if text in words:
        return words[text]
    try:
        return int(text)
    except ValueError:
        accepted = ", ".join([*words, "a whole number"])
        raise OptionError(f"{name} is {text!r}; accepted are {accepted}") from None
