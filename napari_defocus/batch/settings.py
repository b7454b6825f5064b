"""What is done to every file of a batch."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from ..errors import OptionError
from ..io.formats import RAW_SUFFIXES
from ..models import ModelCard, find_model, possible_models, taking_part
from ..version import __version__
from .how import How

if TYPE_CHECKING:
    from ..image.layout import Imaging

Task = Literal["map", "deblur", "both"]
Existing = Literal["refuse", "keep", "replace"]
#: What a file may become, and the word for it in its name.
WORDS = {"radius": "defocus", "confidence": "confidence", "sharp": "deblurred"}
_PARTS = {"name": "cells", "what": "deblurred", "suffix": ".tif"}


@dataclass(frozen=True)
class Settings:
    """What is done to every file, and what its results are called.

    Parameters
    ----------
    task : {"map", "deblur", "both"}
        Whether radii and confidence, a sharper picture, or all of these are written.
    strength, protect, detail, model
        Of deblurring, as in the API.
    map_model : str
        The model that estimates radii.
    dual_pixel : bool
        Whether radii are estimated from both halves of Canon dual-pixel raw files, where there are
        two (:func:`napari_defocus.io.raw.read_dual_pixel`).
    how : How
        What values mean, and how to compute.
    pattern : str
        Name of a result: ``{name}`` of the file without its suffix, ``{what}`` it is, ``{suffix}``.
    existing : {"refuse", "keep", "replace"}
        What to do where a file that is none of an earlier run's has the name of a result.

    Raises
    ------
    OptionError
        If one of them is none of these, the pattern lacks ``{name}`` or ``{what}``, or `dual_pixel`
        meets a model for radii that is not "auto".
    """

    task: Task = "deblur"
    strength: float = 1.0
    protect: float = 0.5
    detail: str = "faithful"
    model: str = "auto"
    map_model: str = "auto"
    dual_pixel: bool = False
    how: How = field(default_factory=How)
    pattern: str = "{name}-{what}{suffix}"
    existing: Existing = "refuse"

    def __post_init__(self) -> None:
        for name, kind in (("task", Task), ("existing", Existing)):
            if getattr(self, name) not in get_args(kind):
                accepted = ", ".join(get_args(kind))
                raise OptionError(f"{name} is {getattr(self, name)!r}; accepted are {accepted}")
        if not isinstance(self.dual_pixel, bool):
            raise OptionError(f"dual_pixel is {self.dual_pixel!r}; True or False is expected")
        if self.dual_pixel and self.map_model != "auto":
            raise OptionError(
                f"map_model is {self.map_model!r} and dual_pixel is on, which takes one model for "
                "files of two views and another for those of one; give one of them"
            )
        try:
            named = self.pattern.format_map(_PARTS)
        except (KeyError, IndexError, ValueError, AttributeError) as error:
            raise OptionError(
                f"pattern is {self.pattern!r}; it may hold {{name}}, {{what}} and {{suffix}}"
            ) from error
        if not all(_PARTS[part] in named for part in ("name", "what")) or "/" in named:
            raise OptionError(
                f"pattern is {self.pattern!r}; it should hold {{name}} and {{what}}, and no folder"
            )

    @property
    def results(self) -> list[str]:
        """What every file becomes: keys of `WORDS`."""
        wanted = {"map": ("radius", "confidence"), "deblur": ("sharp",), "both": tuple(WORDS)}
        return list(wanted[self.task])

    def names(self, source: Path) -> dict[str, str]:
        """Return the names of a file's results, by what they are.

        Examples
        --------
        >>> Settings(task="both").names(Path("a/cells.ome.tif"))["radius"]
        'cells-defocus.ome.tif'
        """
        stem, suffix = source.stem, source.suffix
        if suffix.lower() in RAW_SUFFIXES:  # which are read, but not written
            suffix = ".tif"
        if stem.lower().endswith(".ome"):
            stem, suffix = stem[:-4], stem[-4:] + suffix
        return {
            result: self.pattern.format(
                name=stem,
                what=WORDS[result],
                suffix=suffix if result == "sharp" else _numbers(suffix),
            )
            for result in self.results
        }

    def cards(
        self, imaging: Imaging, estimation: Literal["single", "dual"] = "single"
    ) -> list[ModelCard]:
        """Return the models that take part for a file, the one of the result first.

        Parameters
        ----------
        imaging : {"photo", "microscopy"}
            What took the picture.
        estimation : {"single", "dual"}
            Whether radii are estimated from one view or two.

        Raises
        ------
        ModelError, OptionError
            If one is unknown, or does not suit what took the picture.
        """
        estimator = find_model(self.map_model, estimation, imaging=imaging)
        if self.task == "map":
            return taking_part([estimator])
        return taking_part([find_model(self.model, "deblur", self.detail, imaging), estimator])

    def possible_cards(self) -> list[ModelCard]:
        """Return all models that may take part, whatever the files are.

        Raises
        ------
        ModelError, OptionError
            If one is unknown.
        """
        estimators = possible_models(self.map_model, "single")
        if self.dual_pixel:
            estimators += possible_models(self.map_model, "dual")
        if self.task == "map":
            return taking_part(estimators)
        deblurring = possible_models(self.model, "deblur", self.detail)
        return taking_part([*deblurring, *estimators])

    def fingerprint(self) -> str:
        """Return a text that changes when results would: by settings, weights or version."""
        told = {
            **{name: value for name, value in asdict(self).items() if name not in _NAMING},
            "weights": [card.sha256 for card in self.possible_cards()],
            "version": __version__,
        }
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()

    def as_json(self) -> dict[str, Any]:
        """Return them as JSON holds them."""
        return asdict(self)

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Settings:
        """Return what `as_json` gave."""
        how = dict(told["how"])
        if how["value_range"] is not None:
            how["value_range"] = tuple(how["value_range"])
        return cls(**{**told, "how": How(**how)})


_NAMING = ("pattern", "existing")


def _numbers(suffix: str) -> str:
    """A suffix whose files hold real numbers."""
    return suffix if suffix.lower().endswith((".tif", ".tiff", ".zarr")) else ".tif"
