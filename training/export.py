"""Trained weights into the plugin's registry, with their card."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from napari_defocus.models import ModelCard, write_model
from napari_defocus.networks import build

_DESCRIPTIONS = {
    "single": ("single-estimator", "Blur radius and confidence from one photograph."),
    "dual-pixel": ("dual-estimator", "Signed blur radius and confidence from two views."),
    "photo-faithful": ("generator", "Deblurs photographs, steered by the map; no adversary."),
}
_DATA = (
    "Scenes rendered from freely licensed photographs (CID22, GB82, CLIC 2025 and the wallpapers "
    "of Linux distributions: CC0, CC BY, CC BY-SA, public domain, Unsplash), those in "
    "training/data/held_out.txt left out. No real defocused photograph was trained on."
)


def export(
    run: Path,
    name: str,
    folder: Path,
    *,
    recipe: Mapping[str, Any],
    figures: Mapping[str, Any],
) -> ModelCard:
    """Write the averaged weights of a run as a model of the plugin.

    Parameters
    ----------
    run : Path
        Folder of `training.fit.fit`.
    name : {"single", "dual-pixel", "photo-faithful"}
        Which model it becomes.
    folder : Path
        Folder of the registry.
    recipe, figures : mapping
        How it was trained, what it reaches; into the card.

    Returns
    -------
    ModelCard
        The card as written.
    """
    architecture, description = _DESCRIPTIONS[name]
    network = build(architecture, {})
    network.load_state_dict(torch.load(run / "average.pt", weights_only=True))
    return write_model(
        folder,
        name,
        network.state_dict(),
        task=network.descriptor.task,
        architecture=architecture,
        arguments={},
        version="0.1",
        licence="BSD-3-Clause",
        description=description,
        data=_DATA,
        recipe=recipe,
        figures=figures,
    )
