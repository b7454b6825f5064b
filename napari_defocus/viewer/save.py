"""Files of layers, with the metadata of the image that they stem from, and provenance."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..io import Picture, write_picture
from ..io.picture import Length, Metadata
from ..provenance_record import write_sidecar
from .file_content import find_content, layer_path
from .origin import origin_of
from .results import METADATA_KEY

if TYPE_CHECKING:
    from napari.layers import Image

#: Axes that files name by their letters.
_LETTERS = "TZCYX"


def save_layer(layer: "Image", path: Path, *, overwrite: bool = False) -> None:
    """Write an image layer to a file, and its provenance beside it.

    A result gets the metadata of the file that its image was read from, such as EXIF and color
    profile, as on the command line; a layer without a file gets its scale and units.

    Parameters
    ----------
    layer : napari.layers.Image
        Layer with a result or an image.
    path : pathlib.Path
        File to write; its suffix names the format.
    overwrite : bool
        Replace an existing file.

    Raises
    ------
    FileError
        If the file exists, cannot hold such data, or cannot be written.
    """
    data = np.asarray(layer.data[0] if layer.multiscale else layer.data)
    like = _file_of(layer) or _picture(layer, data)
    if layer.rgb or data.shape == like.data.shape:
        write_picture(path, data, like, overwrite=overwrite)
    else:
        write_picture(path, data, like, channel_axis=like.channel_axis, overwrite=overwrite)
    record = layer.metadata.get(METADATA_KEY)
    if record is not None:
        write_sidecar(path, record, overwrite=overwrite)


def suggested_path(layer: "Image") -> Path:
    """Return where a result is best saved: beside its image, named after what it is.

    Examples
    --------
    A layer *photo deblurred* of ``photo.jpg`` is suggested to be ``photo-deblurred.jpg``.
    """
    image = origin_of(layer) or layer
    source = layer_path(image)
    if source is None:
        return Path(f"{layer.name}.tif")
    addition = layer.name.removeprefix(image.name).strip().replace(" ", "-") or "copy"
    file = Path(source)
    return file.with_name(f"{file.stem}-{addition}{file.suffix if layer.rgb else '.tif'}")


def _file_of(layer: "Image") -> Picture | None:
    """Return the file that holds the layer's image as it is, if there is one."""
    image = origin_of(layer) or layer
    path = layer_path(image)
    if path is None:
        return None
    data = image.data[0] if image.multiscale else image.data
    content = find_content(data, path)
    fits = content is not None and content.expression == ""
    whole = data.shape[: layer.ndim] == layer.data.shape[: layer.ndim]
    return content.picture if content is not None and fits and whole else None


def _picture(layer: "Image", data: npt.NDArray[Any]) -> Picture:
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
    return Picture(data, axes + ("S" if layer.rgb else ""), Metadata(pixel_size=sizes))
