"""The whole state of a training in one file, replaced whole or not at all."""

import io
import os
from pathlib import Path
from typing import Any

import torch

from training.errors import TrainingError

State = dict[str, Any]
_NAME = "checkpoint.pt"


def has_checkpoint(folder: Path) -> bool:
    """Whether a run was begun there."""
    return (folder / _NAME).exists()


def save_checkpoint(folder: Path, state: State) -> None:
    """Write a state; if that fails (an OSError), the one before is still there."""
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
    """The state of a run, None if it has none yet.

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
    except Exception as error:  # torch lets a dozen kinds through for a damaged file
        raise TrainingError(
            f"checkpoint {path} is damaged and cannot be resumed from; remove it to start anew"
        ) from error
    return state
