"""Command that focuses anew: read, deblur, run the API, write with provenance."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ..deblur_settings import DeblurSettings
from ..errors import MapError
from ..image.layout import is_dask
from ..io import check_fits
from ..io.pupil_file import find_pupil
from ..jobs import RefocusJob
from ..options import Options
from ..provenance_record import provenance
from .console import progress_bar
from .deblur import deblur_job, deblur_with_map
from .focal_stack import stack_template
from .inputs import MapInput, read_input, resolve_input
from .outputs import Outputs
from .windows import deblur_with_map_to, run_to, windowed_files, write_records


@dataclass(frozen=True)
class RefocusSettings:
    """Focus, aperture and pupil of the new picture; whether the old one is sharp already."""

    focus: float | tuple[float, ...]
    aperture: float
    is_sharp: bool
    pupil: str


def refocus_image(
    image: Path,
    out: Path,
    defocus: MapInput,
    settings: RefocusSettings,
    deblurring: DeblurSettings,
    options: Options,
    *,
    overwrite: bool,
) -> None:
    """Deblur unless the picture is sharp already, focus anew, and write it."""
    outputs = Outputs([image, *defocus.paths], [out], overwrite)
    if settings.is_sharp and defocus.radius is None:
        raise MapError("a sharp picture does not tell its map; give --map with --sharp")
    picture = read_input(image, options, out)
    template = stack_template(picture, settings.focus)
    check_fits(out, template)
    options = resolve_input(image, picture, options)
    pupil = find_pupil(settings.pupil)
    deblur = None
    if not settings.is_sharp:
        deblur = deblur_job(image, picture, defocus, deblurring, options)
    refocus = partial(
        RefocusJob,
        focus=settings.focus,
        aperture=settings.aperture,
        pupil=pupil,
        options=options,
        deblurring=deblur,
    )
    if is_dask(picture.data):
        with windowed_files(outputs) as files:
            if deblur is None:
                job = refocus(picture.data, defocus.read())
            else:
                job = refocus(*deblur_with_map_to(files, deblur, picture, image.name))
            record = provenance(job, path=image.name)
            run_to(files.open(out, template), job, f"refocus {image.name}")
        write_records(outputs, dict.fromkeys(outputs.outputs, record))
        return
    job = (
        refocus(picture.data, defocus.read())
        if deblur is None
        else refocus(*deblur_with_map(image, deblur))
    )
    with progress_bar(f"refocus {image.name}") as progress:
        view = job.run(progress)
    outputs.write(out, view, provenance(job, path=image.name), template)
