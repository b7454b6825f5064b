"""Images, views and maps that commands read."""

from dataclasses import dataclass, replace
from pathlib import Path

from ..array_types import Array
from ..defocus_map import DefocusMap
from ..errors import FileError, MapError, OptionError
from ..image.layout import is_dask, read_layout
from ..image.value_range import range_needs_no_values
from ..io import Picture, open_picture, resolve_options
from ..io.read import LARGE
from ..io.zarr_layout import enclosing_store, read_collection
from ..map_units import recorded_factor
from ..options import Options
from ..views import Views, picture_views, refuse_named_model
from .console import note


@dataclass(frozen=True)
class ViewsInput:
    """Files that a map is estimated from: an image, two views, or a raw file that may hold two."""

    image: Path
    right: Path | None
    dual_pixel: bool

    @property
    def paths(self) -> list[Path]:
        """The files."""
        return [path for path in (self.image, self.right) if path]

    def check(self, model: str) -> None:
        """Raise an OptionError where options contradict each other."""
        if self.dual_pixel and self.right:
            raise OptionError(
                f"{self.right} is given for the right view, which --dual-pixel looks for in "
                f"{self.image}; give one of them"
            )
        if self.dual_pixel:
            refuse_named_model("model", model, switch="--dual-pixel")

    def views(self, picture: Picture, options: Options) -> Views:
        """Return the views; the picture is that of the image."""
        if self.right:
            return Views(picture.data, read_input(self.right, options).data)
        return read_views(self.image, picture, dual_pixel=self.dual_pixel)


@dataclass(frozen=True)
class MapInput:
    """A map from files; both None if it is to be estimated, of both halves of a raw file or not."""

    radius: Path | None
    confidence: Path | None
    dual_pixel: bool = False

    @property
    def paths(self) -> list[Path]:
        """The files."""
        return [path for path in (self.radius, self.confidence) if path]

    def read(self) -> DefocusMap | Array | None:
        """Return what the API takes."""
        if self.radius and self.dual_pixel:
            raise MapError(
                f"{self.radius} is given for the map, which --dual-pixel asks to estimate; "
                "give one of them"
            )
        if self.radius is None:
            if self.confidence:
                raise MapError("a confidence was given without its map; give --map too")
            return None
        radius = _read_numbers(self.radius, "radii in pixels")
        factor = recorded_factor(self.radius)
        radius = radius if factor == 1 else radius / factor
        if self.confidence is None:
            return radius
        confidence = _read_numbers(self.confidence, "a confidence from 0 to 1")
        return DefocusMap(radius, confidence, signed=bool((radius < 0).any()))


def read_input(path: Path, options: Options, out: Path | None = None) -> Picture:
    """Read an image, and name what is left out, also because `out` cannot hold it."""
    picture = open_picture(path)
    if is_dask(picture.data) and picture.data.size < LARGE:
        picture = replace(picture, data=picture.data.compute())
    if picture.read_by:
        note(f"Note: {path} was read by {picture.read_by}.")
    left_out = picture.left_out(out)
    if left_out:
        note(f"Note: {path} also holds {left_out}, left out here.")
    return picture.as_planes() if options.channel_axis == "none" else picture


def resolve_input(path: Path, picture: Picture, options: Options) -> Options:
    """Return options as the API takes them; print what was assumed of the values."""
    resolved = resolve_options(picture, options, lambda text: note(f"Note: {path}: {text}."))
    layout = read_layout(picture.data, **resolved.reading())
    if not range_needs_no_values(layout, options.value_range):
        store = enclosing_store(path)
        if store is not None and read_collection(store) is not None:
            note(
                f"Note: {path} has its own black and white here; a batch of {store} takes the same "
                "for all its images, and --value-range sets them."
            )
    return resolved


def read_views(path: Path, picture: Picture, *, dual_pixel: bool) -> Views:
    """Return the view or the two views that a file holds, and note where two lack."""
    views = picture_views(path, picture, dual_pixel=dual_pixel)
    if dual_pixel and views.right is None:
        note(f"Note: {path} does not hold two views; its map is estimated from one.")
    return views


def _read_numbers(path: Path, what: str) -> Array:
    picture = open_picture(path)
    if picture.channel_axis is not None:
        raise FileError(f"{path} is a picture in colors; it should hold {what}, as a gray TIFF")
    storage = picture.metadata.storage
    if storage is not None and storage.bits == 1:
        raise FileError(f"{path} holds one bit a pixel, black or white; write {what} as numbers")
    numbers: Array = picture.data
    return numbers
