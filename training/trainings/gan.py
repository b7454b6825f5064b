"""Training of the deblurring network, guided by the defocus map (DefocusGAN)."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from napari_defocus.networks import build
from napari_defocus.networks.paper import PaperGenerator
from napari_defocus.optics.kernels import disks
from napari_defocus.optics.light import decode_srgb
from napari_defocus.optics.reblur import interpolated_reblur
from training.data.random_fields import smooth_field
from training.data.rng import SampleRNG
from training.data.sensor import Photographs
from training.discriminator import PatchDiscriminator, gradient_penalty
from training.engine.training import Averages, TrainedNetwork, TrainingProgress, half_cosine
from training.errors import TrainingError
from training.losses import (
    adversarial_loss,
    charbonnier,
    decibel_loss,
    discriminator_loss,
    edge_loss,
    flux_loss,
    fourier_loss,
    light_loss,
    reversal_loss,
)
from training.multiscale import coarse_to_fine
from training.perceptual import load_features, perceptual_loss
from training.save import save_network
from training.trainings.samplers import FixedBatches, Sampler
from training.validation_metrics import psnr_each

_GENERATOR, _DISCRIMINATOR = "generator", "discriminator"
#: Radius in px of the map that stands for no map.
_FLAT_MAP = 4.0
#: Largest radius in px of the blur that the reblurring loss applies.
_MAX_REBLUR_RADIUS = 12
#: Strength of the errors that are added to estimated maps: of the exponent, and in px.
_EXPONENT_SIGMA, _OFFSET_SCALE = 0.5, 2.0
#: Steps over which the published guidance fades, and of the whole published training.
_ANNEALED_OVER, _PUBLISHED_STEPS = 20_000, 80_000


@dataclass(frozen=True)
class GanOptions:
    """Networks, learning rates and weights of the losses. Losses of weight 0 are not computed."""

    architecture: Literal["generator", "paper-generator", "unrolled-generator"] = "generator"
    """Generator of this project, the published one, or one of unrolled steps."""
    width: int = 32
    """Channels of the generator at its finest level."""
    consistency: float = 0.0
    """Share of the difference between the image and the reblurred result that is added back."""
    generator_rate: float = 1e-3
    """Learning rate of the generator."""
    schedule: Literal["cosine", "halving"] = "cosine"
    """Schedule of both learning rates; halving: at 30, 60 and 90 of 91 epochs."""
    guidance: Literal["map", "none"] = "map"
    """Input of the generator: the map, or a constant one in its place."""
    estimated_share: float = 0.6
    """Share of samples guided by estimated instead of true maps."""
    erring_share: float = 0.6
    """Share of estimated maps that get errors in places, as maps of real photographs have them."""
    map_dropout: float = 0.05
    """Share of samples whose map is replaced by its median."""
    noise_kept: float = 1.0
    """Share of the photograph's noise that the target keeps, so that fine texture is kept too."""
    noise: float = 1.0
    """Strongest noise, as a multiple of the usual one."""
    veiled_share: float = 0.15
    """Share of photographs of low contrast."""
    pixel_weight: float = 1.0
    """Weight of the smooth absolute error."""
    decibel_weight: float = 0.0
    """Weight of the squared error of each sample in dB."""
    light_weight: float = 0.0
    """Weight of the squared error of the linear light of each sample in dB."""
    fourier_weight: float = 0.5
    """Weight of the absolute error of Fourier coefficients."""
    edge_weight: float = 0.0
    """Weight of the absolute error of differences between neighboring pixels."""
    flux_weight: float = 0.0
    """Weight of the error of the linear light in windows."""
    perceptual_weight: float = 0.0
    """Weight of LPIPS, or of the error of VGG19's features."""
    reversal_weight: float = 0.0
    """Weight of detail that has the opposite sign of the target's."""
    reblur_weight: float = 0.0
    """Weight of the error after blurring the result again."""
    adversarial_weight: float = 0.0
    """Weight of the adversarial loss; 0 trains without a discriminator."""
    defocus_weight: float = 0.1
    """Additional weight of patches per px of their radius, for the discriminator."""
    defocus_weight_generator: float = 0.1
    """Additional weight of patches per px of their radius, for the generator."""
    penalty_weight: float = 10.0
    """Weight of the discriminator's gradient penalty."""
    discriminator_width: int = 64
    """Channels of the discriminator's first convolution."""
    discriminator_rate: float = 2e-4
    """Learning rate of the discriminator."""
    discriminator_steps: int = 2
    """Steps of the discriminator for each step of the generator."""
    discriminator_from: float = 6 / 91
    """Share of the budget after which the discriminator is trained."""
    adversarial_from: float = 11 / 91
    """Share of the budget after which the adversarial loss counts."""


class GanTraining:
    """Training of a generator and, against it, of a discriminator.

    Parameters
    ----------
    options : GanOptions
        Networks, rates and weights.
    sampler : callable
        Draws photographs.
    held_out : callable
        Returns batches of fixed photographs for the figures.
    estimator : nn.Module
        Single-image estimator whose maps guide the generator; on the device of the photographs.
    features : Path, optional
        Weights for the perceptual loss.
    device : torch.device, optional
        Device of the photographs; the CPU by default.

    Raises
    ------
    TrainingError
        If the perceptual loss has a weight, but `features` is missing.
    """

    def __init__(
        self,
        options: GanOptions,
        sampler: Sampler,
        held_out: FixedBatches,
        estimator: nn.Module,
        features: Path | None = None,
        device: torch.device | None = None,
    ) -> None:
        self.options, self.sampler, self.held_out = options, sampler, held_out
        self.estimator = estimator
        self.generator = build(options.architecture, _arguments(options))
        schedule = half_cosine if options.schedule == "cosine" else halve_thrice
        self.networks = {
            _GENERATOR: TrainedNetwork(self.generator, options.generator_rate, schedule=schedule)
        }
        if options.adversarial_weight:
            self.discriminator = PatchDiscriminator(options.discriminator_width)
            self.networks[_DISCRIMINATOR] = TrainedNetwork(
                self.discriminator, options.discriminator_rate, (0.5, 0.9), 0.0, schedule
            )
        if options.perceptual_weight and features is None:
            raise TrainingError(
                "the perceptual loss has a weight but no network: give --features FILE"
            )
        self.features = (
            load_features(features).to(device)
            if features is not None and options.perceptual_weight
            else None
        )

    def schedule(self, progress: TrainingProgress) -> Sequence[str]:
        """Return the generator, preceded by the steps of the discriminator once that is trained."""
        if _DISCRIMINATOR in self.networks and progress.spent >= self.options.discriminator_from:
            return [*[_DISCRIMINATOR] * self.options.discriminator_steps, _GENERATOR]
        return [_GENERATOR]

    def losses(self, name: str, rng: SampleRNG, progress: TrainingProgress) -> dict[str, Tensor]:
        """Return the losses of the generator, or of the discriminator."""
        if isinstance(self.generator, PaperGenerator):
            self.generator.guidance = guidance_strength(progress.spent)
        photos = transpose_at_random(self.sampler(rng), rng)
        by_estimate = rng.bernoulli(self.options.estimated_share, 1, 1, 1)
        photos, estimate = self._fill_radii(photos, by_estimate)
        guide = self._guide(photos.radius, estimate, by_estimate, rng)
        inputs = torch.cat([photos.center, guide], 1)
        if name == _DISCRIMINATOR:
            with torch.no_grad():
                restored = self.generator(inputs).float()
            return self._discriminator_losses(photos, restored, rng)
        return self._generator_losses(photos, self.generator(inputs).float(), progress)

    def _discriminator_losses(
        self, photos: Photographs, restored: Tensor, rng: SampleRNG
    ) -> dict[str, Tensor]:
        options, radius = self.options, photos.radius
        real, fake = self.discriminator(photos.sharp), self.discriminator(restored)
        distance = discriminator_loss(real, fake, radius, options.defocus_weight)
        share = rng.uniform(0, 1, 1, 1, 1)
        penalty = gradient_penalty(self.discriminator, photos.sharp, restored, share)
        total = distance + options.penalty_weight * penalty
        return {"total": total, "distance": distance, "penalty": penalty}

    def _generator_losses(
        self, photos: Photographs, restored: Tensor, progress: TrainingProgress
    ) -> dict[str, Tensor]:
        options, sharp = self.options, photos.sharp
        weighted: dict[str, tuple[float, Callable[[], Tensor]]] = {
            "pixel": (options.pixel_weight, partial(charbonnier, restored, sharp)),
            "decibel": (options.decibel_weight, partial(decibel_loss, restored, sharp)),
            "light": (options.light_weight, partial(light_loss, restored, sharp)),
            "fourier": (options.fourier_weight, partial(fourier_loss, restored, sharp)),
            "edge": (options.edge_weight, partial(edge_loss, restored, sharp)),
            "flux": (options.flux_weight, partial(flux_loss, restored, sharp)),
            "reversal": (options.reversal_weight, partial(reversal_loss, restored, sharp)),
        }
        if self.features is not None:
            loss = partial(perceptual_loss, self.features, restored, sharp)
            weighted["perceptual"] = options.perceptual_weight, loss
        weighted["reblur"] = options.reblur_weight, partial(reblur_loss, restored, photos)
        if progress.spent >= options.adversarial_from:
            adversarial = partial(self._adversarial_loss, restored, photos.radius)
            weighted["adversarial"] = options.adversarial_weight, adversarial
        losses = {name: (weight, loss()) for name, (weight, loss) in weighted.items() if weight}
        total = torch.stack([weight * loss for weight, loss in losses.values()]).sum()
        return {"total": total, **{name: loss for name, (_, loss) in losses.items()}}

    def _adversarial_loss(self, restored: Tensor, radius: Tensor) -> Tensor:
        weight = self.options.defocus_weight_generator
        return adversarial_loss(self.discriminator(restored), radius, weight)

    def _fill_radii(self, photos: Photographs, by_estimate: Tensor) -> tuple[Photographs, Tensor]:
        """Return photographs with unsigned radii, estimated where missing, and the estimate.

        The estimate (N, 2, H, W) is made for samples that need it, and is 0 for others.
        """
        labeled = photos.radius.isfinite()
        needed = by_estimate.flatten() | ~labeled.flatten(1).all(1)
        estimate = torch.cat([torch.zeros_like(photos.radius)] * 2, 1)
        if needed.any():
            with torch.no_grad():
                part = coarse_to_fine(self.estimator, photos.center[needed])[1]
            estimate[needed] = part.to(estimate.dtype)
        radius = torch.where(labeled, photos.radius.abs(), estimate[:, :1])
        return replace(photos, radius=radius), estimate

    def _guide(
        self, radius: Tensor, estimate: Tensor, by_estimate: Tensor, rng: SampleRNG
    ) -> Tensor:
        """Return a map (N, 2, H, W) for each sample: estimated, or roughly true, or constant."""
        if self.options.guidance == "none":
            return flat_map(radius)
        rough = torch.cat([roughen(radius, rng), torch.ones_like(radius)], 1)
        with_errors = rng.bernoulli(self.options.erring_share, 1, 1, 1)
        estimate = torch.where(with_errors, add_errors(estimate, rng), estimate)
        guide = torch.where(by_estimate, estimate, rough)
        dropped = rng.bernoulli(self.options.map_dropout, 1, 1, 1)
        return torch.where(dropped, median_map(guide), guide)

    def restore(self, generator: nn.Module, image: Tensor) -> Tensor:
        """Deblur (N, 3, H, W) with the estimated map or, without guidance, a constant one."""
        if self.options.guidance == "none":
            guide = flat_map(image[:, :1])
        else:
            guide = coarse_to_fine(self.estimator, image)[1]
        restored: Tensor = generator(torch.cat([image, guide], 1)).float()
        return restored.clamp(0, 1)

    def validate(self, averages: Averages) -> dict[str, float]:
        """Return the mean PSNR in dB of input and output, and the share of worse outputs."""
        before, after = [], []
        for photos in self.held_out():
            restored, sharp = self.restore(averages[_GENERATOR], photos.center), photos.sharp
            before.append(psnr_each(photos.center.clamp(0, 1), sharp.clamp(0, 1)))
            after.append(psnr_each(restored, sharp.clamp(0, 1)))
        gain = torch.cat(after) - torch.cat(before)
        return {
            "psnr_in": torch.cat(before).mean().item(),
            "psnr": torch.cat(after).mean().item(),
            "worse": (gain < 0).float().mean().item(),
        }

    def images(self, averages: Averages) -> dict[str, Tensor]:
        """Return input, output and target of the first held-out scenes, side by side."""
        photos = self.held_out()[0]
        restored = self.restore(averages[_GENERATOR], photos.center[:4])
        rows = torch.cat([photos.center[:4], restored, photos.sharp[:4]], -1)
        return {"input, output, target": torch.cat(list(rows), -2)}

    def export(
        self,
        folder: Path,
        averages: Averages,
        recipe: Mapping[str, Any],
        figures: Mapping[str, Any],
    ) -> None:
        """Write the generator."""
        options = self.options
        save_network(
            folder,
            "deblur",
            options.architecture,
            _arguments(options),
            averages[_GENERATOR],
            recipe,
            figures,
        )


def _arguments(options: GanOptions) -> dict[str, Any]:
    """Return the arguments of the generator's class."""
    arguments = {"width": options.width, "consistency": options.consistency}
    return {name: value for name, value in arguments.items() if value}


def halve_thrice(spent: float) -> float:
    """Return the published share of the learning rate: halved after 30, 60 and 90 of 91 epochs."""
    return 0.5 ** int(91 * min(spent, 1.0) / 30)


def guidance_strength(spent: float) -> float:
    """Return the strength of the map's guidance of the published generator: exp(-(2 n / 20000)^2).

    Notes
    -----
    n counts as if training took 80,000 steps. So, as published, the map has almost no effect after
    a quarter of the training.
    """
    return math.exp(-((2 * spent * _PUBLISHED_STEPS / _ANNEALED_OVER) ** 2))


def transpose_at_random(photos: Photographs, rng: SampleRNG) -> Photographs:
    """Swap rows and columns of half of the samples, and replace radii by those of all blur.

    The two views stay as they are.
    """
    swapped = rng.bernoulli(0.5, 1, 1, 1)
    sharp, center, radius = (
        torch.where(swapped, image.transpose(-1, -2), image)
        for image in (photos.sharp, photos.center, photos.blur)
    )
    return replace(photos, sharp=sharp, center=center, radius=radius, softness=0.0)


def roughen(radius: Tensor, rng: SampleRNG) -> Tensor:
    """Smooth, scale and shift radii a little, as if a person had drawn them."""
    halves = rng.integers(0, 5).tolist()
    smooth = torch.cat(
        [
            functional.avg_pool2d(one[None], 2 * half + 1, 1, half, count_include_pad=False)
            for one, half in zip(radius, halves, strict=True)
        ]
    )
    scale = (0.08 * rng.normal(1, 1, 1)).exp()
    return (smooth * scale + 0.15 * rng.normal(1, 1, 1)).clamp(min=0)


def add_errors(guide: Tensor, rng: SampleRNG) -> Tensor:
    """Enlarge or reduce the radii of maps (N, 2, H, W) in places, but keep the confidence."""
    radius, confidence = torch.split(guide, 1, 1)
    scaled, added = torch.split(smooth_field(rng, 2, guide.shape[-1]), 1, 1)
    changed = radius * (_EXPONENT_SIGMA * scaled).exp() + _OFFSET_SCALE * added.clamp(min=0)
    return torch.cat([changed, confidence], 1)


def median_map(guide: Tensor) -> Tensor:
    """Replace radius and confidence by their median over each sample."""
    return guide.flatten(2).median(-1).values[..., None, None].expand_as(guide)


def flat_map(like: Tensor) -> Tensor:
    """Return a constant map (N, 2, H, W), which stands for no map."""
    return torch.cat([torch.full_like(like, _FLAT_MAP), torch.ones_like(like)], 1)


def reblur_loss(restored: Tensor, photos: Photographs) -> Tensor:
    """Return the smooth absolute error, in linear light, of the result blurred by its radii.

    Pixels beyond the largest radius of the blur do not count.
    """
    radius = photos.radius.clamp(max=_MAX_REBLUR_RADIUS)
    kernels = disks(_MAX_REBLUR_RADIUS).to(restored.device)
    again = interpolated_reblur(decode_srgb(restored.clamp(0, 1)), radius, kernels)
    counts = (photos.radius <= _MAX_REBLUR_RADIUS).float()
    return charbonnier(counts * again, counts * decode_srgb(photos.center))
