"""The options that several commands share, named as in the API."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

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


class DetailChoice(StrEnum):
    """How much deblurring may infer."""

    FAITHFUL = "faithful"
    NATURAL = "natural"


class TaskChoice(StrEnum):
    """What a batch makes of every file."""

    MAP = "map"
    DEBLUR = "deblur"
    BOTH = "both"


class ExistingChoice(StrEnum):
    """What a batch does where the name of a result is taken by a file that is none of its own."""

    REFUSE = "refuse"
    KEEP = "keep"
    REPLACE = "replace"


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
Detail = Annotated[
    DetailChoice,
    typer.Option(
        help="What the model auto may infer: faithful brings back what the image still tells, "
        "natural adds fine detail that is likely."
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
DualPixel = Annotated[
    bool,
    typer.Option(
        "--dual-pixel", help="Use both halves of Canon dual-pixel raw files, where there are two."
    ),
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
        help="auto: colors as the file says; the number of their axis; or none: all are planes.",
        rich_help_panel=_VALUES,
    ),
]
Encoding = Annotated[
    EncodingChoice,
    typer.Option(
        help="Display values or proportional to light; auto: color and uint8 are srgb.",
        rich_help_panel=_VALUES,
    ),
]
ValueRange = Annotated[
    tuple[float, float] | None,
    typer.Option(
        metavar="BLACK WHITE",
        help="Values of black and white; the type's for color and uint8, else measured.",
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
