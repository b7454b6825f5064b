"""Commands that train networks."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from lightning.fabric import Fabric
from torch import nn

from napari_defocus.models import find_model, load_network
from napari_defocus.networks.descriptor import Task as ModelTask
from training.data.corpus import Corpus, photographs
from training.data.optics import read_bank
from training.data.pool import Pool
from training.data.renderer import Renderer
from training.data.sensor import SensorOptions
from training.data.source import Source
from training.engine.fit import FitOptions, fit
from training.engine.machine import launch
from training.engine.task import Task
from training.errors import TrainingError
from training.options import flat, keep_options, with_options
from training.tasks.camera import Camera, FixedCamera
from training.tasks.estimators import EstimatorOptions, EstimatorTask
from training.tasks.gan import GanOptions, GanTask
from training.tasks.lbk import LbkOptions, LbkTask

Run = Annotated[Path, typer.Argument(help="Folder of the run; a run found there goes on.")]
#: What may change when a run goes on: how long, how often it is looked at, and on what machine.
_MAY_DIFFER = frozenset(
    {"minutes", "threads", "report_seconds", "checkpoint_seconds", "pool", "photos", "validation"}
)
#: Reblurring needs light as it fell: no tone curve but sRGB's, no JPEG.
_TRUE_LIGHT = SensorOptions(bent_share=0.0, jpeg_share=0.0)


@dataclass(frozen=True)
class DataOptions:
    """Where scenes come from."""

    pool: Annotated[Path | None, "Scenes to train on, made by `render`."] = None
    photos: Annotated[
        Path | None, "Folder of sharp photographs to render scenes from on the way, without a pool."
    ] = None
    validation: Annotated[Path | None, "Scenes of held-out photographs, made by `render`."] = None
    validate_on: Annotated[int, "How many of them are looked at."] = 128
    crop: Annotated[int, "Side of the training crops in pixels, a multiple of 8."] = 128

    def source(self) -> Source:
        """The source of training scenes."""
        if (self.pool is None) == (self.photos is None):
            raise TrainingError("give either --pool FILE or --photos FOLDER to train on")
        if self.pool is not None:
            return Pool(self.pool)
        return Renderer(Corpus(photographs(self.photos, held_out=False)))

    def fixed(
        self, fabric: Fabric, *, views: bool, sensor: SensorOptions | None = None
    ) -> FixedCamera:
        """The fixed photographs that figures are taken of."""
        if self.validation is None:
            raise TrainingError("give --validation FILE, scenes of held-out photographs")
        return FixedCamera(
            Pool(self.validation),
            views,
            sensor or SensorOptions(),
            fabric.device,
            self.validate_on,
        )


class Kind(StrEnum):
    """Which estimator to train."""

    single = "single"
    dual = "dual"


@dataclass(frozen=True)
class EstimatorConfig:
    """All options of the training of an estimator."""

    fit: FitOptions = field(default_factory=FitOptions)
    data: DataOptions = field(default_factory=DataOptions)
    estimator: EstimatorOptions = field(default_factory=EstimatorOptions)
    teacher: Annotated[
        Path | None, "Dual-pixel estimator whose maps are taught instead of rendered radii."
    ] = None


@dataclass(frozen=True)
class GanConfig:
    """All options of the training of the deblurring network."""

    fit: FitOptions = field(default_factory=FitOptions)
    data: DataOptions = field(default_factory=DataOptions)
    gan: GanOptions = field(default_factory=GanOptions)
    estimator: Annotated[str, "Single-image estimator that guides: a name or a file."] = "single"
    features: Annotated[
        Path | None, "Weights for the perceptual loss: VGG19, or LPIPS' SqueezeNet."
    ] = None


@dataclass(frozen=True)
class LbkConfig:
    """All options of the training of the learnable blur kernel."""

    fit: FitOptions = field(default_factory=FitOptions)
    data: DataOptions = field(default_factory=DataOptions)
    lbk: LbkOptions = field(default_factory=LbkOptions)
    planted: Annotated[
        Path | None, "Kernels the scenes were rendered with, to be compared with: figures only."
    ] = None


def _estimator(
    kind: Annotated[Kind, typer.Argument(help="From one image, or from two views.")],
    run: Run,
    options: EstimatorConfig,
) -> None:
    """Train a defocus estimator on rendered radii, or on a teacher's maps."""
    dual = kind is Kind.dual

    def task(fabric: Fabric) -> Task:
        teacher = None if options.teacher is None else _model(options.teacher, "dual", fabric)
        return EstimatorTask(
            options.estimator,
            Camera(options.data.source(), options.data.crop, views=dual or teacher is not None),
            options.data.fixed(fabric, views=dual),
            dual=dual,
            teacher=teacher,
        )

    train(run, options, options.fit, task, {"estimator": str(kind)})


def _gan(run: Run, options: GanConfig) -> None:
    """Train the deblurring network, against an adversary if it has a weight."""
    train(run, options, options.fit, lambda fabric: gan_task(options, fabric), {})


def gan_task(options: GanConfig, fabric: Fabric) -> GanTask:
    """The training of a deblurring network that some options describe."""
    return GanTask(
        options.gan,
        Camera(options.data.source(), options.data.crop, views=False),
        options.data.fixed(fabric, views=False),
        _model(options.estimator, "single", fabric),
        options.features,
        fabric.device,
    )


def _lbk(run: Run, options: LbkConfig) -> None:
    """Learn defocus maps and blur kernels from dual-pixel views; no radius is ever shown."""

    def task(fabric: Fabric) -> Task:
        return LbkTask(
            options.lbk,
            Camera(options.data.source(), options.data.crop, True, _TRUE_LIGHT),
            options.data.fixed(fabric, views=True, sensor=_TRUE_LIGHT),
            None if options.planted is None else read_bank(options.planted).to(fabric.device),
        )

    train(run, options, options.fit, task, {})


estimator_command = with_options(_estimator, EstimatorConfig)
gan_command = with_options(_gan, GanConfig)
lbk_command = with_options(_lbk, LbkConfig)


def train(
    run: Path,
    options: Any,
    how: FitOptions,
    make: Callable[[Fabric], Task],
    about: Mapping[str, Any],
) -> None:
    """Train what `make` makes in the folder of a run, and say whether it is done."""
    fabric = launch(how.precision, how.threads)
    if fabric.is_global_zero:
        keep_options(run, options, may_differ=_MAY_DIFFER)
    torch.manual_seed(how.seed)
    recipe = {**about, **flat(options)}
    done = fit(fabric, make(fabric), run, how, recipe)
    if fabric.is_global_zero:
        told = "done" if done else "stopped; the same command goes on"
        typer.echo(f"{run}: {told}")


def _model(name: str | Path, task: ModelTask, fabric: Fabric) -> nn.Module:
    return load_network(find_model(name, task)).to(fabric.device)
