"""Batch run for a worker thread, with progress, counts and an estimate of the time left."""

from collections import Counter
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...batch.existing import ExistingFileError
from ...batch.plan import Plan, plan_steps
from ...batch.process import Outcome
from ...batch.run import Event, run_plan
from ...batch.settings import Settings
from ...deblur_settings import DeblurSettings
from ...inference.engine import Progress
from ...objective import Objective
from ...options import Options
from ...steps import convert_steps
from ..jobs.shell_words import join_words
from ..threads.phases import PhaseProgress

_STEPS_PER_FILE = 1000


@dataclass(frozen=True)
class BatchProgress(Progress):
    """Progress of the whole batch, with the event of one file that caused it."""

    event: Event


@dataclass(frozen=True)
class PlanProgress(Progress):
    """End of the search for files, with the plan that is carried out from now on."""

    plan: Plan


@dataclass(frozen=True)
class ObstacleProgress(Progress):
    """End of a batch that would replace files, about which the user is asked."""

    error: ExistingFileError


class BatchJob:
    """Search for the files of a batch, and its run, as a generator of progress.

    Parameters
    ----------
    paths : list of str
        Files, folders and patterns.
    folder : pathlib.Path
        Folder of the results.
    settings : Settings
        What is done to every file.
    """

    def __init__(self, paths: list[str], folder: Path, settings: Settings) -> None:
        self._paths, self._folder, self._settings = paths, folder, settings
        self.plan: Plan | None = None

    def steps(self) -> Generator[Progress, None, list[Outcome]]:
        """Find the files and work on them, yielding after every tile and every file.

        However it ends, the report is written and the folder unlocked.

        Returns
        -------
        list of Outcome
            One a file; none if files are in the way.
        """
        try:
            plan = yield from convert_steps(
                plan_steps(self._paths, self._folder, self._settings),
                lambda count: PhaseProgress(0, 0, f"looking for files: {count:,}"),
            )
            self.plan = plan
            yield PlanProgress(0, 0, plan)
            return (yield from self._run(plan))
        except ExistingFileError as error:
            yield ObstacleProgress(0, 0, error)
            return []

    def _run(self, plan: Plan) -> Generator[Progress, None, list[Outcome]]:
        def over_files(event: Event) -> BatchProgress:
            share = event.done / event.total if event.total else 0.0
            done = round(_STEPS_PER_FILE * (event.index + share))
            return BatchProgress(done, _STEPS_PER_FILE * len(plan.items), event)

        return (yield from convert_steps(run_plan(plan), over_files))


class Tally:
    """Counts of the files of a batch by their state.

    Parameters
    ----------
    total : int
        Number of files in the batch.
    """

    def __init__(self, total: int) -> None:
        self.total = total
        self.states: Counter[str] = Counter()
        self._seconds = 0.0

    def add(self, outcome: Outcome) -> None:
        """Count one more file."""
        self.states[outcome.state] += 1
        if outcome.state == "done":
            self._seconds += outcome.seconds

    def text(self) -> str:
        """Return how many files are done or failed, and how long the others will take."""
        count = sum(self.states.values())
        states = ", ".join(f"{number} {state}" for state, number in self.states.items())
        text = f"{count} of {self.total} files" + (f": {states}" if states else "")
        if count == self.total or not self.states["done"]:
            return text
        seconds_left = (self.total - count) * self._seconds / self.states["done"]
        return f"{text}; about {_duration(seconds_left)} left"


def as_python(paths: list[str], folder: str, settings: Settings) -> str:
    """Return Python code that runs a batch over `paths`, with results in `folder`."""
    parts: dict[str, DeblurSettings | Options] = {
        "deblurring": settings.deblurring,
        "options": settings.options,
    }
    values = [f"{name}={value!r}" for name, value in _changed(settings).items()]
    names = []
    for name, part in parts.items():
        if part.changed():
            names.append(type(part).__name__)
            changes = ", ".join(f"{key}={value!r}" for key, value in part.changed().items())
            values.append(f"{name}={names[-1]}({changes})")
    if isinstance(settings.options.optics, Objective):
        names.append("Objective")
    return "\n".join(
        [
            *([f"from napari_defocus import {', '.join(names)}"] if names else []),
            "from napari_defocus.batch import Settings, make_plan, run_plan",
            "",
            f"settings = Settings({', '.join(values)})",
            f"plan = make_plan({paths!r}, {folder!r}, settings)",
            "for event in run_plan(plan):",
            "    if event.outcome is not None:",
            "        print(plan.items[event.index].source, event.outcome)",
            "",
        ]
    )


def as_command_line(paths: list[str], folder: str, settings: Settings) -> str:
    """Return the command line that runs a batch over `paths`, with results in `folder`."""
    words = ["napari-defocus", "batch", *paths, folder]
    values = _changed(settings) | settings.deblurring.changed() | settings.options.to_text()
    for name, value in values.items():
        words.append(f"--{name.replace('_', '-')}")
        if value is not True:
            words += value.split() if name == "value_range" else [str(value)]
    return join_words(words)


def _changed(settings: Settings) -> dict[str, Any]:
    """Return the settings of the batch itself that differ from their defaults, by name."""
    names = ("task", "dual_pixel", "stack_axis", "pattern", "existing")
    values = {name: getattr(settings, name) for name in names}
    return {name: value for name, value in values.items() if value != getattr(Settings, name)}


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(round(seconds), 1)} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 90 else f"{minutes / 60:.1f} h"
