"""OME-NGFF metadata, versions 0.1 to 0.5: axes, pixel sizes, places, channel names, labels.

The models of ``yaozarrs`` and ``ome-zarr-models`` check that metadata keep to the specification.
Reading here must be more tolerant: files lack the types of axes, order them otherwise (z before c),
or name channels without colors, all of which these models refuse.

Versions 0.1 and 0.2 name no axes, 0.3 names them by a letter each, and 0.4 and 0.5 describe them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from .picture import Length, Metadata

_AXIS_TYPES = {"t": "time", "c": "channel", "z": "space", "y": "space", "x": "space"}
_TYPE_LETTERS = {"time": "T", "channel": "C"}
_MOST_SIZES = 64  # each half of the one before
_UNITS = {
    "µm": "micrometer",
    "μm": "micrometer",
    "um": "micrometer",
    "micron": "micrometer",
    "microns": "micrometer",
    "nm": "nanometer",
    "mm": "millimeter",
    "cm": "centimeter",
    "m": "meter",
    "s": "second",
    "sec": "second",
    "ms": "millisecond",
    "min": "minute",
}


@dataclass(frozen=True)
class Image:
    """The first image that a group describes.

    Parameters
    ----------
    paths : tuple of str
        Paths of its arrays within the group, from the largest to the smallest.
    axes : str
        One letter an axis: T, C, Z, Y or X, and Q for any other; empty if they are not named.
    metadata : Metadata
        Pixel sizes, origin, channel names, version, axes and display settings.
    others : int
        Number of further images in the group.
    """

    paths: tuple[str, ...]
    axes: str
    metadata: Metadata
    others: int


def parse_attributes(attributes: Mapping[str, Any]) -> Image | None:
    """Return the first image that the attributes of a zarr group describe, None if there is none.

    Raises
    ------
    ValueError
        If the attributes are damaged.
    """
    with _parsing("multiscales"):
        fields = attributes.get("ome", attributes)
        images = fields.get("multiscales")
        if not images:
            return None
        first, others = images[0], len(images) - 1
    with _parsing("datasets"):
        datasets = first["datasets"]
        largest, paths = datasets[0], tuple(str(dataset["path"]) for dataset in datasets)
    if len(paths) > _MOST_SIZES:
        raise ValueError(f"it lists {len(paths)} sizes of an image")
    with _parsing("axes"):
        described = [
            dict(axis) if isinstance(axis, Mapping) else {"name": str(axis)}
            for axis in first.get("axes") or ()
        ]
        axes = _letters(described)
    with _parsing("coordinateTransformations"):
        steps, shifts = _place(largest, first, len(axes))
    with _parsing("omero"):
        omero = fields.get("omero") or {}
        labels = tuple(str(channel.get("label", "")) for channel in omero.get("channels", ()))
    version = str(fields.get("version", first.get("version", "0.4")))
    kept: dict[str, Any] = {"version": version, "omero": omero}
    if axes:
        kept["axes"] = [_complete(axis) for axis in described]
    units = [str(axis.get("unit") or "") for axis in described]
    metadata = Metadata(
        pixel_size={
            axis: Length(step, unit)
            for axis, step, unit in zip(axes, steps, units, strict=True)
            if axes.count(axis) == 1 and 0 < abs(step) < math.inf and (unit or step != 1)
        },
        origin={
            axis: shift
            for axis, shift in zip(axes, shifts, strict=True)
            if axes.count(axis) == 1 and 0 < abs(shift) < math.inf
        },
        channel_names=labels if any(labels) else (),
        ngff=kept,
    )
    return Image(paths, axes, metadata, others)


def unnamed_axes(count: int) -> str:
    """Return the letters of axes that no metadata name: versions 0.1 and 0.2 have always five.

    Examples
    --------
    >>> unnamed_axes(5), unnamed_axes(3)
    ('TCZYX', 'QYX')
    """
    return "TCZYX" if count == 5 else "Q" * (count - 2) + "YX"


def _letters(axes: Sequence[Mapping[str, Any]]) -> str:
    """Return a letter for each axis: by its name, or as time or channel by its type."""
    names = [str(axis["name"]).lower() for axis in axes]
    letters = [name.upper() if name in _AXIS_TYPES else "" for name in names]
    for index, axis in enumerate(axes):
        other = _TYPE_LETTERS.get(str(axis.get("type")), "Q")
        letters[index] = letters[index] or ("Q" if other in letters else other)
    return "".join(letters)


def _complete(axis: Mapping[str, Any]) -> dict[str, str]:
    """Return name, type and unit of an axis; the type follows from the name if it is missing."""
    kind = axis.get("type") or _AXIS_TYPES.get(str(axis["name"]).lower())
    fields = {"name": axis["name"], "type": kind, "unit": axis.get("unit")}
    return {name: str(value) for name, value in fields.items() if value}


class _CountError(ValueError):
    """Raised for a transformation that does not fit the number of axes."""


@contextmanager
def _parsing(key: str) -> Iterator[None]:
    """Turn errors that damaged metadata cause into a ValueError that names their key."""
    try:
        yield
    except _CountError:
        raise
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise ValueError(f"the key {key!r} of its metadata is missing or wrong") from error


def make_attributes(
    metadata: Metadata, axes: str, paths: Sequence[str], name: str, *, version: str
) -> dict[str, Any]:
    """Return the attributes of a group that holds an image and its smaller copies.

    Parameters
    ----------
    metadata : Metadata
        Pixel sizes, origin and display settings.
    axes : str
        One letter an axis, as the picture has them.
    paths : sequence of str
        Paths of the arrays, each of half the height and width of the one before.
    name : str
        Name of the image.
    version : str
        Version of OME-NGFF: 0.4 or 0.5.
    """
    sizes, origin = metadata.pixel_size, metadata.origin
    steps = [sizes[axis].value if axis in sizes else 1.0 for axis in axes]
    shifts = [origin.get(axis, 0.0) for axis in axes]
    image = {
        "name": name,
        "axes": describe_axes(metadata, axes),
        "datasets": [
            {"path": path, "coordinateTransformations": _transformations(steps, shifts, 1 << level)}
            for level, path in enumerate(paths)
        ],
    }
    fields: dict[str, Any] = {"multiscales": [image]}
    omero = (metadata.ngff or {}).get("omero")
    if omero:
        fields["omero"] = omero
    if version == "0.4":
        image["version"] = version
        return fields
    return {"ome": {"version": version, **fields}}


def describe_axes(metadata: Metadata, axes: str) -> list[dict[str, str]]:
    """Return name, type and unit of each axis: those of the file that a picture was read from."""
    axes_read = (metadata.ngff or {}).get("axes", ())
    if _letters(axes_read) == axes:
        return [dict(axis) for axis in axes_read]
    sizes = metadata.pixel_size
    return [
        _axis(name, sizes.get(letter)) for letter, name in zip(axes, name_axes(axes), strict=True)
    ]


def name_axes(axes: str) -> str:
    """Rename axes without a meaning (Q and I) to Z, T and C, as far as these are not in use."""
    for axis in "QI":
        while axis in axes and (free := [name for name in "ZTC" if name not in axes]):
            axes = axes.replace(axis, free[0], 1)
    return axes


def _place(
    largest: Mapping[str, Any], image: Mapping[str, Any], count: int
) -> tuple[list[float], list[float]]:
    """Return scale and translation of an image's largest array along each of `count` axes.

    Transformations of the array come first, then those of the image, each in its order.
    """
    steps, shifts = [1.0] * count, [0.0] * count
    transformations = [
        each
        for fields in (largest, image)
        for each in fields.get("coordinateTransformations") or ()
    ]
    for transformation in transformations:
        kind = transformation.get("type")
        if kind not in ("scale", "translation") or kind not in transformation:
            continue
        numbers = [float(number) for number in transformation[kind]]
        if len(numbers) != count and count:
            raise _CountError(f"a {kind} of {len(numbers)} numbers for {count} axes")
        if kind == "scale":
            steps = [step * factor for step, factor in zip(steps, numbers, strict=False)]
            shifts = [shift * factor for shift, factor in zip(shifts, numbers, strict=False)]
        else:
            shifts = [shift + number for shift, number in zip(shifts, numbers, strict=False)]
    return steps, shifts


def _axis(letter: str, size: Length | None) -> dict[str, str]:
    name = letter.lower()
    axis = {"name": name}
    if name in _AXIS_TYPES:
        axis["type"] = _AXIS_TYPES[name]
    if size and size.unit:
        axis["unit"] = _UNITS.get(size.unit, size.unit)
    return axis


def _transformations(
    steps: Sequence[float], origin: Sequence[float], factor: int
) -> list[dict[str, Any]]:
    """Return scale and translation of a copy whose height and width are `factor` times smaller.

    Its pixels are means of `factor` x `factor` pixels, so its first pixel lies further in.
    """
    scale = {"type": "scale", "scale": [*steps[:-2], *(step * factor for step in steps[-2:])]}
    inward = [*(0.0 for _ in steps[:-2]), *(step * (factor - 1) / 2 for step in steps[-2:])]
    shift = [start + step for start, step in zip(origin, inward, strict=True)]
    if factor == 1 and not any(shift):
        return [scale]
    return [scale, {"type": "translation", "translation": shift}]


def describe_channels(names: Sequence[str], limits: Sequence[tuple[float, float]]) -> list[Any]:
    """Return the display settings of channels, which the specification wants to be complete.

    Parameters
    ----------
    names : sequence of str
        Names of the channels.
    limits : sequence of (float, float)
        Smallest and largest value of each.
    """
    return [
        {
            "label": name,
            "color": "FFFFFF",
            "active": True,
            "window": {"min": low, "start": low, "end": high, "max": high},
        }
        for name, (low, high) in zip(names, limits, strict=True)
    ]
