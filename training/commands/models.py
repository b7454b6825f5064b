"""Command that writes trained models into the plugin."""

import json
from pathlib import Path

from tyro.conf import Positional

from training.errors import TrainingError
from training.export import MODELS
from training.export import export as export_model


def export(
    run: Positional[Path],
    name: Positional[str],
    folder: Path = Path("napari_defocus/models"),
    figures: str = "{}",
) -> None:
    """Write the weights of a run into the plugin.

    Parameters
    ----------
    run : Path
        Folder of the run.
    name : str
        Model that they become; the error for an unknown name lists all.
    folder : Path
        Folder of the plugin's models.
    figures : str
        More scores for the model's card, as a JSON object.
    """
    if name not in MODELS:
        raise TrainingError(f"there is no model {name!r}; choose one of {', '.join(MODELS)}")
    try:
        more = json.loads(figures)
    except ValueError as error:
        raise TrainingError(f"--figures is not valid JSON: {error}") from error
    card = export_model(run, name, folder, figures=more)
    print(f"{card.name}: {card.path} {card.sha256[:12]}")
