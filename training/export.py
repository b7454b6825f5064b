"""Trained weights into the plugin's registry, with their card."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from napari_defocus.models import ModelCard, find_model, load_network, write_model
from napari_defocus.networks.descriptor import Task
from training.products import LICENCE

#: Which file of a run each model of the plugin comes from, and what its card says of it.
MODELS: Mapping[str, tuple[str, Task, str]] = {
    "single": ("single", "single", "Blur radius and confidence from one photograph."),
    "dual-pixel": ("dual-pixel", "dual", "Signed blur radius and confidence from two views."),
    "photo-faithful": (
        "deblur",
        "deblur",
        "Deblurs photographs, steered by the map; no adversary.",
    ),
    "photo-natural": (
        "deblur",
        "deblur",
        "Deblurs photographs, steered by the map; trained against an adversary.",
    ),
}
_DATA = (
    "Scenes rendered from freely licensed photographs (CID22, GB82, CLIC 2025 and the wallpapers "
    "of Linux distributions: CC0, CC BY, CC BY-SA, public domain, Unsplash), those in "
    "training/data/held_out.txt left out. No real defocused photograph was trained on."
)
_VERSION = "0.1"


def export(
    run: Path, name: str, folder: Path, *, figures: Mapping[str, Any], data: str = _DATA
) -> ModelCard:
    """Write what a run left as a model of the plugin.

    Parameters
    ----------
    run : Path
        Folder of the run.
    name : str
        A key of `MODELS`: which model it becomes.
    folder : Path
        Folder of the registry.
    figures : mapping
        What else was measured, beside the run's own figures.
    data : str
        What it was trained on.

    Returns
    -------
    ModelCard
        The card as written.

    Raises
    ------
    napari_defocus.errors.ModelError
        If the run left no such weights.
    """
    file, task, description = MODELS[name]
    left = find_model(run / f"{file}.safetensors", task)
    return write_model(
        folder,
        name,
        load_network(left).state_dict(),
        task=left.task,
        architecture=left.architecture,
        arguments=left.arguments,
        version=_VERSION,
        licence=LICENCE,
        description=description,
        data=data,
        recipe=left.recipe,
        figures={"held-out rendered scenes": left.figures, **figures},
    )
