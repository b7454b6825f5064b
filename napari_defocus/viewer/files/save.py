"""Files of layers, with the metadata of the image that they stem from, and provenance."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ...errors import DefocusError
from ...io import Picture, check_fits, check_target, open_picture, write_picture
from ...io.formats import FORMATS
from ...io.picture import Length, Metadata
from ...provenance_record import array_hash, sidecar_path, write_sidecar
from ..layers.file_content import find_content, layer_path
from ..layers.origin import origin_of, origin_recorded
from ..layers.results import METADATA_KEY
from ..maps.map_source import MAP_KEY, EstimatedMap
from .map_files import confidence_path

if TYPE_CHECKING:
    from napari.layers import Image, Labels

#: Axes that files name by their letters.
_LETTERS = "TZCYX"
#: Characters that no file name holds, on one system or another.
_IMPOSSIBLE = re.compile(r'[<>:"/\\|?*\x00-\x1f]')


def save_layer(
    layer: "Image | Labels", path: Path, *, overwrite: bool = False, whole: bool = False
) -> list[Path]:
    """Write a layer to a file, and its provenance beside it; of a map, its confidence as well.

    A result gets the metadata of the file that its image was read from, such as EXIF and color
    profile, as on the command line; a layer without a file gets its scale and units.

    Parameters
    ----------
    layer : napari.layers.Image or Labels
        Layer with a result or an image.
    path : pathlib.Path
        File to write; its suffix names the format.
    overwrite : bool
        Replace existing files.
    whole : bool
        Write a deblurred part of a picture within the whole picture, which else stays as it is.

    Returns
    -------
    list of pathlib.Path
        The images that were written.

    Raises
    ------
    FileError
        If a file exists, cannot hold such data, or cannot be written.
    """
    data = np.asarray(layer.data[0] if layer.multiscale else layer.data)
    surroundings = picture_around(layer) if whole else None
    if surroundings is not None:
        data = _within(np.asarray(surroundings.data), data, layer)
    contents = {path: data}
    estimated = layer.metadata.get(MAP_KEY)
    if isinstance(estimated, EstimatedMap) and estimated.map.confidence.shape == data.shape:
        contents[confidence_path(path)] = np.asarray(estimated.map.confidence)
    for each in contents:
        check_target(each, overwrite=overwrite)
        check_target(sidecar_path(each), overwrite=overwrite)
    like, record = _file_of(layer, data) or _picture(layer, data), layer.metadata.get(METADATA_KEY)
    for each, values in contents.items():
        axis = None if _is_color(layer) or values.shape == like.data.shape else like.channel_axis
        write_picture(each, values, like, channel_axis=axis, overwrite=overwrite)
        if record is not None:
            write_sidecar(each, record, overwrite=overwrite)
    return list(contents)


def picture_around(layer: "Image | Labels") -> "Image | None":
    """Return the picture that a layer shows a deblurred part of, None if it is no such part."""
    image = origin_of(layer)
    record = layer.metadata.get(METADATA_KEY, {})
    if image is None or image.multiscale or record.get("function") != "deblur":
        return None
    fits = image.ndim == layer.ndim == 2 and image.dtype == layer.dtype
    return image if fits and image.data.shape != layer.data.shape else None


def _within(
    picture: npt.NDArray[Any], part: npt.NDArray[Any], layer: "Image | Labels"
) -> npt.NDArray[Any]:
    """Return a picture with the part that a layer's provenance places in it."""
    region = layer.metadata[METADATA_KEY]["input"]["region"]
    whole = picture.copy()
    whole[tuple(slice(*ends) for ends in region)] = part
    return whole


def suggested_path(layer: "Image | Labels") -> Path:
    """Return where a result is best saved: beside its image, named after it and what it is.

    Examples
    --------
    A layer *photo deblurred (80 %)* of ``photo.jpg`` is suggested to be
    ``photo-deblurred-80.jpg``, and *cells DAPI deblurred* of the channel *cells DAPI* of
    ``cells.tif`` to be ``cells-DAPI-deblurred.tif``.
    """
    image = origin_of(layer) or layer
    source = layer_path(image)
    if source is None:
        return Path(_IMPOSSIBLE.sub("-", layer.name) + ".tif")
    file = Path(source)
    known = re.findall(r"\w+", file.stem)
    channel = [word for word in re.findall(r"\w+", image.name) if word not in known]
    what = re.findall(r"[\w.]+", layer.name.removeprefix(image.name)) or ["copy"]
    addition = "-".join([*channel, *what])
    suffix = file.suffix if layer.rgb and layer.ndim == 2 else ".tif"
    return file.with_name(f"{file.stem}-{addition}{suffix}")


def fitting_suffixes(layer: "Image | Labels") -> list[str]:
    """Return the suffixes of the files that can hold a layer, the suggested one first."""
    suggested = suggested_path(layer)
    picture = _picture(layer, layer.data[0] if layer.multiscale else layer.data)
    suffixes = [each.suffixes[0] for each in FORMATS if each.is_written]
    return [each for each in dict.fromkeys([suggested.suffix, *suffixes]) if _fits(picture, each)]


def _fits(picture: Picture, suffix: str) -> bool:
    try:
        check_fits(f"result{suffix}", picture)
    except DefocusError:
        return False
    return True


def write_image(path: str, data: Any, attributes: dict[str, Any]) -> list[str]:
    """Write an image layer for napari's *File > Save*, as `save_layer` does.

    Parameters
    ----------
    path : str
        File to write, which is replaced if it exists; napari has asked.
    data : array or list of arrays
        Data of the layer.
    attributes : dict
        Its other properties.

    Returns
    -------
    list of str
        Files that were written, without the JSON beside them.

    Raises
    ------
    OSError
        If nothing was written.
    """
    return _write("image", path, data, attributes)


def write_labels(path: str, data: Any, attributes: dict[str, Any]) -> list[str]:
    """Write a Labels layer for napari's *File > Save*; parameters as for `write_image`."""
    return _write("labels", path, data, attributes)


def _write(kind: str, path: str, data: Any, attributes: dict[str, Any]) -> list[str]:
    from napari.layers import Layer

    layer = _layer_with(data) or Layer.create(data, attributes, kind)
    try:
        return [str(file) for file in save_layer(layer, Path(path), overwrite=True)]
    except DefocusError as error:  # a ValueError, which napari takes for the lack of a writer
        raise OSError(str(error)) from error


def _layer_with(data: Any) -> Any:
    """Return the layer of the current viewer with these data, which knows its file, or None."""
    from napari import current_viewer

    viewer = current_viewer()
    layers = () if viewer is None else viewer.layers
    return next((layer for layer in layers if layer.data is data), None)


def _file_of(layer: "Image | Labels", written: npt.NDArray[Any]) -> Picture | None:
    """Return the file that holds the layer's image as it is and as large, if there is one."""
    origin, image = origin_recorded(layer), origin_of(layer) or layer
    if origin is not None and image is layer:
        return _file_of_removed(layer, origin.path)
    path = layer_path(image)
    if path is None:
        return None
    data = image.data[0] if image.multiscale else image.data
    content = find_content(data, path)
    fits = content is not None and content.expression == ""
    whole = data.shape[: layer.ndim] == written.shape[: layer.ndim]
    return content.picture if content is not None and fits and whole else None


def _file_of_removed(layer: "Image | Labels", path: str | None) -> Picture | None:
    """Return the file of an image that is no longer in a viewer, if it holds what was used."""
    record = layer.metadata.get(METADATA_KEY) or {}
    used = record.get("input", {}).get("hash")
    if path is None or used is None:
        return None
    try:
        picture = open_picture(path)
        return picture if array_hash(picture.data) == used else None
    except DefocusError:
        return None


def _picture(layer: "Image | Labels", data: npt.NDArray[Any]) -> Picture:
    """Return a picture with the axes, scale and units of a layer."""
    letters = [str(label).upper()[:1] for label in layer.axis_labels]
    named = len(set(letters)) == len(letters) and letters[-2:] == ["Y", "X"]
    named = named and set(letters) <= set(_LETTERS)
    axes = "".join(letters) if named else "Q" * (layer.ndim - 2) + "YX"
    sizes = {
        axis: Length(float(abs(size)), str(unit))
        for axis, size, unit in zip(axes, layer.scale, layer.units, strict=True)
        if str(unit) != "pixel" and axis in _LETTERS
    }
    return Picture(data, axes + ("S" if _is_color(layer) else ""), Metadata(pixel_size=sizes))


def _is_color(layer: "Image | Labels") -> bool:
    return bool(getattr(layer, "rgb", False))
