"""Options shared by several commands, named as in the API."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from ..options import Options

_COMPUTATION = "Computation"
_VALUES = "Meaning of values"


class EncodingChoice(StrEnum):
    """Encodings of values."""

    AUTO = "auto"
    SRGB = "srgb"
    LINEAR = "linear"


class PrecisionChoice(StrEnum):
    """Precisions of the computation."""

    AUTO = "auto"
    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"


class DetailChoice(StrEnum):
    """Amounts of detail that deblurring may infer."""

    FAITHFUL = "faithful"
    NATURAL = "natural"


class TaskChoice(StrEnum):
    """Kinds of results that a batch makes of every file."""

    MAP = "map"
    DEBLUR = "deblur"
    BOTH = "both"


class ExistingChoice(StrEnum):
    """Ways to treat files where results should go."""

    REFUSE = "refuse"
    KEEP = "keep"
    REPLACE = "replace"


ImagePath = Annotated[
    Path,
    typer.Argument(
        metavar="IN", help="An image file: TIFF, OME-TIFF, PNG, JPEG, zarr, camera raw."
    ),
]
Model = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="auto, a name from [bold]napari-defocus models[/], or your own weights file.",
    ),
]
Detail = Annotated[
    DetailChoice,
    typer.Option(
        help="For the model auto. faithful: restore only what the image still shows; natural: add "
        "fine detail that is likely."
    ),
]
MapPath = Annotated[
    Path | None,
    typer.Option(
        "--map",
        "--defocus",
        metavar="FILE",
        help="A map of radii in pixels, from [bold]map[/] or painted; by default it is estimated.",
    ),
]
ConfidencePath = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Confidence in the map, 0 to 1; by default 1 everywhere."),
]
DualPixel = Annotated[
    bool,
    typer.Option(
        "--dual-pixel", help="Estimate from both views of Canon dual-pixel raw files that hold two."
    ),
]
Strength = Annotated[
    float,
    typer.Option(help="Amount of change: 0 is none, 1 the network's result, up to 2."),
]
ProtectRadius = Annotated[
    float,
    typer.Option(
        metavar="PX", help="Leave pixels with radii up to this many pixels unchanged; 0 is off."
    ),
]
ChannelAxis = Annotated[
    str,
    typer.Option(
        metavar="AXIS",
        help="auto: as the file says; the number of the axis of colors; or none: all are planes.",
        rich_help_panel=_VALUES,
    ),
]
Encoding = Annotated[
    EncodingChoice,
    typer.Option(
        help="srgb: display values; linear: proportional to light; auto: srgb for color and uint8.",
        rich_help_panel=_VALUES,
    ),
]
ValueRange = Annotated[
    tuple[float, float] | None,
    typer.Option(
        metavar="BLACK WHITE",
        help="Values of black and white; the data type's for color and uint8, else measured.",
        rich_help_panel=_VALUES,
    ),
]
Downscale = Annotated[
    str,
    typer.Option(
        metavar="N",
        help="Work on the image shrunk by this factor; auto: chosen from the radii.",
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
    typer.Option(help="bfloat16 can be faster, and is less exact.", rich_help_panel=_COMPUTATION),
]
Tile = Annotated[
    str,
    typer.Option(
        metavar="PX",
        help="Side of a tile; auto: chosen for the device; whole: no tiles.",
        rich_help_panel=_COMPUTATION,
    ),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace files that exist.")]
MapModel = Annotated[
    str, typer.Option(metavar="NAME", help="Model that estimates radii; as for --model.")
]

#: Options that have another name now.
_RENAMED = {"--scale": "--downscale", "--protect": "--protect-radius"}


class CommandWithRenamedOptions(TyperCommand):
    """A command that refuses an option's old name and says the new one."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the command line's words."""
        for word in args:
            name = word.partition("=")[0]
            if name in _RENAMED:
                typer.echo(f"Error: {name} is now called {_RENAMED[name]}", err=True)
                raise typer.Exit(2)
        return super().parse_args(ctx, args)


def parse_options(
    channel_axis: str,
    encoding: EncodingChoice,
    value_range: tuple[float, float] | None,
    downscale: str,
    device: str,
    precision: PrecisionChoice,
    tile: str,
) -> Options:
    """Return the options that the words of the command line mean."""
    return Options.from_text(
        {
            "channel_axis": channel_axis,
            "encoding": encoding.value,
            "value_range": value_range,
            "downscale": downscale,
            "device": device,
            "precision": precision.value,
            "tile": tile,
        }
    )
