"""Deblurring of several channels in one run, each by its own map or all by that of one."""

from collections.abc import Generator
from dataclasses import dataclass, replace

from ...errors import OptionError
from ...inference.engine import Progress
from ..maps.map_source import MapSource
from ..threads.phases import in_phase
from .deblur_job import DeblurLayerJob, DeblurResult


@dataclass(frozen=True)
class ChannelsJob:
    """Deblurring of channels, one after another.

    Parameters
    ----------
    jobs : tuple of DeblurLayerJob
        Jobs of the channels.
    shared : int or None
        Number of the channel whose map serves all; None if each has its own.
    """

    jobs: tuple[DeblurLayerJob, ...]
    shared: int | None = None

    def steps(self) -> Generator[Progress, None, tuple[DeblurResult, ...]]:
        """Deblur the channels, that with the map first; return the results in their order."""
        order = sorted(range(len(self.jobs)), key=lambda number: number != self.shared)
        results: dict[int, DeblurResult] = {}
        source: MapSource | None = None
        for count, number in enumerate(order, 1):
            job = self.jobs[number]
            if source is not None:
                job = replace(job, defocus=replace(source, image=job.image.name))
            label = f"{job.image.name} ({count}/{len(order)})" if len(order) > 1 else ""
            results[number] = yield from in_phase(job.steps(), label)
            if number == self.shared:
                source = self._source(job, results[number])
        return tuple(results[number] for number in range(len(self.jobs)))

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user may not expect of the run."""
        return tuple(note for job in self.jobs for note in job.notes)

    def as_python(self) -> str:
        """Return Python code that does the same for one channel after another."""
        return "\n".join(job.as_python() for job in self._complete())

    def as_command_line(self) -> str:
        """Return the commands that do the same for one channel after another."""
        return "\n".join(job.as_command_line() for job in self._complete())

    def _complete(self) -> tuple[DeblurLayerJob, ...]:
        """Return the jobs, each with its map if that is shared."""
        if self.shared is None:
            return self.jobs
        source = self.jobs[self.shared].defocus
        if source is None:
            raise OptionError(
                f"all channels take the map of {self.jobs[self.shared].image.name!r}, which is "
                "estimated when this runs; run once, and copy then"
            )
        return tuple(
            replace(job, defocus=replace(source, image=job.image.name)) for job in self.jobs
        )

    @staticmethod
    def _source(job: DeblurLayerJob, result: DeblurResult) -> MapSource | None:
        """Return the map that a job used, for the other channels."""
        if result.estimated is None:
            return job.defocus
        made = result.estimated.estimated
        shape = made.map.radius.shape
        return MapSource(
            data=made.map.radius,
            slices=tuple(slice(0, size) for size in shape),
            estimated=made,
            name=f"{job.image.name} defocus",
            path=None,
            image=job.image.name,
            transform=None,
            discrete=False,
        )
