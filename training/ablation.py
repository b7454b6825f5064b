"""What each part of the deblurring training is worth: the same data and time, a part left out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from napari_defocus.networks import ARCHITECTURES
from training.data.dpdd import dpdd_scenes
from training.data.sensor import Photographs
from training.engine.fit import FitOptions
from training.evaluation.tables import Row
from training.lpips import Lpips
from training.metrics import psnr, ssim
from training.recipes import DataOptions, GanConfig
from training.run_config import read_options
from training.tasks.gan import GanOptions, GanTask

_MULTIPLE = 128

_PRESETS = Path(__file__).with_name("presets")


def _preset(name: str) -> GanOptions:
    return read_options(_PRESETS / f"{name}.json", GanConfig).gan


#: As they are, but for widths that a processor can train, and one step of our critic for one of
#: the generator.
OURS = replace(_preset("natural"), discriminator_width=16, discriminator_steps=1)
PAPER = replace(_preset("paper"), width=16, discriminator_width=16)
VARIANTS: Mapping[str, GanOptions] = {
    "ours": OURS,
    "ours, map not seen": replace(OURS, guidance="none"),
    "ours, no adversary": replace(OURS, adversarial_weight=0.0),
    "ours, adversary not weighted by defocus": replace(
        OURS, defocus_weight=0.0, defocus_weight_generator=0.0
    ),
    "paper preset": PAPER,
}


def variant_config(
    fit: FitOptions, data: DataOptions, gan: GanOptions, seed: int, guide: str, lpips: Path
) -> GanConfig:
    """All options of one training of the comparison.

    A network that cannot take crops of the size asked for gets the next larger ones that it can,
    and fewer, so that all see about as many pixels a step.
    """
    multiple = ARCHITECTURES[gan.architecture].descriptor.multiple
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
def score(task: GanTask, generator: nn.Module, lpips: Lpips, dpdd: Path | None) -> Row:
    """Mean scores of a generator: on rendered held-out scenes, and on DPDD scenes if given.

    The network alone is scored, at full size and as one tile, guided as its training says.
    """
    rendered = [
        pair for photos in task.held_out() for pair in _rendered_pairs(task, generator, photos)
    ]
    row: Row = _means("rendered", rendered, lpips)
    if dpdd is not None:
        real = [
            (_whole(task, generator, _planes(scene.blurred)), _planes(scene.target))
            for scene in dpdd_scenes(dpdd)
        ]
        row |= _means("DPDD", real, lpips)
    return row


def spread(rows: Sequence[Row]) -> list[Row]:
    """One row a method: mean over its seeds, and how far apart the seeds lie."""
    methods = dict.fromkeys(row["method"] for row in rows)
    return [_told(method, [row for row in rows if row["method"] == method]) for method in methods]


def _told(method: str, rows: Sequence[Row]) -> Row:
    told: Row = {"method": method, "seeds": len(rows)}
    for key in rows[0]:
        if key in ("method", "seed"):
            continue
        values = [float(row[key]) for row in rows]
        digits = 0 if key == "steps" else 2 if "PSNR" in key else 3
        told[key] = f"{np.mean(values):.{digits}f} ± {(max(values) - min(values)) / 2:.{digits}f}"
    return told


def _rendered_pairs(
    task: GanTask, generator: nn.Module, photos: Photographs
) -> Iterable[tuple[Tensor, Tensor]]:
    return zip(task.restore(generator, photos.center), photos.sharp, strict=True)


def _whole(task: GanTask, generator: nn.Module, image: Tensor) -> Tensor:
    height, width = image.shape[-2:]
    pad = (0, -width % _MULTIPLE, 0, -height % _MULTIPLE)
    padded = functional.pad(image[None], pad, mode="replicate")
    return task.restore(generator, padded)[0, :, :height, :width]


def _means(where: str, pairs: Sequence[tuple[Tensor, Tensor]], lpips: Lpips) -> Row:
    arrays = [tuple(np.asarray(t.float().permute(1, 2, 0)) for t in pair) for pair in pairs]
    return {
        f"{where} PSNR": float(np.mean([psnr(a, b) for a, b in arrays])),
        f"{where} SSIM": float(np.mean([ssim(a, b) for a, b in arrays])),
        f"{where} LPIPS": float(np.mean([lpips(a.float(), b) for a, b in pairs])),
    }


def _planes(image: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))
