"""Training in one command on a machine with a GPU: renders scenes from a pack, then trains.

``python -m training.gpu --help``. It needs torch, lightning, NumPy, SciPy, Pillow, safetensors and
tensorboard alone.
"""

import argparse
import logging
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from training.data.corpus import Corpus
from training.data.images import image_files
from training.data.lens_bank import TracedCameraLens, read_camera_lenses, trace_lens
from training.data.lenses import LensSource
from training.data.photo_pack import HELD_OUT, TRAINING
from training.data.pool import write_pool
from training.data.random_lenses import RandomLenses
from training.data.renderer import Renderer, SceneOptions
from training.data.traced_lenses import LensBank, MixedLenses
from training.errors import TrainingError
from training.recipes import (
    EstimatorConfig,
    GanConfig,
    estimator_training,
    gan_training,
    train,
)
from training.run_config import read_options

_log = logging.getLogger(__name__)
#: Seeds of the scenes to train on, one for each process, and of those for validation.
_SEED, _HELD_OUT_SEED = 500, 1_000_000
#: Scenes as the shipped models met them: photographs, a third of the layers with grit.
_SCENES = SceneOptions(fluorescent_share=0.0, gritty_share=0.3, least_cells=1.0)


@dataclass(frozen=True)
class _Part:
    """Scenes that one process renders."""

    path: Path
    photos: Path
    count: int
    seed: int
    size: int
    device: str
    lenses: Sequence[TracedCameraLens]
    traced_share: float


def main(arguments: Sequence[str] | None = None) -> None:
    """Render scenes and train a network, as the command line says."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    options = _parser().parse_args(arguments)
    try:
        run(options)
    except (TrainingError, ValueError, OSError) as error:
        print(" ".join(str(error).split()), file=sys.stderr)
        sys.exit(2)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m training.gpu", description=__doc__)
    parser.add_argument("run", type=Path, help="folder of the run")
    parser.add_argument("--pack", type=Path, required=True, help="folder that `pack` wrote")
    parser.add_argument("--task", choices=("gan", "single"), default="gan")
    parser.add_argument("--config", type=Path, help="file of options, such as a preset")
    parser.add_argument("--start", help="model whose weights the training starts from")
    parser.add_argument("--minutes", type=float, default=7.0, help="of training")
    parser.add_argument("--batch", type=int, default=96)
    parser.add_argument("--scenes", type=int, default=9600, help="scenes to train on")
    parser.add_argument("--held-out", type=int, default=128, help="scenes for validation")
    parser.add_argument("--size", type=int, default=192, help="side of a scene in pixels")
    parser.add_argument("--workers", type=int, default=9, help="processes that render")
    parser.add_argument("--prescriptions", type=Path, help="folder of prescriptions of lenses")
    parser.add_argument("--traced-share", type=float, default=0.5)
    return parser


def run(options: argparse.Namespace) -> None:
    """Render scenes, and train on them.

    Parameters
    ----------
    options : Namespace
        As parsed.
    """
    start = time.monotonic()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    with TemporaryDirectory() as scratch:
        pools, held_out = Path(scratch) / "pools", Path(scratch) / "held-out.npy"
        _render(options, device, pools, held_out)
        _log.info("%d scenes after %.0f s", options.scenes, time.monotonic() - start)
        config = _config(options, pools, held_out)
        if isinstance(config, GanConfig):
            gan = config
            train(options.run, gan, lambda fabric: gan_training(gan, fabric), {})
        else:
            train(
                options.run,
                config,
                lambda fabric: estimator_training(config, fabric, dual=False),
                {"estimator": "single"},
            )
    _log.info("done after %.0f s", time.monotonic() - start)


def _render(options: argparse.Namespace, device: str, pools: Path, held_out: Path) -> None:
    for name in (TRAINING, HELD_OUT):
        if not (options.pack / name).is_dir():
            raise TrainingError(
                f"{options.pack} has no folder {name}; a pack is expected: python -m training pack"
            )
    bank = [] if options.prescriptions is None else read_camera_lenses(options.prescriptions)
    with ProcessPoolExecutor(options.workers + 1, mp_context=get_context("spawn")) as processes:
        one_by_one = options.workers == 1
        lenses = list(map(trace_lens, bank) if one_by_one else processes.map(trace_lens, bank))
        parts = _parts(options, device, pools, held_out, lenses)
        list(map(_render_part, parts) if one_by_one else processes.map(_render_part, parts))


def _parts(
    options: argparse.Namespace,
    device: str,
    pools: Path,
    held_out: Path,
    lenses: Sequence[TracedCameraLens],
) -> list[_Part]:
    """Return the scenes to train on, a part for each process, and those for validation."""
    whole = _Part(
        path=held_out,
        photos=options.pack / HELD_OUT,
        count=options.held_out,
        seed=_HELD_OUT_SEED,
        size=options.size,
        device=device,
        lenses=lenses,
        traced_share=options.traced_share,
    )
    share = -(-options.scenes // options.workers)
    parts = [
        replace(
            whole,
            path=pools / f"{number}.npy",
            photos=options.pack / TRAINING,
            count=share,
            seed=_SEED + number,
        )
        for number in range(options.workers)
    ]
    return [*parts, whole]


def _render_part(part: _Part) -> None:
    torch.set_num_threads(1)
    source: LensSource = RandomLenses()
    if part.lenses:
        source = MixedLenses(source, LensBank(part.lenses), part.traced_share)
    renderer = Renderer(Corpus(image_files(part.photos)), _SCENES, source)
    write_pool(part.path, renderer, part.count, part.seed, size=part.size, device=part.device)


def _config(
    options: argparse.Namespace, pools: Path, held_out: Path
) -> GanConfig | EstimatorConfig:
    config: GanConfig | EstimatorConfig
    if options.task == "gan":
        config = read_options(options.config, GanConfig) if options.config else GanConfig()
    else:
        file = options.config
        config = read_options(file, EstimatorConfig) if file else EstimatorConfig()
    seconds = 60 * options.minutes
    fit = replace(
        config.fit,
        minutes=options.minutes,
        batch=options.batch,
        draws="batch",
        threads=min(4, os.cpu_count() or 1),
        report_seconds=seconds / 6,
        checkpoint_seconds=seconds,
    )
    data = replace(
        config.data,
        pool=pools,
        validation=held_out,
        validate_on=options.held_out,
        crop=min(config.data.crop, options.size // 8 * 8),
    )
    return replace(config, fit=fit, data=data, start=options.start or config.start)


if __name__ == "__main__":
    main()
