"""Export of trained weights to the plugin's registry, each with its card."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from napari_defocus.models import ModelCard, find_model, load_network, write_model
from napari_defocus.networks.descriptor import Task
from training.save import LICENSE

_PHOTOGRAPHS = (
    "Scenes rendered from freely licensed photographs (CID22, GB82, CLIC 2025 and the wallpapers "
    "of Linux distributions: CC0, CC BY, CC BY-SA, LGPL, public domain, Unsplash, Pexels), without "
    "those listed in training/data/held_out.txt. No real defocused photograph was used for "
    "training."
)
_SPECIMENS = (
    "Specimens rendered as fluorescence and transmitted-light microscopes image them, with a "
    "scalar model of the pupil, haze, photon noise and a detector. Tissue in transmitted light has "
    "the textures of freely licensed photographs, the same as for the models for photographs. No "
    "real micrograph was used for training."
)
_VERSION = "0.1"


@dataclass(frozen=True)
class Model:
    """Weights and card of one model of the plugin.

    Attributes
    ----------
    file : str
        Name, without suffix, of the weights in the folder of a run.
    task : {"single", "dual", "deblur"}
        Task of its network.
    description, data : str
        Text on its card: what the model does, and what it was trained on.
    scale_from : str
        Name of the model that sets the scale of its radii, or empty.
    arguments : mapping
        Arguments of its network, beside those of the training.
    """

    file: str
    task: Task
    description: str
    data: str
    scale_from: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)


#: All models of the plugin, by name.
MODELS: Mapping[str, Model] = {
    "single": Model(
        "single",
        "single",
        "Estimates the radius of all blur, and its confidence, from one photograph.",
        _PHOTOGRAPHS,
    ),
    "dual-pixel": Model(
        "dual-pixel",
        "dual",
        "Estimates the signed blur radius, and its confidence, from two dual-pixel views.",
        _PHOTOGRAPHS,
        scale_from="single",
    ),
    "photo-faithful": Model(
        "deblur",
        "deblur",
        "Deblurs photographs, guided by the defocus map; trained without an adversarial loss. "
        "Blurs its result again by the map, and adds back up to half of the difference between the "
        "image and that, blurred by the map too (Landweber).",
        _PHOTOGRAPHS,
        arguments={"caution": 0.7, "consistency": 0.5, "landweber": True},
    ),
    "photo-natural": Model(
        "deblur",
        "deblur",
        "Deblurs photographs, guided by the defocus map; trained with an adversarial loss. Blurs "
        "its result again by the map, and adds back up to half of the difference between the "
        "image and that.",
        _PHOTOGRAPHS,
        arguments={"caution": 0.5, "consistency": 0.5},
    ),
    "microscopy-single": Model(
        "single",
        "single",
        "Estimates the blur radius, and its confidence, from one linear gray image of a "
        "microscope.",
        _SPECIMENS,
    ),
    "microscopy-faithful": Model(
        "deblur",
        "deblur",
        "Deblurs linear gray images of a microscope, guided by the defocus map; trained without "
        "an adversarial loss.",
        _SPECIMENS,
    ),
}


def export(run: Path, name: str, folder: Path, *, figures: Mapping[str, Any]) -> ModelCard:
    """Write the weights of a run as a model of the plugin.

    Parameters
    ----------
    run : Path
        Folder of the run.
    name : str
        A key of `MODELS`: the model that they become.
    folder : Path
        Folder of the registry.
    figures : mapping
        Further scores for the card, beside those of the run.

    Returns
    -------
    ModelCard
        The card that was written.

    Raises
    ------
    napari_defocus.errors.ModelError
        If the folder of the run holds no such weights.
    """
    model = MODELS[name]
    trained = find_model(run / f"{model.file}.safetensors", model.task)
    card = replace(
        trained,
        name=name,
        path=folder / f"{name}.safetensors",
        arguments={**trained.arguments, **model.arguments},
        version=_VERSION,
        license=LICENSE,
        description=model.description,
        data=model.data,
        figures={"held-out rendered scenes": trained.figures, **figures},
        scale_from=model.scale_from,
    )
    return write_model(card, load_network(trained).state_dict())
