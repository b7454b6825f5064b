"""OME-NGFF metadata, versions 0.4 and 0.5: axes, pixel sizes, channel names."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .picture import Length, Metadata

_KINDS = {"t": "time", "c": "channel", "z": "space", "y": "space", "x": "space"}
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
        Of its arrays within the group, the one of full size first.
    axes : str
        A letter an axis; Q where it is none of T, C, Z, Y and X.
    metadata : Metadata
        Sizes, names of channels, and what is carried on.
    others : int
        Further images described beside it.
    """

    paths: tuple[str, ...]
    axes: str
    metadata: Metadata
    others: int


def describe(attributes: Mapping[str, Any]) -> Image | None:
    """Understand the attributes of a zarr group.

    Returns
    -------
    Image or None
        None if they describe no image.

    Raises
    ------
    ValueError, KeyError, TypeError, IndexError
        If they are damaged.
    """
    told = attributes.get("ome", attributes)
    scales = told.get("multiscales")
    if not scales:
        return None
    first = scales[0]
    names = [axis["name"] if isinstance(axis, Mapping) else axis for axis in first["axes"]]
    units = [axis.get("unit") if isinstance(axis, Mapping) else None for axis in first["axes"]]
    axes = "".join(name.upper() if name in _KINDS else "Q" for name in names)
    dataset = first["datasets"][0]
    steps = _scale(dataset, len(names), _scale(first, len(names), [1.0] * len(names)))
    sizes = {
        axis: Length(step, str(unit))
        for axis, step, unit in zip(axes, steps, units, strict=True)
        if unit and axis != "Q" and 0 < step < math.inf
    }
    omero = told.get("omero") or {}
    labels = tuple(str(channel.get("label", "")) for channel in omero.get("channels", ()))
    kept = {"version": str(told.get("version", first.get("version", "0.4"))), "omero": omero}
    metadata = Metadata(pixel_size=sizes, channel_names=labels if any(labels) else (), ngff=kept)
    paths = tuple(str(one["path"]) for one in first["datasets"])
    return Image(paths, axes, metadata, len(scales) - 1)


def attributes(
    metadata: Metadata, axes: str, names: Sequence[str], name: str, *, version: str
) -> dict[str, Any]:
    """Return the attributes of a group that holds an image and its smaller copies.

    Parameters
    ----------
    metadata : Metadata
        Sizes and names of channels.
    axes : str
        A letter an axis, as `named` returns them.
    names : sequence of str
        Paths of the arrays, each of half the height and width of the one before.
    name : str
        Of the image.
    version : str
        Of OME-NGFF: 0.4 or 0.5.
    """
    sizes = metadata.pixel_size
    steps = [sizes[axis].value if axis in sizes else 1.0 for axis in axes]
    scales = {
        "name": name,
        "axes": [_axis(axis, sizes.get(axis)) for axis in axes],
        "datasets": [
            {"path": path, "coordinateTransformations": _placed(steps, 1 << level)}
            for level, path in enumerate(names)
        ],
    }
    told: dict[str, Any] = {"multiscales": [scales]}
    omero = (metadata.ngff or {}).get("omero") or _labels(metadata.channel_names)
    if omero:
        told["omero"] = omero
    if version == "0.4":
        scales["version"] = version
        return told
    return {"ome": {"version": version, **told}}


def named(axes: str) -> str:
    """Give axes without a meaning (Q and I) the names Z, T and C as far as these are free."""
    for axis in "QI":
        while axis in axes and (free := [name for name in "ZTC" if name not in axes]):
            axes = axes.replace(axis, free[0], 1)
    return axes


def _scale(told: Mapping[str, Any], count: int, before: Sequence[float]) -> list[float]:
    """Multiply what one pixel measures by the scale that is told, if one is."""
    for change in told.get("coordinateTransformations") or ():
        if change.get("type") == "scale" and "scale" in change:
            factors = [float(factor) for factor in change["scale"]]
            if len(factors) != count:
                raise ValueError(f"a scale of {len(factors)} numbers for {count} axes")
            return [a * b for a, b in zip(before, factors, strict=True)]
    return list(before)


def _axis(letter: str, size: Length | None) -> dict[str, str]:
    name = letter.lower()
    told = {"name": name}
    if name in _KINDS:
        told["type"] = _KINDS[name]
    if size:
        told["unit"] = _UNITS.get(size.unit, size.unit)
    return told


def _placed(steps: Sequence[float], times: int) -> list[dict[str, Any]]:
    """Where pixels of a copy lie that is `times` smaller along Y and X."""
    shrunk = [*steps[:-2], *(step * times for step in steps[-2:])]
    scale = {"type": "scale", "scale": shrunk}
    if times == 1:
        return [scale]
    shift = [*(0.0 for _ in steps[:-2]), *(step * (times - 1) / 2 for step in steps[-2:])]
    return [scale, {"type": "translation", "translation": shift}]


def _labels(names: Sequence[str]) -> dict[str, Any]:
    return {"channels": [{"label": name} for name in names]} if names else {}
