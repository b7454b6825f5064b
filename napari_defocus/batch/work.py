"""What is done to one file."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ..api import deblur_steps, estimate_defocus_steps
from ..errors import DefocusError, FileError
from ..inference.engine import Progress
from ..io import Picture, check_fits, check_target, read_picture, write_picture
from ..io.files import reason
from ..provenance import provenance, sidecar_path, write_sidecar
from .plan import Item
from .records import Measures, file_hash, is_recorded, is_stranger, verified, with_record
from .settings import Settings

if TYPE_CHECKING:
    from ..maps import DefocusMap

State = Literal["done", "verified", "kept", "failed"]
#: Radii below this many pixels count as in focus.
_IN_FOCUS = 0.5


@dataclass(frozen=True)
class Outcome:
    """What came of a file.

    Parameters
    ----------
    state : {"done", "verified", "kept", "failed"}
        Done now; found done by an earlier run; left, for files that are none of ours are there; or
        not done.
    seconds : float
        How long it took.
    measures : Measures, optional
        What is told of it.
    message : str
        Why it failed or was kept.
    """

    state: State
    seconds: float
    measures: Measures | None = None
    message: str = ""


def work(item: Item, settings: Settings, fingerprint: str) -> Generator[Progress, None, Outcome]:
    """Do to a file what is to be done, unless it is done already.

    Whatever is wrong with the file ends in an outcome that says so.

    Parameters
    ----------
    item : Item
        The file and its results.
    settings : Settings
        What is to be done.
    fingerprint : str
        What `Settings.fingerprint` says.

    Yields
    ------
    Progress
        After every tile.

    Returns
    -------
    Outcome
    """
    began = time.perf_counter()
    try:
        outcome = yield from _work(item, settings, fingerprint)
    except Exception as error:  # whatever it is, the other files are to be done
        outcome = Outcome("failed", 0, message=_why(item, error))
    taken = time.perf_counter() - began
    return Outcome(outcome.state, taken, outcome.measures, outcome.message)


def _why(item: Item, error: Exception) -> str:
    """Say what went wrong with a file, and with which."""
    if isinstance(error, MemoryError):
        return f"{item.source} does not fit into memory; crop or split it first"
    name = "" if isinstance(error, DefocusError | OSError) else f"{type(error).__name__}: "
    words = f"{name}{reason(error)}"
    return words if str(item.source) in words else f"{item.source}: {words}"


def _work(item: Item, settings: Settings, fingerprint: str) -> Generator[Progress, None, Outcome]:
    source = file_hash(item.source)
    known = verified(item, source, fingerprint)
    if known is not None:
        return Outcome("verified", 0, known)
    strangers = [path for path in item.results.values() if is_stranger(path)]
    if strangers and settings.existing == "keep":
        return Outcome("kept", 0, message=f"{strangers[0]} was there already")
    for path in item.results.values():  # before hours of work are lost for a name too long
        check_target(path, overwrite=True)
        check_target(sidecar_path(path), overwrite=True)
    picture = settings.how.interpreted(read_picture(item.source))
    if "sharp" in item.results:
        check_fits(item.results["sharp"], picture)
    arguments = settings.how.arguments(picture)
    model = settings.map_model
    defocus = yield from estimate_defocus_steps(picture.data, model=model, **arguments)
    made: dict[str, Any] = {"radius": defocus.radius, "confidence": defocus.confidence}
    if "sharp" in item.results:
        made["sharp"] = yield from deblur_steps(
            picture.data, defocus, **_deblurring(settings), **arguments
        )
    if file_hash(item.source) != source:
        raise FileError(f"{item.source} changed while it was worked on; run again")
    measures = _measured(defocus)
    axis = arguments["channel_axis"]
    for what, path in item.results.items():
        told = _record(what, item, picture, settings, arguments)
        record = partial(with_record, told, source, fingerprint, measures=measures)
        _write(path, made[what], picture, axis if what != "sharp" else None, record)
    return Outcome("done", 0, measures)


def _write(
    path: Path,
    data: Any,
    picture: Picture,
    channel_axis: int | None,
    record: Callable[[str], dict[str, Any]],
) -> None:
    """Write a result and its record, so that a run that is killed between knows it for its own."""
    if not is_recorded(path):
        write_sidecar(path, record(""), overwrite=True)
    write_picture(path, data, picture, channel_axis=channel_axis, overwrite=True)
    write_sidecar(path, record(file_hash(path)), overwrite=True)


def _deblurring(settings: Settings) -> dict[str, Any]:
    return {
        "strength": settings.strength,
        "protect": settings.protect,
        "detail": settings.detail,
        "model": settings.model,
    }


def _record(
    what: str, item: Item, picture: Picture, settings: Settings, arguments: Mapping[str, Any]
) -> dict[str, Any]:
    cards = settings.cards(settings.how.imaging(picture))
    told = {**arguments, "path": item.source.name}
    if what == "sharp":
        return provenance("deblur", picture.data, {**_deblurring(settings), **told}, cards)
    told["model"] = settings.map_model
    return provenance("estimate_defocus", picture.data, told, cards[-1:])


def _measured(defocus: DefocusMap) -> Measures:
    sizes = np.abs(defocus.radius)
    return Measures(float(np.median(sizes)), float(np.mean(sizes < _IN_FOCUS)))
