"""Interface between a training and the engine: networks, schedule, losses and results."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from torch import Tensor, nn

from training.data.rng import SampleRNG

#: Moving averages of the trained networks, by name.
Averages = Mapping[str, nn.Module]


@dataclass(frozen=True)
class TrainingProgress:
    """Position of a training in its budget.

    Attributes
    ----------
    step : int
        Number of steps done.
    spent : float
        Share of the budget that is spent, in [0, 1).
    """

    step: int
    spent: float


def half_cosine(spent: float) -> float:
    """Return the share of the learning rate: a short warm-up, then half a cosine down to zero."""
    return min(1.0, spent / 0.02 + 0.01) * 0.5 * (1 + math.cos(math.pi * min(spent, 1.0)))


@dataclass(frozen=True)
class TrainedNetwork:
    """A network with an optimizer of its own.

    Attributes
    ----------
    module : nn.Module
        The network, which is trained in place.
    learning_rate : float
        Learning rate of AdamW, before the schedule.
    betas : (float, float)
        Betas of AdamW.
    weight_decay : float
        Weight decay of AdamW.
    schedule : callable
        From the share of the budget that is spent to the share of the learning rate.
    """

    module: nn.Module
    learning_rate: float
    betas: tuple[float, float] = (0.9, 0.99)
    weight_decay: float = 1e-4
    schedule: Callable[[float], float] = half_cosine


class Training(Protocol):
    """A training, as the engine sees it."""

    @property
    def networks(self) -> Mapping[str, TrainedNetwork]:
        """The networks in training, by name."""

    def schedule(self, progress: TrainingProgress) -> Sequence[str]:
        """Return the names of the networks that take a gradient step now, in order."""

    def losses(self, name: str, rng: SampleRNG, progress: TrainingProgress) -> dict[str, Tensor]:
        """Return the losses of a network, averaged over one sample for each stream of `rng`.

        Returns
        -------
        dict of str to Tensor
            Scalars. The network descends ``"total"``; the others are logged.
        """

    def validate(self, averages: Averages) -> dict[str, float]:
        """Return scores of the averaged networks on fixed data."""

    def images(self, averages: Averages) -> dict[str, Tensor]:
        """Return pictures for the log by title, each (3, H, W) in [0, 1]."""

    def export(
        self,
        folder: Path,
        averages: Averages,
        recipe: Mapping[str, Any],
        figures: Mapping[str, Any],
    ) -> None:
        """Write the averaged networks for the plugin, each file whole or not at all."""
