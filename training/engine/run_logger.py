"""Log of a run: a file of records, TensorBoard, and a progress bar."""

import json
import logging
import math
from collections.abc import Callable, Mapping
from pathlib import Path

from torch import Tensor
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from training.engine.checkpoint import write_whole

_log = logging.getLogger(__name__)
_SMOOTH = 0.98
LOG_NAME = "log.jsonl"


class RunLogger:
    """Logger of a run. A full disk costs records, but does not end the training.

    Parameters
    ----------
    folder : Path
        Folder of the run.
    step : int
        Steps done before. Records of later steps, which an interruption undid, are dropped.

    Attributes
    ----------
    running : dict of str to float
        The smoothed losses.
    last : int or None
        Step of the last record.
    """

    def __init__(self, folder: Path, step: int) -> None:
        self.running: dict[str, float] = {}
        self.last: int | None = None
        self._path = folder / LOG_NAME
        self._attempt(lambda: self._drop_after(step))
        self._board_folder, self._purge = folder / "tensorboard", step + 1
        self._board: SummaryWriter | None = None
        self._bar = tqdm(
            total=100.0,
            bar_format="{percentage:5.1f}% |{bar}| {elapsed} gone, {remaining} left{postfix}",
            disable=None,
        )

    def follow(self, spent: float, losses: Mapping[str, float]) -> None:
        """Smooth the losses of a step into `running`, except those that are not finite."""
        for key, value in losses.items():
            if math.isfinite(value):
                before = self.running.get(key, value)
                self.running[key] = _SMOOTH * before + (1 - _SMOOTH) * value
        self._bar.set_postfix({k: f"{v:.4g}" for k, v in self.running.items()}, refresh=False)
        self._bar.update(max(0.0, min(100.0, 100 * spent) - self._bar.n))

    def report(
        self,
        step: int,
        seconds: float,
        figures: Mapping[str, float],
        pictures: Mapping[str, Tensor],
    ) -> None:
        """Record the smoothed losses, the figures and the pictures of a step."""
        entry = {"step": step, "seconds": round(seconds, 1), **self.running, **figures}
        self._attempt(lambda: self._append(step, entry))
        self._attempt(lambda: self._draw(step, self.running | dict(figures), pictures))
        scores = " ".join(f"{key} {value:.4g}" for key, value in entry.items() if key != "step")
        _log.info("step %d %s", step, scores)

    def close(self) -> None:
        """Close the progress bar and TensorBoard's file."""
        self._bar.close()
        if self._board is not None:
            self._attempt(self._board.close)

    def _attempt(self, write: Callable[[], object]) -> None:
        try:
            write()
        except OSError as error:
            _log.warning("a record of the run is lost: %s", error.strerror or error)

    def _append(self, step: int, entry: Mapping[str, float]) -> None:
        with self._path.open("a", encoding="utf-8") as log:
            log.write(json.dumps(entry) + "\n")
        self.last = step

    def _draw(
        self, step: int, figures: Mapping[str, float], pictures: Mapping[str, Tensor]
    ) -> None:
        if self._board is None:
            self._board = SummaryWriter(str(self._board_folder), purge_step=self._purge)
        for key, value in figures.items():
            self._board.add_scalar(key, value, step)
        for title, picture in pictures.items():
            self._board.add_image(title, picture, step)

    def _drop_after(self, step: int) -> None:
        """Drop the records of later steps, and a line that an interruption left incomplete."""
        if not self._path.exists():
            return
        lines = self._path.read_text(encoding="utf-8").splitlines()
        steps = {line: _read_step(line) for line in lines}
        kept = [line for line in lines if 0 <= steps[line] <= step]
        self.last = steps[kept[-1]] if kept else None
        if kept != lines:
            write_whole(self._path, "".join(line + "\n" for line in kept).encode())


def _read_step(line: str) -> int:
    """Return the step of a record, or -1 if it is damaged."""
    try:
        return int(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):
        return -1
