"""Files with defocus maps, as batch, command line and *File > Save* write them, read as layers."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...defocus_map import DefocusMap
from ...errors import DefocusError
from ...io import Picture, open_picture
from ...io.json_file import read_json
from ...map_units import recorded_factor
from ...options import Options
from ...physical_size import RADII_KEY, pixel_size
from ...provenance_record import sidecar_path
from ..layers.file_layers import layer_arguments, layer_name
from ..layers.results import METADATA_KEY, LayerTemplate
from ..maps.map_layers import make_map_layers, map_appearance
from ..maps.map_result import map_result
from ..maps.map_source import EDITED, MAP_KEY, RADII_ALONE

if TYPE_CHECKING:
    import numpy.typing as npt
    from napari.layers import Image

FullLayerData = tuple[Any, dict[str, Any], str]
#: Functions whose results are maps, and what names of files with radii and confidence hold.
_FUNCTIONS = ("estimate_defocus", "apply_edits")
_RADIUS, _CONFIDENCE = "-defocus", "-confidence"
_PLUGIN = "napari-defocus"
_PLACEMENT = ("scale", "translate", "units", "axis_labels")


@dataclass(frozen=True)
class MapFile:
    """A file with the radii of a map, and what the JSON beside it says.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    record : dict
        How the map was made.
    """

    path: Path
    record: dict[str, Any]

    @property
    def name(self) -> str:
        """Name of the image that the map is of."""
        return layer_name(self.path).removesuffix(_RADIUS)

    def layers(self) -> list["Image"]:
        """Read the map; return its layers, which no viewer has yet.

        Returns
        -------
        list of napari.layers.Image
            Confidence, view and radii in pixels, as `make_map_layers` makes them; the radii alone
            if no confidence lies beside them, for then it is not known what is sure.

        Raises
        ------
        DefocusError
            If the file cannot be read.
        """
        picture = open_picture(self.path)
        radius = np.asarray(picture.data, np.float32) / np.float32(recorded_factor(self.path))
        confidence = self._read_confidence(radius.shape)
        template = self._template(picture)
        if confidence is None:
            return [_radius_layer(radius, self.record, template)]
        defocus = DefocusMap(
            radius,
            confidence,
            signed=bool((radius < 0).any()),
            model=str(self.record.get("model") or ""),
        )
        edited = self.record["function"] == "apply_edits"
        model = EDITED if edited else str(self.path)  # no estimate makes exactly this map again
        return list(make_map_layers(map_result(defocus, self.record, Options(), model), template))

    def _template(self, picture: Picture) -> LayerTemplate:
        """Return the placement of the layers."""
        plain = replace(picture, metadata=replace(picture.metadata, channel_names=()), copies=())
        arguments = layer_arguments(plain, self.name)
        placement = {name: arguments[name] for name in _PLACEMENT}
        size = pixel_size(picture.metadata)
        return LayerTemplate(self.name, placement, {}, arguments["metadata"], size)

    def _read_confidence(self, shape: tuple[int, ...]) -> "npt.NDArray[np.float32] | None":
        """Return the confidence from the file beside that of the radii, if there is one."""
        path = confidence_path(self.path)
        if _read_record(path) is None:
            return None
        confidence = np.asarray(open_picture(path).data, np.float32)
        return np.clip(np.nan_to_num(confidence), 0, 1) if confidence.shape == shape else None


def find_map(path: Path) -> MapFile | None:
    """Return the map that a file holds, None unless the JSON beside it says that it is one."""
    record = _read_record(path)
    if record is None or not (_RADIUS in path.name or RADII_KEY in record):
        return None
    return MapFile(path, record)


def confidence_path(path: Path) -> Path:
    """Return the path of a map's confidence, beside its radii.

    Examples
    --------
    >>> confidence_path(Path("a-defocus.ome.tif")).name, confidence_path(Path("map.tif")).name
    ('a-confidence.ome.tif', 'map-confidence.tif')
    """
    before, separator, after = path.name.rpartition(_RADIUS)
    if not separator:
        before, dot, after = path.name.partition(".")
        after = dot + after
    return path.with_name(f"{before}{_CONFIDENCE}{after}")


def get_reader(path: str | list[str]) -> Callable[[Any], list[FullLayerData]] | None:
    """Return a function that reads files with maps, for npe2; None for any other file."""
    paths = [Path(each) for each in ([path] if isinstance(path, str) else path)]
    files = [find_map(each) for each in paths]
    if not files or None in files:
        return None

    def read(_: Any) -> list[FullLayerData]:
        try:
            made = [file.layers() for file in files if file is not None]
        except DefocusError as error:
            raise OSError(str(error)) from error
        return [layer.as_layer_data_tuple() for layers in made for layer in layers]

    return read


def _radius_layer(
    radius: "npt.NDArray[np.float32]", record: dict[str, Any], template: LayerTemplate
) -> "Image":
    """Return a layer of radii whose confidence is not known."""
    from napari.layers import Image

    return Image(
        radius,
        name=f"{template.name} defocus",
        metadata={**template.metadata, METADATA_KEY: record, MAP_KEY: RADII_ALONE},
        **map_appearance(radius, signed=bool((radius < 0).any())),
        **template.placement,
    )


def _read_record(path: Path) -> dict[str, Any] | None:
    """Return the JSON beside a file if it says that the file belongs to a map."""
    try:
        record = read_json(sidecar_path(path))
        source = record["input"]["hash"]
    except (OSError, ValueError, LookupError, TypeError):
        return None
    is_ours = record.get("software") == _PLUGIN and record.get("function") in _FUNCTIONS
    return record if is_ours and isinstance(source, str) else None
