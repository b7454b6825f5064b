"""What a run tells of itself: a log file, TensorBoard, a progress bar, the run's options."""

import json
import logging
from collections.abc import Callable, Mapping
from pathlib import Path

from torch import Tensor
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

_log = logging.getLogger(__name__)
_SMOOTH = 0.98
LOG_NAME = "log.jsonl"


class Diary:
    """Keeps the record of a run. A full disk costs records, not the training.

    Parameters
    ----------
    folder : Path
        Of the run.
    step : int
        Steps done before; records of later ones, from before an interruption, are dropped.
    """

    def __init__(self, folder: Path, step: int) -> None:
        self.running: dict[str, float] = {}
        self._path = folder / LOG_NAME
        self._attempt(lambda: _drop_after(self._path, step))
        self._board = SummaryWriter(str(folder / "tensorboard"), purge_step=step)
        self._bar = tqdm(
            total=100.0,
            bar_format="{percentage:5.1f}% |{bar}| {elapsed} gone, {remaining} left{postfix}",
            disable=None,
        )

    def follow(self, spent: float, terms: Mapping[str, float]) -> None:
        """Take in the loss terms of a step."""
        for key, value in terms.items():
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
        """Record the smoothed losses, figures and pictures."""
        entry = {"step": step, "seconds": round(seconds, 1), **self.running, **figures}
        self._attempt(lambda: _append(self._path, entry))
        for key, value in (self.running | dict(figures)).items():
            self._attempt(lambda key=key, value=value: self._board.add_scalar(key, value, step))
        for title, picture in pictures.items():
            self._attempt(lambda t=title, p=picture: self._board.add_image(t, p, step))
        _log.info(" ".join(f"{key} {value:.4g}" for key, value in entry.items()))

    def close(self) -> None:
        """End the record."""
        self._bar.close()
        self._attempt(self._board.close)

    def _attempt(self, write: Callable[[], object]) -> None:
        try:
            write()
        except OSError as error:
            _log.warning("a record of the run is lost: %s", error.strerror or error)


def _append(path: Path, entry: Mapping[str, float]) -> None:
    with path.open("a", encoding="utf-8") as log:
        log.write(json.dumps(entry) + "\n")


def _drop_after(path: Path, step: int) -> None:
    if path.exists():
        lines = path.read_text(encoding="utf-8").splitlines()
        kept = [line for line in lines if json.loads(line)["step"] <= step]
        path.write_text("".join(line + "\n" for line in kept), encoding="utf-8")
