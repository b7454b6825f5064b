"""All options of each training, and the training that they describe."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import torch
from lightning.fabric import Fabric
from torch import nn

from napari_defocus.models import find_model, load_network
from napari_defocus.networks.descriptor import Task as ModelTask
from training.data.corpus import Corpus, photographs
from training.data.device_pool import DevicePool
from training.data.lenses import read_bank
from training.data.micrograph import micrograph
from training.data.microscopy_renderer import MicroscopyRenderer
from training.data.pair_scenes import PairScenes
from training.data.pairs import find_pairs
from training.data.pool import Pool
from training.data.renderer import Renderer
from training.data.sensor import SensorOptions, photograph
from training.data.source import Source
from training.engine.fit import FitOptions, fit
from training.engine.launch import launch
from training.engine.task import Task
from training.errors import TrainingError
from training.run_config import flatten, save_options
from training.tasks.estimators import EstimatorOptions, EstimatorTask
from training.tasks.gan import GanOptions, GanTask
from training.tasks.lbk import LbkOptions, LbkTask
from training.tasks.samplers import (
    Expose,
    FixedBatches,
    FixedPairBatches,
    FixedSceneBatches,
    PairSampler,
    Sampler,
    SceneSampler,
)

#: What may change when a run goes on: how long, how often it is looked at, and on what machine.
_MAY_DIFFER = frozenset(
    {
        *("minutes", "threads", "report_seconds", "checkpoint_seconds"),
        *("pool", "photos", "pairs", "validation"),
    }
)
#: Reblurring needs light as it fell: no tone curve but sRGB's, nothing done to the blurred picture
#: that is not done to the sharp one.
_TRUE_LIGHT = SensorOptions(
    bent_share=0.0, jpeg_share=0.0, mosaic_share=0.0, raw_share=0.0, enlarged_share=0.0
)
#: Faint texture or none beside strong, and views as badly matched as real ones may be.
_FAINT = SensorOptions(veiled_share=0.5, blank_share=0.04)
_UNEVEN = replace(_FAINT, balance=1.15, misaligned_share=0.4, smoothed_share=0.5)


@dataclass(frozen=True)
class DataOptions:
    """Where scenes come from."""

    pool: Path | None = None
    """Scenes to train on, made by `render`: a file, or a folder of files of scenes of one size,
    which are kept in the device's memory."""
    photos: Path | None = None
    """Folder of sharp photographs to render scenes from on the way, without a pool."""
    pairs: Path | None = None
    """Real pairs instead: a folder of DPDD, or of blurred/ and sharp/."""
    evaluation_pairs: bool = False
    """Accept pairs that are kept for evaluation: to learn a lens's kernels from them."""
    validation: Path | None = None
    """Scenes of held-out photographs, made by `render`; else DPDD's own."""
    imaging: Literal["photo", "microscopy"] = "photo"
    """What takes the pictures: a camera, or a microscope."""
    validate_on: int = 128
    """How many of them are looked at."""
    crop: int = 128
    """Side of the training crops in pixels, a multiple of 8."""

    def sampler(
        self, device: torch.device, *, views: bool, sensor: SensorOptions | None = None
    ) -> Sampler:
        """Takes random photographs to train on."""
        given = [value for value in (self.pool, self.photos, self.pairs) if value is not None]
        if len(given) != 1:
            raise TrainingError("give one of --pool FILE, --photos FOLDER, --pairs FOLDER")
        if self.pairs is not None:
            return self._pairs(self.pairs, "train", views=views)
        return SceneSampler(
            self._source(device), self.crop, self._expose(views=views, sensor=sensor)
        )

    def fixed_batches(
        self, device: torch.device, *, views: bool, sensor: SensorOptions | None = None
    ) -> FixedBatches:
        """Takes the fixed photographs that figures are measured on."""
        if self.validation is not None:
            expose = self._expose(views=views, sensor=sensor)
            return FixedSceneBatches(Pool(self.validation), expose, device, self.validate_on)
        if self.pairs is None:
            raise TrainingError("give --validation FILE, scenes of held-out photographs")
        return FixedPairBatches(
            self._pairs(self.pairs, "val", views=views), device, self.validate_on
        )

    def _expose(self, *, views: bool, sensor: SensorOptions | None) -> Expose:
        if self.imaging == "photo":
            return partial(photograph, options=sensor or SensorOptions(), views=views)
        if views:
            raise TrainingError("a microscope has no two views: --imaging photo is expected")
        return micrograph

    def _source(self, device: torch.device) -> Source:
        if self.pool is not None:
            pool = _kept(self.pool, device)
            if self.crop > pool.size:
                raise TrainingError(
                    f"crop is {self.crop}; the scenes of {self.pool} have {pool.size} px"
                )
            return pool
        kind = Renderer if self.imaging == "photo" else MicroscopyRenderer
        return kind(Corpus(photographs(self.photos, held_out=False)))

    def _pairs(self, folder: Path, split: str, *, views: bool) -> PairSampler:
        files = find_pairs(folder, split)
        scenes = PairScenes(files, views=views, evaluation=self.evaluation_pairs)
        return PairSampler(scenes, self.crop)


def _kept(path: Path, device: torch.device) -> Pool | DevicePool:
    """The scenes of a file, or of all files of a folder."""
    if not path.is_dir():
        return Pool(path)
    files = sorted(path.glob("*.npy"))
    if not files:
        raise TrainingError(f"{path} holds no pool of scenes (.npy); make one with `render`")
    return DevicePool(files, device)


@dataclass(frozen=True)
class EstimatorConfig:
    """All options of the training of an estimator."""

    fit: FitOptions = field(default_factory=FitOptions)
    data: DataOptions = field(default_factory=DataOptions)
    estimator: EstimatorOptions = field(default_factory=EstimatorOptions)
    teacher: Path | None = None
    """Dual-pixel estimator whose maps are taught instead of rendered radii."""
    start: str | None = None
    """Estimator whose weights are trained on: a name or a file."""


@dataclass(frozen=True)
class GanConfig:
    """All options of the training of the deblurring network."""

    fit: FitOptions = field(default_factory=FitOptions)
    data: DataOptions = field(default_factory=DataOptions)
    gan: GanOptions = field(default_factory=GanOptions)
    guide: str = "single"
    """Single-image estimator that guides: a name or a file."""
    features: Path | None = None
    """Weights for the perceptual loss: VGG19, or LPIPS' SqueezeNet."""
    start: str | None = None
    """Deblurring network whose weights are trained on: a name or a file."""


@dataclass(frozen=True)
class LbkConfig:
    """All options of the training of the learnable blur kernel."""

    fit: FitOptions = field(default_factory=FitOptions)
    data: DataOptions = field(default_factory=DataOptions)
    lbk: LbkOptions = field(default_factory=LbkOptions)
    planted: Path | None = None
    """Kernels the scenes were rendered with, to be compared with: figures only."""


def estimator_task(config: EstimatorConfig, fabric: Fabric, *, dual: bool) -> EstimatorTask:
    """The training of an estimator of one image or, if `dual`, of two views."""
    if config.data.pairs is not None and config.teacher is None:
        raise TrainingError("real pairs have no radii to learn: give --teacher FILE")
    teacher = None if config.teacher is None else _model(config.teacher, "dual", fabric)
    views = dual or teacher is not None
    kind: ModelTask = "dual" if dual else "single"
    start = None if config.start is None else find_model(config.start, kind)
    task = EstimatorTask(
        config.estimator,
        config.data.sampler(fabric.device, views=views, sensor=_UNEVEN if dual else _FAINT),
        config.data.fixed_batches(fabric.device, views=views),
        dual=dual,
        teacher=teacher,
        arguments=None if start is None else start.arguments,
    )
    if config.start is not None:
        _go_on_from(config.start, kind, task.network)
    return task


def gan_task(config: GanConfig, fabric: Fabric) -> GanTask:
    """The training of the deblurring network."""
    options = config.gan
    sensor = SensorOptions(
        veiled_share=options.veiled_share, noise_kept=options.noise_kept
    ).quieter(options.noise)
    task = GanTask(
        options,
        config.data.sampler(fabric.device, views=False, sensor=sensor),
        config.data.fixed_batches(fabric.device, views=False),
        _model(config.guide, "single", fabric),
        config.features,
        fabric.device,
    )
    if config.start is not None:
        _go_on_from(config.start, "deblur", task.generator)
    return task


def lbk_task(config: LbkConfig, fabric: Fabric) -> LbkTask:
    """The training of the learnable blur kernel."""
    return LbkTask(
        config.lbk,
        config.data.sampler(fabric.device, views=True, sensor=_TRUE_LIGHT),
        config.data.fixed_batches(fabric.device, views=True, sensor=_TRUE_LIGHT),
        None if config.planted is None else read_bank(config.planted).to(fabric.device),
    )


def train(
    run: Path,
    config: Any,
    how: FitOptions,
    make: Callable[[Fabric], Task],
    about: Mapping[str, Any],
) -> bool:
    """Train what `make` makes in the folder of a run; whether its budget is spent."""
    fabric = launch(how.precision, how.threads)
    if fabric.is_global_zero:
        save_options(run, config, may_differ=_MAY_DIFFER)
    torch.manual_seed(how.seed)
    task = make(fabric)
    _check_crop(config.data.crop, task)
    return fit(fabric, task, run, how, {**about, **flatten(config)})


def _check_crop(crop: int, task: Task) -> None:
    """Raise a TrainingError if a network cannot be shown such crops."""
    for player in task.networks.values():
        descriptor = getattr(player.module, "descriptor", None)
        if descriptor is not None and (crop < 1 or crop % descriptor.multiple):
            raise TrainingError(f"crop is {crop}; a multiple of {descriptor.multiple} is expected")


def _go_on_from(name: str, task: ModelTask, network: nn.Module) -> None:
    """Give a network the weights of another of its kind."""
    known = load_network(find_model(name, task)).state_dict()
    try:
        network.load_state_dict(known)
    except RuntimeError as error:
        raise TrainingError(
            f"{name} has not the architecture and width that are to be trained"
        ) from error


def _model(name: str | Path, task: ModelTask, fabric: Fabric) -> nn.Module:
    with torch.random.fork_rng(devices=[]):  # its weights are drawn before they are read
        return load_network(find_model(name, task)).to(fabric.device)
