"""Teaching the estimators rendered radii, and their own reliability."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn

from training.data.pool import Pool
from training.data.sensor import Photographs, SensorOptions, photograph
from training.fit import Loss, Validation
from training.losses import CONFIDENT_WITHIN, confidence_loss, radius_loss


def estimator_input(photos: Photographs, *, dual: bool) -> tuple[Tensor, Tensor]:
    """What an estimator sees, and the radius it should answer."""
    if dual:
        return torch.cat([photos.left, photos.right], 1), photos.radius
    return photos.centre, photos.radius.abs()


def estimator_loss(pool: Pool, *, dual: bool, batch: int, crop: int) -> Loss:
    """Loss of an estimator on a random batch: radius, and confidence in it."""
    sensor = SensorOptions()

    def loss(network: nn.Module, rng: np.random.Generator) -> Tensor:
        photos = photograph(pool.draw(batch, crop, rng), rng, sensor, views=dual)
        seen, truth = estimator_input(photos, dual=dual)
        answer = network(seen)
        radius, confidence = answer[:, :1], answer[:, 1:]
        with torch.autocast("cpu", enabled=False):
            return radius_loss(radius, truth) + 0.2 * confidence_loss(confidence, radius, truth)

    return loss


def estimator_validation(pool: Pool, *, dual: bool) -> Validation:
    """Mean absolute error in px and share within 1 px, on fixed scenes up to 12 px."""

    def validate(network: nn.Module) -> dict[str, float]:
        errors, confidences = [], []
        for photos in fixed_photographs(pool, views=dual):
            seen, truth = estimator_input(photos, dual=dual)
            answer = network(seen)
            usual = truth.abs() <= 12
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

    return validate


def fixed_photographs(pool: Pool, *, views: bool, batch: int = 16) -> Iterator[Photographs]:
    """The whole pool, photographed the same way each time."""
    rng = np.random.default_rng(0)
    for first in range(0, len(pool), batch):
        indices = np.arange(first, min(first + batch, len(pool)))
        yield photograph(pool.take(indices, pool.size, rng), rng, SensorOptions(), views=views)
