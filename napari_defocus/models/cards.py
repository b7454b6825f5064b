"""Model cards: what a weights file is, before anything of it is loaded."""

import json
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ModelError

if TYPE_CHECKING:  # the package of networks imports torch
    from ..networks.descriptor import Task

TASKS: "tuple[Task, ...]" = ("single", "dual", "deblur")


@dataclass(frozen=True)
class ModelCard:
    """A model: its network, its weights and where they come from.

    Parameters
    ----------
    name : str
        What users call it.
    task : {"single", "dual", "deblur"}
        Defocus from one image, from two dual-pixel views, or deblurring.
    architecture : str
        Key of ``napari_defocus.networks.ARCHITECTURES``.
    arguments : mapping
        Keyword arguments of the architecture; JSON values.
    sha256 : str
        Hexadecimal digest of the weights file.
    path : pathlib.Path
        The weights file.
    version, license, description, data : str
        Of the weights; `data` says what they were trained on.
    recipe, figures : mapping
        How they were trained, and what they were measured to reach; JSON values.
    scale_from : str
        For two views: name of the model of one image whose radii set the scale of this one's, which
        disparity tells only up to a factor of the lens; empty if its own do.
    """

    name: str
    task: "Task"
    architecture: str
    arguments: Mapping[str, Any]
    sha256: str
    path: Path
    version: str
    license: str
    description: str
    data: str
    recipe: Mapping[str, Any]
    figures: Mapping[str, Any]
    scale_from: str = ""

    def to_json(self) -> str:
        """Return the card as it is written beside the weights: all but the path."""
        values = asdict(self)
        del values["path"]
        return json.dumps(values, indent=2, ensure_ascii=False) + "\n"


def read_card(path: Path) -> ModelCard:
    """Read the card ``NAME.json`` that lies beside ``NAME.safetensors``.

    Parameters
    ----------
    path : pathlib.Path
        The JSON file.

    Returns
    -------
    ModelCard
        Its path is that of the weights, which need not exist.

    Raises
    ------
    ModelError
        If the card cannot be read, lacks a field, or names another file.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"model card {path.name} cannot be read: {error}") from error
    card = card_from(values, path.with_suffix(".safetensors"), f"model card {path.name}")
    if card.name != path.stem:
        raise ModelError(
            f"model card {path.name} names the model {card.name!r}; it should be {path.stem!r}"
        )
    return card


def card_from(values: object, path: Path, source: str) -> ModelCard:
    """Make a card of parsed JSON.

    Parameters
    ----------
    values : object
        Should be a mapping with every field but the path; those with a default may be missing.
    path : pathlib.Path
        The weights file.
    source : str
        How errors call what `values` came from.

    Raises
    ------
    ModelError
        If a field is missing or of the wrong type, or the task is unknown.
    """
    if not isinstance(values, Mapping):
        raise ModelError(f"{source} holds a {type(values).__name__}; it should hold named fields")
    known = {field.name: field for field in fields(ModelCard) if field.name != "path"}
    told = {name: field.default for name, field in known.items() if field.default is not MISSING}
    told |= {name: values[name] for name in known if name in values}
    for name, field in known.items():
        value = told.get(name)
        kind = Mapping if field.type == Mapping[str, Any] else str
        if not isinstance(value, kind):
            seen = "lacks" if name not in values else f"has a {type(value).__name__} for"
            raise ModelError(f"{source} {seen} the field {name!r}; it should be {_words(kind)}")
    if values["task"] not in TASKS:
        raise ModelError(f"{source} has the task {values['task']!r}; known are {', '.join(TASKS)}")
    if told["scale_from"] and values["task"] != "dual":
        raise ModelError(f"{source} has the field 'scale_from', which is for the task 'dual' alone")
    return ModelCard(path=path, **told)


def _words(kind: type) -> str:
    return "text" if kind is str else "a table of values"
