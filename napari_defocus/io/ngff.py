"""OME-NGFF metadata, versions 0.4 and 0.5: axes, pixel sizes, channel names.

The models of ``yaozarrs`` and ``ome-zarr-models`` check that metadata keep to the specification.
Reading here must be more tolerant: files lack the types of axes, order them otherwise (z before c),
or name channels without colors, all of which these models refuse.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from .picture import Length, Metadata

_AXIS_TYPES = {"t": "time", "c": "channel", "z": "space", "y": "space", "x": "space"}
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
        One letter an axis: T, C, Z, Y or X, and Q for any other.
    metadata : Metadata
        Pixel sizes, channel names, version and display settings.
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
        names = [axis["name"] if isinstance(axis, Mapping) else axis for axis in first["axes"]]
        units = [axis.get("unit") if isinstance(axis, Mapping) else None for axis in first["axes"]]
        axes = "".join(name.upper() if name in _AXIS_TYPES else "Q" for name in names)
    steps = _scale(largest, _scale(first, [1.0] * len(names)))
    sizes = {
        axis: Length(step, str(unit))
        for axis, step, unit in zip(axes, steps, units, strict=True)
        if unit and axis != "Q" and 0 < step < math.inf
    }
    with _parsing("omero"):
        omero = fields.get("omero") or {}
        labels = tuple(str(channel.get("label", "")) for channel in omero.get("channels", ()))
    kept = {"version": str(fields.get("version", first.get("version", "0.4"))), "omero": omero}
    metadata = Metadata(pixel_size=sizes, channel_names=labels if any(labels) else (), ngff=kept)
    return Image(paths, axes, metadata, others)


@contextmanager
def _parsing(key: str) -> Iterator[None]:
    """Turn errors that damaged metadata cause into a ValueError that names their key."""
    try:
        yield
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise ValueError(f"the key {key!r} of its metadata is missing or wrong") from error


def make_attributes(
    metadata: Metadata, axes: str, paths: Sequence[str], name: str, *, version: str
) -> dict[str, Any]:
    """Return the attributes of a group that holds an image and its smaller copies.

    Parameters
    ----------
    metadata : Metadata
        Pixel sizes and channel names.
    axes : str
        One letter an axis, as `name_axes` returns them.
    paths : sequence of str
        Paths of the arrays, each of half the height and width of the one before.
    name : str
        Name of the image.
    version : str
        Version of OME-NGFF: 0.4 or 0.5.
    """
    sizes = metadata.pixel_size
    steps = [sizes[axis].value if axis in sizes else 1.0 for axis in axes]
    image = {
        "name": name,
        "axes": [_axis(axis, sizes.get(axis)) for axis in axes],
        "datasets": [
            {"path": path, "coordinateTransformations": _transformations(steps, 1 << level)}
            for level, path in enumerate(paths)
        ],
    }
    fields: dict[str, Any] = {"multiscales": [image]}
    omero = (metadata.ngff or {}).get("omero") or _channels(metadata.channel_names)
    if omero:
        fields["omero"] = omero
    if version == "0.4":
        image["version"] = version
        return fields
    return {"ome": {"version": version, **fields}}


def name_axes(axes: str) -> str:
    """Rename axes without a meaning (Q and I) to Z, T and C, as far as these are not in use."""
    for axis in "QI":
        while axis in axes and (free := [name for name in "ZTC" if name not in axes]):
            axes = axes.replace(axis, free[0], 1)
    return axes


def _scale(fields: Mapping[str, Any], steps: Sequence[float]) -> list[float]:
    """Multiply the size of a pixel along each axis by the scale in `fields`, if there is one."""
    with _parsing("coordinateTransformations"):
        scales = [
            [float(factor) for factor in transformation["scale"]]
            for transformation in fields.get("coordinateTransformations") or ()
            if transformation.get("type") == "scale" and "scale" in transformation
        ]
    if not scales:
        return list(steps)
    if len(scales[0]) != len(steps):
        raise ValueError(f"a scale of {len(scales[0])} numbers for {len(steps)} axes")
    return [step * factor for step, factor in zip(steps, scales[0], strict=True)]


def _axis(letter: str, size: Length | None) -> dict[str, str]:
    name = letter.lower()
    axis = {"name": name}
    if name in _AXIS_TYPES:
        axis["type"] = _AXIS_TYPES[name]
    if size:
        axis["unit"] = _UNITS.get(size.unit, size.unit)
    return axis


def _transformations(steps: Sequence[float], factor: int) -> list[dict[str, Any]]:
    """Return scale and shift of a copy whose height and width are `factor` times smaller.

    Its pixels are means of `factor` x `factor` pixels, so its first pixel lies further in.
    """
    scale = {"type": "scale", "scale": [*steps[:-2], *(step * factor for step in steps[-2:])]}
    if factor == 1:
        return [scale]
    shift = [*(0.0 for _ in steps[:-2]), *(step * (factor - 1) / 2 for step in steps[-2:])]
    return [scale, {"type": "translation", "translation": shift}]


def _channels(names: Sequence[str]) -> dict[str, Any]:
    return {"channels": [{"label": name} for name in names]} if names else {}
