"""Training of defocus maps and blur kernels from dual-pixel pairs, without true radii.

This is the learnable blur kernel (LBK) of Zhai et al. (2023). An estimator sees the two views. The
sharp image, blurred by the estimated radii with a bank of learnable kernels, must look like the
views. Estimator and kernels are trained alternately.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors.torch import save
from torch import Tensor, nn
from torch.nn import functional

from napari_defocus.networks import build
from napari_defocus.networks.blocks import luma
from napari_defocus.optics.bank import KernelBank, SharedPupilBank
from napari_defocus.optics.light import decode_srgb
from training.data.rng import SampleRNG
from training.data.sensor import Photographs
from training.engine.checkpoint import write_whole
from training.engine.training import Averages, TrainedNetwork, TrainingProgress
from training.multiscale import coarse_to_fine, multiscale_losses
from training.reblurring import (
    Match,
    best_match,
    free_of_edge,
    left_candidates,
    match_light,
    reblur_views,
)
from training.save import save_network
from training.tensorboard_images import kernel_image, map_image
from training.trainings.samplers import FixedBatches, Sampler
from training.validation_metrics import (
    beside_depth_edges,
    correlations,
    texture_mask,
    texture_weight,
)

_ESTIMATOR, _KERNELS = "estimator", "kernels"
#: Published alternation: epochs in all, and those that train the kernels.
_EPOCHS = 31
_KERNEL_EPOCHS = (range(10, 15), range(20, 25))
#: Interleaved alternation: share of the budget for kernels alone, then one of this many steps.
_KERNELS_ALONE, _KERNELS_EVERY = 0.1, 4
#: Largest relative correction of radii by the size of the learned pupil.
_LARGEST_CORRECTION = 0.05
#: Value above which a pixel counts as saturated, and reach in px of the light that it spills.
_SATURATED, _SPILL = 0.99, 6
BANK_NAME = "kernels.safetensors"


@dataclass(frozen=True)
class LbkOptions:
    """Alternation, learning rates and weights of the losses."""

    alternation: Literal["interleaved", "published"] = "interleaved"
    """Steps of the kernels: first and every fourth step, with the best match as radius; or whole
    epochs, with the estimated radius."""
    max_radius: int = 24
    """Largest radius of the kernel bank in pixels."""
    estimator_rate: float = 1e-3
    """Learning rate of the estimator."""
    kernel_rate: float = 0.1
    """Learning rate of the kernels' scores."""
    own_weight: float = 0.1
    """Weight of the squared differences of each radius's kernel from the shared pupil."""
    reblur_weight: float = 1.0
    """Weight of the error of the reblurred views."""
    match_weight: float = 0.3
    """Weight of the distance to the best matching radius; falls to a tenth."""
    smooth_weight: float = 0.02
    """Weight of the map's total variation where the image has no texture."""
    confidence_weight: float = 0.1
    """Weight of the loss of the confidence."""
    rough_weight: float = 0.01
    """Weight of the roughness of the pupil."""
    radius_weight: float = 0.0
    """Weight of the error of true radii, where there are any; 0 does not use them."""
    match_half: int = 5
    """Half-width in pixels of the windows that are matched."""


@dataclass(frozen=True)
class Light:
    """Linear light of a batch, and a mask of pixels that can be compared; (N, 1, H, W) each."""

    sharp: Tensor
    left: Tensor
    right: Tensor
    usable: Tensor

    @classmethod
    def of(cls, photos: Photographs) -> "Light":
        """Return the linear luma of photographs, all as bright as the mean of their views."""
        sharp, left, right = (
            luma(decode_srgb(image.float())) for image in (photos.sharp, photos.left, photos.right)
        )
        brightest = torch.cat([photos.sharp, photos.left, photos.right], 1).amax(1, keepdim=True)
        view = (left + right) / 2
        usable = (dilate(brightest) < _SATURATED).float()
        sharp, left, right = (match_light(image, view) for image in (sharp, left, right))
        return cls(sharp, left, right, usable)


class LbkTraining:
    """Training of a dual-pixel estimator and a kernel bank by reblurring.

    Parameters
    ----------
    options : LbkOptions
        Weights and rates.
    sampler : callable
        Draws photographs with views.
    held_out : callable
        Returns batches of fixed photographs for figures and pictures; their radii may be NaN.
    reference : KernelBank, optional
        True kernels of rendered scenes, for figures only.
    """

    def __init__(
        self,
        options: LbkOptions,
        sampler: Sampler,
        held_out: FixedBatches,
        reference: KernelBank | None = None,
    ) -> None:
        self.options, self.sampler, self.held_out = options, sampler, held_out
        self.reference = reference
        self.estimator = build("dual-estimator", {})
        self.bank = SharedPupilBank(options.max_radius)
        self.networks = {
            _ESTIMATOR: TrainedNetwork(self.estimator, options.estimator_rate),
            _KERNELS: TrainedNetwork(self.bank, options.kernel_rate, weight_decay=0.0),
        }

    def schedule(self, progress: TrainingProgress) -> Sequence[str]:
        """Return the network that steps now, the estimator or the kernels.

        Published: kernels in epochs 10-14 and 20-24 of 31. Interleaved: kernels alone at first, and
        every fourth step from then on.
        """
        if self.options.alternation == "interleaved":
            kernels = progress.spent < _KERNELS_ALONE or progress.step % _KERNELS_EVERY == 0
        else:
            epoch = int(progress.spent * _EPOCHS)
            kernels = any(epoch in span for span in _KERNEL_EPOCHS)
        return [_KERNELS if kernels else _ESTIMATOR]

    def losses(self, name: str, rng: SampleRNG, progress: TrainingProgress) -> dict[str, Tensor]:
        """Return the reblurring error, and the other losses of the kernels or of the estimator."""
        photos = self.sampler(rng)
        light = Light.of(photos)
        kernels = name == _KERNELS
        with torch.set_grad_enabled(kernels), torch.autocast(rng.device.type, enabled=False):
            candidates = left_candidates(light.sharp, self.bank)
        if kernels and self.options.alternation == "published":
            radius = _estimate(self.estimator, photos)[1][:, :1]
            return self._kernel_losses(candidates, radius, light)
        match = best_match(candidates.detach(), light.left, light.right, self.options.match_half)
        if kernels:
            clear = replace(light, usable=light.usable * match.clearness)
            return self._kernel_losses(candidates, match.radius, clear)
        estimates = _estimate(self.estimator, photos)
        losses = self._estimator_losses(estimates, light, match, candidates, progress)
        if self.options.radius_weight:
            radius, confidence = _true_radius_losses(estimates, photos.radius)
            supervised = radius + self.options.confidence_weight * confidence
            total = losses["total"] + self.options.radius_weight * supervised
            losses |= {"radius": radius, "radius_confidence": confidence, "total": total}
        return losses

    def _kernel_losses(self, candidates: Tensor, radius: Tensor, light: Light) -> dict[str, Tensor]:
        """Return reblurring error and priors; radii are scaled to the edge of the pupil."""
        edge = min(max(self.bank.edge(), 1 - _LARGEST_CORRECTION), 1 + _LARGEST_CORRECTION)
        losses = {
            "reblur": reblur_error(candidates, radius * edge, light),
            "own": self.bank.residual_scores().square().mean(),
            "rough": self.bank.roughness(),
        }
        total = (
            losses["reblur"]
            + self.options.own_weight * losses["own"]
            + self.options.rough_weight * losses["rough"]
        )
        return {"total": total, **losses}

    def _estimator_losses(
        self,
        estimates: Mapping[int, Tensor],
        light: Light,
        match: Match,
        candidates: Tensor,
        progress: TrainingProgress,
    ) -> dict[str, Tensor]:
        options, radius = self.options, estimates[1][:, :1]
        edge_free = free_of_edge(match.radius, options.max_radius)
        weight = match.clearness * light.usable * edge_free
        matched, confidence = multiscale_losses(estimates, match.radius, weight)
        losses = {
            "reblur": reblur_error(candidates, radius, light),
            "match": matched,
            "smooth": smoothness(radius, light),
        }
        total = (
            options.reblur_weight * losses["reblur"]
            + options.match_weight * (1 - 0.9 * progress.spent) * losses["match"]
            + options.smooth_weight * losses["smooth"]
        )
        if not options.radius_weight:
            losses["confidence"] = confidence
            total = total + options.confidence_weight * confidence
        return {"total": total, **losses}

    def validate(self, averages: Averages) -> dict[str, float]:
        """Return the reblurring error and, where there is truth, scores of radii and kernels."""
        estimator, bank = averages[_ESTIMATOR], _bank(averages)
        errors, textured, unoccluded = [], [], []
        for photos in self.held_out():
            light = Light.of(photos)
            radius = _estimate(estimator, photos)[1][:, :1]
            errors.append(reblur_error(left_candidates(light.sharp, bank), radius, light))
            counts = texture_mask(photos.center) & photos.radius.isfinite()
            distance = (radius - photos.radius).abs()
            textured.append(distance[counts])
            unoccluded.append(distance[counts & ~beside_depth_edges(photos.radius)])
        figures = {"reblur_error": torch.stack(errors).mean().item()}
        for name, distances in (("textured", textured), ("unoccluded", unoccluded)):
            distance = torch.cat(distances)
            if len(distance):
                figures[f"mae_{name}"] = distance.mean().item()
                figures[f"median_{name}"] = distance.median().item()
        if self.reference is not None:
            scores = correlations(bank, self.reference)[3:16]
            figures |= {"kernel_least": scores.min().item(), "kernel_mean": scores.mean().item()}
        return figures

    def images(self, averages: Averages) -> dict[str, Tensor]:
        """Return the kernels, and the first held-out map."""
        photos = self.held_out()[0]
        radius = _estimate(averages[_ESTIMATOR], photos)[1][0, 0]
        return {"kernels": kernel_image(_bank(averages)), "map": map_image(radius)}

    def export(
        self,
        folder: Path,
        averages: Averages,
        recipe: Mapping[str, Any],
        figures: Mapping[str, Any],
    ) -> None:
        """Write the estimator, and the kernels, which the renderer can use."""
        save_network(
            folder, "dual-pixel", "dual-estimator", {}, averages[_ESTIMATOR], recipe, figures
        )
        write_whole(folder / BANK_NAME, save(_bank(averages).plain().state_dict()))


def _bank(averages: Averages) -> SharedPupilBank:
    bank = averages[_KERNELS]
    assert isinstance(bank, SharedPupilBank)
    return bank


def _estimate(estimator: nn.Module, photos: Photographs) -> dict[int, Tensor]:
    return coarse_to_fine(estimator, torch.cat([photos.left, photos.right], 1))


def _true_radius_losses(estimates: Mapping[int, Tensor], radius: Tensor) -> tuple[Tensor, Tensor]:
    return multiscale_losses(estimates, radius.nan_to_num(), radius.isfinite().float())


def dilate(image: Tensor) -> Tensor:
    """Return the largest value within the reach of light that saturated pixels spill."""
    return functional.max_pool2d(image, 2 * _SPILL + 1, 1, _SPILL)


def reblur_error(candidates: Tensor, radius: Tensor, light: Light) -> Tensor:
    """Return the mean absolute error of both reblurred views, relative to the mean light."""
    reach = candidates.shape[1] // 2
    usable = light.usable * free_of_edge(radius.detach(), reach)
    left, right = reblur_views(candidates, radius)
    error = (left - light.left).abs() + (right - light.right).abs()
    level = light.left.mean((1, 2, 3), keepdim=True).clamp(min=1e-3)
    return (usable * error / level).mean()


def smoothness(radius: Tensor, light: Light) -> Tensor:
    """Return the total variation of the map, weighted by the lack of texture in the sharp image."""
    flat = 1 - texture_weight(light.sharp.clamp(min=1e-4).sqrt())
    down, right = radius.diff(dim=-2).abs(), radius.diff(dim=-1).abs()
    return (flat[..., 1:, :] * down).mean() + (flat[..., 1:] * right).mean()
