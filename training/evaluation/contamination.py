"""Warnings that evaluation images may have been in the training data."""

from collections.abc import Sequence
from pathlib import Path

from training.data.held_out import split


def contamination_warning(files: Sequence[Path]) -> str | None:
    """Return a warning if a network may have been trained on some of the files.

    Returns
    -------
    str, optional
        A sentence; None if the manifest of held-out files lists them all.
    """
    unlisted = split(files, held_out=False)
    if not unlisted:
        return None
    return (
        f"Warning: {len(unlisted)} of {len(files)} images, {unlisted[0].name} the first, are not "
        "in the manifest of held-out files; they may have been trained on."
    )


def pool_contamination_warning(pool: Path) -> str | None:
    """Return a warning if a pool may hold training data; None for a folder of photographs.

    Scenes of a folder are rendered from held-out photographs alone.
    """
    if pool.is_dir():
        return None
    return (
        f"Warning: {pool} does not say which photographs it was rendered from; if not from "
        "held-out ones (`render --held-out`), they may have been trained on."
    )
