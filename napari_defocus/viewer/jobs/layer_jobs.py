"""Jobs on image layers: read the layer in the worker thread, then run a job of the API on it."""

from abc import ABC, abstractmethod
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from ...errors import ImageError
from ...inference.engine import Progress
from ...jobs import Job
from ...options import Options
from ...provenance_record import provenance
from ..layers.image_source import ImageSource
from ..layers.region_mask import RegionMask
from ..layers.regions import WHERE_THE_MAP_IS
from ..threads.phases import PhaseProgress
from .recipe import Call, as_command_line, as_python

ResultT = TypeVar("ResultT", covariant=True)
R = TypeVar("R")


class Runnable(Protocol[ResultT]):
    """What a widget runs: a job, or several in one."""

    def steps(self) -> Generator[Progress, None, ResultT]:
        """Do the work, yielding after every plane that is read and every tile."""

    def as_python(self) -> str:
        """Return Python code that does the same."""

    def as_command_line(self) -> str:
        """Return the command line that does the same."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user may not expect of the run."""


@dataclass(frozen=True)
class LayerJob(ABC, Generic[ResultT]):
    """Work on part of an image layer, for a worker thread.

    Parameters
    ----------
    image : ImageSource
        The part of the layer.
    options : Options
        Options as chosen in the widget; the layer adds channel axis and value range.
    skipped : str
        Name of the newest map if it is not used, for it does not cover the part.
    mask : RegionMask, optional
        Pixels of the part that are worked on.
    """

    image: ImageSource
    options: Options
    skipped: str = field(default="", kw_only=True)
    mask: RegionMask | None = field(default=None, kw_only=True)

    @abstractmethod
    def steps(self) -> Generator[Progress, None, ResultT]:
        """Do the work, yielding after every plane that is read and every tile."""

    @property
    @abstractmethod
    def call(self) -> Call:
        """The call of the API that does the same."""

    def as_python(self) -> str:
        """Return Python code that does the same."""
        return as_python(self.call)

    def as_command_line(self) -> str:
        """Return the command line that does the same."""
        return as_command_line(self.call)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user may not expect of the run."""
        if not self.skipped:
            return ()
        return (
            f"the map {self.skipped!r} covers only part of {self.image.name!r}, so that another "
            f"one was estimated; to deblur only there, choose the region {WHERE_THE_MAP_IS!r}",
        )


def run_on_record(
    job: Job[R], image: ImageSource, inside: Job[R] | None = None
) -> Generator[Progress, None, tuple[R, dict[str, Any]]]:
    """Run a job; return its result and its provenance, which holds hashes of all arrays.

    Parameters
    ----------
    job : Job
        The job.
    image : ImageSource
        The part of the layer that it works on.
    inside : Job, optional
        What is run in its place: the job without the pixels outside of drawn shapes.

    Raises
    ------
    ImageError
        If the pixels of a layer were changed in place meanwhile, for the result would be of both.
    """
    yield PhaseProgress(0, 0, "preparing")
    record = provenance(job, **image.origin)
    result = yield from (inside or job).steps()
    if provenance(job, **image.origin) != record:
        raise ImageError(
            f"the pixels of {image.name!r} or of its map were changed during the run; run again"
        )
    return result, record
