"""The commands and their options; `runs`, `batches` and `show` carry them out.

Nothing heavy is imported before a command runs, so that help appears at once.
"""

from pathlib import Path
from typing import Annotated, Any

import typer

from ..deblur_settings import DeblurSettings
from ..errors import shorten_words
from ..options import Options
from ..version import __version__
from .console import note
from .groups import command
from .options import (
    AlignChoice,
    ConfidencePath,
    DualPixel,
    ExistingChoice,
    ImagePath,
    MapPath,
    Model,
    NeighborsAxis,
    Overwrite,
    PupilOption,
    StackAxis,
    StackPaths,
    TaskChoice,
    UnitChoice,
    UnitOption,
    parse_deblur_settings,
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
    message = shorten_words(error.format_message())
    if message:  # without words the help has been printed already
        if error.ctx is not None:
            for line in error.ctx.get_usage().splitlines():
                note(line)
        note(f"Error: {message}")
    status: int = error.exit_code
    return status


def _show_version(show: bool) -> None:
    if show:
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


@command(app, "map", options=parse_options)
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
    unit: UnitOption = UnitChoice.PX,
    model: Model = "auto",
    overwrite: Overwrite = False,
    *,
    options: Options,
) -> None:
    """Estimate how far out of focus every pixel is: radii in pixels, as float32 TIFF.

    With two dual-pixel views the radii are signed, and positive in front of the plane of focus:
    where the left view's content lies to the right of the right view's. With --dual-pixel the
    two sides may be swapped. A .json beside every file says how it was made.
    """
    from .inputs import ViewsInput
    from .maps import MapOutputs, map_defocus
    from .outputs import beside

    radius_out = out or beside(image, "defocus", ".tif")
    map_outputs = MapOutputs(radius_out, confidence_out, preview_out, unit.value)
    views = ViewsInput(image, right, dual_pixel)
    map_defocus(views, map_outputs, model, options, overwrite=overwrite)


@command(app, "deblur", settings=parse_deblur_settings, options=parse_options)
def deblur_command(
    image: ImagePath,
    out: Annotated[
        Path | None,
        typer.Argument(metavar="OUT", help="An image file; by default IN-deblurred."),
    ] = None,
    defocus: MapPath = None,
    confidence: ConfidencePath = None,
    dual_pixel: DualPixel = False,
    check: Annotated[
        bool, typer.Option("--check", help="Check the result against IN, and print the verdict.")
    ] = False,
    spread: Annotated[
        int,
        typer.Option(
            metavar="RUNS",
            help="With --check, deblur so many times more, and write how much the results differ "
            "to OUT-spread.tif; 0: not.",
        ),
    ] = 0,
    stack_axis: NeighborsAxis = None,
    overwrite: Overwrite = False,
    *,
    settings: DeblurSettings,
    options: Options,
) -> None:
    """Restore detail that defocus has blurred, and leave sharp pixels unchanged.

    The result has the type, range and metadata of IN as far as OUT can hold them. A .json beside
    it says how it was made.
    """
    from .deblur import Doubt, deblur_image
    from .inputs import MapInput
    from .outputs import beside

    deblur_image(
        image,
        out or beside(image, "deblurred"),
        MapInput(defocus, confidence, dual_pixel),
        settings,
        options,
        overwrite=overwrite,
        stack_axis=stack_axis,
        doubt=Doubt(check, spread),
    )


@command(app, "check", options=parse_options)
def check_command(
    image: ImagePath,
    sharp: Annotated[
        Path,
        typer.Argument(
            metavar="SHARP", help="A sharper picture of IN, from any program, of the same size."
        ),
    ],
    defocus: MapPath = None,
    confidence: ConfidencePath = None,
    model: Model = "auto",
    false_alarms: Annotated[
        float, typer.Option(metavar="SHARE", help="Share of honest pixels that may be flagged.")
    ] = 0.05,
    pupil: PupilOption = "disk",
    overlay: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="An image file for SHARP in gray, with flagged pixels in magenta."
        ),
    ] = None,
    json: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A .json file for figures and regions.")
    ] = None,
    limit: Annotated[
        float | None,
        typer.Option(metavar="SHARE", help="End with status 3 if a larger share is flagged."),
    ] = None,
    overwrite: Overwrite = False,
    *,
    options: Options,
) -> None:
    """Check a sharp picture for detail that the image it was made from does not support.

    SHARP is blurred again by the map and compared with IN. Prints a verdict and the places that
    IN does not support. Detail that blur hides from IN is inferred, whether it is true or not.
    """
    from .checks import CheckInput, CheckOutputs, check_picture
    from .inputs import MapInput

    check_picture(
        CheckInput(image, sharp, MapInput(defocus, confidence), model, false_alarms, pupil),
        CheckOutputs(overlay, json, overwrite),
        options,
        limit,
    )


@command(app, "focus", options=parse_options)
def focus_command(
    inputs: StackPaths,
    axis: StackAxis = "auto",
    csv: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A .csv file for the figures, one row a plane."),
    ] = None,
    best: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="An image file for the sharpest plane, as it is."),
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A .svg file for a plot of one stack.")
    ] = None,
    model: Model = "auto",
    overwrite: Overwrite = False,
    *,
    options: Options,
) -> None:
    """Say which plane of a stack is sharp.

    Files that hold a plane each are taken in natural order: p2 before p10. Planes count from 0.
    """
    from .focus import FocusOutputs, profile_stack

    profile_stack(inputs, axis, FocusOutputs(csv, best, plot, overwrite), model, options)


@command(app, "all-in-focus", options=parse_options)
def all_in_focus_command(
    inputs: StackPaths,
    out: Annotated[Path, typer.Argument(metavar="OUT", help="An image file for the picture.")],
    depth: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A .tif file for the plane in which a pixel is sharp."),
    ] = None,
    axis: StackAxis = "auto",
    align: Annotated[
        AlignChoice,
        typer.Option(
            help="How planes may have moved: not, by a shift, or by scale and rotation too; auto: "
            "similarity for photographs, shift for microscopy."
        ),
    ] = AlignChoice.AUTO,
    deblur_rest: Annotated[
        bool, typer.Option("--deblur-rest", help="Deblur what no plane shows sharply.")
    ] = False,
    model: Model = "auto",
    overwrite: Overwrite = False,
    *,
    options: Options,
) -> None:
    """Merge a stack into one picture that is sharp everywhere.

    Files that hold a plane each are taken in natural order: p2 before p10. The depth is the
    fractional number of the plane in which a pixel is in focus; planes count from 0.
    """
    from .all_in_focus import MergeOutputs, MergeSettings, merge_stack

    settings = MergeSettings(align.value, deblur_rest, model)
    merge_stack(inputs, axis, MergeOutputs(out, depth, overwrite), settings, options)


@command(app, "rank", options=parse_options)
def rank_command(
    inputs: Annotated[
        list[str],
        typer.Argument(metavar="IN...", help="Image files, folders, and patterns in quotes."),
    ],
    csv: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A .csv file for the figures.")
    ] = None,
    model: Model = "auto",
    overwrite: Overwrite = False,
    *,
    options: Options,
) -> None:
    """Rank pictures by how sharp their sharpest parts are, and say why.

    Pictures that show nearly the same, as those of a burst, are named together.
    """
    from .ranking import rank_files

    rank_files(inputs, csv, model, options, overwrite=overwrite)


@command(app, "refocus", settings=parse_deblur_settings, options=parse_options)
def refocus_command(
    image: ImagePath,
    focus: Annotated[
        str,
        typer.Option(
            metavar="PX",
            help="Radius in the map of what should be in focus; FIRST:LAST:N for a focal stack of "
            "N pictures.",
        ),
    ],
    aperture: Annotated[
        float,
        typer.Option(help="Diameter of the new aperture, in units of the camera's; 0: all sharp."),
    ],
    out: Annotated[
        Path | None,
        typer.Argument(
            metavar="OUT",
            help="An image file; for a stack a .tif, or a .webp that shows it as a film. "
            "By default IN-refocused.",
        ),
    ] = None,
    defocus: MapPath = None,
    confidence: ConfidencePath = None,
    sharp: Annotated[
        bool, typer.Option("--sharp", help="IN is deblurred already; needs --map.")
    ] = False,
    pupil: PupilOption = "disk",
    overwrite: Overwrite = False,
    *,
    settings: DeblurSettings,
    options: Options,
) -> None:
    """Change the distance and aperture of a photograph: deblur it, and blur it anew.

    A map of one image does not tell near from far: everything out of focus is taken to lie behind
    the plane of focus. A signed map, from two dual-pixel views, does.
    """
    from .focal_stack import parse_focus, stack_path
    from .inputs import MapInput
    from .refocus import RefocusSettings, refocus_image

    focuses = parse_focus(focus)
    refocus_image(
        image,
        out or stack_path(image, focuses),
        MapInput(defocus, confidence),
        RefocusSettings(focuses, aperture, sharp, pupil),
        settings,
        options,
        overwrite=overwrite,
    )


@command(app, "batch", settings=parse_deblur_settings, options=parse_options)
def batch_command(
    inputs: Annotated[
        list[str],
        typer.Argument(metavar="IN...", help="Files, folders, and patterns in quotes."),
    ],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder of the results.")],
    task: Annotated[
        TaskChoice,
        typer.Option(
            help="Write radii and confidence, a sharper picture, or both; or, of stacks, a table "
            "of their best planes."
        ),
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
            "since, or that were made with other settings: refuse to begin, keep or replace them, "
            "or write new ones beside them, with numbers. Results of other inputs are never "
            "replaced: unless refused, new ones get numbers."
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
    dual_pixel: DualPixel = False,
    unit: UnitOption = UnitChoice.PX,
    check: Annotated[
        bool,
        typer.Option(
            "--check", help="Check each sharper picture against its image, and report the verdict."
        ),
    ] = False,
    stack_axis: NeighborsAxis = None,
    *,
    settings: DeblurSettings,
    options: Options,
) -> None:
    """Map, deblur or profile many files, and go on where an earlier run in the same folder ended.

    Results that are whole and up to date are kept; files that failed or changed are done again.
    A bad file does not stop the others. At the end OUT holds report.csv and report.html.
    """
    from ..batch.settings import Settings
    from .batches import existing_files, run_batch

    batch_settings = Settings(
        task=task.value,
        deblurring=settings,
        dual_pixel=dual_pixel,
        options=options,
        pattern=pattern,
        unit=unit.value,
        check=check,
        stack_axis=stack_axis,
        existing=existing_files(existing, overwrite=overwrite),
    )
    run_batch(inputs, out, batch_settings, cluster=cluster, workers=workers)


@command(app, "models")
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
    from .show import show_model, show_models

    if name is None:
        show_models(check=verify)
    else:
        show_model(name, check=verify)


@command(app, "app")
def app_command(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="[FILES]...", help="Images to open.")
    ] = None,
) -> None:
    """Open napari with the Defocus panel and image files."""
    from .window import open_window

    open_window(files or [])


@command(app, "info")
def info_command(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="An image; by default this machine is shown."),
    ] = None,
) -> None:
    """Show how an image file is read; without FILE, show versions and device."""
    from .show import show_file, show_machine

    if file is None:
        show_machine()
    else:
        show_file(file)
