"""A batch as something to do in a thread: how far it is, and when it will be done."""

import shlex
import time
from collections import Counter
from collections.abc import Generator
from dataclasses import dataclass, fields

from ..batch.how import How
from ..batch.plan import Plan
from ..batch.process import Outcome
from ..batch.run import Event, run_plan
from ..batch.settings import Settings
from ..inference.engine import Progress

_STEPS_A_FILE = 1000


@dataclass(frozen=True)
class Step(Progress):
    """How far a batch is, and what has happened to one of its files."""

    event: Event


class BatchJob:
    """Runs a plan.

    Parameters
    ----------
    plan : Plan
        What is to be done.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._events = run_plan(plan)

    def steps(self) -> Generator[Step, None, list[Outcome]]:
        """Do it; yields after every tile and every file."""
        while True:
            try:
                event = next(self._events)
            except StopIteration as stop:
                outcomes: list[Outcome] = stop.value
                return outcomes
            share = event.done / event.total if event.total else 0.0
            done = round(_STEPS_A_FILE * (event.index + share))
            yield Step(done, _STEPS_A_FILE * len(self.plan.items), event)

    def close(self) -> None:
        """End it where it is, if its thread has come to rest: write the report, free the folder."""
        self._events.close()


class Tally:
    """Counts what has become of the files of a batch.

    Parameters
    ----------
    total : int
        Files in all.
    """

    def __init__(self, total: int) -> None:
        self.total = total
        self.states: Counter[str] = Counter()
        self._seconds = 0.0
        self._began = time.monotonic()

    def add(self, outcome: Outcome) -> None:
        """Count a file."""
        self.states[outcome.state] += 1
        if outcome.state == "done":
            self._seconds += outcome.seconds

    def text(self) -> str:
        """Say how many are done, failed, and how long the others will take."""
        count = sum(self.states.values())
        states = ", ".join(f"{number} {state}" for state, number in self.states.items())
        told = f"{count} of {self.total} files" + (f": {states}" if states else "")
        if count == self.total or not self.states["done"]:
            return told
        left = (self.total - count) * self._seconds / self.states["done"]
        return f"{told}; about {_duration(left)} left"


def as_python(given: list[str], folder: str, settings: Settings) -> str:
    """Python code that does the same."""
    told = _changed(settings)
    how = _changed(settings.how)
    if how:
        inner = ", ".join(f"{name}={value!r}" for name, value in how.items())
        told["how"] = f"How({inner})"
    words = ", ".join(
        f"{name}={value if name == 'how' else repr(value)}" for name, value in told.items()
    )
    imports = ["from napari_defocus.batch.how import How"] if how else []
    return "\n".join(
        [
            *imports,
            "from napari_defocus.batch.plan import make_plan",
            "from napari_defocus.batch.run import run_plan",
            "from napari_defocus.batch.settings import Settings",
            "",
            f"plan = make_plan({given!r}, {folder!r}, Settings({words}))",
            "for event in run_plan(plan):",
            "    if event.outcome is not None:",
            "        print(plan.items[event.index].source, event.outcome)",
            "",
        ]
    )


def as_command_line(given: list[str], folder: str, settings: Settings) -> str:
    """The command that does the same."""
    words = ["napari-defocus", "batch", *given, folder]
    for name, value in (_changed(settings) | _changed(settings.how)).items():
        words.append(f"--{name.replace('_', '-')}")
        if value is not True:
            words.append(str(value))
    return shlex.join(words)


def _changed(options: Settings | How) -> dict[str, object]:
    """Options that differ from their defaults."""
    plain = type(options)()
    return {
        field.name: value
        for field in fields(options)
        if (value := getattr(options, field.name)) != getattr(plain, field.name)
        and not isinstance(value, How)
    }


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(round(seconds), 1)} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 90 else f"{minutes / 60:.1f} h"
