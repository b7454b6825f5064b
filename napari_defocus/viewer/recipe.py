"""Run of a widget as Python code and as a command line."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..options import Options
from .image_source import ImageSource
from .map_source import MapSource

#: Options that say how values are read, which ``measure_range`` takes too.
_READING = ("channel_axis", "encoding", "imaging", "nodata", "range_axis")


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
    arguments : dict
        Further arguments that differ from the API's defaults.
    options : Options
        Options as chosen.
    """

    function: str
    command: str
    result: str
    inputs: Mapping[str, ImageSource | MapSource]
    arguments: dict[str, Any]
    options: Options

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
    options = call.arguments | call.options.changed()
    keywords = {name: repr(value) for name, value in options.items()}
    if image.channel_axis != "none" or image.resembles_color:
        keywords = {"channel_axis": repr(image.channel_axis), **keywords}
    arguments = {name: _part(name, source) for name, source in call.inputs.items()}
    names = [call.function]
    if any(argument.startswith("DefocusMap(") for argument in arguments.values()):
        names.append("DefocusMap")
    if image.range_needs_whole(call.options.encoding):
        names.append("measure_range")
        reading = {name: keywords[name] for name in _READING if name in keywords}
        measured = ", ".join(["image", *_texts(reading)])
        keywords["value_range"] = f"measure_range({measured})"
    imports = [f"from napari_defocus import {', '.join(sorted(names))}"]
    if any(_is_file(source) for source in call.inputs.values()):
        imports.append("from napari_defocus.io import read_picture")
    if any(_has_confidence(source) for source in call.inputs.values()):
        imports.append("from napari_defocus.viewer import layer_map")
    return "\n".join(
        [
            *imports,
            "",
            *(f"{name} = {_origin(source)}" for name, source in call.inputs.items()),
            f"{call.result} = {call.function}({', '.join(_texts(arguments | keywords))})",
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
    for name, value in (call.arguments | call.options.to_text()).items():
        words += [f"--{name.replace('_', '-')}", str(value)]
    command = shlex.join(words)
    return command if call.image.is_whole else f"{command}  # the whole picture, not the region"


def _texts(arguments: Mapping[str, str]) -> list[str]:
    """Return arguments as written in a call, by name except for the image and its map."""
    positional = ("image", "defocus")
    return [text if name in positional else f"{name}={text}" for name, text in arguments.items()]


def _origin(source: ImageSource | MapSource) -> str:
    """Return an expression for all of a layer's data."""
    if _is_file(source):
        return f"read_picture({source.path!r}).data"
    layer = f"viewer.layers[{source.name!r}]"
    if _has_confidence(source):
        return f"layer_map({layer})"
    multiscale = isinstance(source, ImageSource) and source.multiscale
    return f"{layer}.data[0]" if multiscale else f"{layer}.data"


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
