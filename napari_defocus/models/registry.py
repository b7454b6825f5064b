"""Registry of the models in the package, and choice of one by name, path or "auto"."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from ..deblur_settings import DETAILS
from ..errors import ModelError, OptionError, quote
from ..options import IMAGINGS, Imaging
from .cards import ModelCard, card_from, read_card
from .weights import SUFFIXES, digest, parse_header, parse_pth, read_bytes

if TYPE_CHECKING:
    from ..networks.descriptor import Task

FOLDER = Path(__file__).parent
#: Names of models by the kind of image.
_SINGLE: dict[Imaging, str] = {"photograph": "single", "microscopy": "microscopy-single"}
_DEBLUR: dict[Imaging, str] = {"photograph": "photo", "microscopy": "microscopy"}


def list_models() -> list[ModelCard]:
    """Return the cards of the models inside the package, sorted by name.

    Returns
    -------
    list of ModelCard
        Names, tasks, hashes, licenses and measured results; the weights are not loaded.

    Raises
    ------
    ModelError
        If a card is damaged.

    See Also
    --------
    estimate_defocus, deblur : take the name of a model

    Notes
    -----
    The figures of a card say on which images they were measured; for others, models may be better
    or worse. Weights are checked against the card's sha256 when they are loaded.

    Examples
    --------
    >>> [card.name for card in list_models() if card.task == "deblur"]
    ['microscopy-faithful', 'photo-faithful', 'photo-natural']
    """
    return [read_card(path) for path in sorted(FOLDER.glob("*.json"))]


def find_model(
    name_or_path: str | os.PathLike[str],
    task: "Task",
    detail: str = DETAILS[0],
    imaging: Imaging = "photograph",
) -> ModelCard:
    """Return the card of a model.

    Parameters
    ----------
    name_or_path : str or path
        ``"auto"`` for the default of `task`; the name of a model inside the package; or the path of
        a user's own ``.safetensors`` or ``.pth`` file.
    task : {"single", "dual", "deblur"}
        Purpose of the model.
    detail : {"faithful", "natural"}
        Deblurring model that "auto" stands for: "faithful" restores only detail that the image
        shows, "natural" also adds likely detail.
    imaging : {"photograph", "microscopy"}
        Kind of image that "auto" chooses for (:attr:`napari_defocus.image.layout.Layout.imaging`).

    Returns
    -------
    ModelCard
        For a user's own file, with the sha256 of its present content.

    Raises
    ------
    ModelError
        If there is no such model or file, the file does not name its network, or the model is made
        for another task. The message lists the accepted models.
    OptionError
        If `detail` is unknown, or "natural" beside a model that is named or for microscopy.

    Examples
    --------
    >>> find_model("auto", "deblur").name
    'photo-faithful'
    """
    name = os.fspath(name_or_path)
    check_detail(detail, name)
    if name == "auto":
        name = default_name(task, detail, imaging)
    if is_weights_path(name):
        return _check_task(_read_own(Path(name).expanduser()), task)
    return _read_shipped(name, task)


def default_name(task: "Task", detail: str = DETAILS[0], imaging: Imaging = "photograph") -> str:
    """Return the name of the model that "auto" stands for.

    Raises
    ------
    OptionError
        If `detail` is "natural" for microscopy, where no detail may be invented.
    """
    if task == "dual":
        return "dual-pixel"
    if task == "single":
        return _SINGLE[imaging]
    if imaging == "microscopy" and detail != "faithful":
        raise OptionError(
            f"detail is {quote(detail)} and the image linear and gray, as in microscopy; only "
            "'faithful' is accepted for it, unless a model is named or imaging is 'photograph'"
        )
    return f"{_DEBLUR[imaging]}-{detail}"


def possible_models(
    name_or_path: str | os.PathLike[str], task: "Task", detail: str = "faithful"
) -> list[ModelCard]:
    """Return the cards of all models that a name or "auto" may stand for, for any image.

    Raises
    ------
    ModelError, OptionError
        As :func:`find_model`.

    Examples
    --------
    >>> [card.name for card in possible_models("auto", "single")]
    ['single', 'microscopy-single']
    """
    photo = find_model(name_or_path, task, detail)
    if name_or_path != "auto" or task == "dual" or detail != "faithful":
        return [photo]
    return [photo, *(find_model("auto", task, detail, imaging) for imaging in IMAGINGS[1:])]


def scale_model(card: ModelCard) -> ModelCard | None:
    """Return the card of the model whose radii set the scale of another's, or None without one.

    Raises
    ------
    ModelError
        If no model of one image in the package has the name in the card.

    Examples
    --------
    >>> scale_model(find_model("auto", "dual")).name
    'single'
    """
    return _read_shipped(card.scale_from, "single") if card.scale_from else None


def with_scale_models(cards: Iterable[ModelCard]) -> list[ModelCard]:
    """Return the cards, each followed by that of the model that sets its scale, all only once.

    Examples
    --------
    >>> [card.name for card in with_scale_models([find_model("auto", "dual")])]
    ['dual-pixel', 'single']
    """
    result: list[ModelCard] = []
    for card in cards:
        for candidate in (card, scale_model(card)):
            if candidate is not None and candidate not in result:
                result.append(candidate)
    return result


def check_detail(detail: str, model: object) -> None:
    """Raise an OptionError for unknown detail, and for "natural" beside a model but "auto"."""
    if detail not in DETAILS:
        raise OptionError(f"detail is {quote(detail)}; accepted are {', '.join(DETAILS)}")
    if model != "auto" and detail != DETAILS[0]:
        raise OptionError(
            f"detail is {quote(detail)} and the model {quote(model)}; detail chooses what the "
            "model 'auto' stands for, so set only one of the two"
        )


def is_weights_path(name: str) -> bool:
    """Return whether the name of a model is the path of a weights file."""
    return Path(name).suffix in SUFFIXES or Path(name).name != name


def _read_shipped(name: str, task: "Task") -> ModelCard:
    cards = {card.name: card for card in list_models()}
    if name not in cards:
        raise ModelError(f"there is no model {quote(name)}; {_choices(task)}")
    return _check_task(cards[name], task)


def _check_task(card: ModelCard, task: "Task") -> ModelCard:
    if card.task != task:
        raise ModelError(
            f"model {card.name!r} is made for the task {card.task!r}, not {task!r}; "
            f"{_choices(task)}"
        )
    return card


def _choices(task: "Task") -> str:
    names = [card.name for card in list_models() if card.task == task]
    there = f"for {task!r} there are: {', '.join(names)}" if names else f"none ships for {task!r}"
    return f"{there}; or give the path of a {' or '.join(SUFFIXES)} file"


def _read_own(path: Path) -> ModelCard:
    if path.suffix not in SUFFIXES:
        raise ModelError(f"weights file {path} should end in {' or '.join(SUFFIXES)}")
    content = read_bytes(path)
    parse = parse_pth if path.suffix == ".pth" else parse_header
    optional = {
        "name": path.stem,
        **dict.fromkeys(("version", "license", "description", "data"), ""),
        **{name: {} for name in ("arguments", "recipe", "figures")},
    }
    fields = {**optional, **parse(content, path), "sha256": digest(content)}
    return card_from(fields, path.resolve(), f"weights file {path.name}")
