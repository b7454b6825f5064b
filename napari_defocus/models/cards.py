"""Model cards: descriptions of weights files, readable without loading the weights."""

import json
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ..errors import ModelError, reason
from ..io.json_file import read_json

if TYPE_CHECKING:  # the package of networks imports torch
    from torch import nn

    from ..networks.descriptor import Descriptor, Task

#: Values in the tables of a card.
_MOST_VALUES = 200_000
TASKS: "tuple[Task, ...]" = ("single", "dual", "deblur")


@dataclass(frozen=True)
class ModelCard:
    """A model: its network, its weights and where they come from.

    Parameters
    ----------
    name : str
        Name by which users choose the model.
    task : {"single", "dual", "deblur"}
        Defocus from one image, defocus from two dual-pixel views, or deblurring.
    architecture : str
        Key of ``napari_defocus.networks.ARCHITECTURES``.
    arguments : mapping
        Keyword arguments of the architecture; JSON values.
    sha256 : str
        Hexadecimal digest of the weights file.
    path : pathlib.Path
        The weights file.
    version, license, description, data : str
        Of the weights; `data` names the training data.
    recipe, figures : mapping
        Settings of the training, and measured results; JSON values.
    scale_from : str
        Name of the model of one image whose radii set the scale of this model's radii; empty if
        this model needs none. Only for two views: their disparity gives the radius up to a factor
        that depends on the lens.
    correction : mapping
        What the radii and confidences of a model for micrographs mean: `said` and `meant`, lists of
        radii in pixels, and `confidence`, level and slope of the log odds that they are right.
        `confidence_by_spectrum`, where a spectrum can be taken, has level and slope of these, and
        the slope of the log odds that the spectrum gives.
        Empty where they mean what they say.
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
    correction: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> str:
        """Return the card as text for the file beside the weights: every field but the path."""
        values = asdict(self)
        del values["path"]
        if not self.correction:
            del values["correction"]
        return json.dumps(values, indent=2, ensure_ascii=False) + "\n"


def read_card(path: Path) -> ModelCard:
    """Read the card ``NAME.json`` that lies beside ``NAME.safetensors``.

    A file is read once per process, and again after it was changed.

    Parameters
    ----------
    path : pathlib.Path
        The JSON file.

    Returns
    -------
    ModelCard
        Its path is that of the weights, which need not exist. Callers share the card and its
        mappings: copy them before changing anything.

    Raises
    ------
    ModelError
        If the card cannot be read, lacks a field, or names another file.
    """
    try:
        status = path.stat()
        return _read_card(path, status.st_mtime_ns, status.st_size)
    except ModelError:
        raise
    except (OSError, ValueError) as error:
        raise ModelError(f"model card {path.name} cannot be read: {reason(error)}") from error


@lru_cache(maxsize=64)
def _read_card(path: Path, _time: int, _size: int) -> ModelCard:
    values = read_json(path)
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
        Should be a mapping with every field but the path; fields with a default may be missing.
    path : pathlib.Path
        The weights file.
    source : str
        Name of the origin of `values` in error messages.

    Raises
    ------
    ModelError
        If a field is missing or of the wrong type, or the task is unknown.
    """
    if not isinstance(values, Mapping):
        raise ModelError(f"{source} holds a {type(values).__name__}; it should hold named fields")
    by_name = {each.name: each for each in fields(ModelCard) if each.name != "path"}
    card = {name: each.default for name, each in by_name.items() if each.default is not MISSING}
    card["correction"] = {}
    card |= {name: values[name] for name in by_name if name in values}
    for name, each in by_name.items():
        value = card.get(name)
        kind = Mapping if each.type == Mapping[str, Any] else str
        if not isinstance(value, kind):
            fault = "lacks" if name not in values else f"has a {type(value).__name__} for"
            kind_name = "text" if kind is str else "a table of values"
            raise ModelError(f"{source} {fault} the field {name!r}; it should be {kind_name}")
        if kind is Mapping:
            _check_size(value, name, source)
    if card["task"] not in TASKS:
        raise ModelError(f"{source} has the task {card['task']!r}; accepted are {', '.join(TASKS)}")
    if card["scale_from"] and card["task"] != "dual":
        raise ModelError(
            f"{source} has the field 'scale_from', which only the task 'dual' may have"
        )
    return ModelCard(path=path, **card)


def _check_size(values: object, name: str, source: str) -> None:
    """Refuse tables of very many values: lists that hold the same list twice double each time."""
    pending, count = [values], 0
    while pending:
        value = pending.pop()
        if isinstance(value, Mapping | list | tuple):
            pending += value.values() if isinstance(value, Mapping) else value
        count += 1
        if count + len(pending) > _MOST_VALUES:
            raise ModelError(f"{source} has more than {_MOST_VALUES} values in the field {name!r}")


def describe_network(network: "nn.Module") -> ModelCard:
    """Return the card of a network of the caller's own, which has no weights file.

    Parameters
    ----------
    network : torch.nn.Module
        With a ``descriptor``.
    """
    name = type(network).__name__
    descriptor = cast("Descriptor", network.descriptor)
    return ModelCard(name, descriptor.task, name, {}, "", Path(), "", "", "", "", {}, {})
