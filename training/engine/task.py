"""What is trained: networks, whose turn it is, and what they lose."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from torch import Tensor, nn

from training.data.rng import SampleRNG

Averages = Mapping[str, nn.Module]


@dataclass(frozen=True)
class TrainingProgress:
    """How far a training has come.

    Attributes
    ----------
    step : int
        Steps done.
    spent : float
        Share of the budget that is spent, in [0, 1).
    """

    step: int
    spent: float


def half_cosine(spent: float) -> float:
    """Share of the learning rate: a short warm-up, then half a cosine down to zero."""
    return min(1.0, spent / 0.02 + 0.01) * 0.5 * (1 + math.cos(math.pi * min(spent, 1.0)))


@dataclass(frozen=True)
class TrainedNetwork:
    """One network with an optimizer of its own.

    Attributes
    ----------
    module : nn.Module
        Trained in place.
    learning_rate : float
        AdamW's, before its schedule.
    betas : (float, float)
        AdamW's.
    weight_decay : float
        AdamW's.
    schedule : callable
        Share of the learning rate by the share of the budget that is spent.
    """

    module: nn.Module
    learning_rate: float
    betas: tuple[float, float] = (0.9, 0.99)
    weight_decay: float = 1e-4
    schedule: Callable[[float], float] = half_cosine


class Task(Protocol):
    """A training, as the engine sees it."""

    @property
    def networks(self) -> Mapping[str, TrainedNetwork]:
        """The networks in training, by name."""

    def schedule(self, progress: TrainingProgress) -> Sequence[str]:
        """Which networks step, one after the other, at a progress."""

    def losses(self, name: str, rng: SampleRNG, progress: TrainingProgress) -> dict[str, Tensor]:
        """Mean loss terms over one sample for each stream of `rng`.

        Returns
        -------
        dict of str to Tensor
            Scalars; the player whose turn it is descends ``"total"``, the others are logged.
        """

    def validate(self, averages: Averages) -> dict[str, float]:
        """Figures of the moving-average networks, on fixed data."""

    def images(self, averages: Averages) -> dict[str, Tensor]:
        """What is worth looking at: (3, H, W) in [0, 1], by title."""

    def export(
        self,
        folder: Path,
        averages: Averages,
        recipe: Mapping[str, Any],
        figures: Mapping[str, Any],
    ) -> None:
        """Write what the run leaves for the plugin, each file whole or not at all."""
