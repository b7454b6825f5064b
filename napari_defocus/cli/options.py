"""Options shared by several commands, named as in the API."""

from dataclasses import fields
from enum import StrEnum
from inspect import Parameter, Signature
from pathlib import Path
from typing import Annotated, Any

import typer

from ..deblur_settings import DeblurSettings, NumberRange
from ..options import Options

_COMPUTATION = "Computation"
_VALUES = "Meaning of values"


class EncodingChoice(StrEnum):
    """Encodings of values."""

    AUTO = "auto"
    SRGB = "srgb"
    LINEAR = "linear"


class ImagingChoice(StrEnum):
    """Kinds of images."""

    AUTO = "auto"
    PHOTOGRAPH = "photograph"
    MICROSCOPY = "microscopy"


class PrecisionChoice(StrEnum):
    """Precisions of the computation."""

    AUTO = "auto"
    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"


class UnitChoice(StrEnum):
    """Units of the radii in maps."""

    PX = "px"
    UM = "um"


class TaskChoice(StrEnum):
    """Kinds of results that a batch makes of every file."""

    MAP = "map"
    DEBLUR = "deblur"
    BOTH = "both"
    FOCUS = "focus"


class AlignChoice(StrEnum):
    """Ways in which planes of a stack may have moved."""

    AUTO = "auto"
    NONE = "none"
    SHIFT = "shift"
    SIMILARITY = "similarity"


class ExistingChoice(StrEnum):
    """Ways to treat files where results should go."""

    REFUSE = "refuse"
    KEEP = "keep"
    REPLACE = "replace"
    BESIDE = "beside"


ImagePath = Annotated[
    Path,
    typer.Argument(
        metavar="IN", help="An image file: TIFF, zarr, photographs, camera raw, microscopes' files."
    ),
]
StackPaths = Annotated[
    list[Path],
    typer.Argument(
        metavar="IN...",
        help="A file that holds a stack, or files that hold a plane each, or their folder.",
    ),
]
StackAxis = Annotated[
    str,
    typer.Option(
        metavar="AXIS",
        help="Letter or number of the axis of the planes; auto: Z, or the only one.",
    ),
]
NeighborsAxis = Annotated[
    str | None,
    typer.Option(
        "--stack-axis",
        metavar="AXIS",
        help="Axis of z-stacks of micrographs: Z, its number, or auto. Each plane is restored from "
        "its two neighbors too, which takes about a third longer.",
    ),
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
        help="A map of radii in pixels, from [bold]map[/] or painted; by default it is estimated.",
    ),
]
ConfidencePath = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Confidence in the map, 0 to 1; by default 1 everywhere."),
]
PupilOption = Annotated[
    str,
    typer.Option(
        "--pupil",
        "--kernels",
        metavar="SHAPE",
        help="Shape of the blur: disk, polygon:6, ring:0.5, cats-eye:0.6, or a .safetensors file "
        "of kernels from [bold]python -m training lbk[/]; auto (check): what explains most.",
    ),
]
DualPixel = Annotated[
    bool,
    typer.Option(
        "--dual-pixel", help="Estimate from both views of Canon dual-pixel raw files that hold two."
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
Imaging = Annotated[
    ImagingChoice,
    typer.Option(
        help="microscopy: values are proportional to light, and each channel is an image of its "
        "own; auto: as the file's metadata say, else photograph for color and uint8.",
        rich_help_panel=_VALUES,
    ),
]
NoData = Annotated[
    str,
    typer.Option(
        metavar="VALUE",
        help="Value of pixels without data; auto: as the file says; none: all pixels hold data.",
        rich_help_panel=_VALUES,
    ),
]
RangeAxis = Annotated[
    str,
    typer.Option(
        metavar="AXIS",
        help="Number of an axis of planes that have a black and white of their own; auto: that of "
        "channels, where the file names one.",
        rich_help_panel=_VALUES,
    ),
]
Optics = Annotated[
    str,
    typer.Option(
        metavar="NUMBERS",
        help='Microscope: "na=1.4, index=1.515, wavelength_um=0.52, pixel_size_um=0.1" (without '
        "index: air); auto: as the file says; none: not used.",
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
UnitOption = Annotated[
    UnitChoice,
    typer.Option(help="Unit of radii in maps: pixels, or micrometers where the file says a size."),
]
#: Options of reading and computing: how each is parsed, and its default.
_OPTIONS: dict[str, tuple[Any, Any]] = {
    "channel_axis": (ChannelAxis, "auto"),
    "encoding": (Encoding, EncodingChoice.AUTO),
    "value_range": (ValueRange, None),
    "downscale": (Downscale, "auto"),
    "device": (Device, "auto"),
    "precision": (Precision, PrecisionChoice.AUTO),
    "tile": (Tile, "auto"),
    "imaging": (Imaging, ImagingChoice.AUTO),
    "nodata": (NoData, "auto"),
    "range_axis": (RangeAxis, "auto"),
    "optics": (Optics, "auto"),
}
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace files that exist.")]


def parse_options(**values: Any) -> Options:
    """Return the options that the words of the command line mean."""
    return Options.from_text(_texts(values))


def parse_deblur_settings(**values: Any) -> DeblurSettings:
    """Return the settings of deblurring; each of them is an option of the command line."""
    return DeblurSettings(**_texts(values))


def _texts(values: dict[str, Any]) -> dict[str, Any]:
    """Return values of options, with choices as the texts that they stand for."""
    return {k: v.value if isinstance(v, StrEnum) else v for k, v in values.items()}


def _deblur_option(setting: Any) -> Parameter:
    """Return the option for a setting of deblurring, a field of `DeblurSettings`."""
    accepted, default = setting.metadata["accepted"], setting.default
    kind: Any = str
    metavar: str | None = "NAME"
    parser = None
    if isinstance(accepted, NumberRange):
        kind, metavar = float, accepted.unit.upper() or None
        if accepted.automatic:
            parser, metavar = _number_or_auto, f"{metavar}|auto"
    elif accepted:
        kind, metavar = _choices(accepted), None
        default = kind(default)
    option = typer.Option(metavar=metavar, parser=parser, help=setting.metadata["help"])
    annotation = Annotated[kind, option]
    return Parameter(setting.name, Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _number_or_auto(text: str) -> float | str:
    if text == "auto":
        return text
    try:
        return float(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no number and not 'auto'") from None


def _choices(texts: tuple[str, ...]) -> Any:
    members = {text.upper(): text for text in texts}
    return StrEnum("Choices", members)


parse_deblur_settings.__signature__ = Signature(  # type: ignore[attr-defined]  # read by `command`
    [_deblur_option(each) for each in fields(DeblurSettings)]
)
parse_options.__signature__ = Signature(  # type: ignore[attr-defined]  # read by `command`
    [
        Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
        for name, (annotation, default) in _OPTIONS.items()
    ]
)
