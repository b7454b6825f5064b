"""Run of a widget as Python code and as a command line."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ...image.layout import read_layout
from ...io import Picture, resolve_options
from ...io.read import LARGE
from ...jobs import EstimateJob
from ...objective import Objective
from ...options import Options
from ...views import Views
from ..layers.file_content import FileContent, find_content
from ..layers.image_source import ImageSource
from ..layers.region_mask import RegionMask
from ..maps.map_source import MapSource
from .recipe_mask import Masking
from .shell_words import join_words


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
        Options as chosen, with the layer's axes.
    further_words : tuple of str
        Further words of the command, such as files that it writes.
    mask : RegionMask, optional
        Pixels outside of which the image stays as it is, or a map has no radius.
    """

    function: str
    command: str
    result: str
    inputs: Mapping[str, ImageSource | MapSource]
    arguments: dict[str, Any]
    options: Options
    further_words: tuple[str, ...] = ()
    mask: RegionMask | None = None

    @property
    def image(self) -> ImageSource:
        """Source of the image to process."""
        first = next(iter(self.inputs.values()))
        assert isinstance(first, ImageSource)
        return first


def as_python(call: Call) -> str:
    """Return Python code that computes the same, bit for bit.

    Pixels that their file still holds are read from it; others are taken from the viewer, as in
    napari's console, and a comment says so.
    """
    image = call.image
    options = call.options.changed()
    axis = options.pop("channel_axis")
    keywords = {name: repr(value) for name, value in (call.arguments | options).items()}
    if axis != "none" or image.resembles_color:
        keywords = {"channel_axis": repr(axis), **keywords}
    arguments = {name: _part(name, source) for name, source in call.inputs.items()}
    names = [call.function]
    if any(argument.startswith("DefocusMap(") for argument in arguments.values()):
        names.append("DefocusMap")
    if isinstance(call.options.optics, Objective):
        names.append("Objective")
    if image.range_needs_whole(call.options):
        names.append("measure_range")
        reading = {name: keywords[name] for name in call.options.reading() if name in keywords}
        measured = ", ".join(["image", *_texts(reading)])
        planes = "".join(f"{part.start}:{part.stop}, " for part in image.slices[:-2])
        index = "" if call.options.range_axis is None else f"[{planes.removesuffix(', ')}]"
        keywords["value_range"] = f"measure_range({measured}){index}"
    imports = [f"from napari_defocus import {', '.join(sorted(names))}"]
    origins = {name: _origin(source, image) for name, source in call.inputs.items()}
    if any(origin.expression.startswith("read_picture(") for origin in origins.values()):
        imports.append("from napari_defocus.io import read_picture")
    lines = [
        line
        for name, origin in origins.items()
        for line in (*origin.comment, f"{name} = {origin.expression}")
    ]
    before: list[str] = []
    after: list[str] = []
    if call.mask is not None:
        first = next(iter(arguments))
        masking = Masking(call.function, image, call.mask, arguments[first], call.arguments)
        before, after = masking.before(), masking.after(call.result)
        if masking.replaces_image:
            arguments[first] = "inside"
            keywords |= masking.reading(call.options, keywords)
            if "measure_range" not in names and "measure_range(" in keywords["value_range"]:
                names.append("measure_range")
            imports[0] = f"from napari_defocus import {', '.join(sorted(names))}"
        if masking.needs_numpy:
            imports.insert(0, "import numpy as np\n")
    run = f"{call.result} = {call.function}({', '.join(_texts(arguments | keywords))})"
    viewers = [
        name
        for name, used in (
            (
                "layer_map",
                any(each.expression.startswith("layer_map(") for each in origins.values()),
            ),
            ("shapes_mask", call.mask is not None),
        )
        if used
    ]
    if viewers:
        imports.append(f"from napari_defocus.viewer import {', '.join(viewers)}")
    return "\n".join([*imports, "", *lines, *before, run, *after, ""])


def as_command_line(call: Call) -> str:
    """Return the command that does to a file what the call does to a whole layer.

    A comment says where the command needs a file that is still to be saved.
    """
    image = call.image
    content = _command_content(image)
    words, notes = ["napari-defocus", call.command], []
    if not image.is_whole:
        notes.append("the whole picture, not the region")
    elif call.mask is not None:
        notes.append("the whole picture, not only the shapes")
    for name, source in call.inputs.items():
        own = content if source is image else _command_content(source)
        file = _file_to_save(source) if own is None or source.path is None else source.path
        words += [file] if name in ("image", "sharp") else [f"--{name}", file]
        if own is None:
            notes.append(_advice(source, file))
        if _has_confidence(source):
            words += ["--confidence", f"{source.name} confidence.tif"]
    words += call.further_words
    options = replace(call.options, channel_axis=None).to_text()
    reading = _layer_reading(image) if content is None else _file_reading(call, content.picture)
    for name, value in (call.arguments | options | reading).items():
        values = value.split() if name == "value_range" else [_word(value)]
        values = [] if value is True else values
        words += [f"--{name.replace('_', '-')}", *values]
    command = join_words(words)
    return f"{command}  # {'; '.join(notes)}" if notes else command


def _word(value: Any) -> str:
    """Return the value of an option as a command takes it."""
    if isinstance(value, tuple):  # evenly spaced focuses
        return f"{value[0]}:{value[-1]}:{len(value)}"
    return str(value)


def _texts(arguments: Mapping[str, str]) -> list[str]:
    """Return arguments as written in a call, by name except for pictures and the map."""
    positional = ("image", "sharp", "defocus")
    return [text if name in positional else f"{name}={text}" for name, text in arguments.items()]


@dataclass(frozen=True)
class _Origin:
    """Expression for a layer's data, and lines of comment before it."""

    expression: str
    comment: tuple[str, ...] = ()


def _origin(source: ImageSource | MapSource, image: ImageSource) -> _Origin:
    """Return where all of a layer's data come from; those of a resampled map, in the region."""
    layer = f"viewer.layers[{source.name!r}]"
    console = "run this in napari's console"
    if isinstance(source, MapSource) and source.follows_viewer:
        region = [] if image.is_whole else [repr(tuple((p.start, p.stop) for p in image.slices))]
        partial = ["partial=True"] if source.is_partial else []
        arguments = ", ".join([layer, f"viewer.layers[{image.name!r}]", *region, *partial])
        where = f"# layer {source.name!r} is resampled to {image.name!r} where the viewer shows it:"
        if source.is_partial:
            where = f"# layer {source.name!r} covers part of {image.name!r}; the rest stays:"
        return _Origin(f"layer_map({arguments})", (where, f"# {console}"))
    if _has_confidence(source):
        return _Origin(f"layer_map({layer})")
    multiscale = isinstance(source, ImageSource) and source.multiscale
    in_viewer = f"{layer}.data[0]" if multiscale else f"{layer}.data"
    if source.path is None:
        return _Origin(in_viewer, (f"# layer {source.name!r} has no file: {console}",))
    content = find_content(source.data, source.path)
    if content is None:
        differs = f"# layer {source.name!r} does not hold (or no longer) what its file holds,"
        advice = f"# {console}, or save the layer and read that file"
        return _Origin(in_viewer, (differs, f"# {source.path!r}:", advice))
    partly = (f"# layer {source.name!r} is large: only three planes were compared with its file",)
    expression = f"read_picture({source.path!r}).data{content.expression}"
    if isinstance(source, MapSource) and source.factor != 1:
        expression = f"{expression} / {source.factor!r}"
    return _Origin(expression, () if content.exact else partly)


def _part(name: str, source: ImageSource | MapSource) -> str:
    """Return an expression for the part of the variable `name` that is used."""
    if source.slices is None or source.is_whole or getattr(source, "follows_viewer", False):
        return name
    index = "[" + ", ".join(f"{part.start}:{part.stop}" for part in source.slices) + "]"
    if _has_confidence(source):
        return f"DefocusMap({name}.radius{index}, {name}.confidence{index}, {name}.signed)"
    return f"{name}{index}"


def _has_confidence(source: ImageSource | MapSource) -> bool:
    return isinstance(source, MapSource) and source.is_unedited


def _command_content(source: ImageSource | MapSource) -> FileContent | None:
    """Return the content of a layer's file if a command can take the layer's data from it."""
    if source.path is None or _has_confidence(source):
        return None
    if isinstance(source, MapSource) and source.follows_viewer:
        return None
    content = find_content(source.data, source.path)
    if content is None:
        return None
    picture, color = content.picture, getattr(source, "channel_axis", "none") == -1
    if color or picture.channel_axis is None:
        return None if content.expression else content
    count = picture.data.ndim
    as_planes = f".transpose{(count - 1, *range(count - 1))}"
    return content if content.expression == as_planes else None


def _file_to_save(source: ImageSource | MapSource) -> str:
    """Return a name for a file with the layer's data, other than that of the layer's own file."""
    name = f"{source.name}.tif"
    taken = source.path is not None and Path(source.path).name == name
    return f"{source.name} layer.tif" if taken else name


def _advice(source: ImageSource | MapSource, file: str) -> str:
    """Return what to save before a command can be used."""
    if isinstance(source, MapSource) and source.follows_viewer:
        return f"save {source.name!r}, resampled to the pixels of the image, as {file} first"
    if _has_confidence(source):
        return f"save {source.name!r} and its confidence as {file} and beside it first"
    differs = "" if source.path is None else f", for {source.path} holds other data"
    return f"save layer {source.name!r} as {file} first{differs}"


def _layer_reading(image: ImageSource) -> dict[str, str]:
    """Return options with which a file saved from a layer is read like the layer."""
    shape = image.data.shape
    planes = image.channel_axis == "none" and len(shape) > 2
    return {"channel_axis": "none"} if planes and {3, 4} & {shape[-1], shape[-3]} else {}


def _file_reading(call: Call, picture: Picture) -> dict[str, str]:
    """Return options with which a command reads a file like its layer, where it would not so."""
    image = call.image
    options: dict[str, Any] = {}
    job = EstimateJob(Views(image.data), options=call.options)
    planes = job.layout.channel_axis is None
    if planes != (picture.channel_axis is None):
        options["channel_axis"] = "none" if planes else image.channel_axis
    if image.data.size > LARGE:
        return Options(**options).to_text()
    as_layer = picture.as_planes() if planes else picture
    resolved = resolve_options(as_layer, call.options, lambda note: None)
    file_layout = read_layout(as_layer.data, **resolved.reading())
    for name in ("encoding", "imaging"):
        if getattr(file_layout, name) != getattr(job.layout, name):
            options[name] = getattr(job.layout, name)
    if np.any(np.asarray(resolved.value_range) != np.asarray(job.value_range)):
        options["value_range"] = job.value_range
    return Options(**options).to_text()
