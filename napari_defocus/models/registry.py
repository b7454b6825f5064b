"""Which models there are, and which one a name, a path or "auto" means."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ModelError, OptionError
from .cards import ModelCard, card_from, read_card
from .files import SUFFIXES, digest, parse_header, parse_pth, read_bytes

if TYPE_CHECKING:
    from ..image.layout import Imaging
    from ..networks.descriptor import Task

FOLDER = Path(__file__).parent
#: How much deblurring may infer; the first unless told.
DETAILS = ("faithful", "natural")
#: What takes the images that there are models for; the first unless told.
IMAGINGS: "tuple[Imaging, ...]" = ("photo", "microscopy")
_SINGLE: "dict[Imaging, str]" = {"photo": "single", "microscopy": "microscopy-single"}


def list_models() -> list[ModelCard]:
    """Return the cards of the models inside the package, by name.

    Raises
    ------
    ModelError
        If a card is damaged.
    """
    return [read_card(path) for path in sorted(FOLDER.glob("*.json"))]


def find_model(
    name_or_path: str | os.PathLike[str],
    task: "Task",
    detail: str = "faithful",
    imaging: "Imaging" = "photo",
) -> ModelCard:
    """Return the card of a model.

    Parameters
    ----------
    name_or_path : str or path
        ``"auto"`` for the default of `task`; the name of a model inside the package; or the path of
        a ``.safetensors`` or ``.pth`` file of one's own.
    task : {"single", "dual", "deblur"}
        What it is wanted for.
    detail : {"faithful", "natural"}
        Which of the deblurring models "auto" stands for: no detail that the image does not show, or
        what is likely beyond it.
    imaging : {"photo", "microscopy"}
        Kind of image that "auto" is to suit (:attr:`napari_defocus.image.layout.Layout.imaging`).

    Returns
    -------
    ModelCard
        For a file of one's own, its sha256 is that of the file as found now.

    Raises
    ------
    ModelError
        If there is no such model or file, it says nothing about its network, or it was made for
        another task; names what would be accepted.
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
    if _is_path(name):
        return _suiting(_read_own(Path(name).expanduser()), task)
    return _read_shipped(name, task)


def default_name(task: "Task", detail: str = "faithful", imaging: "Imaging" = "photo") -> str:
    """Return the name of the model that "auto" stands for.

    Raises
    ------
    OptionError
        If "natural" detail is wanted for microscopy, where nothing may be made up.
    """
    if task == "dual":
        return "dual-pixel"
    if task == "single":
        return _SINGLE[imaging]
    if imaging == "microscopy" and detail != "faithful":
        raise OptionError(
            f"detail is {detail!r} and the image linear and gray, as measurements are; only "
            "'faithful' is accepted for these, unless a model is named"
        )
    return f"{imaging}-{detail}"


def possible_models(
    name_or_path: str | os.PathLike[str], task: "Task", detail: str = "faithful"
) -> list[ModelCard]:
    """Return the cards of all models that a name or "auto" may stand for, whatever the image.

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
    """Return the card of the model whose radii set the scale of another's; None if its own do.

    Raises
    ------
    ModelError
        If no model inside the package has the name that the card gives.

    Examples
    --------
    >>> scale_model(find_model("auto", "dual")).name
    'single'
    """
    return _read_shipped(card.scale_from, "single") if card.scale_from else None


def taking_part(cards: Sequence[ModelCard]) -> list[ModelCard]:
    """Return the cards, each once, and after each that of the model which sets its scale.

    Examples
    --------
    >>> [card.name for card in taking_part([find_model("auto", "dual")])]
    ['dual-pixel', 'single']
    """
    found: list[ModelCard] = []
    for card in cards:
        for one in (card, scale_model(card)):
            if one is not None and one not in found:
                found.append(one)
    return found


def check_detail(detail: str, model: object) -> None:
    """Raise an OptionError unless `detail` is one, and says nothing beside a model but "auto"."""
    if detail not in DETAILS:
        raise OptionError(f"detail is {detail!r}; accepted are {', '.join(DETAILS)}")
    if model != "auto" and detail != DETAILS[0]:
        raise OptionError(
            f"detail is {detail!r} and the model {model!r}; detail chooses what the model 'auto' "
            "stands for, so give one of them"
        )


def _is_path(name: str) -> bool:
    return Path(name).suffix in SUFFIXES or Path(name).name != name


def _read_shipped(name: str, task: "Task") -> ModelCard:
    cards = {card.name: card for card in list_models()}
    if name not in cards:
        raise ModelError(f"there is no model {name!r}; {_choices(task)}")
    return _suiting(cards[name], task)


def _suiting(card: ModelCard, task: "Task") -> ModelCard:
    if card.task != task:
        raise ModelError(
            f"model {card.name!r} is made for the task {card.task!r}, not {task!r}; "
            f"{_choices(task)}"
        )
    return card


def _choices(task: "Task") -> str:
    names = [card.name for card in list_models() if card.task == task]
    known = f"for {task!r} there are: {', '.join(names)}" if names else f"none ships for {task!r}"
    return f"{known}; or give the path of a {' or '.join(SUFFIXES)} file"


def _read_own(path: Path) -> ModelCard:
    if path.suffix not in SUFFIXES:
        raise ModelError(f"weights file {path} should end in {' or '.join(SUFFIXES)}")
    content = read_bytes(path)
    parse = parse_pth if path.suffix == ".pth" else parse_header
    described = {**_blank(path), **parse(content, path), "sha256": digest(content)}
    return card_from(described, path.resolve(), f"weights file {path.name}")


def _blank(path: Path) -> dict[str, Any]:
    """What a file of a user's own need not say."""
    unsaid = dict.fromkeys(("version", "license", "description", "data"), "")
    return {"name": path.stem, "arguments": {}, "recipe": {}, "figures": {}, **unsaid}
