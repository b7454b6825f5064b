"""Teaching the generator to deblur, with maps as good and as bad as it will meet."""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from training.data.pool import Pool
from training.data.sensor import SensorOptions, photograph
from training.estimators import fixed_photographs
from training.fit import Loss, Validation
from training.losses import charbonnier, fourier_loss


def deblurring_loss(
    pool: Pool, estimator: nn.Module, *, batch: int, crop: int, fourier: float = 0.5
) -> Loss:
    """Loss of the generator on a random batch, guided half by estimated, half by true maps."""
    sensor = SensorOptions()

    def loss(network: nn.Module, rng: np.random.Generator) -> Tensor:
        photos = photograph(pool.draw(batch, crop, rng), rng, sensor, views=False)
        centre, sharp, truth = photos.centre, photos.sharp, photos.radius.abs()
        if rng.random() < 0.5:
            centre, sharp, truth = (t.transpose(-1, -2) for t in (centre, sharp, truth))
        with torch.no_grad():
            estimated = estimator(centre)
        painted = torch.cat([_roughened(truth, rng), torch.ones_like(truth)], 1)
        chosen = torch.from_numpy(rng.random(batch) < 0.6)[:, None, None, None]
        guide = torch.where(chosen, estimated, painted)
        restored = network(torch.cat([centre, guide], 1))
        with torch.autocast("cpu", enabled=False):
            restored = restored.float()
            return charbonnier(restored, sharp) + fourier * fourier_loss(restored, sharp)

    return loss


def deblurring_validation(pool: Pool, estimator: nn.Module) -> Validation:
    """Mean PSNR in dB of input and output on fixed scenes."""

    def validate(network: nn.Module) -> dict[str, float]:
        before, after = [], []
        for photos in fixed_photographs(pool, views=False):
            restored = network(torch.cat([photos.centre, estimator(photos.centre)], 1))
            before.append(_psnr(photos.centre, photos.sharp))
            after.append(_psnr(restored.clamp(0, 1), photos.sharp))
        gain = torch.cat(after) - torch.cat(before)
        return {
            "psnr_in": torch.cat(before).mean().item(),
            "psnr": torch.cat(after).mean().item(),
            "worse": (gain < 0).float().mean().item(),
        }

    return validate


def _roughened(radius: Tensor, rng: np.random.Generator) -> Tensor:
    """A map as a person or an estimator might draw it: coarse, scaled, a little off."""
    half = int(rng.integers(0, 5))
    smooth = functional.avg_pool2d(radius, 2 * half + 1, 1, half, count_include_pad=False)
    scale = np.exp(rng.normal(0, 0.08, (len(radius), 1, 1, 1))).astype(np.float32)
    shift = rng.normal(0, 0.15, (len(radius), 1, 1, 1)).astype(np.float32)
    return (smooth * torch.from_numpy(scale) + torch.from_numpy(shift)).clamp(min=0)


def _psnr(image: Tensor, target: Tensor) -> Tensor:
    error = ((image.float() - target) ** 2).mean((1, 2, 3)).clamp(min=1e-9)
    return -10 * error.log10()
