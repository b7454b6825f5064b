"""The commands and their options; `runs`, `batches` and `show` carry them out.

Nothing heavy is imported before a command runs, so that help appears at once.
"""

from pathlib import Path
from typing import Annotated

import typer

from ..batch.how import How
from ..version import __version__
from .console import reporting
from .options import (
    ChannelAxis,
    ConfidencePath,
    Detail,
    DetailChoice,
    Device,
    DualPixel,
    Encoding,
    EncodingChoice,
    ExistingChoice,
    ImagePath,
    MapPath,
    Model,
    Overwrite,
    Precision,
    PrecisionChoice,
    Protect,
    Scale,
    Strength,
    TaskChoice,
    Tile,
    ValueRange,
)

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Estimate how far out of focus every pixel of an image is, and deblur it.",
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"napari-defocus {__version__}")
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Accept the options that stand before a command."""


@app.command("map")
def map_command(
    image: ImagePath,
    out: Annotated[
        Path | None,
        typer.Argument(metavar="OUT", help="A .tif file for the radii; by default IN-defocus.tif."),
    ] = None,
    right: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The right dual-pixel view; IN is then the left one."),
    ] = None,
    dual_pixel: DualPixel = False,
    confidence_out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A .tif file for the confidence, 0 to 1.")
    ] = None,
    preview_out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="An image file for the map in colors.")
    ] = None,
    model: Model = "auto",
    overwrite: Overwrite = False,
    channel_axis: ChannelAxis = "auto",
    encoding: Encoding = EncodingChoice.AUTO,
    value_range: ValueRange = None,
    scale: Scale = "auto",
    device: Device = "auto",
    precision: Precision = PrecisionChoice.AUTO,
    tile: Tile = "auto",
) -> None:
    """Estimate how far out of focus every pixel is: radii in pixels, as float32 TIFF.

    With two dual-pixel views the radii are signed, and positive in front of the plane of focus:
    where the left view's content lies to the right of the right view's. With --dual-pixel the
    two sides may be swapped. A .json beside every file says how it was made.
    """
    with reporting():
        from .outputs import beside
        from .runs import MapOutputs, ViewsInput, map_defocus

        goals = MapOutputs(out or beside(image, "defocus", ".tif"), confidence_out, preview_out)
        how = How(channel_axis, encoding, value_range, scale, device, precision, tile)
        views = ViewsInput(image, right, dual_pixel)
        map_defocus(views, goals, model, how, overwrite=overwrite)


@app.command("deblur")
def deblur_command(
    image: ImagePath,
    out: Annotated[
        Path | None,
        typer.Argument(metavar="OUT", help="An image file; by default IN-deblurred."),
    ] = None,
    defocus: MapPath = None,
    confidence: ConfidencePath = None,
    dual_pixel: DualPixel = False,
    strength: Strength = 1.0,
    protect: Protect = 0.5,
    detail: Detail = DetailChoice.FAITHFUL,
    model: Model = "auto",
    overwrite: Overwrite = False,
    channel_axis: ChannelAxis = "auto",
    encoding: Encoding = EncodingChoice.AUTO,
    value_range: ValueRange = None,
    scale: Scale = "auto",
    device: Device = "auto",
    precision: Precision = PrecisionChoice.AUTO,
    tile: Tile = "auto",
) -> None:
    """Restore detail that defocus has blurred, and leave sharp pixels unchanged.

    The result has the type, range and metadata of IN as far as OUT can hold them. A .json beside
    it says how it was made.
    """
    with reporting():
        from .outputs import beside
        from .runs import Choice, MapInput, deblur_image

        how = How(channel_axis, encoding, value_range, scale, device, precision, tile)
        deblur_image(
            image,
            out or beside(image, "deblurred"),
            MapInput(defocus, confidence, dual_pixel),
            Choice(model, detail.value),
            how,
            strength=strength,
            protect=protect,
            overwrite=overwrite,
        )


@app.command("refocus")
def refocus_command(
    image: ImagePath,
    focus: Annotated[
        float,
        typer.Option(metavar="PX", help="Radius in the map of what should be in focus."),
    ],
    aperture: Annotated[
        float,
        typer.Option(help="Diameter of the new aperture, in units of the camera's; 0: all sharp."),
    ],
    out: Annotated[
        Path | None,
        typer.Argument(metavar="OUT", help="An image file; by default IN-refocused."),
    ] = None,
    defocus: MapPath = None,
    confidence: ConfidencePath = None,
    sharp: Annotated[
        bool, typer.Option("--sharp", help="IN is deblurred already; needs --map.")
    ] = False,
    detail: Detail = DetailChoice.FAITHFUL,
    model: Model = "auto",
    overwrite: Overwrite = False,
    channel_axis: ChannelAxis = "auto",
    encoding: Encoding = EncodingChoice.AUTO,
    value_range: ValueRange = None,
    scale: Scale = "auto",
    device: Device = "auto",
    precision: Precision = PrecisionChoice.AUTO,
    tile: Tile = "auto",
) -> None:
    """Change the distance and aperture of a photograph: deblur it, and blur it anew.

    A map of one image does not tell near from far: everything out of focus is taken to lie behind
    the plane of focus. A signed map, from two dual-pixel views, does.
    """
    with reporting():
        from .outputs import beside
        from .runs import Choice, MapInput, refocus_image

        how = How(channel_axis, encoding, value_range, scale, device, precision, tile)
        refocus_image(
            image,
            out or beside(image, "refocused"),
            MapInput(defocus, confidence),
            Choice(model, detail.value),
            how,
            focus=focus,
            aperture=aperture,
            is_sharp=sharp,
            overwrite=overwrite,
        )


@app.command("batch")
def batch_command(
    inputs: Annotated[
        list[str],
        typer.Argument(metavar="IN...", help="Files, folders, and patterns in quotes."),
    ],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder of the results.")],
    task: Annotated[
        TaskChoice, typer.Option(help="Write radii and confidence, a sharper picture, or both.")
    ] = TaskChoice.DEBLUR,
    pattern: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Name of a result, from {name} of the file, {what} kind it is, {suffix}.",
        ),
    ] = "{name}-{what}{suffix}",
    existing: Annotated[
        ExistingChoice,
        typer.Option(help="What to do with files of these names that no batch has made."),
    ] = ExistingChoice.REFUSE,
    cluster: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="A dask scheduler whose workers do the work."),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Start this many dask workers on this machine.")
    ] = None,
    strength: Strength = 1.0,
    protect: Protect = 0.5,
    detail: Detail = DetailChoice.FAITHFUL,
    model: Model = "auto",
    map_model: Annotated[
        str, typer.Option(metavar="NAME", help="Model that estimates radii; as for --model.")
    ] = "auto",
    dual_pixel: DualPixel = False,
    channel_axis: ChannelAxis = "auto",
    encoding: Encoding = EncodingChoice.AUTO,
    value_range: ValueRange = None,
    scale: Scale = "auto",
    device: Device = "auto",
    precision: Precision = PrecisionChoice.AUTO,
    tile: Tile = "auto",
) -> None:
    """Map or deblur many files, and go on where an earlier run in the same folder ended.

    Results that are whole and up to date are kept; files that failed or changed are done again.
    A bad file does not stop the others. At the end OUT holds report.csv and report.html.
    """
    with reporting():
        from ..batch.settings import Settings
        from .batches import run_batch

        how = How(channel_axis, encoding.value, value_range, scale, device, precision.value, tile)
        settings = Settings(
            task=task.value,
            strength=strength,
            protect=protect,
            detail=detail.value,
            model=model,
            map_model=map_model,
            dual_pixel=dual_pixel,
            how=how,
            pattern=pattern,
            existing=existing.value,
        )
        run_batch(inputs, out, settings, cluster=cluster, workers=workers)


@app.command("models")
def models_command(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="Show the card of this model, or of a weights file."),
    ] = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Check that the weights are undamaged.")
    ] = False,
) -> None:
    """List the models, or show the card of one: training data, accuracy, license."""
    with reporting():
        from .show import show_model, show_models

        if name is None:
            show_models(check=verify)
        else:
            show_model(name, check=verify)


@app.command("info")
def info_command(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="An image; by default this machine is shown."),
    ] = None,
) -> None:
    """Show how an image file is read; without FILE, show versions and device."""
    with reporting():
        from .show import show_file, show_machine

        if file is None:
            show_machine()
        else:
            show_file(file)
