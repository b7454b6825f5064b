"""The learnable blur kernel: defocus maps and kernels from dual-pixel pairs, no radius given.

An estimator sees the two views; the sharp image is blurred with a bank of learnable kernels by the
radii it answers, and must look like the views. Estimator and kernels take turns (Zhai et al. 2023).
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
from training.engine.task import Averages, TrainedNetwork, TrainingProgress
from training.multiscale import coarse_to_fine, multiscale_losses
from training.reblurring import (
    Match,
    best_match,
    inside,
    left_candidates,
    reblur_views,
    same_light,
)
from training.save import save_network
from training.tasks.samplers import FixedBatches, Sampler
from training.tensorboard_images import kernel_image, map_image
from training.validation_metrics import (
    beside_depth_edges,
    correlations,
    texture_mask,
    texture_weight,
)

_ESTIMATOR, _KERNELS = "estimator", "kernels"
_EPOCHS = 31
_KERNEL_EPOCHS = (range(10, 15), range(20, 25))
_KERNELS_ALONE, _KERNELS_EVERY = 0.1, 4
_LARGEST_CORRECTION = 0.05
_SATURATED, _SPILL = 0.99, 6
BANK_NAME = "kernels.safetensors"


@dataclass(frozen=True)
class LbkOptions:
    """How the learnable blur kernel is trained."""

    alternation: Literal["interleaved", "published"] = "interleaved"
    """Kernels first and every fourth step, taught by the best match; or in turns of epochs."""
    max_radius: int = 24
    """Largest radius of the kernel bank in pixels."""
    estimator_rate: float = 1e-3
    """Learning rate of the estimator."""
    kernel_rate: float = 0.1
    """Learning rate of the kernels' scores."""
    own_weight: float = 0.1
    """Of the squares of what each radius adds to the one pupil seen at all."""
    reblur_weight: float = 1.0
    """Of the error of the reblurred views."""
    match_weight: float = 0.3
    """Of the distance to the best matching radius; falls to a tenth."""
    smooth_weight: float = 0.02
    """Of the map's total variation where there are no edges."""
    confidence_weight: float = 0.1
    """Of the confidence's cross-entropy."""
    rough_weight: float = 0.01
    """Of the roughness of the pupil."""
    radius_weight: float = 0.0
    """Of the error of rendered radii; 0: no radius is ever shown."""
    match_half: int = 5
    """Half-width in pixels of the windows that are matched."""


@dataclass(frozen=True)
class Light:
    """Linear light of a batch, (N, 1, H, W) each, and where it can be compared."""

    sharp: Tensor
    left: Tensor
    right: Tensor
    usable: Tensor

    @classmethod
    def of(cls, photos: Photographs) -> "Light":
        """Luma of display-encoded photographs, the sharp one as bright as the views."""
        sharp, left, right = (
            luma(decode_srgb(image.float())) for image in (photos.sharp, photos.left, photos.right)
        )
        brightest = torch.cat([photos.sharp, photos.left, photos.right], 1).amax(1, keepdim=True)
        view = (left + right) / 2
        usable = (dilated(brightest) < _SATURATED).float()
        return cls(same_light(sharp, view), same_light(left, view), same_light(right, view), usable)


class LbkTask:
    """Trains a dual-pixel estimator and a kernel bank by reblurring.

    Parameters
    ----------
    options : LbkOptions
        Weights and rates.
    sampler : callable
        Photographs of a rng, with views.
    held_out : callable
        Batches of fixed photographs for figures and pictures; radii that are NaN are unknown.
    planted : KernelBank, optional
        The true lens, where it is known: for figures only.
    """

    def __init__(
        self,
        options: LbkOptions,
        sampler: Sampler,
        held_out: FixedBatches,
        planted: KernelBank | None = None,
    ) -> None:
        self.options, self.sampler, self.held_out, self.planted = (
            options,
            sampler,
            held_out,
            planted,
        )
        self.estimator = build("dual-estimator", {})
        self.bank = SharedPupilBank(options.max_radius)
        self.networks = {
            _ESTIMATOR: TrainedNetwork(self.estimator, options.estimator_rate),
            _KERNELS: TrainedNetwork(self.bank, options.kernel_rate, weight_decay=0.0),
        }

    def schedule(self, progress: TrainingProgress) -> Sequence[str]:
        """As published, estimator epochs 0-9, 15-19, 25-30 of 31, kernel epochs 10-14, 20-24.

        Interleaved, the kernels alone at first, and every fourth step from then on.
        """
        if self.options.alternation == "interleaved":
            kernels = progress.spent < _KERNELS_ALONE or progress.step % _KERNELS_EVERY == 0
        else:
            epoch = int(progress.spent * _EPOCHS)
            kernels = any(epoch in span for span in _KERNEL_EPOCHS)
        return [_KERNELS if kernels else _ESTIMATOR]

    def losses(self, name: str, rng: SampleRNG, progress: TrainingProgress) -> dict[str, Tensor]:
        """Reblurring error; with it, the priors of kernels, or what else the estimator is told."""
        photos = self.sampler(rng)
        light = Light.of(photos)
        kernels = name == _KERNELS
        with torch.set_grad_enabled(kernels), torch.autocast(rng.device.type, enabled=False):
            candidates = left_candidates(light.sharp, self.bank)
        if kernels and self.options.alternation == "published":
            return self._kernel_terms(candidates, _looks(self.estimator, photos)[1][:, :1], light)
        match = best_match(candidates.detach(), light.left, light.right, self.options.match_half)
        if kernels:
            sure = replace(light, usable=light.usable * match.clear)
            return self._kernel_terms(candidates, match.radius, sure)
        looks = _looks(self.estimator, photos)
        terms = self._estimator_terms(looks, light, match, candidates, progress)
        if self.options.radius_weight:
            known = photos.radius.isfinite()
            radius, confidence = multiscale_losses(looks, photos.radius.nan_to_num(), known.float())
            terms |= {"radius": radius, "known": confidence}
            told = radius + self.options.confidence_weight * confidence
            terms["total"] = terms["total"] + self.options.radius_weight * told
        return terms

    def _kernel_terms(self, candidates: Tensor, radius: Tensor, light: Light) -> dict[str, Tensor]:
        """Reblurring error and priors; radii are held to where the pupil's light ends."""
        edge = min(max(self.bank.edge(), 1 - _LARGEST_CORRECTION), 1 + _LARGEST_CORRECTION)
        terms = {
            "reblur": reblur_error(candidates, radius * edge, light),
            "own": self.bank.residual_scores().square().mean(),
            "rough": self.bank.roughness(),
        }
        total = (
            terms["reblur"]
            + self.options.own_weight * terms["own"]
            + self.options.rough_weight * terms["rough"]
        )
        return {"total": total, **terms}

    def _estimator_terms(
        self,
        looks: Mapping[int, Tensor],
        light: Light,
        match: Match,
        candidates: Tensor,
        progress: TrainingProgress,
    ) -> dict[str, Tensor]:
        options, radius = self.options, looks[1][:, :1]
        clear = match.clear * light.usable * inside(match.radius, options.max_radius)
        matched, confidence = multiscale_losses(looks, match.radius, clear)
        terms = {
            "reblur": reblur_error(candidates, radius, light),
            "match": matched,
            "smooth": smoothness(radius, light),
        }
        total = (
            options.reblur_weight * terms["reblur"]
            + options.match_weight * (1 - 0.9 * progress.spent) * terms["match"]
            + options.smooth_weight * terms["smooth"]
        )
        if not options.radius_weight:
            terms["confidence"] = confidence
            total = total + options.confidence_weight * confidence
        return {"total": total, **terms}

    def validate(self, averages: Averages) -> dict[str, float]:
        """Reblurring error; where truth is known, errors of radii and likeness of kernels."""
        estimator, bank = averages[_ESTIMATOR], averages[_KERNELS]
        errors, apart, plain = [], [], []
        for photos in self.held_out():
            light = Light.of(photos)
            radius = _looks(estimator, photos)[1][:, :1]
            errors.append(reblur_error(left_candidates(light.sharp, bank), radius, light))
            known = texture_mask(photos.center) & photos.radius.isfinite()
            distance = (radius - photos.radius).abs()
            apart.append(distance[known])
            plain.append(distance[known & ~beside_depth_edges(photos.radius)])
        figures = {"reblur_error": torch.stack(errors).mean().item()}
        for name, distances in (("textured", apart), ("unoccluded", plain)):
            known = torch.cat(distances)
            if len(known):
                figures[f"mae_{name}"] = known.mean().item()
                figures[f"median_{name}"] = known.median().item()
        if self.planted is not None:
            found = correlations(bank, self.planted)[3:16]
            figures |= {"kernel_least": found.min().item(), "kernel_mean": found.mean().item()}
        return figures

    def images(self, averages: Averages) -> dict[str, Tensor]:
        """The kernels, and the first held-out map."""
        photos = self.held_out()[0]
        radius = _looks(averages[_ESTIMATOR], photos)[1][0, 0]
        return {"kernels": kernel_image(averages[_KERNELS]), "map": map_image(radius)}

    def export(
        self,
        folder: Path,
        averages: Averages,
        recipe: Mapping[str, Any],
        figures: Mapping[str, Any],
    ) -> None:
        """The estimator, and the kernels that the renderer can use."""
        save_network(
            folder, "dual-pixel", "dual-estimator", {}, averages[_ESTIMATOR], recipe, figures
        )
        kernels = averages[_KERNELS]
        if isinstance(kernels, SharedPupilBank):
            write_whole(folder / BANK_NAME, save(kernels.plain().state_dict()))


def _looks(estimator: nn.Module, photos: Photographs) -> dict[int, Tensor]:
    return coarse_to_fine(estimator, torch.cat([photos.left, photos.right], 1))


def dilated(image: Tensor) -> Tensor:
    """The brightest value within a few pixels: what saturates has spilt its light that far."""
    return functional.max_pool2d(image, 2 * _SPILL + 1, 1, _SPILL)


def reblur_error(candidates: Tensor, radius: Tensor, light: Light) -> Tensor:
    """Mean absolute error of both reblurred views, in units of the mean light."""
    reach = candidates.shape[1] // 2
    usable = light.usable * inside(radius.detach(), reach)
    left, right = reblur_views(candidates, radius)
    error = (left - light.left).abs() + (right - light.right).abs()
    level = light.left.mean((1, 2, 3), keepdim=True).clamp(min=1e-3)
    return (usable * error / level).mean()


def smoothness(radius: Tensor, light: Light) -> Tensor:
    """Total variation of the map, where the sharp image is without texture most."""
    flat = 1 - texture_weight(light.sharp.clamp(min=1e-4).sqrt())
    down, right = radius.diff(dim=-2).abs(), radius.diff(dim=-1).abs()
    return (flat[..., 1:, :] * down).mean() + (flat[..., 1:] * right).mean()
