"""Plates and series of OME-Zarr in a batch: one value range, and results in the same layout."""

from __future__ import annotations

import json
import os
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import DefocusError, FileError
from ..io import Picture, open_picture, resolve_options
from ..io.atomic import atomic_file, move_into_place, scratch_folder
from ..io.zarr_layout import is_zarr_folder, layout_files, read_collection
from ..options import Options
from ..provenance_record import sidecar_path
from .existing import Obstacle, check_inside, find_recorded_obstacle
from .item import Item
from .plan import Plan
from .records import Measures, Record, write_record

#: Black and white of the images of a store that have the same axes, channels and data type.
StoreRanges = Mapping[str, Any]


def measure_stores(plan: Plan) -> Generator[int, None, dict[str, StoreRanges]]:
    """Measure one value range for all images of each plate and series in a plan.

    Black is the lowest of the images' blacks, and white the highest of their whites, so that
    intensities of tiles and wells stay on one scale. All images of a store count, also those that
    are not in the plan. Channels have a range each, and images of other axes, channel names or
    another data type, such as an overview in a series, have their own.

    Yields
    ------
    int
        Number of the first file of a store, before each of its images is measured.

    Returns
    -------
    dict
        Ranges by the path of the store, links resolved.
    """
    ranges: dict[str, StoreRanges] = {}
    for index, item in enumerate(plan.items):
        key = item.whole.identity
        if item.store is not None and key not in ranges:
            ranges[key] = yield from _measure(item.store, plan.settings.options, index)
    return ranges


def _measure(store: Path, options: Options, index: int) -> Generator[int, None, StoreRanges]:
    ranges: dict[str, Any] = {}
    collection = read_collection(store) if options.value_range is None else None
    for name in () if collection is None else collection.images:
        yield index
        with suppress(DefocusError):  # which the image's own processing says
            picture = _planes(open_picture(store / name), options)
            measured = resolve_options(picture, options, _ignore).value_range
            key = _key(picture, options)
            ranges[key] = _join(ranges.get(key, measured), measured)
    return ranges


def _ignore(text: str) -> None:
    """Leave it to the image's own processing to say what is assumed of its values."""


def _join(one: Any, other: Any) -> Any:
    """Return the lowest black and the highest white of two ranges, of all channels or of each."""
    pairs = np.asarray(one, float), np.asarray(other, float)
    low, high = np.minimum(*pairs)[..., :1], np.maximum(*pairs)[..., 1:]
    joined: Any = np.concatenate([low, high], axis=-1).tolist()
    return joined


def with_store_range(picture: Picture, options: Options, ranges: StoreRanges) -> Options:
    """Return options with the value range of the store that a picture is an image of."""
    value_range = ranges.get(_key(picture, options))
    return options if value_range is None else replace(options, value_range=value_range)


def _planes(picture: Picture, options: Options) -> Picture:
    return picture.as_planes() if options.channel_axis == "none" else picture


def _key(picture: Picture, options: Options) -> str:
    """Return a text that is equal for images that share a value range."""
    axis = picture.axes.find("C")
    channels = picture.data.shape[axis] if axis >= 0 else 1
    names = picture.metadata.channel_names
    return f"{picture.axes} {channels} {picture.data.dtype} {names} {options.channel_axis}"


def prepare_stores(plan: Plan, fingerprint: str) -> None:
    """Make the records by which later runs recognize stores that hold the results of many files.

    A store that no batch made is replaced, by an empty one, if existing files are to be replaced.
    """
    for whole in _wholes(plan.items):
        for path in whole.results.values():
            with suppress(OSError):  # then its files fail, and say why
                _prepare(path, whole, plan, fingerprint)


def _prepare(path: Path, whole: Item, plan: Plan, fingerprint: str) -> None:
    check_inside(path, plan.folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    obstacle = store_obstacle(path, whole, fingerprint)
    if obstacle is not None and not obstacle.yields_to(plan.settings.existing):
        return
    if obstacle is not None and obstacle.kind == "foreign" and path.exists():
        with scratch_folder(path.parent) as scratch:
            (scratch / "new").mkdir()
            move_into_place(scratch / "new", path, overwrite=True)
    if obstacle is None and sidecar_path(path).exists():
        return
    record = Record(whole.identity, "", fingerprint, "", Measures(0.0, 0.0))
    exists = os.path.lexists(sidecar_path(path))
    write_record(path, {"software": "napari-defocus"}, record, overwrite=exists)


def store_obstacle(path: Path, whole: Item, fingerprint: str) -> Obstacle | None:
    """Return what forbids to write into a store of results; None if it is ours, or not there."""
    return find_recorded_obstacle(path, whole.identity, fingerprint, "")


def write_layouts(plan: Plan) -> None:
    """Write the metadata of plates, wells and series for all of their results that are there."""
    items = [*plan.items, *plan.earlier]
    for whole in _wholes(items):
        parts = [item for item in items if item.store == whole.source]
        with suppress(FileError):  # of a source that is damaged or gone
            collection = read_collection(whole.source)
            order = {} if collection is None else {n: i for i, n in enumerate(collection.images)}
            for kind, path in whole.results.items():
                members = {
                    item.source.relative_to(whole.source).as_posix()
                    for item in parts
                    if kind in item.results and is_zarr_folder(item.results[kind])
                }
                members &= order.keys()
                if members and is_ours(path):
                    names = sorted(members, key=order.__getitem__)
                    _write_layout(path, layout_files(whole.source, names, has_xml=kind == "sharp"))


def is_ours(path: Path) -> bool:
    """Return whether a batch has made a store of results."""
    return sidecar_path(path).is_file()


def _write_layout(store: Path, files: Mapping[str, Mapping[str, Any] | bytes]) -> None:
    for name, content in files.items():
        path = store / name
        path.parent.mkdir(parents=True, exist_ok=True)
        data = content if isinstance(content, bytes) else json.dumps(content, indent=2).encode()
        if not path.is_file() or path.read_bytes() != data:
            with atomic_file(path, overwrite=path.exists(), follow_links=False) as file:
                file.write(data)


def _wholes(items: Iterable[Item]) -> Iterator[Item]:
    """Yield the plates and series that items are images of, each once."""
    wholes = {item.whole.identity: item.whole for item in items if item.store is not None}
    yield from wholes.values()
