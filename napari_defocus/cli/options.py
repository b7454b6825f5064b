"""The options that several commands share, named as in the API."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import OptionError

if TYPE_CHECKING:
    from ..io import Picture

_COMPUTATION = "Computation"
_VALUES = "What the values mean"


class EncodingChoice(StrEnum):
    """How values relate to light."""

    AUTO = "auto"
    SRGB = "srgb"
    LINEAR = "linear"


class PrecisionChoice(StrEnum):
    """Of the computation."""

    AUTO = "auto"
    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"


ImagePath = Annotated[
    Path, typer.Argument(metavar="IN", help="A TIFF, OME-TIFF, ImageJ, PNG or JPEG file.")
]
Model = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="auto, a name from [bold]napari-defocus models[/], or your own weights file.",
    ),
]
MapPath = Annotated[
    Path | None,
    typer.Option(
        "--map",
        "--defocus",
        metavar="FILE",
        help="Radii in pixels, as written by [bold]map[/], or painted; estimated if not given.",
    ),
]
ConfidencePath = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Confidence in the map, 0 to 1; certain if not given."),
]
Strength = Annotated[
    float,
    typer.Option(help="How much to change: 0 nothing, 1 what the network says, up to 2."),
]
Protect = Annotated[
    float,
    typer.Option(
        metavar="PX", help="Leave alone what is out of focus by no more than this; 0 is off."
    ),
]
ChannelAxis = Annotated[
    str,
    typer.Option(
        metavar="AXIS",
        help="auto: colours as the file says; the number of their axis; or none: all are planes.",
        rich_help_panel=_VALUES,
    ),
]
Encoding = Annotated[
    EncodingChoice,
    typer.Option(
        help="Display values or proportional to light; auto: colour and uint8 are srgb.",
        rich_help_panel=_VALUES,
    ),
]
ValueRange = Annotated[
    tuple[float, float] | None,
    typer.Option(
        metavar="BLACK WHITE",
        help="Values of black and white; the type's for colour and uint8, else measured.",
        rich_help_panel=_VALUES,
    ),
]
Scale = Annotated[
    str,
    typer.Option(
        metavar="N",
        help="Work on the image shrunk by this factor; auto: as the radii need.",
        rich_help_panel=_COMPUTATION,
    ),
]
Device = Annotated[
    str,
    typer.Option(
        metavar="NAME", help="auto, cpu, cuda, cuda:1, mps.", rich_help_panel=_COMPUTATION
    ),
]
Precision = Annotated[
    PrecisionChoice,
    typer.Option(help="bfloat16 is faster and coarser.", rich_help_panel=_COMPUTATION),
]
Tile = Annotated[
    str,
    typer.Option(
        metavar="PX", help="Side of a tile; auto; or whole.", rich_help_panel=_COMPUTATION
    ),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace files that exist.")]


@dataclass(frozen=True)
class How:
    """What was said about values and computation, as it was said."""

    channel_axis: str
    encoding: str
    value_range: tuple[float, float] | None
    scale: str
    device: str
    precision: str
    tile: str

    def interpreted(self, picture: "Picture") -> "Picture":
        """Return the picture with its colours as planes, if that was asked for."""
        return picture.as_planes() if self.channel_axis == "none" else picture

    def arguments(self, picture: "Picture") -> dict[str, Any]:
        """Keyword arguments for the API; encoding and range as they are found for the picture.

        Raises
        ------
        DefocusError
            If the picture or one of the options cannot be used.
        """
        from ..arrays import measure_range, read_layout

        axis = self._axis(picture)
        layout = read_layout(picture.data, axis, self.encoding)
        return {
            "channel_axis": axis,
            "encoding": layout.encoding,
            "value_range": measure_range(picture.data, layout, self.value_range),
            "scale": _number_or("scale", self.scale, {"auto": "auto"}),
            "device": self.device,
            "precision": self.precision,
            "tile": _number_or("tile", self.tile, {"auto": "auto", "whole": None}),
        }

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
