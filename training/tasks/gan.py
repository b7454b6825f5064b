"""DefocusGAN: deblurring guided by the defocus map, with or without an adversary."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
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
from training.engine.task import Averages, TrainedNetwork, TrainingProgress, half_cosine
from training.errors import TrainingError
from training.losses import (
    adversary_loss,
    charbonnier,
    critic_loss,
    decibel_loss,
    edge_loss,
    flux_loss,
    fourier_loss,
)
from training.multiscale import coarse_to_fine
from training.perceptual import load_features, perceptual_loss
from training.save import save_network
from training.tasks.samplers import FixedBatches, Sampler
from training.validation_metrics import psnr_each

_GENERATOR, _DISCRIMINATOR = "generator", "discriminator"
_FLAT_MAP = 4.0
_REBLURRED_UP_TO = 12
_SCALED_BY, _ADDED = 0.5, 2.0
_ANNEALED_OVER, _PUBLISHED_STEPS = 20_000, 80_000


@dataclass(frozen=True)
class GanOptions:
    """How the generator is trained. A weight of 0 leaves its term out, and costs nothing."""

    architecture: Literal["generator", "paper-generator"] = "generator"
    """Ours, or the published one."""
    width: int = 32
    """Channels of the generator at its finest level."""
    consistency: float = 0.0
    """Share that is added back of what the result, blurred again, does not explain."""
    generator_rate: float = 1e-3
    """Learning rate of the generator."""
    schedule: Literal["cosine", "halving"] = "cosine"
    """Of both rates; halving at 30, 60 and 90 of 91 epochs."""
    guidance: Literal["map", "none"] = "map"
    """Whether the generator sees the map, or a flat one in its place."""
    estimated_share: float = 0.6
    """Share of samples guided by estimated, not true, maps."""
    erring_share: float = 0.6
    """Share of estimated maps that are wrong in places, as of real photographs they are."""
    map_dropout: float = 0.05
    """Share of samples whose map is leveled to its median."""
    noise_kept: float = 1.0
    """Share of the photograph's noise that its target shows too, so as to be left alone."""
    noise: float = 1.0
    """Strongest noise, as a share of the usual strongest."""
    veiled_share: float = 0.15
    """Share of photographs of little contrast."""
    pixel_weight: float = 1.0
    """Of the smooth absolute error."""
    decibel_weight: float = 0.0
    """Of the squared error of each sample in dB."""
    fourier_weight: float = 0.5
    """Of the absolute error of Fourier coefficients."""
    edge_weight: float = 0.0
    """Of the absolute error of neighbors' differences."""
    flux_weight: float = 0.0
    """Of the error of the linear light in windows."""
    perceptual_weight: float = 0.0
    """Of LPIPS, or of the error of VGG19's features."""
    reblur_weight: float = 0.0
    """Of the error after blurring the result again."""
    adversarial_weight: float = 0.0
    """Of the adversary; 0 trains without one."""
    defocus_weight: float = 0.1
    """Patches weigh this much more per px, for the critic."""
    defocus_weight_generator: float = 0.1
    """The same, for the generator."""
    penalty_weight: float = 10.0
    """Of the critic's gradient penalty."""
    discriminator_width: int = 64
    """Channels of the critic's first convolution."""
    discriminator_rate: float = 2e-4
    """Learning rate of the critic."""
    discriminator_steps: int = 2
    """Steps of the critic for one of the generator."""
    discriminator_from: float = 6 / 91
    """Share of the budget after which the critic learns."""
    adversary_from: float = 11 / 91
    """Share after which the generator heeds the critic."""


class GanTask:
    """Trains a generator, and a critic against it.

    Parameters
    ----------
    options : GanOptions
        Networks, rates and weights.
    sampler : callable
        Photographs of a rng.
    held_out : callable
        Batches of fixed photographs for the figures.
    estimator : nn.Module
        The single-image estimator whose maps guide; on the device of the photographs.
    features : Path, optional
        Weights for the perceptual term.
    device : torch.device, optional
        Where the photographs are; the CPU if not given.

    Raises
    ------
    TrainingError
        If the perceptual term is wanted without `features`.
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
        self.options, self.sampler, self.held_out, self.estimator = (
            options,
            sampler,
            held_out,
            estimator,
        )
        self.generator = build(options.architecture, _arguments(options))
        schedule = half_cosine if options.schedule == "cosine" else halving
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
        """The generator; before it, once it has learned a little, the critic's steps."""
        playing = (
            _DISCRIMINATOR in self.networks and progress.spent >= self.options.discriminator_from
        )
        critic = [_DISCRIMINATOR] * self.options.discriminator_steps if playing else []
        return [*critic, _GENERATOR]

    def losses(self, name: str, rng: SampleRNG, progress: TrainingProgress) -> dict[str, Tensor]:
        """Loss terms of the generator, or of the critic."""
        if isinstance(self.generator, PaperGenerator):
            self.generator.guidance = annealed(progress.spent)
        photos = turned_at_random(self.sampler(rng), rng)
        photos, estimated = self._with_radii(photos)
        seen = torch.cat([photos.center, self._guide(photos.radius, estimated, rng)], 1)
        if name == _DISCRIMINATOR:
            with torch.no_grad():
                restored = self.generator(seen).float()
            return self._critic_terms(photos, restored, rng)
        return self._generator_terms(photos, self.generator(seen).float(), progress)

    def _critic_terms(
        self, photos: Photographs, restored: Tensor, rng: SampleRNG
    ) -> dict[str, Tensor]:
        options, radius = self.options, photos.radius
        scores = [self.discriminator(image) for image in (photos.sharp, restored)]
        distance = critic_loss(*scores, radius, options.defocus_weight)
        share = rng.uniform(0, 1, 1, 1, 1)
        penalty = gradient_penalty(self.discriminator, photos.sharp, restored, share)
        total = distance + options.penalty_weight * penalty
        return {"total": total, "distance": distance, "penalty": penalty}

    def _generator_terms(
        self, photos: Photographs, restored: Tensor, progress: TrainingProgress
    ) -> dict[str, Tensor]:
        options, sharp = self.options, photos.sharp
        weighted: list[tuple[str, float, Callable[[], Tensor]]] = [
            ("pixel", options.pixel_weight, lambda: charbonnier(restored, sharp)),
            ("decibel", options.decibel_weight, lambda: decibel_loss(restored, sharp)),
            ("fourier", options.fourier_weight, lambda: fourier_loss(restored, sharp)),
            ("edge", options.edge_weight, lambda: edge_loss(restored, sharp)),
            ("flux", options.flux_weight, lambda: flux_loss(restored, sharp)),
            (
                "perceptual",
                options.perceptual_weight,
                lambda: perceptual_loss(self.features, restored, sharp),
            ),
            ("reblur", options.reblur_weight, lambda: reblur_loss(restored, photos)),
        ]
        if progress.spent >= options.adversary_from:
            weighted.append(
                (
                    "adversary",
                    options.adversarial_weight,
                    lambda: adversary_loss(
                        self.discriminator(restored),
                        photos.radius,
                        options.defocus_weight_generator,
                    ),
                )
            )
        terms = {name: (weight, loss()) for name, weight, loss in weighted if weight}
        total = torch.stack([weight * value for weight, value in terms.values()]).sum()
        return {"total": total, **{name: value for name, (_, value) in terms.items()}}

    def _with_radii(self, photos: Photographs) -> tuple[Photographs, Tensor]:
        """Unsigned radii, estimated where they are not known; and the estimated map."""
        with torch.no_grad():
            estimated = coarse_to_fine(self.estimator, photos.center)[1]
        known = photos.radius.isfinite()
        radius = torch.where(known, photos.radius.abs(), estimated[:, :1])
        return replace(photos, radius=radius), estimated

    def _guide(self, radius: Tensor, estimated: Tensor, rng: SampleRNG) -> Tensor:
        """Radius and confidence (N, 2, H, W): estimated, or true and roughened, or leveled."""
        if self.options.guidance == "none":
            return flat_map(radius)
        painted = torch.cat([roughened(radius, rng), torch.ones_like(radius)], 1)
        wrong = rng.bernoulli(self.options.erring_share, 1, 1, 1)
        estimated = torch.where(wrong, erring(estimated, rng), estimated)
        by_estimate = rng.bernoulli(self.options.estimated_share, 1, 1, 1)
        guide = torch.where(by_estimate, estimated, painted)
        level = rng.bernoulli(self.options.map_dropout, 1, 1, 1)
        return torch.where(level, leveled(guide), guide)

    def restore(self, generator: nn.Module, image: Tensor) -> Tensor:
        """Deblur (N, 3, H, W) as at test time: by the estimated map, if maps are seen at all."""
        if self.options.guidance == "none":
            guide = flat_map(image[:, :1])
        else:
            guide = coarse_to_fine(self.estimator, image)[1]
        restored: Tensor = generator(torch.cat([image, guide], 1)).float()
        return restored.clamp(0, 1)

    def validate(self, averages: Averages) -> dict[str, float]:
        """Mean PSNR in dB of input and output, and the share of scenes that got worse."""
        before: list[Tensor] = []
        after: list[Tensor] = []
        for photos in self.held_out():
            restored = self.restore(averages[_GENERATOR], photos.center)
            for found, image in ((before, photos.center), (after, restored)):
                found.append(psnr_each(image.clamp(0, 1), photos.sharp.clamp(0, 1)))
        gain = torch.cat(after) - torch.cat(before)
        return {
            "psnr_in": torch.cat(before).mean().item(),
            "psnr": torch.cat(after).mean().item(),
            "worse": (gain < 0).float().mean().item(),
        }

    def images(self, averages: Averages) -> dict[str, Tensor]:
        """Input, output and target of the first held-out scenes, side by side."""
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
        """The generator."""
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
    """What the generator is built with."""
    known = {"width": options.width, "consistency": options.consistency}
    return {name: value for name, value in known.items() if value}


def halving(spent: float) -> float:
    """The published schedule: half the rate after 30, 60 and 90 of 91 epochs."""
    return 0.5 ** int(91 * min(spent, 1.0) / 30)


def annealed(spent: float) -> float:
    """How strongly the published generator heeds the map: exp(-(2 n / 20000)^2).

    Notes
    -----
    With n counted as if training took 80,000 steps, so that the map is all but unused after a
    quarter of it, as published.
    """
    return math.exp(-((2 * spent * _PUBLISHED_STEPS / _ANNEALED_OVER) ** 2))


def turned_at_random(photos: Photographs, rng: SampleRNG) -> Photographs:
    """Rows for columns in half of the samples, the views left alone; radii become all blur."""
    turned = rng.bernoulli(0.5, 1, 1, 1)
    sharp, center, radius = (
        torch.where(turned, image.transpose(-1, -2), image)
        for image in (photos.sharp, photos.center, photos.blur)
    )
    return replace(photos, sharp=sharp, center=center, radius=radius, softness=0.0)


def roughened(radius: Tensor, rng: SampleRNG) -> Tensor:
    """Maps as a person or an estimator might draw them: coarse, scaled, a little off."""
    halves = rng.integers(0, 5).tolist()
    smooth = torch.cat(
        [
            functional.avg_pool2d(one[None], 2 * half + 1, 1, half, count_include_pad=False)
            for one, half in zip(radius, halves, strict=True)
        ]
    )
    scale = (0.08 * rng.normal(1, 1, 1)).exp()
    return (smooth * scale + 0.15 * rng.normal(1, 1, 1)).clamp(min=0)


def erring(guide: Tensor, rng: SampleRNG) -> Tensor:
    """Radii (N, 2, H, W) too large or too small in places, their confidence as it was."""
    radius, confidence = guide.split(1, 1)
    scaled, added = smooth_field(rng, 2, guide.shape[-1]).split(1, 1)
    wrong = radius * (_SCALED_BY * scaled).exp() + _ADDED * added.clamp(min=0)
    return torch.cat([wrong, confidence], 1)


def leveled(guide: Tensor) -> Tensor:
    """The same radius and confidence everywhere: each sample's medians."""
    return guide.flatten(2).median(-1).values[..., None, None].expand_as(guide)


def flat_map(like: Tensor) -> Tensor:
    """The map (N, 2, H, W) that says nothing: one radius everywhere, surely out of focus."""
    return torch.cat([torch.full_like(like, _FLAT_MAP), torch.ones_like(like)], 1)


def reblur_loss(restored: Tensor, photos: Photographs) -> Tensor:
    """Smooth absolute error, in linear light, of the result blurred by the unsigned radii."""
    radius = photos.radius.clamp(max=_REBLURRED_UP_TO)
    kernels = disks(_REBLURRED_UP_TO).to(restored.device)
    again = interpolated_reblur(decode_srgb(restored.clamp(0, 1)), radius, kernels)
    known = (photos.radius <= _REBLURRED_UP_TO).float()
    return charbonnier(known * again, known * decode_srgb(photos.center))
