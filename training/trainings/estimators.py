"""Training of the estimators: radii, and confidence in them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from napari_defocus.networks import build
from training.data.rng import SampleRNG
from training.data.sensor import Photographs
from training.engine.training import Averages, TrainedNetwork, TrainingProgress
from training.losses import CONFIDENT_WITHIN, USUAL_RELIEF
from training.multiscale import coarse_to_fine, multiscale_losses
from training.save import save_network
from training.tensorboard_images import map_image
from training.trainings.samplers import FixedBatches, Sampler

_NAME = "estimator"
#: Largest radius in px that the figures count.
_USUAL = 12.0
#: Coarsest factors of downscaling, step after step, so that estimators meet every scale without a
#: coarser estimate.
_COARSEST = (8, 4, 8, 2, 4, 1)
#: Longest side in pixels that estimators see, so that all scales have about as many pixels.
_MAX_SIDE = 128


@dataclass(frozen=True)
class EstimatorOptions:
    """Learning rate and weights of the losses."""

    learning_rate: float = 1e-3
    """Learning rate of the estimator."""
    confidence_weight: float = 0.2
    """Weight of the loss of the confidence."""
    relief: float = USUAL_RELIEF
    """By how much less errors count for each px of the true radius."""
    spread: float = 0.0
    """Weight of the likelihood of errors, which also tells errors below 1 px apart."""


class EstimatorTraining:
    """Training of an estimator on rendered radii, or on those that a teacher estimates.

    Parameters
    ----------
    options : EstimatorOptions
        Learning rate and weights.
    sampler : callable
        Draws photographs, with views if there are two or a teacher.
    held_out : callable
        Returns batches of fixed photographs for the figures.
    dual : bool
        Whether the estimator sees two views or one image.
    teacher : nn.Module, optional
        A dual-pixel estimator, such as `LbkTraining` trains, whose radii replace the rendered ones.
    arguments : mapping, optional
        Arguments of the estimator's class.
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
        """Return the only network, the estimator."""
        return [_NAME]

    def losses(self, name: str, rng: SampleRNG, progress: TrainingProgress) -> dict[str, Tensor]:
        """Return the losses of radius and confidence."""
        photos = self.sampler(rng)
        truth, weight = self._truth(photos)
        coarsest = _COARSEST[progress.step % len(_COARSEST)]
        estimates = coarse_to_fine(self.network, self._pictures(photos), coarsest, _MAX_SIDE)
        radius, confidence = multiscale_losses(
            estimates, truth, weight, self.options.relief, self.options.spread
        )
        total = radius + self.options.confidence_weight * confidence
        return {"total": total, "radius": radius, "confidence": confidence}

    def _pictures(self, photos: Photographs) -> Tensor:
        """Return the pictures that the estimator sees: both views, or one image."""
        return torch.cat([photos.left, photos.right], 1) if self.dual else photos.center

    def _truth(self, photos: Photographs) -> tuple[Tensor, Tensor]:
        """Return the radius to estimate, and the weight of each pixel."""
        if self.teacher is None:
            truth = photos.radius if self.dual else photos.blur
            return truth.nan_to_num(), truth.isfinite().float()
        with torch.no_grad():
            views = torch.cat([photos.left, photos.right], 1)
            truth, confidence = torch.split(coarse_to_fine(self.teacher, views)[1], 1, 1)
        return (truth if self.dual else truth.abs()), confidence

    def validate(self, averages: Averages) -> dict[str, float]:
        """Return the mean absolute error in px and the share below 1 px, for radii up to 12 px.

        With a teacher, errors are differences from its radii.
        """
        errors, confidences = [], []
        for photos in self.held_out():
            estimate = coarse_to_fine(averages[_NAME], self._pictures(photos))[1]
            truth = self._truth(photos)[0]
            usual = truth.abs() <= _USUAL
            errors.append((estimate[:, :1] - truth).abs()[usual])
            confidences.append(estimate[:, 1:][usual])
        error, confidence = torch.cat(errors), torch.cat(confidences)
        confident = confidence >= confidence.median()
        return {
            "mae": error.mean().item(),
            "within": (error < CONFIDENT_WITHIN).float().mean().item(),
            "mae_sure": error[confident].mean().item(),
            "mae_unsure": error[~confident].mean().item(),
        }

    def images(self, averages: Averages) -> dict[str, Tensor]:
        """Return the first held-out map and its truth."""
        photos = self.held_out()[0]
        radius = coarse_to_fine(averages[_NAME], self._pictures(photos))[1][0, 0]
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
        """Write the estimator."""
        name = "dual-pixel" if self.dual else "single"
        arguments, network = self.arguments, averages[_NAME]
        save_network(folder, name, self.architecture, arguments, network, recipe, figures)
