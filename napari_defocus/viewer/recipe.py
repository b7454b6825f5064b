"""A run as Python code and as a command line, to copy."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .map_layers import MAP_KEY, MapSource
from .reading import Source


@dataclass(frozen=True)
class Call:
    """A call of the API, and the command that does the same.

    Parameters
    ----------
    function, command : str
        Name in the API, and on the command line.
    results : str
        Names that the results are given.
    inputs : mapping
        Name of an array, which is also the option's name on the command line, and where its values
        come from; the first is what it is all about.
    encoding : str
        As in the API.
    changed : mapping
        Further arguments that differ from the API's defaults.
    """

    function: str
    command: str
    results: str
    inputs: Mapping[str, Source | MapSource]
    encoding: str
    changed: Mapping[str, Any]

    @property
    def image(self) -> Source:
        """What it is all about."""
        first = next(iter(self.inputs.values()))
        assert isinstance(first, Source)
        return first


def as_python(call: Call) -> str:
    """Python code that computes the same, bit for bit.

    Images that came from a file are read from it; others are taken from the viewer, as in napari's
    console.
    """
    image = call.image
    imports = [f"from napari_defocus import {call.function}"]
    if any(_is_file(source) for source in call.inputs.values()):
        imports.append("from napari_defocus.io import read_picture")
    named: dict[str, str] = {}
    if image.channel_axis is not None:
        named["channel_axis"] = repr(image.channel_axis)
    if image.range_needs_whole(call.encoding):
        imports.append("from napari_defocus.arrays import measure_range, read_layout")
        encoding = "" if call.encoding == "auto" else f", encoding={call.encoding!r}"
        named["value_range"] = f"measure_range(image, read_layout(image{encoding}))"
    named |= {name: repr(value) for name, value in call.changed.items()}
    arguments = [_part(name, source) for name, source in call.inputs.items()]
    if any(argument.startswith("DefocusMap(") for argument in arguments):
        imports[0] += ", DefocusMap"
    arguments += [f"{name}={text}" for name, text in named.items()]
    return "\n".join(
        [
            *imports,
            "",
            *(f"{name} = {_origin(source)}" for name, source in call.inputs.items()),
            f"{call.results} = {call.function}({', '.join(arguments)})",
            "",
        ]
    )


def as_command_line(call: Call) -> str:
    """The command that does to a file what the call does to a whole layer."""
    words = ["napari-defocus", call.command]
    for name, source in call.inputs.items():
        words += [_file(source)] if source is call.image else [f"--{name}", _file(source)]
        if _has_confidence(source):
            words += ["--confidence", f"{source.name} confidence.tif"]
    for name, value in call.changed.items():
        words += [f"--{name.replace('_', '-')}", "whole" if value is None else str(value)]
    command = shlex.join(words)
    return command if call.image.is_whole else f"{command}  # the whole picture, not the region"


def _origin(source: Source | MapSource) -> str:
    """An expression for all of a layer's data."""
    if _is_file(source):
        return f"read_picture({source.path!r}).data"
    layer = f"viewer.layers[{source.name!r}]"
    if _has_confidence(source):
        return f"{layer}.metadata[{MAP_KEY!r}].map"
    return (
        f"{layer}.data[0]" if isinstance(source, Source) and source.multiscale else f"{layer}.data"
    )


def _part(name: str, source: Source | MapSource) -> str:
    """An expression for the part of `name` that is used."""
    if source.is_whole:
        return name
    index = "[" + ", ".join(f"{part.start}:{part.stop}" for part in source.slices) + "]"
    if _has_confidence(source):
        return f"DefocusMap({name}.radius{index}, {name}.confidence{index}, {name}.signed)"
    return f"{name}{index}"


def _is_file(source: Source | MapSource) -> bool:
    return source.path is not None and not _has_confidence(source)


def _has_confidence(source: Source | MapSource) -> bool:
    return isinstance(source, MapSource) and source.is_as_estimated


def _file(source: Source | MapSource) -> str:
    return source.path or f"{source.name}.tif"
