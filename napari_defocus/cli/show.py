"""Tables of the models, of an image file, and of this machine."""

import json
import math
import platform
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table
from rich.text import Text

from ..errors import DefocusError, ModelError, printable, quote, reason
from ..image.layout import is_dask, read_layout
from ..io import Picture, open_picture, resolve_options
from ..io.json_file import parse_json
from ..io.picture import GEOREFERENCE
from ..io.regular_file import read_regular
from ..io.series import image_file
from ..io.zarr_layout import Collection, is_zarr_folder, read_collection
from ..map_units import read_radii_record
from ..models import ModelCard, find_model, list_models, verify
from ..models.cards import TASKS
from ..options import Imaging, Options
from ..physical_size import BlurSize, describe_radius, pixel_size
from ..provenance_record import sidecar_path
from ..version import __version__
from .console import print_table

_TASK_WORDS = {
    "single": "map of one image",
    "dual": "map of two dual-pixel views",
    "deblur": "deblurring",
}
_LARGEST_SIDECAR = 10_000_000  # bytes
_LIBRARIES = ("torch", "numpy", "tifffile", "imagecodecs", "pillow")


def show_models(*, check: bool) -> None:
    """Print a table of all models; with `check`, whether their weights are undamaged."""
    cards = list_models()
    if not cards:
        raise ModelError("no model is installed; give --model the path of a weights file")
    table = _table("name", "for", "version", "size", "license", *(["file"] if check else []))
    for card in cards:
        state = [_verify(card)] if check else []
        table.add_row(*map(_cell, [*_summary(card), *state]))
    print_table(table)
    damaged = [card.name for card in cards if check and _verify(card) != "sound"]
    if damaged:
        raise ModelError(f"the weights of {', '.join(damaged)} are damaged; install them anew")


def show_model(name: str, *, check: bool) -> None:
    """Print the card of one model."""
    card = _find(name)
    rows = {**json.loads(card.to_json()), "file": str(card.path)}
    if check:
        verify(card)
        rows["file"] += " (sound: its sha256 is as it should be)"
    print_table(_rows((name, _words(value)) for name, value in rows.items()))


def show_file(path: Path) -> None:
    """Print what a file holds, and how it would be read; of a plate, its wells and images."""
    collection = read_collection(path) if is_zarr_folder(path) else None
    if collection is not None and collection.kind == "plate":
        print_table(_rows(_plate_rows(path, collection)))
        return
    picture = open_picture(path)
    print_table(_rows(_file_rows(path, picture)))


def show_machine() -> None:
    """Print versions, and the device that would be used."""
    print_table(_rows(_machine_rows()))


def _summary(card: ModelCard) -> list[str]:
    size = _size(card.path) if card.path.exists() else "missing"
    return [card.name, _TASK_WORDS[card.task], card.version, size, card.license]


def _size(path: Path) -> str:
    path = image_file(path)
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    size = sum(file.stat().st_size for file in files)
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{size / 1e3:.1f} kB"


def _verify(card: ModelCard) -> str:
    try:
        verify(card)
    except DefocusError as error:
        return str(error)
    return "sound"


def _find(name: str) -> ModelCard:
    shipped = {card.name: card for card in list_models()}
    if name in shipped:
        return shipped[name]
    if not Path(name).suffix:
        raise ModelError(
            f"there is no model {quote(name)}; there are: {', '.join(shipped) or 'none'}"
        )
    for task in TASKS[:-1]:
        try:
            return find_model(name, task)
        except ModelError:
            continue
    return find_model(name, TASKS[-1])


def _file_rows(path: Path, picture: Picture) -> Iterator[tuple[str, str]]:
    data, metadata = picture.data, picture.metadata
    colors = {"YXS": "RGB with alpha" if data.shape[-1] == 4 else "RGB"}
    kind = colors.get(picture.axes, "gray" if picture.axes == "YX" else f"axes {picture.axes}")
    yield "file", f"{path} ({_size(path)})"
    yield "pixels", f"{' x '.join(str(n) for n in data.shape)}, {kind}, {data.dtype}"
    size = pixel_size(metadata)
    for axis, length in metadata.pixel_size.items():
        if size is None or axis not in "YX":
            unit = length.unit.replace("um", "µm")
            yield f"step along {axis}", f"{length.value:g} {unit}".strip()
    if metadata.origin:
        yield "origin", ", ".join(f"{axis} {shift:g}" for axis, shift in metadata.origin.items())
    if size is not None:
        yield "size of a pixel", size.describe()
        yield "radius of 1 px", BlurSize(1.0).scaled(size).describe()
    if metadata.channel_names:
        yield "channels", ", ".join(metadata.channel_names)
    if any(metadata.wavelengths):
        yield (
            "emission",
            ", ".join(f"{wave:g} nm" if wave else "?" for wave in metadata.wavelengths),
        )
    if metadata.objective:
        yield "objective", metadata.objective.describe()
    if metadata.resolution and (per_inch := metadata.resolution.per_inch()):
        yield "resolution", f"{per_inch[0]:g} x {per_inch[1]:g} pixels per inch"
    yield "results keep", ", ".join(_carried(picture)) or "nothing but the pixels"
    if picture.read_by:
        yield "read by", picture.read_by
    if picture.ignored:
        yield "left out", picture.ignored
    yield from _reading_rows(picture)
    sidecar = sidecar_path(path)
    if sidecar.exists():
        yield "provenance", _origin(sidecar)
        yield from _radii_rows(path)


def _plate_rows(path: Path, plate: Collection) -> Iterator[tuple[str, str]]:
    yield "file", f"{path} ({_size(path)})"
    yield "holds", plate.describe()
    yield "images", ", ".join(plate.images) or "none"
    if plate.images:
        yield "one of them", f"napari-defocus info {path / plate.images[0]}"
        yield "all of them", f"napari-defocus batch {path} OUT"


def _carried(picture: Picture) -> Iterator[str]:
    metadata = picture.metadata
    names = {
        "size of a pixel": metadata.pixel_size,
        "names of channels": metadata.channel_names,
        "objective": metadata.objective,
        "resolution": metadata.resolution,
        "EXIF": metadata.exif,
        "color profile": metadata.icc,
        "XMP": metadata.xmp,
        "IPTC": metadata.iptc,
        "texts": metadata.text,
        "ImageJ": metadata.imagej,
        "OME-XML": metadata.ome,
        "georeference": any(tag[0] in GEOREFERENCE for tag in metadata.tags),
        "look-up table": metadata.lut,
        "labels": picture.labels,
    }
    return (name for name, value in names.items() if value)


def _reading_rows(picture: Picture) -> Iterator[tuple[str, str]]:
    """Yield how the API would read the picture, or why it cannot."""
    assumptions: list[str] = []
    try:
        options = resolve_options(picture, Options(), assumptions.append)
        layout = read_layout(picture.data, **options.reading())
    except DefocusError as error:
        yield "cannot be used", str(error)
        return
    words = {"srgb": "srgb: display values", "linear": "linear: proportional to light"}
    least, most, missing = _finite_values(picture.data)
    yield "values", f"{least:g} to {most:g}"
    if missing:
        yield "not finite", f"{missing} values"
    pairs = np.reshape(options.value_range, (-1, 2)).tolist()
    yield "black and white", "; ".join(f"{low:g} and {high:g}" for low, high in pairs)
    for text in assumptions:
        yield "assumed", text
    yield "encoding", words[layout.encoding]
    planes = [str(n) for n in layout.leading if n > 1]
    if planes:
        yield "planes", f"{' x '.join(planes)}, one by one"
    for task in ("single", "deblur"):
        yield f"model, {_TASK_WORDS[task]}", _default_model(task, layout.imaging)


def _finite_values(data: Any) -> tuple[float, float, int]:
    """Return the least and the largest finite value, and how many are not finite.

    Those of a dask array are found in one pass, window by window.
    """
    if data.dtype.kind in "iu":
        measures = data.min(), data.max(), 0
    else:
        finite = np.isfinite(data)
        measures = (
            np.where(finite, data, np.inf).min(),
            np.where(finite, data, -np.inf).max(),
            (~finite).sum(),
        )
    if is_dask(data):
        import dask

        measures = dask.compute(*measures)
    least, most, missing = measures
    return float(least), float(most), int(missing)


def _default_model(task: Any, imaging: Imaging) -> str:
    try:
        return find_model("auto", task, imaging=imaging).name
    except ModelError as error:
        return f"none: {error}"


def _radii_rows(path: Path) -> Iterator[tuple[str, str]]:
    """Yield unit and median of a map's radii, if the JSON beside it says them."""
    record = read_radii_record(path)
    if record is not None:
        unit, median, size = record
        yield "unit of radii", {"px": "pixels", "um": "micrometers"}[unit]
        yield (
            "median radius",
            "no radius is sure" if math.isnan(median) else describe_radius(median, size),
        )


def _origin(sidecar: Path) -> str:
    try:
        record = parse_json(read_regular(sidecar, _LARGEST_SIDECAR))
        models = ", ".join(f"{model['name']} {model['version']}" for model in record["models"])
        return f"{record['function']} by napari-defocus {record['version']}, models: {models}"
    except (OSError, ValueError, KeyError, TypeError) as error:
        return f"{sidecar.name} cannot be understood: {reason(error)}"


def _machine_rows() -> Iterator[tuple[str, str]]:
    import torch

    from ..inference.device import choose_device

    yield "napari-defocus", f"{__version__} ({Path(__file__).parents[1]})"
    yield "Python", f"{platform.python_version()} on {platform.platform()}"
    for name in _LIBRARIES:
        yield name, version(name)
    device = choose_device("auto")
    if device.type == "cuda":
        yield "device", f"{device}: {torch.cuda.get_device_name(device)}"
    else:
        instructions = torch.backends.cpu.get_cpu_capability()
        yield "device", f"{device}, {torch.get_num_threads()} threads, {instructions}"


def _words(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, indent=2, ensure_ascii=False)


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0))
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _rows(rows: Iterable[tuple[str, str]]) -> Table:
    table = Table.grid(padding=(0, 3, 0, 0))
    for name, value in rows:
        table.add_row(_cell(name, "bold"), _cell(value))
    return table


def _cell(text: str, style: str = "") -> Text:
    return Text(printable(text, keep="\n"), style, overflow="fold")
