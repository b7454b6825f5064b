"""Commands that make a map or a picture: read, run the API, write with provenance."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..api import DefocusMap, deblur, estimate_defocus, refocus
from ..batch.how import How
from ..errors import FileError, MapError, OptionError
from ..image.layout import Imaging
from ..io import Picture, check_fits, read_picture
from ..map_colors import paint_map
from ..models import ModelCard, find_model, with_scale_models
from ..provenance import provenance
from ..views import Views, find_views
from .console import note, progress_bar
from .outputs import (
    Outputs,
    check_holds_floats,
    check_is_plane,
)

Array = npt.NDArray[Any]


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
        if self.dual_pixel and model != "auto":
            raise OptionError(
                f"model is {model!r} and --dual-pixel is on, which takes one model for two views "
                "and another for one; give one of them"
            )

    def views(self, picture: Picture, how: How) -> Views:
        """Return the views; the picture is that of the image."""
        if self.right:
            return Views((picture.data, _read(self.right, how).data))
        return _views(self.image, picture, how, dual_pixel=self.dual_pixel)


@dataclass(frozen=True)
class MapOutputs:
    """Files that a defocus map is written to."""

    radius: Path
    confidence: Path | None
    preview: Path | None

    @property
    def paths(self) -> list[Path]:
        """All of them."""
        return [path for path in (self.radius, self.confidence, self.preview) if path]

    def check(self) -> None:
        """Raise a FileError if a file cannot hold its part of the map."""
        advice = ", and add --preview-out for a picture in colors"
        check_holds_floats(self.radius, "radii", advice)
        if self.confidence:
            check_holds_floats(self.confidence, "confidence")


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
        if self.confidence is None:
            return radius
        confidence = _read_numbers(self.confidence, "a confidence from 0 to 1")
        return DefocusMap(radius, confidence, signed=bool((radius < 0).any()))

    def views(self, image: Path, picture: Picture, how: How) -> Views | None:
        """Return what it is to be estimated from; None where it is known."""
        if self.radius:
            return None
        return _views(image, picture, how, dual_pixel=self.dual_pixel)


@dataclass(frozen=True)
class Choice:
    """Which model deblurs."""

    model: str
    detail: str

    @property
    def arguments(self) -> dict[str, Any]:
        """What the API takes."""
        return {"model": self.model, "detail": self.detail}

    def cards(self, views: Views | None, imaging: Imaging) -> list[ModelCard]:
        """The models used; where a map is estimated from views, the one that does it too."""
        estimator = [] if views is None else [find_model("auto", views.task, imaging=imaging)]
        return with_scale_models(
            [find_model(self.model, "deblur", self.detail, imaging), *estimator]
        )


def map_defocus(
    source: ViewsInput, goals: MapOutputs, model: str, how: How, *, overwrite: bool
) -> None:
    """Estimate how far out of focus every pixel is, and write that."""
    goals.check()
    source.check(model)
    outputs = Outputs(source.paths, goals.paths, overwrite)
    image, picture = source.image, _read(source.image, how)
    views = source.views(picture, how)
    given = {"model": model, **how.arguments(picture)}
    card = find_model(model, views.task, imaging=how.imaging(picture))
    if goals.preview:
        axis = given["channel_axis"]
        shape = picture.data.shape if axis is None else np.delete(picture.data.shape, axis)
        check_is_plane(goals.preview, picture.axes, tuple(shape))
    with progress_bar(f"map {image.name}") as progress:
        found = views.upright(estimate_defocus(*views.data, progress=progress, **given))
    told = {
        "right": views.data[1] if source.right else None,
        "dual_pixel": source.dual_pixel,
        "views": views.count,
        **given,
    }
    record = _record("estimate_defocus", image, picture, told, with_scale_models([card]))
    axis = given["channel_axis"]
    outputs.write(goals.radius, found.radius, record, picture, axis)
    if goals.confidence:
        outputs.write(goals.confidence, found.confidence, record, picture, axis)
    if goals.preview:
        plane = found.radius.reshape(found.radius.shape[-2:])
        painted = paint_map(plane, signed=found.signed)
        outputs.write(goals.preview, painted, record, channel_axis=-1)


def deblur_image(
    image: Path,
    out: Path,
    defocus: MapInput,
    choice: Choice,
    how: How,
    *,
    strength: float,
    protect: float,
    overwrite: bool,
) -> None:
    """Deblur, and write the picture as it was read, sharper."""
    outputs = Outputs([image, *defocus.paths], [out], overwrite)
    picture = _read(image, how)
    check_fits(out, picture)
    known, views = defocus.read(), defocus.views(image, picture, how)
    common = how.arguments(picture)
    given = {"strength": strength, "protect": protect, **choice.arguments, **common}
    told = {
        "defocus": known,
        "dual_pixel": defocus.dual_pixel,
        "views": None if views is None else views.count,
        **given,
    }
    cards = choice.cards(views, how.imaging(picture))
    if views is not None and views.count > 1:
        with progress_bar(f"map {image.name}") as progress:
            known = views.upright(estimate_defocus(*views.data, progress=progress, **common))
    with progress_bar(f"deblur {image.name}") as progress:
        sharp = deblur(picture.data, known, progress=progress, **given)
    outputs.write(out, sharp, _record("deblur", image, picture, told, cards), picture)


def refocus_image(
    image: Path,
    out: Path,
    defocus: MapInput,
    choice: Choice,
    how: How,
    *,
    focus: float,
    aperture: float,
    is_sharp: bool,
    overwrite: bool,
) -> None:
    """Deblur unless the picture is sharp already, focus anew, and write it."""
    outputs = Outputs([image, *defocus.paths], [out], overwrite)
    if is_sharp and defocus.radius is None:
        raise MapError("a sharp picture does not tell its map; give --map with --sharp")
    picture = _read(image, how)
    check_fits(out, picture)
    known: Any = defocus.read()
    common = how.arguments(picture)
    views = defocus.views(image, picture, how)
    cards = [] if is_sharp else choice.cards(views, how.imaging(picture))
    if known is None:
        with progress_bar(f"map {image.name}") as progress:
            known = estimate_defocus(picture.data, progress=progress, **common)
    sharp = picture.data
    if not is_sharp:
        with progress_bar(f"deblur {image.name}") as progress:
            sharp = deblur(sharp, known, progress=progress, **choice.arguments, **common)
    with progress_bar(f"refocus {image.name}") as progress:
        view = refocus(sharp, known, focus=focus, aperture=aperture, progress=progress, **common)
    given = {"focus": focus, "aperture": aperture, "sharp": is_sharp, **choice.arguments, **common}
    record = _record("refocus", image, picture, {"defocus": known, **given}, cards)
    outputs.write(out, view, record, picture)


def _read(path: Path, how: How) -> Picture:
    picture = read_picture(path)
    if picture.ignored:
        note(f"Note: {path} also holds {picture.ignored}, left out here.")
    return how.interpreted(picture)


def _views(path: Path, picture: Picture, how: How, *, dual_pixel: bool) -> Views:
    views = find_views(path, picture, how, dual_pixel=dual_pixel)
    if dual_pixel and views.count == 1:
        note(f"Note: {path} does not hold two views; its map is estimated from one.")
    return views


def _read_numbers(path: Path, what: str) -> Array:
    picture = read_picture(path)
    if picture.channel_axis is not None:
        raise FileError(f"{path} is a picture in colors; it should hold {what}, as a gray TIFF")
    numbers: Array = picture.data
    return numbers


def _record(
    function: str,
    image: Path,
    picture: Picture,
    parameters: dict[str, Any],
    cards: list[ModelCard],
) -> dict[str, Any]:
    return provenance(function, picture.data, {**parameters, "path": image.name}, cards)
