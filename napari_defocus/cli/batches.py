"""The command ``batch``: running a plan and printing its events."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import typer

from ..batch.plan import Plan, make_plan
from ..batch.process import Outcome
from ..batch.report import find_page
from ..batch.run import Event, run_plan
from ..batch.settings import Existing, Settings
from ..errors import OptionError
from .console import note, print_path, progress_bar
from .options import ExistingChoice
from .process import interrupts_blocked

_SOME_FAILED = 1


def run_batch(
    inputs: Sequence[str],
    out: Path,
    settings: Settings,
    *,
    cluster: str | None,
    workers: int | None,
) -> None:
    """Plan and run a batch; print the paths of all results, and of the report.

    Parameters
    ----------
    inputs : sequence of str
        Files, folders and patterns.
    out : pathlib.Path
        Folder of the results.
    settings : Settings
        What is done to every file.
    cluster : str, optional
        Address of the dask scheduler whose workers do the work.
    workers : int, optional
        Number of dask workers to start on this machine for it.

    Raises
    ------
    DefocusError
        If the batch cannot begin.
    typer.Exit
        With status 1 if a file failed.
    """
    plan = make_plan(inputs, out, settings)
    counts: Counter[str] = Counter()
    with (
        _start(plan, cluster, workers) as events,
        progress_bar(f"{len(plan.items)} files") as progress,
    ):
        for event in events:
            share = event.done / event.total if event.total else 0.0
            if event.outcome is not None:
                counts[event.outcome.state] += 1
                share = 0.0
                _print_outcome(plan, event, event.outcome)
            progress(round(1000 * (counts.total() + share)), 1000 * len(plan.items))
    note(", ".join(f"{count} {state}" for state, count in counts.items()))
    print_path(find_page(plan.folder))
    if counts["failed"]:
        raise typer.Exit(_SOME_FAILED)


def existing_files(existing: ExistingChoice, *, overwrite: bool) -> Existing:
    """Return what is done with existing files; ``--overwrite`` means that they are replaced.

    Raises
    ------
    OptionError
        If both options are given and contradict each other.
    """
    if overwrite and existing in (ExistingChoice.KEEP, ExistingChoice.BESIDE):
        raise OptionError(f"--existing {existing} and --overwrite are both given; give one of them")
    return "replace" if overwrite else existing.value


@contextmanager
def _start(plan: Plan, cluster: str | None, workers: int | None) -> Iterator[Iterator[Event]]:
    """Run the plan in this process, or on a cluster."""
    if cluster is None and workers is None:
        yield run_plan(plan)
        return
    from ..batch.cluster import connect, run_on_cluster

    with ExitStack() as stack:
        with interrupts_blocked():
            client = stack.enter_context(connect(cluster, workers))
        yield run_on_cluster(plan, client)


def _print_outcome(plan: Plan, event: Event, outcome: Outcome) -> None:
    item = plan.items[event.index]
    if outcome.state == "failed":
        note(f"Failed: {outcome.message}")
    elif outcome.state == "kept":
        note(f"Kept: {outcome.message}")
    else:
        if outcome.message:
            note(f"Note on {item.source}: {outcome.message}.")
        for path in item.results.values():
            print_path(path)
