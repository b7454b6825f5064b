"""Variants of the deblurring training, each without one of its parts, and their scores."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from napari_defocus.networks import ARCHITECTURES
from napari_defocus.networks.generator import Generator
from napari_defocus.networks.paper import PaperGenerator
from training.data.dpdd import dpdd_scenes
from training.data.sensor import Photographs
from training.engine.fit import FitOptions
from training.evaluation.tables import Row
from training.lpips import Lpips
from training.metrics import Floats, psnr, ssim
from training.recipes import DataOptions, GanConfig
from training.run_config import read_options
from training.trainings.gan import GanOptions, GanTraining

#: Divides the sizes that every architecture accepts.
_MULTIPLE = 128

_PRESETS = Path(__file__).with_name("presets")


def _preset(name: str) -> GanOptions:
    return read_options(_PRESETS / f"{name}.json", GanConfig).gan


#: Our preset and the published one, with widths that a CPU can train, and with one step of our
#: discriminator for each step of the generator.
OURS = replace(_preset("natural"), discriminator_width=16, discriminator_steps=1)
PAPER = replace(_preset("paper"), width=16, discriminator_width=16)
VARIANTS: Mapping[str, GanOptions] = {
    "ours": OURS,
    "ours, map not seen": replace(OURS, guidance="none"),
    "ours, no adversarial loss": replace(OURS, adversarial_weight=0.0),
    "ours, adversarial loss not weighted by defocus": replace(
        OURS, defocus_weight=0.0, defocus_weight_generator=0.0
    ),
    "paper preset": PAPER,
}


def variant_config(
    fit: FitOptions, data: DataOptions, gan: GanOptions, seed: int, guide: str, lpips: Path
) -> GanConfig:
    """Return all options of one training of the comparison.

    Crops are enlarged to the next size that the network accepts, and their number is reduced, so
    that all networks see about as many pixels a step.
    """
    architecture = cast("type[Generator | PaperGenerator]", ARCHITECTURES[gan.architecture])
    multiple = architecture.descriptor.multiple
    crop = -(-data.crop // multiple) * multiple
    batch = max(1, round(fit.batch * (data.crop / crop) ** 2))
    return GanConfig(
        replace(fit, seed=seed, batch=batch),
        replace(data, crop=crop),
        gan,
        guide,
        lpips / "squeeze.safetensors",
    )


@torch.inference_mode()
def score(training: GanTraining, generator: nn.Module, lpips: Lpips, dpdd: Path | None) -> Row:
    """Return mean scores of a generator on rendered held-out scenes and, optionally, on DPDD.

    The network alone is scored, at full size and as one tile, with the guidance of its training.
    """
    rendered = [
        pair
        for photos in training.held_out()
        for pair in _rendered_pairs(training, generator, photos)
    ]
    row: Row = _means("rendered", rendered, lpips)
    if dpdd is not None:
        real = [
            (_restore_whole(training, generator, _planes(scene.blurred)), _planes(scene.target))
            for scene in dpdd_scenes(dpdd)
        ]
        row |= _means("DPDD", real, lpips)
    return row


def summarize_seeds(rows: Sequence[Row]) -> list[Row]:
    """Return one row a method: the mean over its seeds, and half their range."""
    by_method: dict[str, list[Row]] = {}
    for row in rows:
        by_method.setdefault(row["method"], []).append(row)
    return [_summarize(method, own) for method, own in by_method.items()]


def _summarize(method: str, rows: Sequence[Row]) -> Row:
    summary: Row = {"method": method, "seeds": len(rows)}
    for key in rows[0]:
        if key in ("method", "seed"):
            continue
        values = [float(row[key]) for row in rows]
        digits = 0 if key == "steps" else 2 if "PSNR" in key else 3
        half_range = (max(values) - min(values)) / 2
        summary[key] = f"{np.mean(values):.{digits}f} ± {half_range:.{digits}f}"
    return summary


def _rendered_pairs(
    training: GanTraining, generator: nn.Module, photos: Photographs
) -> Iterable[tuple[Tensor, Tensor]]:
    return zip(training.restore(generator, photos.center), photos.sharp, strict=True)


def _restore_whole(training: GanTraining, generator: nn.Module, image: Tensor) -> Tensor:
    height, width = image.shape[-2:]
    pad = (0, -width % _MULTIPLE, 0, -height % _MULTIPLE)
    padded = functional.pad(image[None], pad, mode="replicate")
    return training.restore(generator, padded)[0, :, :height, :width]


def _means(scenes: str, pairs: Sequence[tuple[Tensor, Tensor]], lpips: Lpips) -> Row:
    arrays = [tuple(np.asarray(t.float().permute(1, 2, 0)) for t in pair) for pair in pairs]
    return {
        f"{scenes} PSNR": float(np.mean([psnr(a, b) for a, b in arrays])),
        f"{scenes} SSIM": float(np.mean([ssim(a, b) for a, b in arrays])),
        f"{scenes} LPIPS": float(np.mean([lpips(a.float(), b) for a, b in pairs])),
    }


def _planes(image: Floats) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))
