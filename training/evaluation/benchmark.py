"""Benchmark of models and classical methods on one kind of scenes."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain, islice
from pathlib import Path

from napari_defocus.deblur_settings import DETAILS
from napari_defocus.models.registry import default_name
from napari_defocus.networks.descriptor import Task
from training.data.images import image_files
from training.errors import TrainingError
from training.evaluation.contamination import contamination_warning, pool_contamination_warning
from training.evaluation.corruptions import Corruption, corrupt
from training.evaluation.deblurring import score_deblurring
from training.evaluation.maps import score_maps
from training.evaluation.models_under_test import find_models_under_test
from training.evaluation.scene_sources import ScoredScene, dpdd, pair_files, pairs, pixel4, rendered
from training.evaluation.score_report import ScoreReport
from training.evaluation.second_renderer import second_renderer
from training.lpips import Lpips

_PANELS = 8


class Benchmark(StrEnum):
    """Kinds of scenes."""

    dpdd = "dpdd"
    pixel4 = "pixel4"
    pairs = "pairs"
    rendered = "rendered"
    second = "second"


@dataclass(frozen=True)
class BenchmarkOptions:
    """Models to compare, and how.

    Attributes
    ----------
    models : sequence of str
        Names or files of the models under test; if empty, those that the plugin takes by itself.
    map_models : sequence of str
        The models whose maps guide those that deblur; by default the plugin's, for one view and
        for two.
    lpips : Path, optional
        Folder of the LPIPS weights; without it, LPIPS is not scored.
    downscale : int or "auto"
        Downscale of the estimated maps.
    limit : int, optional
        Number of scenes to take, from the first.
    corruption : Corruption, optional
        Applied to scenes before deblurring; their maps are then not scored.
    """

    models: Sequence[str] = ()
    map_models: Sequence[str] = ()
    lpips: Path | None = None
    downscale: int | str = "auto"
    limit: int | None = None
    corruption: Corruption | None = None


def evaluate(
    benchmark: Benchmark, data: Path, options: BenchmarkOptions, panels: Path | None = None
) -> ScoreReport:
    """Score models, and classical methods beside them.

    Parameters
    ----------
    benchmark : Benchmark
        The kind of scenes.
    data : Path
        Folder of the scenes, or file of a pool.
    options : BenchmarkOptions
        Models to compare, and how.
    panels : Path, optional
        Folder for pictures of the first eight scenes.

    Raises
    ------
    TrainingError
        If there are no such scenes.
    ModelError
        If a model cannot be found, or is not made for what is scored.
    """
    models = find_models_under_test(
        options.models or _defaults(_TASKS[benchmark]), _TASKS[benchmark]
    )
    deblurring = [model for model in models if model.task == "deblur"]
    estimators = [model for model in models if model.task != "deblur"]
    guides = find_models_under_test(options.map_models or _defaults(_MAPS), _MAPS)
    distances = {} if options.lpips is None else _distances(options.lpips)
    report = ScoreReport(_contamination(benchmark, data))
    scenes = _SCENES[benchmark](data)
    if options.corruption is not None:
        scenes = _corrupt_all(scenes, options.corruption)
    for index, (blurred, mapped) in enumerate(islice(scenes, options.limit)):
        folder = panels if index < _PANELS else None
        if blurred is not None and deblurring:
            panel = folder and folder / f"{blurred.name}.png"
            rows = score_deblurring(
                blurred, deblurring, guides, distances, downscale=options.downscale, panel=panel
            )
            report.deblurring.extend(rows)
        mapping = guides if mapped is not None and mapped.truth is None else estimators
        if mapped is not None and mapping:
            panel = folder and folder / f"{mapped.name}-maps.png"
            rows = score_maps(mapped, mapping, downscale=options.downscale, panel=panel)
            report.maps.extend(rows)
    if not (report.deblurring or report.maps):
        raise TrainingError(f"{data} holds no scenes of the kind {benchmark}")
    return report


_SCENES: dict[Benchmark, Callable[[Path], Iterator[ScoredScene]]] = {
    Benchmark.dpdd: dpdd,
    Benchmark.pixel4: pixel4,
    Benchmark.pairs: pairs,
    Benchmark.rendered: rendered,
    Benchmark.second: second_renderer,
}
_MAPS: tuple[Task, ...] = ("single", "dual")
_TASKS: dict[Benchmark, tuple[Task, ...]] = {
    Benchmark.dpdd: ("deblur",),
    Benchmark.pixel4: ("deblur", *_MAPS),
    Benchmark.pairs: ("deblur",),
    Benchmark.rendered: ("deblur", *_MAPS),
    Benchmark.second: ("deblur", "single"),
}


def _corrupt_all(scenes: Iterator[ScoredScene], corruption: Corruption) -> Iterator[ScoredScene]:
    for blurred, _ in scenes:
        yield blurred and corrupt(blurred, corruption), None


def _contamination(benchmark: Benchmark, data: Path) -> str | None:
    match benchmark:
        case Benchmark.rendered | Benchmark.second:
            return pool_contamination_warning(data)
        case Benchmark.pairs:
            return contamination_warning(pair_files(data))
        case _:
            return contamination_warning(image_files(data))


def _defaults(tasks: Sequence[Task]) -> list[str]:
    details = {"deblur": DETAILS}
    names = ([default_name(task, one) for one in details.get(task, DETAILS[:1])] for task in tasks)
    return list(chain.from_iterable(names))


def _distances(folder: Path) -> dict[str, Lpips]:
    return {f"lpips_{name}": Lpips(folder / f"{name}.safetensors") for name in ("alex", "squeeze")}
