"""Commands on images that stay in their files: read, processed and written window by window."""

from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import dask.array
import numpy as np

from ..defocus_map import DefocusMap
from ..io import Picture, as_picture, map_template, open_streaming
from ..io.atomic import scratch_folder
from ..io.streaming import StreamingWriter
from ..io.zarr_arrays import as_dask, new_array
from ..jobs import DeblurJob, EstimateJob, RefocusJob
from ..map_colors import color_limit, paint_map
from ..map_statistics import sure_radii
from ..provenance_record import write_sidecar
from .console import print_path, progress_bar
from .outputs import Outputs

#: Side in pixels of the windows that are painted one at a time.
_SIDE = 2048
#: Pixels of a map that decide how its colors are spread.
_SAMPLE = 4_000_000


@dataclass(frozen=True)
class WindowedFiles:
    """Files that are filled window by window; all of them appear when the context ends.

    Parameters
    ----------
    outputs : Outputs
        The files.
    folder : pathlib.Path
        Folder for temporary arrays.
    stack : contextlib.ExitStack
        Closes the files.
    """

    outputs: Outputs
    folder: Path
    stack: ExitStack
    _writers: list[tuple[Path, StreamingWriter]] = field(default_factory=list)

    def open(self, path: Path, like: Picture) -> Any:
        """Return the array to be filled of a file of the shape and metadata of a picture."""
        streaming = open_streaming(path, like, overwrite=self.outputs.overwrite)
        writer = self.stack.enter_context(streaming)
        self._writers.append((path, writer))
        return writer.array

    def temporary(self, name: str, like: Picture) -> Any:
        """Return a temporary array of the shape and type of a picture."""
        return new_array(self.folder / name, like.data.shape, like.data.dtype)

    def complete(self) -> None:
        """Finish all files, once their arrays are filled."""
        for path, writer in self._writers:
            with progress_bar(f"write {path.name}"):
                deque(writer.complete(), maxlen=0)


@contextmanager
def windowed_files(outputs: Outputs) -> Iterator[WindowedFiles]:
    """Write the outputs of a command window by window.

    Parameters
    ----------
    outputs : Outputs
        The files.
    """
    with ExitStack() as stack:
        folder = stack.enter_context(scratch_folder(outputs.outputs[0].parent))
        files = WindowedFiles(outputs, folder, stack)
        yield files
        files.complete()


def write_records(outputs: Outputs, records: Mapping[Path, Mapping[str, Any]]) -> None:
    """Write the provenance of each output that is finished, and print their paths."""
    for path in outputs.outputs:
        write_sidecar(path, records[path], overwrite=outputs.overwrite)
        print_path(path)


def preview_template(map_picture: Picture) -> Picture:
    """Return a picture of the size and colors of a map's preview, without pixels."""
    shape = (*map_picture.data.shape[-2:], 3)
    return as_picture(dask.array.empty(shape, dtype=np.uint8), None, -1)


def run_to(target: Any, job: DeblurJob | RefocusJob, title: str) -> None:
    """Run a job that writes its picture to an array."""
    with progress_bar(title) as progress:
        replace(job, out=target).run(progress)


def estimate_to(targets: tuple[Any, Any], job: EstimateJob, name: str) -> DefocusMap:
    """Write a map's radius and confidence to arrays; return dask arrays that read these."""
    with progress_bar(f"map {name}") as progress:
        defocus = replace(job, out=targets).run(progress)
    radius, confidence = map(as_dask, targets)
    return DefocusMap(radius, confidence, defocus.signed, defocus.model, defocus.reference)


def deblur_with_map_to(
    files: WindowedFiles, job: DeblurJob, picture: Picture, name: str
) -> tuple[Any, Any]:
    """Return a picture deblurred, and its map, estimated unless it was read, in temporary files."""
    defocus = job.defocus
    if job.estimate is not None:
        template = map_template(picture, job.layout.channel_axis)
        targets = files.temporary("radius", template), files.temporary("confidence", template)
        defocus = estimate_to(targets, job.estimate, name)
        job = job.with_map(defocus)
    sharp = files.temporary("sharp", picture)
    run_to(sharp, job, f"deblur {name}")
    return as_dask(sharp), defocus


def paint_to(target: Any, defocus: DefocusMap) -> None:
    """Paint the sure radii of a plane window by window; a sample decides how colors are spread."""
    radius, confidence = (part.reshape(part.shape[-2:]) for part in defocus)
    height, width = radius.shape
    step = max(1, int((height * width / _SAMPLE) ** 0.5))
    sample = sure_radii(*(part[::step, ::step].compute() for part in (radius, confidence)))
    limit = color_limit(sample)
    for top in range(0, height, _SIDE):
        for left in range(0, width, _SIDE):
            window = slice(top, top + _SIDE), slice(left, left + _SIDE)
            sure = sure_radii(radius[window].compute(), confidence[window].compute())
            target[window] = paint_map(sure, signed=defocus.signed, limit=limit)
