"""Layouts of zarr stores that hold many images: plates with wells, and series of bioformats2raw.

Their metadata are read as JSON, so that a batch is planned without the package zarr.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from ..errors import FileError, reason
from .json_file import read_json
from .series import split_region, split_series

#: Suffix of the folder of a zarr store, and files of which each of its groups and arrays has one.
SUFFIX = ".zarr"
METADATA_FILES = ("zarr.json", ".zgroup", ".zarray", ".zattrs")
#: Attribute by which bioformats2raw says that images are groups named by numbers.
_SERIES_LAYOUT = "bioformats2raw.layout"
_KEYS = {"plate", "well", _SERIES_LAYOUT}
_SERIES_GROUP = "OME"
_SERIES_XML = "METADATA.ome.xml"
_MOST_IMAGES = 100_000


@dataclass(frozen=True)
class Collection:
    """A group that holds many images.

    Parameters
    ----------
    kind : {"plate", "well", "series"}
        A plate of wells, a well of fields, or the series of a file that bioformats2raw converted.
    images : tuple of str
        Paths of the images within the group, in its order.
    attributes : mapping
        Attributes of the group, those under "ome" for OME-Zarr 0.5.
    """

    kind: Literal["plate", "well", "series"]
    images: tuple[str, ...]
    attributes: Mapping[str, Any]

    def describe(self) -> str:
        """Return in words what it holds."""
        count = len(self.images)
        images = "1 image" if count == 1 else f"{count} images"
        if self.kind != "plate":
            return f"a {self.kind} of {images}"
        wells = len({str(PurePosixPath(image).parent) for image in self.images})
        rows, columns = (_count(self.attributes["plate"].get(key)) for key in ("rows", "columns"))
        return f"a plate of {rows} rows and {columns} columns: {wells} wells with {images}"


def is_zarr_folder(path: Path) -> bool:
    """Return whether a path is a folder that is named as a zarr store or holds metadata of one."""
    if not path.is_dir():
        return False
    return path.suffix.lower() == SUFFIX or any((path / name).is_file() for name in METADATA_FILES)


def enclosing_store(path: Path) -> Path | None:
    """Return the outermost zarr store that a path lies in, or is; None if there is none."""
    path = Path(os.path.normpath(path.absolute()))
    stores = [folder for folder in (path, *path.parents) if is_zarr_folder(folder)]
    return stores[-1] if stores else None


def store_part(path: Path) -> tuple[Path, Path] | None:
    """Split the path of an image within a zarr store, by names alone; None if it is not in one.

    Returns
    -------
    store, member : pathlib.Path
        The store, and the path within it.

    Examples
    --------
    >>> store, member = store_part(Path("plates/a.zarr/B/2/0"))
    >>> store.name, member.as_posix()
    ('a.zarr', 'B/2/0')
    """
    if path.suffix:
        return None
    for folder in path.parents:
        if folder.suffix.lower() == SUFFIX:
            return folder, path.relative_to(folder)
    return None


def collection_root(path: Path) -> Path | None:
    """Return the plate, well or series that an image belongs to; None if it is not part of one."""
    path = Path(os.path.normpath(path.absolute()))
    for folder in reversed(path.parents):
        if is_zarr_folder(folder) and not _KEYS.isdisjoint(read_attributes(folder)[0]):
            return folder
    return None


def flat_name(path: Path) -> Path:
    """Return a path beside the store or file for an image in it; that of any other as it is.

    Examples
    --------
    >>> flat_name(Path("a.ome.zarr/B/2/0")).name, flat_name(Path("a.zarr")).name
    ('a-B-2-0.ome.zarr', 'a.zarr')
    """
    if path.is_file() or path.suffix.lower() == SUFFIX:
        return path
    image, region = split_region(path)
    if region is not None:
        flat = flat_name(image)
        return flat.with_name(f"{flat.stem}-{region.replace(',', '-')}{flat.suffix}")
    file, series = split_series(path)
    if series is not None:
        return file.with_name(f"{file.stem}-{series}{file.suffix}")
    absolute, store = Path(os.path.normpath(path.absolute())), enclosing_store(path)
    if store == absolute:
        return with_suffix(path)
    if store is None:
        store, _ = store_part(path) or (None, path)
        absolute = path
    if store is None:
        return path
    stem, dot, suffix = with_suffix(store).name.partition(".")
    return store.with_name("-".join([stem, *absolute.relative_to(store).parts]) + dot + suffix)


def with_suffix(store: Path) -> Path:
    """Return the path of a store with the suffix ".zarr", which stores may lack."""
    return store if store.suffix.lower() == SUFFIX else store.with_name(store.name + SUFFIX)


def read_attributes(group: Path) -> tuple[dict[str, Any], int]:
    """Return the attributes of a group, those under "ome" for OME-Zarr 0.5, and its zarr format.

    Raises
    ------
    FileError
        If they are damaged.
    """
    try:
        if (group / "zarr.json").is_file():
            attributes = read_json(group / "zarr.json").get("attributes", {})
            zarr_format = 3
        else:
            zattrs = group / ".zattrs"
            attributes, zarr_format = (read_json(zattrs) if zattrs.is_file() else {}), 2
        fields = attributes.get("ome", attributes)
    except (OSError, ValueError, AttributeError) as error:
        raise FileError(f"{group} is a damaged zarr store: {reason(error)}") from error
    if not isinstance(fields, dict):
        raise FileError(f"{group} is damaged: the key 'ome' of its metadata is wrong")
    return fields, zarr_format


def read_collection(group: Path) -> Collection | None:
    """Return the images that a group says to hold; None if it is no plate, well or series.

    Raises
    ------
    FileError
        If its metadata are damaged.
    """
    attributes, _ = read_attributes(group)
    try:
        if "plate" in attributes:
            wells = [_relative(well["path"]) for well in attributes["plate"].get("wells", ())]
            images = tuple(image for well in wells for image in _well_images(group, well))
            return Collection("plate", images, attributes)
        if "well" in attributes:
            return Collection("well", _fields(attributes), attributes)
        if _SERIES_LAYOUT in attributes:
            return Collection("series", _series(group), attributes)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise FileError(f"{group} is a damaged zarr store: {reason(error)}") from error
    return None


def label_names(group: Path) -> list[str]:
    """Return the names of the label images that belong to an image."""
    folder = group / "labels"
    if folder.is_symlink() or not folder.is_dir():
        return []
    names = read_attributes(folder)[0].get("labels")
    if not isinstance(names, list):
        names = sorted(path.name for path in folder.iterdir() if is_zarr_folder(path))
    return [str(name) for name in names if is_zarr_folder(folder / _relative(str(name)))]


def layout_files(
    store: Path, members: Iterable[str], *, has_xml: bool
) -> dict[str, Mapping[str, Any] | bytes]:
    """Return what makes a new store of some images of `store` as its layout says.

    Plates of OME-Zarr before 0.4 become plates of 0.4, as their images do.

    Parameters
    ----------
    store : pathlib.Path
        The store whose layout is kept.
    members : iterable of str
        Paths of the images within it that the new store holds.
    has_xml : bool
        Whether the OME-XML of a series, which describes the pixels of its images, is kept.

    Returns
    -------
    dict
        By path within the new store: the content of JSON files, and bytes of others.
    """
    members = list(members)
    groups = {str(parent) for each in members for parent in PurePosixPath(each).parents}
    attributes, zarr_format = read_attributes(store)
    version = {"version": "0.4"} if zarr_format == 2 else {}
    files: dict[str, Mapping[str, Any] | bytes] = {}
    for group in sorted(groups):
        fields = dict(read_attributes(store / group)[0])
        if "plate" in fields:
            fields["plate"] = _plate_of(fields["plate"], members) | version
        elif "well" in fields:
            fields["well"] = _well_of(fields["well"], group, members) | version
        files |= _group_files(group, fields, zarr_format)
    if _SERIES_LAYOUT in attributes and "plate" not in attributes:
        fields = {**read_attributes(store / _SERIES_GROUP)[0], "series": members}
        if zarr_format == 3:
            fields.setdefault("version", attributes.get("version", "0.5"))
        files |= _group_files(_SERIES_GROUP, fields, zarr_format)
        xml = store / _SERIES_GROUP / _SERIES_XML
        if has_xml and xml.is_file() and len(members) == len(_series(store)):
            files[f"{_SERIES_GROUP}/{_SERIES_XML}"] = xml.read_bytes()
    return files


def _group_files(
    group: str, fields: Mapping[str, Any], zarr_format: int
) -> dict[str, Mapping[str, Any] | bytes]:
    folder = "" if group == "." else f"{group}/"
    if zarr_format == 2:
        files: dict[str, Mapping[str, Any] | bytes] = {f"{folder}.zgroup": {"zarr_format": 2}}
        return {**files, f"{folder}.zattrs": fields} if fields else files
    attributes = {"ome": fields} if fields else {}
    return {
        f"{folder}zarr.json": {"zarr_format": 3, "node_type": "group", "attributes": attributes}
    }


def _plate_of(plate: Mapping[str, Any], members: Sequence[str]) -> dict[str, Any]:
    """Return a plate's metadata with the wells alone that hold some of its images."""
    wells = {str(PurePosixPath(member).parent) for member in members}
    places = {
        key: [str(line["name"]) for line in plate[lines]]
        for key, lines in (("rowIndex", "rows"), ("columnIndex", "columns"))
    }
    kept = []
    for well in plate.get("wells", ()):
        path = _relative(well["path"])
        if path in wells:
            names = zip(places.items(), path.split("/"), strict=True)
            indices = {key: lines.index(name) for (key, lines), name in names}
            kept.append({**indices, **well, "path": path})
    return {**plate, "wells": kept}


def _well_of(well: Mapping[str, Any], group: str, members: Sequence[str]) -> dict[str, Any]:
    """Return a well's metadata with some of its images alone."""
    names = {PurePosixPath(m).name for m in members if str(PurePosixPath(m).parent) == group}
    return {**well, "images": [image for image in well["images"] if image["path"] in names]}


def _well_images(plate: Path, well: str) -> list[str]:
    """Return the images of a well; the well itself where it is missing, which is said later."""
    if not is_zarr_folder(plate / well):
        return [well]
    attributes, _ = read_attributes(plate / well)
    return [f"{well}/{field}" for field in _fields(attributes)] if "well" in attributes else [well]


def _fields(attributes: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(_relative(image["path"]) for image in attributes["well"]["images"])


def _series(store: Path) -> tuple[str, ...]:
    listed = read_attributes(store / _SERIES_GROUP)[0].get("series")
    if isinstance(listed, list):
        return tuple(_relative(name) for name in listed)
    names: list[str] = []
    while len(names) < _MOST_IMAGES and is_zarr_folder(store / str(len(names))):
        names.append(str(len(names)))
    return tuple(names)


def _relative(path: Any) -> str:
    """Return a path within a group; a ValueError if it leads out of it."""
    parts = PurePosixPath(str(path).strip("/")).parts
    if not isinstance(path, str) or not parts or ".." in parts or "\0" in path or "\\" in path:
        raise ValueError(f"the path {path!r} in its metadata is wrong")
    return "/".join(parts)


def _count(items: Any) -> int:
    return len(items) if isinstance(items, list) else 0
