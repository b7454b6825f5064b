"""Processing of one file of a batch, from reading it to recording its results."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from ..errors import DefocusError, FileError, reason
from ..image.layout import is_dask
from ..inference.engine import Progress
from ..io import check_target
from ..io.atomic import scratch_folder
from ..physical_size import radii_record
from ..provenance_record import sidecar_path
from .existing import check_inside, find_obstacle, late_refusal, put_result
from .item import Item
from .make import OpenFile, make_results, open_item, result_provenance
from .records import Input, Measures, Record, file_hash, forget_former, verify_results
from .settings import Settings
from .stores import StoreRanges, store_obstacle

State = Literal["done", "verified", "kept", "failed"]
#: Further files of an image that a message names.
_MOST_NAMED = 3


@dataclass(frozen=True)
class Session:
    """What is the same for all files of a run.

    Parameters
    ----------
    folder : pathlib.Path
        Folder of the results.
    settings : Settings
        What is done to every file.
    fingerprint : str
        `Settings.fingerprint`.
    ranges : mapping
        Value ranges of plates and series, by the path of the store, links resolved.
    """

    folder: Path
    settings: Settings
    fingerprint: str
    ranges: Mapping[str, StoreRanges] = field(default_factory=dict)

    def ranges_of(self, item: Item) -> StoreRanges:
        """Return the value ranges of the plate or series that a file belongs to, if any."""
        return {} if item.store is None else self.ranges.get(item.whole.identity, {})

    def input_of(self, item: Item) -> Input:
        """Return the identity of a file, which its results are recognized by.

        Other files of its image, and the value range of its plate or series, are part of it:
        results change with them.
        """
        content = file_hash(item.source)
        more: list[Any] = [file_hash(path) for path in item.others]
        if ranges := self.ranges_of(item):
            more.append(ranges)
        if more:
            text = json.dumps([content, *more], sort_keys=True)
            content = hashlib.sha256(text.encode()).hexdigest()
        return Input(item.identity, content)


@dataclass(frozen=True)
class Outcome:
    """End of the work on one file.

    Parameters
    ----------
    state : {"done", "verified", "kept", "failed"}
        Done now; verified to be done by an earlier run; skipped, to keep files as they are; or
        failed.
    seconds : float
        Time it took.
    measures : Measures, optional
        Measures of its radii.
    message : str
        Reason why it failed or was kept; what is left out of it where it was done.
    """

    state: State
    seconds: float
    measures: Measures | None = None
    message: str = ""


def process_file(item: Item, session: Session) -> Generator[Progress, None, Outcome]:
    """Make the results of a file, unless an earlier run has made them.

    All errors end in an outcome that says what went wrong.

    Parameters
    ----------
    item : Item
        The file and its results.
    session : Session
        Folder and settings.

    Yields
    ------
    Progress
        After every tile.

    Returns
    -------
    Outcome
    """
    start = time.perf_counter()
    try:
        outcome = yield from _process(item, session)
    except Exception as error:  # no error may stop the other files
        outcome = Outcome("failed", 0, message=_describe_error(item, error))
    return replace(outcome, seconds=time.perf_counter() - start)


def _describe_error(item: Item, error: Exception) -> str:
    """Return a message that names the file and what went wrong."""
    if isinstance(error, MemoryError):
        return f"{item.source} does not fit into memory; crop or split it first"
    name = "" if isinstance(error, DefocusError | OSError) else f"{type(error).__name__}: "
    message = f"{name}{reason(error)}"
    return message if str(item.source) in message else f"{item.source}: {message}"


def _process(item: Item, session: Session) -> Generator[Progress, None, Outcome]:
    source = session.input_of(item)
    measures = verify_results(item.results.values(), source, session.fingerprint)
    if measures is not None:
        for path in item.results.values():
            forget_former(path)
        return Outcome("verified", 0, measures)
    for path, whole in zip(item.results.values(), item.whole.results.values(), strict=True):
        check_inside(path, session.folder)
        obstacle = find_obstacle(path, source, session.fingerprint)
        if obstacle is None and item.store is not None:
            obstacle = store_obstacle(whole, item.whole, session.fingerprint)
        if obstacle is not None and session.settings.existing == "keep":
            return Outcome("kept", 0, message=obstacle.sentence)
        if obstacle is not None and not obstacle.yields_to(session.settings.existing):
            raise late_refusal(obstacle)
        check_target(path, overwrite=True)  # before hours of work are lost, as a name is too long
        check_target(sidecar_path(path), overwrite=True)
    measures, notes = yield from _make(item, session, source)
    return Outcome("done", 0, measures, "; ".join(notes))


def _notes(item: Item, file: OpenFile) -> list[str]:
    """Return what a user should know of a file that is done.

    That is in which other files its image lies, whose code read it, what was assumed of its values,
    what is left out.
    """
    names = [path.name for path in item.others]
    shown = ", ".join(names[:_MOST_NAMED]) + (", ..." if len(names) > _MOST_NAMED else "")
    notes = [f"its image lies in {len(names) + 1} files, also in {shown}"] if names else []
    if file.picture.read_by:
        notes.append(f"it was read by {file.picture.read_by}")
    left_out = file.picture.left_out(item.results.get("sharp"))
    ignored = [f"it also holds {left_out}, left out here"] if left_out else []
    if file.is_checked and is_dask(file.picture.data):
        ignored.append("it is too large to be checked")
    return [*notes, *file.assumptions, *ignored]


def _make(
    item: Item, session: Session, source: Input
) -> Generator[Progress, None, tuple[Measures, list[str]]]:
    """Make the results of a file in a scratch folder beside them, then give them their names."""
    folder = item.folder
    with scratch_folder(folder) as scratch:
        try:
            file = open_item(item, session.settings, session.ranges_of(item), scratch)
            for path in file.results.values():
                path.parent.mkdir(parents=True, exist_ok=True)
            made = yield from make_results(file)
        except FileError as error:  # which may name a file that is not there any more
            raise FileError(str(error).replace(str(scratch), str(folder))) from error
        if session.input_of(item) != source:
            raise FileError(f"{item.source} changed while it was worked on; run again")
        for kind, path in item.results.items():
            new = file.results[kind]
            check_inside(path, session.folder)
            made_from = (source.path, source.hash, session.fingerprint)
            record = Record(*made_from, file_hash(new), made.measures)
            fields = result_provenance(kind, file)
            if kind == "sharp" and made.check is not None:
                fields |= {"check": made.check.summary()}
            if kind == "radius":
                median = made.measures.median_radius
                fields |= radii_record(session.settings.unit, file.size, median)
            put_result(new, path, fields, record, session.settings.existing)
    return made.measures, _notes(item, file)
