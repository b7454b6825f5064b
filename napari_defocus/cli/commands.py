"""The commands and their options; `runs`, `batches` and `show` carry them out.

Nothing heavy is imported before a command runs, so that help appears at once.
"""

from pathlib import Path
from typing import Annotated, Any

import typer

from ..version import __version__
from .console import note, reporting
from .options import (
    ChannelAxis,
    CommandWithRenamedOptions,
    ConfidencePath,
    Detail,
    DetailChoice,
    Device,
    Downscale,
    DualPixel,
    Encoding,
    EncodingChoice,
    ExistingChoice,
    ImagePath,
    MapModel,
    MapPath,
    Model,
    Overwrite,
    Precision,
    PrecisionChoice,
    ProtectRadius,
    Strength,
    TaskChoice,
    Tile,
    ValueRange,
    parse_options,
)

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Estimate how far out of focus every pixel of an image is, and deblur it.",
)


def run() -> int:
    """Run the command that the words of the command line name.

    Returns
    -------
    int
        The exit status.

    Raises
    ------
    KeyboardInterrupt
        After Ctrl-C before the command has begun.
    """
    try:
        return app(prog_name="napari-defocus", standalone_mode=False) or 0
    except typer.Abort:
        raise KeyboardInterrupt from None
    except Exception as error:
        if not hasattr(error, "format_message"):  # typer has errors of click, or a copy of them
            raise
        return _report_usage(error)


def _report_usage(error: Any) -> int:
    """Print how a command is used, and why it is not used well; return the exit status."""
    message = " ".join(error.format_message().split())
    if message:  # without words the help has been printed already
        if error.ctx is not None:
            for line in error.ctx.get_usage().splitlines():
                note(line)
        note(f"Error: {message}")
    status: int = error.exit_code
    return status


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


@app.command("map", cls=CommandWithRenamedOptions)
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
    downscale: Downscale = "auto",
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
        options = parse_options(
            channel_axis, encoding, value_range, downscale, device, precision, tile
        )
        views = ViewsInput(image, right, dual_pixel)
        map_defocus(views, goals, model, options, overwrite=overwrite)


@app.command("deblur", cls=CommandWithRenamedOptions)
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
    protect_radius: ProtectRadius = 0.5,
    detail: Detail = DetailChoice.FAITHFUL,
    model: Model = "auto",
    map_model: MapModel = "auto",
    overwrite: Overwrite = False,
    channel_axis: ChannelAxis = "auto",
    encoding: Encoding = EncodingChoice.AUTO,
    value_range: ValueRange = None,
    downscale: Downscale = "auto",
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
        from .runs import DeblurSettings, MapInput, deblur_image

        options = parse_options(
            channel_axis, encoding, value_range, downscale, device, precision, tile
        )
        deblur_image(
            image,
            out or beside(image, "deblurred"),
            MapInput(defocus, confidence, dual_pixel),
            DeblurSettings(strength, protect_radius, detail.value, model, map_model),
            options,
            overwrite=overwrite,
        )


@app.command("refocus", cls=CommandWithRenamedOptions)
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
    downscale: Downscale = "auto",
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
        from .runs import DeblurSettings, MapInput, RefocusSettings, refocus_image

        options = parse_options(
            channel_axis, encoding, value_range, downscale, device, precision, tile
        )
        refocus_image(
            image,
            out or beside(image, "refocused"),
            MapInput(defocus, confidence),
            RefocusSettings(focus, aperture, sharp),
            DeblurSettings(detail=detail.value, model=model),
            options,
            overwrite=overwrite,
        )


@app.command("batch", cls=CommandWithRenamedOptions)
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
        typer.Option(
            help="What to do with files of these names that no batch has made, that were changed "
            "since, or that were made with other settings: refuse to begin, keep or replace them. "
            "Results of other inputs are never replaced: unless refused, new ones get numbers."
        ),
    ] = ExistingChoice.REFUSE,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="The same as --existing replace.")
    ] = False,
    cluster: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="A dask scheduler whose workers do the work."),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Start this many dask workers on this machine.")
    ] = None,
    strength: Strength = 1.0,
    protect_radius: ProtectRadius = 0.5,
    detail: Detail = DetailChoice.FAITHFUL,
    model: Model = "auto",
    map_model: MapModel = "auto",
    dual_pixel: DualPixel = False,
    channel_axis: ChannelAxis = "auto",
    encoding: Encoding = EncodingChoice.AUTO,
    value_range: ValueRange = None,
    downscale: Downscale = "auto",
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
        from .batches import existing_files, run_batch

        options = parse_options(
            channel_axis, encoding, value_range, downscale, device, precision, tile
        )
        settings = Settings(
            task=task.value,
            strength=strength,
            protect_radius=protect_radius,
            detail=detail.value,
            model=model,
            map_model=map_model,
            dual_pixel=dual_pixel,
            options=options,
            pattern=pattern,
            existing=existing_files(existing, overwrite=overwrite),
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
