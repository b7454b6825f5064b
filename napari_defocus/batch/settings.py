"""Settings of a batch: the task, its options, and the names of results."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from string import Formatter
from typing import Any, Literal, get_args

from ..deblur_settings import DeblurSettings
from ..errors import OptionError, quote
from ..io.formats import WRITABLE
from ..models import ModelCard, is_weights_path, possible_models, with_scale_models
from ..options import Options
from ..physical_size import Unit
from ..version import __version__
from ..views import refuse_named_model

BatchTask = Literal["map", "deblur", "both", "focus"]
Existing = Literal["refuse", "keep", "replace", "beside"]
#: Kinds of results, and the words for them in names of files; the kinds that each task makes.
WORDS = {
    "radius": "defocus",
    "confidence": "confidence",
    "sharp": "deblurred",
    "focus": "focus",
}
_RESULTS = {
    "map": ("radius", "confidence"),
    "deblur": ("sharp",),
    "both": ("radius", "confidence", "sharp"),
    "focus": ("focus",),
}
_EXAMPLE = {"name": "cells", "what": "deblurred", "suffix": ".tif"}


@dataclass(frozen=True)
class Settings:
    """What is done to every file, and how its results are named.

    Parameters
    ----------
    task : {"map", "deblur", "both", "focus"}
        Write radii and confidence, a sharper picture, or all of these; or profile the focus of the
        stacks that files hold, and write a table.
    deblurring : DeblurSettings
        How much deblurring changes, and the models.
    dual_pixel : bool
        Estimate radii from both views of Canon dual-pixel raw files, where a file holds two
        (:func:`napari_defocus.io.raw.read_dual_pixel`).
    options : Options
        How values are read and how to compute.
    pattern : str
        Name of a result, made of ``{name}``, the file's without suffix; ``{what}``, the kind of
        result; and ``{suffix}``.
    unit : {"px", "um"}
        Unit of the radii in maps; micrometers need files that say the size of their pixels.
    check : bool
        Check every sharper picture against its image, and report what is supported.
    stack_axis : str, optional
        Axis of stacks of micrographs whose neighboring planes help to restore each plane: its
        letter, its number, or "auto" (Z, or the only axis of planes). Files without it fail.
    existing : {"refuse", "keep", "replace", "beside"}
        What to do where a result would take the place of a file that no earlier run made, that was
        changed since, or that was made with other settings: refuse to begin, keep it and skip its
        source, replace it, or keep it and give the new result beside it a number (unless it was
        changed since: then its source fails). Where it would
        take the place of the result of another input, refuse to begin, or (all others) give the new
        result a number.

    Raises
    ------
    OptionError
        If one of them is not accepted, the pattern lacks ``{name}`` or ``{what}``, or `dual_pixel`
        is on and the deblurring's `map_model` is not "auto", or `check` or `stack_axis` is given
        and the task makes no sharper picture.
    """

    task: BatchTask = "deblur"
    deblurring: DeblurSettings = field(default_factory=DeblurSettings)
    dual_pixel: bool = False
    options: Options = field(default_factory=Options)
    pattern: str = "{name}-{what}{suffix}"
    existing: Existing = "refuse"
    unit: Unit = "px"
    check: bool = False
    stack_axis: str | None = None

    def __post_init__(self) -> None:
        for name, choices in (("task", BatchTask), ("existing", Existing), ("unit", Unit)):
            if getattr(self, name) not in get_args(choices):
                accepted = ", ".join(get_args(choices))
                raise OptionError(
                    f"{name} is {quote(getattr(self, name))}; accepted are {accepted}"
                )
        for name in ("dual_pixel", "check"):
            value = getattr(self, name)
            if not isinstance(value, bool):
                raise OptionError(f"{name} is {quote(value)}; True or False is expected")
        if self.check and "sharp" not in self.results:
            raise OptionError(
                f"check is on and the task {self.task!r} makes no picture to check; take 'deblur' "
                "or 'both', or switch check off"
            )
        self._check_stack_axis()
        if self.dual_pixel:
            refuse_named_model("map_model", self.deblurring.map_model, switch="dual_pixel")
        try:
            _refuse_widths(self.pattern)
            example = self.pattern.format_map(_EXAMPLE)
        except (KeyError, IndexError, ValueError, AttributeError) as error:
            raise OptionError(
                f"pattern is {quote(self.pattern)}; it may hold {{name}}, {{what}} and {{suffix}}"
            ) from error
        if not all(_EXAMPLE[part] in example for part in ("name", "what")) or "/" in example:
            raise OptionError(
                f"pattern is {quote(self.pattern)}; it should hold {{name}} and {{what}}, and no "
                "folder"
            )

    def _check_stack_axis(self) -> None:
        if self.stack_axis is None:
            return
        if not isinstance(self.stack_axis, str):
            raise OptionError(
                f"stack_axis is {quote(self.stack_axis)}; the letter of an axis such as 'Z', its "
                "number as text, 'auto', or None is expected"
            )
        if "sharp" not in self.results:
            raise OptionError(
                f"stack_axis is {quote(self.stack_axis)} and the task {self.task!r} restores no "
                "plane; take 'deblur' or 'both', or leave it out"
            )

    @property
    def results(self) -> list[str]:
        """Kinds of results that every file gets: keys of `WORDS`."""
        return list(_RESULTS[self.task])

    def result_names(self, source: Path) -> dict[str, str]:
        """Return the names of a file's results, by their kind.

        Examples
        --------
        >>> Settings(task="both").result_names(Path("a/cells.ome.tif"))["radius"]
        'cells-defocus.ome.tif'
        """
        stem, suffix = source.stem, source.suffix
        if suffix.lower() not in WRITABLE:
            suffix = ".tif"
        if stem.lower().endswith(".ome"):
            stem, suffix = stem[:-4], stem[-4:] + suffix
        return {
            kind: self.pattern.format(
                name=stem,
                what=WORDS[kind],
                suffix=_result_suffix(kind, suffix),
            )
            for kind in self.results
        }

    def possible_models(self) -> list[ModelCard]:
        """Return all models that may take part, whatever the files are.

        Raises
        ------
        ModelError, OptionError
            If one is unknown.
        """
        deblurring = self.deblurring
        cards = possible_models(deblurring.map_model, "single")
        if self.dual_pixel:
            cards += possible_models(deblurring.map_model, "dual")
        if "sharp" in self.results:
            cards = [*possible_models(deblurring.model, "deblur", deblurring.detail), *cards]
        return with_scale_models(cards)

    def with_absolute_models(self) -> Settings:
        """Return the settings with absolute paths of weights files, for any working directory."""
        deblurring = self.deblurring
        absolute = replace(
            deblurring,
            model=_absolute_path(deblurring.model),
            map_model=_absolute_path(deblurring.map_model),
        )
        return replace(self, deblurring=absolute)

    def fingerprint(self) -> str:
        """Return a text that changes when settings, weights or the version would change results."""
        fields = {
            **{name: value for name, value in asdict(self).items() if name not in _NAMING},
            "weights": [card.sha256 for card in self.possible_models()],
            "version": __version__,
        }
        if self.unit == "px":  # as in earlier versions, which did not have these settings
            del fields["unit"]
        if not self.check:
            del fields["check"]
        if self.stack_axis is None:
            del fields["stack_axis"]
        if self.options.optics == "auto":
            del fields["options"]["optics"]
        for name in ("bokeh_radius", "amount"):
            if name not in self.deblurring.changed():
                del fields["deblurring"][name]
        return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()

    def as_json(self) -> dict[str, Any]:
        """Return the settings as JSON holds them."""
        return asdict(self)

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Settings:
        """Return the settings that `as_json` wrote, now or in an earlier version."""
        values = {_RENAMED.get(name, name): value for name, value in record.items()}
        if "deblurring" not in values:  # an earlier version kept its settings beside the others
            names = [each.name for each in fields(DeblurSettings)]
            values["deblurring"] = {name: values.pop(name) for name in names if name in values}
        values["deblurring"] = DeblurSettings(**values["deblurring"])
        options = dict(values["options"])
        if "scale" in options:  # an earlier version kept the words of the command line
            options["downscale"] = options.pop("scale")
            return cls(**{**values, "options": Options.from_text(options)})
        return cls(**{**values, "options": Options(**options)})


#: New names of fields in the plans of earlier versions.
_RENAMED = {"how": "options", "protect": "protect_radius"}


def _refuse_widths(pattern: str) -> None:
    """Raise a ValueError for a field with a width, which can be any number, or a conversion."""
    for _, _, width, conversion in Formatter().parse(pattern):
        if width or conversion:
            raise ValueError("a field should be its name alone")


#: Settings that change where results go, not what they hold.
_NAMING = ("pattern", "existing")


def _absolute_path(model: str) -> str:
    return str(Path(model).expanduser().absolute()) if is_weights_path(model) else model


def _result_suffix(kind: str, suffix: str) -> str:
    if kind == "focus":
        return ".csv"
    return suffix if kind == "sharp" else _float_suffix(suffix)


def _float_suffix(suffix: str) -> str:
    """Return the suffix if its files hold real numbers, else that of TIFF."""
    return suffix if WRITABLE[Path(f"a{suffix}").suffix.lower()].holds_floats else ".tif"
