"""Run of a widget as Python code and as a command line."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .image_source import ImageSource
from .map_source import MAP_KEY, MapSource


@dataclass(frozen=True)
class Call:
    """Call of a function of the API, and the command that does the same.

    Parameters
    ----------
    function, command : str
        Name of the function in the API, and of the command.
    result : str
        Name of the variable that holds the result.
    inputs : mapping
        Sources of the arrays, by the names of parameter and option; the image comes first.
    encoding : str
        As in the API.
    changed : mapping
        Further arguments that differ from the API's defaults.
    """

    function: str
    command: str
    result: str
    inputs: Mapping[str, ImageSource | MapSource]
    encoding: str
    changed: Mapping[str, Any]

    @property
    def image(self) -> ImageSource:
        """Source of the image to process."""
        first = next(iter(self.inputs.values()))
        assert isinstance(first, ImageSource)
        return first


def as_python(call: Call) -> str:
    """Return Python code that computes the same, bit for bit.

    Images read from a file are read from it again; others are taken from the viewer, as in napari's
    console.
    """
    image = call.image
    imports = [f"from napari_defocus import {call.function}"]
    if any(_is_file(source) for source in call.inputs.values()):
        imports.append("from napari_defocus.io import read_picture")
    options: dict[str, str] = {}
    if image.channel_axis is not None:
        options["channel_axis"] = repr(image.channel_axis)
    if image.range_needs_whole(call.encoding):
        imports.append("from napari_defocus.image.layout import read_layout")
        imports.append("from napari_defocus.image.value_range import measure_range")
        encoding = "" if call.encoding == "auto" else f", encoding={call.encoding!r}"
        options["value_range"] = f"measure_range(image, read_layout(image{encoding}))"
    options |= {name: repr(value) for name, value in call.changed.items()}
    arguments = [_part(name, source) for name, source in call.inputs.items()]
    if any(argument.startswith("DefocusMap(") for argument in arguments):
        imports[0] += ", DefocusMap"
    arguments += [f"{name}={text}" for name, text in options.items()]
    return "\n".join(
        [
            *imports,
            "",
            *(f"{name} = {_origin(source)}" for name, source in call.inputs.items()),
            f"{call.result} = {call.function}({', '.join(arguments)})",
            "",
        ]
    )


def as_command_line(call: Call) -> str:
    """Return the command that does to a file what the call does to a whole layer."""
    words = ["napari-defocus", call.command]
    for name, source in call.inputs.items():
        words += [_file(source)] if source is call.image else [f"--{name}", _file(source)]
        if _has_confidence(source):
            words += ["--confidence", f"{source.name} confidence.tif"]
    for name, value in call.changed.items():
        words += [f"--{name.replace('_', '-')}", "whole" if value is None else str(value)]
    command = shlex.join(words)
    return command if call.image.is_whole else f"{command}  # the whole picture, not the region"


def _origin(source: ImageSource | MapSource) -> str:
    """Return an expression for all of a layer's data."""
    if _is_file(source):
        return f"read_picture({source.path!r}).data"
    layer = f"viewer.layers[{source.name!r}]"
    if _has_confidence(source):
        return f"{layer}.metadata[{MAP_KEY!r}].map"
    return (
        f"{layer}.data[0]"
        if isinstance(source, ImageSource) and source.multiscale
        else f"{layer}.data"
    )


def _part(name: str, source: ImageSource | MapSource) -> str:
    """Return an expression for the part of the variable `name` that is used."""
    if source.is_whole:
        return name
    index = "[" + ", ".join(f"{part.start}:{part.stop}" for part in source.slices) + "]"
    if _has_confidence(source):
        return f"DefocusMap({name}.radius{index}, {name}.confidence{index}, {name}.signed)"
    return f"{name}{index}"


def _is_file(source: ImageSource | MapSource) -> bool:
    return source.path is not None and not _has_confidence(source)


def _has_confidence(source: ImageSource | MapSource) -> bool:
    return isinstance(source, MapSource) and source.is_as_estimated


def _file(source: ImageSource | MapSource) -> str:
    return source.path or f"{source.name}.tif"
