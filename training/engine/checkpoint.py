"""Checkpoint: the whole state of a training in one file, which is replaced atomically."""

import io
import os
from pathlib import Path
from typing import Any

import torch

from training.errors import TrainingError

State = dict[str, Any]
_NAME = "checkpoint.pt"


def has_checkpoint(folder: Path) -> bool:
    """Return whether the folder holds a run with a checkpoint."""
    return (folder / _NAME).exists()


def save_checkpoint(folder: Path, state: State) -> None:
    """Write a state; if that fails with an OSError, the previous checkpoint remains."""
    content = io.BytesIO()
    torch.save(state, content)
    write_whole(folder / _NAME, content.getvalue())


def write_whole(path: Path, content: bytes) -> None:
    """Replace a file by `content`, or leave it as it was and raise an OSError."""
    temporary = path.with_name(path.name + ".part")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def load_checkpoint(folder: Path, device: torch.device) -> State | None:
    """Return the state of a run, or None if it has no checkpoint yet.

    Raises
    ------
    TrainingError
        If the file is damaged.
    """
    if not has_checkpoint(folder):
        return None
    path = folder / _NAME
    try:
        state: State = torch.load(path, map_location=device, weights_only=True)
    except Exception as error:  # torch raises a dozen kinds for damaged files
        raise TrainingError(
            f"checkpoint {path} is damaged and cannot be resumed from; remove it to start anew"
        ) from error
    return state
