"""Teaching the estimators radii, and their own reliability."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from napari_defocus.networks import build
from training.data.rng import SampleRNG
from training.data.sensor import Photographs
from training.engine.task import Averages, TrainedNetwork, TrainingProgress
from training.losses import CONFIDENT_WITHIN, USUAL_RELIEF
from training.multiscale import coarse_to_fine, multiscale_losses
from training.save import save_network
from training.tasks.samplers import FixedBatches, Sampler
from training.tensorboard_images import map_image

_NAME = "estimator"
_USUAL = 12.0
#: How many times the pictures of a step are shrunk at first, turn by turn: estimators meet looks
#: without one before at every size.
_FIRST_LOOKS = (8, 4, 8, 2, 4, 1)
#: Side in pixels beyond which the middle alone is looked at, so that coarse looks count as much.
_LARGEST_LOOK = 128


@dataclass(frozen=True)
class EstimatorOptions:
    """How an estimator is trained."""

    learning_rate: float = 1e-3
    """Of the estimator."""
    confidence_weight: float = 0.2
    """Of the confidence's cross-entropy."""
    relief: float = USUAL_RELIEF
    """How much less errors count for each px of radius."""
    spread: float = 0.0
    """How much the confidence is to tell how large errors are, below 1 px as well."""


class EstimatorTask:
    """Trains an estimator on rendered radii, or on those that a teacher finds.

    Parameters
    ----------
    options : EstimatorOptions
        Rate and weight.
    sampler : callable
        Photographs of a rng; with views if `dual` or taught.
    held_out : callable
        Batches of fixed photographs for the figures.
    dual : bool
        Whether it sees two views or one image.
    teacher : nn.Module, optional
        A dual-pixel estimator, as the learnable blur kernel leaves it, whose radii stand in for
        the rendered ones, which are then not looked at.
    arguments : mapping
        What the estimator's class is given; nothing by default.
    """

    def __init__(
        self,
        options: EstimatorOptions,
        sampler: Sampler,
        held_out: FixedBatches,
        *,
        dual: bool,
        teacher: nn.Module | None = None,
        arguments: Mapping[str, Any] | None = None,
    ) -> None:
        self.options, self.sampler, self.held_out = options, sampler, held_out
        self.dual, self.teacher = dual, teacher
        self.architecture = "dual-estimator" if dual else "single-estimator"
        self.arguments = dict(arguments or {})
        self.network = build(self.architecture, self.arguments)
        self.networks = {_NAME: TrainedNetwork(self.network, options.learning_rate)}

    def schedule(self, progress: TrainingProgress) -> Sequence[str]:
        """There is one player only."""
        return [_NAME]

    def losses(self, name: str, rng: SampleRNG, progress: TrainingProgress) -> dict[str, Tensor]:
        """Error of the radius and of the confidence in it."""
        photos = self.sampler(rng)
        truth, sure = self._truth(photos)
        first = _FIRST_LOOKS[progress.step % len(_FIRST_LOOKS)]
        looks = coarse_to_fine(self.network, self.seen(photos), first, _LARGEST_LOOK)
        wrong, doubt = multiscale_losses(
            looks, truth, sure, self.options.relief, self.options.spread
        )
        total = wrong + self.options.confidence_weight * doubt
        return {"total": total, "radius": wrong, "confidence": doubt}

    def seen(self, photos: Photographs) -> Tensor:
        """What the estimator is shown."""
        return torch.cat([photos.left, photos.right], 1) if self.dual else photos.center

    def _truth(self, photos: Photographs) -> tuple[Tensor, Tensor]:
        """The radius to answer, and how much each pixel counts."""
        if self.teacher is None:
            truth = photos.radius if self.dual else photos.blur
            return truth.nan_to_num(), truth.isfinite().float()
        with torch.no_grad():
            views = torch.cat([photos.left, photos.right], 1)
            truth, sure = coarse_to_fine(self.teacher, views)[1].split(1, 1)
        return (truth if self.dual else truth.abs()), sure

    def validate(self, averages: Averages) -> dict[str, float]:
        """Mean absolute error in px and share within 1 px, at radii up to 12 px; as taught."""
        errors, confidences = [], []
        for photos in self.held_out():
            answer = coarse_to_fine(averages[_NAME], self.seen(photos))[1]
            truth = self._truth(photos)[0]
            usual = truth.abs() <= _USUAL
            errors.append((answer[:, :1] - truth).abs()[usual])
            confidences.append(answer[:, 1:][usual])
        error, confidence = torch.cat(errors), torch.cat(confidences)
        sure = confidence >= confidence.median()
        return {
            "mae": error.mean().item(),
            "within": (error < CONFIDENT_WITHIN).float().mean().item(),
            "mae_sure": error[sure].mean().item(),
            "mae_unsure": error[~sure].mean().item(),
        }

    def images(self, averages: Averages) -> dict[str, Tensor]:
        """The first held-out map beside the truth."""
        photos = self.held_out()[0]
        radius = coarse_to_fine(averages[_NAME], self.seen(photos))[1][0, 0]
        return {
            "map": map_image(radius, _USUAL),
            "truth": map_image(self._truth(photos)[0][0, 0], _USUAL),
        }

    def export(
        self,
        folder: Path,
        averages: Averages,
        recipe: Mapping[str, Any],
        figures: Mapping[str, Any],
    ) -> None:
        """The estimator."""
        name = "dual-pixel" if self.dual else "single"
        arguments, network = self.arguments, averages[_NAME]
        save_network(folder, name, self.architecture, arguments, network, recipe, figures)
