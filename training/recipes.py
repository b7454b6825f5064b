"""Options of each training, and the construction of a training from them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import torch
from lightning.fabric import Fabric
from torch import nn

from napari_defocus.io.pupil_file import read_bank
from napari_defocus.models import find_model, load_network
from napari_defocus.networks.descriptor import Task
from training.data.corpus import Corpus, photographs
from training.data.device_pool import DevicePool
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
from training.engine.training import Training
from training.errors import TrainingError
from training.run_config import flatten, save_options
from training.trainings.estimators import EstimatorOptions, EstimatorTraining
from training.trainings.gan import GanOptions, GanTraining
from training.trainings.lbk import LbkOptions, LbkTraining
from training.trainings.samplers import (
    Expose,
    FixedBatches,
    FixedPairBatches,
    FixedSceneBatches,
    PairSampler,
    Sampler,
    SceneSampler,
)

#: Options that may change when a run continues: its time, its reports, and the machine.
_MAY_DIFFER = frozenset(
    {
        *("minutes", "threads", "report_seconds", "checkpoint_seconds"),
        *("pool", "photos", "pairs", "validation"),
    }
)
#: Reblurring needs linear light: no tone curve but sRGB's, and the same processing of blurred and
#: sharp pictures.
_TRUE_LIGHT = SensorOptions(
    bent_share=0.0, jpeg_share=0.0, mosaic_share=0.0, raw_share=0.0, enlarged_share=0.0
)
#: Estimators also meet faint texture and none, and views that match as badly as real ones.
_FAINT = SensorOptions(veiled_share=0.5, blank_share=0.04)
_UNEVEN = replace(_FAINT, balance=1.15, misaligned_share=0.4, smoothed_share=0.5)


@dataclass(frozen=True)
class DataOptions:
    """Sources of the scenes."""

    pool: Path | None = None
    """Scenes to train on, made by `render`: a file, or a folder of files of scenes of one size,
    which stay in the memory of the device."""
    photos: Path | None = None
    """Folder of sharp photographs, from which scenes are rendered during the training."""
    pairs: Path | None = None
    """Real pairs instead of scenes: a folder of DPDD or of its half-size scenes, with dual-pixel
    views; or, for all trainings but lbk and the estimator of two views, blurred/ and sharp/."""
    evaluation_pairs: bool = False
    """Accept pairs that are kept for evaluation, to learn the kernels of their lens."""
    validation: Path | None = None
    """Scenes of held-out photographs, made by `render`; by default, DPDD's validation pairs."""
    imaging: Literal["photo", "microscopy"] = "photo"
    """Instrument that takes the pictures: a camera, or a microscope."""
    validate_on: int = 128
    """Number of validation scenes or pairs."""
    crop: int = 128
    """Side of the training crops in pixels, a multiple of 8."""

    def sampler(
        self, device: torch.device, *, views: bool, sensor: SensorOptions | None = None
    ) -> Sampler:
        """Return the sampler of random photographs to train on."""
        sources = [self.pool, self.photos, self.pairs]
        if sum(source is not None for source in sources) != 1:
            raise TrainingError("give one of --pool FILE, --photos FOLDER, --pairs FOLDER")
        if self.pairs is not None:
            return self._pairs(self.pairs, "train", views=views)
        return SceneSampler(
            self._source(device), self.crop, self._expose(views=views, sensor=sensor)
        )

    def fixed_batches(
        self, device: torch.device, *, views: bool, sensor: SensorOptions | None = None
    ) -> FixedBatches:
        """Return the fixed photographs for validation."""
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
            pool = _open_pool(self.pool, device)
            if self.crop > pool.size:
                raise TrainingError(
                    f"crop is {self.crop}; the scenes of {self.pool} have {pool.size} px"
                )
            return pool
        assert self.photos is not None  # `sampler` has checked it
        kind = Renderer if self.imaging == "photo" else MicroscopyRenderer
        return kind(Corpus(photographs(self.photos, held_out=False)))

    def _pairs(self, folder: Path, split: str, *, views: bool) -> PairSampler:
        files = find_pairs(folder, split)
        scenes = PairScenes(files, views=views, evaluation=self.evaluation_pairs)
        return PairSampler(scenes, self.crop)


def _open_pool(path: Path, device: torch.device) -> Pool | DevicePool:
    """Open the scenes of a file, or of all files of a folder."""
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
    """Dual-pixel estimator whose maps are learned instead of rendered radii."""
    start: str | None = None
    """Estimator whose weights the training starts from: a name or a file."""


@dataclass(frozen=True)
class GanConfig:
    """All options of the training of the deblurring network."""

    fit: FitOptions = field(default_factory=FitOptions)
    data: DataOptions = field(default_factory=DataOptions)
    gan: GanOptions = field(default_factory=GanOptions)
    guide: str = "single"
    """Single-image estimator whose maps guide: a name or a file."""
    features: Path | None = None
    """Weights for the perceptual loss: VGG19, or LPIPS' SqueezeNet."""
    start: str | None = None
    """Deblurring network whose weights the training starts from: a name or a file."""


@dataclass(frozen=True)
class LbkConfig:
    """All options of the training of the learnable blur kernel."""

    fit: FitOptions = field(default_factory=FitOptions)
    data: DataOptions = field(default_factory=DataOptions)
    lbk: LbkOptions = field(default_factory=LbkOptions)
    reference: Path | None = None
    """Kernels with which the scenes were rendered, for comparison only."""


#: All options of a training.
Config = EstimatorConfig | GanConfig | LbkConfig


def estimator_training(config: EstimatorConfig, fabric: Fabric, *, dual: bool) -> EstimatorTraining:
    """Return the training of an estimator of one image or, if `dual`, of two views."""
    if config.data.pairs is not None and config.teacher is None:
        raise TrainingError("real pairs have no radii to learn: give --teacher FILE")
    teacher = None if config.teacher is None else _load_model(config.teacher, "dual", fabric)
    views = dual or teacher is not None
    task: Task = "dual" if dual else "single"
    start = None if config.start is None else find_model(config.start, task)
    training = EstimatorTraining(
        config.estimator,
        config.data.sampler(fabric.device, views=views, sensor=_UNEVEN if dual else _FAINT),
        config.data.fixed_batches(fabric.device, views=views),
        dual=dual,
        teacher=teacher,
        arguments=None if start is None else start.arguments,
    )
    if config.start is not None:
        _load_weights(config.start, task, training.network)
    return training


def gan_training(config: GanConfig, fabric: Fabric) -> GanTraining:
    """Return the training of the deblurring network."""
    options = config.gan
    sensor = SensorOptions(
        veiled_share=options.veiled_share, noise_kept=options.noise_kept
    ).quieter(options.noise)
    training = GanTraining(
        options,
        config.data.sampler(fabric.device, views=False, sensor=sensor),
        config.data.fixed_batches(fabric.device, views=False),
        _load_model(config.guide, "single", fabric),
        config.features,
        fabric.device,
    )
    if config.start is not None:
        _load_weights(config.start, "deblur", training.generator)
    return training


def lbk_training(config: LbkConfig, fabric: Fabric) -> LbkTraining:
    """Return the training of the learnable blur kernel."""
    return LbkTraining(
        config.lbk,
        config.data.sampler(fabric.device, views=True, sensor=_TRUE_LIGHT),
        config.data.fixed_batches(fabric.device, views=True, sensor=_TRUE_LIGHT),
        None if config.reference is None else read_bank(config.reference).to(fabric.device),
    )


def train(
    run: Path,
    config: Config,
    make: Callable[[Fabric], Training],
    about: Mapping[str, Any],
) -> bool:
    """Make a training and run it in a folder; return whether its budget is spent.

    Parameters
    ----------
    run : Path
        Folder of the run.
    config : EstimatorConfig, GanConfig or LbkConfig
        All options, which are kept in the folder.
    make : callable
        Makes the training from the options.
    about : mapping
        Entries of the recipe beside the options.
    """
    fabric = launch(config.fit.precision, config.fit.threads)
    if fabric.is_global_zero:
        save_options(run, config, may_differ=_MAY_DIFFER)
    torch.manual_seed(config.fit.seed)
    training = make(fabric)
    _check_crop(config.data.crop, training)
    return fit(fabric, training, run, config.fit, {**about, **flatten(config)})


def _check_crop(crop: int, training: Training) -> None:
    """Raise a TrainingError if a network does not accept crops of this size."""
    for network in training.networks.values():
        descriptor = getattr(network.module, "descriptor", None)
        if descriptor is not None and (crop < 1 or crop % descriptor.multiple):
            raise TrainingError(f"crop is {crop}; a multiple of {descriptor.multiple} is expected")


def _load_weights(name: str, task: Task, network: nn.Module) -> None:
    """Load the weights of a model into a network."""
    weights = load_network(find_model(name, task)).state_dict()
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        raise TrainingError(
            f"{name} has another architecture or width than the network to train; choose a model "
            "with the same ones, or leave --start out"
        ) from error


def _load_model(name: str | Path, task: Task, fabric: Fabric) -> nn.Module:
    with torch.random.fork_rng(devices=[]):  # random weights are drawn, then replaced
        return load_network(find_model(name, task)).to(fabric.device)
