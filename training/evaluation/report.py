"""Evaluate models on a kind of scenes, and tell the outcome."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from pathlib import Path

from napari_defocus.models.registry import DEFAULTS
from napari_defocus.networks.descriptor import Task
from training.errors import TrainingError
from training.evaluation.deblurring import INPUT, score_deblurring
from training.evaluation.entries import find_entries
from training.evaluation.maps import score_maps
from training.evaluation.scenes import Found, dpdd, pixel4, rendered
from training.evaluation.tables import Row, gains, markdown, means, write_csv
from training.lpips import Lpips

_PANELS = 8


class Benchmark(StrEnum):
    """What to evaluate on."""

    dpdd = "dpdd"
    pixel4 = "pixel4"
    rendered = "rendered"


@dataclass(frozen=True)
class Contest:
    """What is compared, and how.

    Attributes
    ----------
    models : sequence of str
        Names or files of the models under test; if empty, those that the plugin takes by itself.
    map_models : sequence of str
        The models whose maps guide those that deblur; by default the plugin's, for one view and
        for two.
    lpips : Path, optional
        Folder of the LPIPS weights; without it, LPIPS is not scored.
    scale : int or "auto"
        Of the estimation of maps.
    limit : int, optional
        How many scenes to take, from the first.
    """

    models: Sequence[str] = ()
    map_models: Sequence[str] = ()
    lpips: Path | None = None
    scale: int | str = "auto"
    limit: int | None = None


@dataclass(frozen=True)
class Report:
    """Rows of restored photographs, and of maps; a row is a method on a scene."""

    deblurring: list[Row] = field(default_factory=list)
    maps: list[Row] = field(default_factory=list)

    def text(self) -> str:
        """Means over scenes as Markdown; for photographs also what is gained on the input."""
        parts = []
        if self.deblurring:
            compared = [key for key in ("psnr", "lpips_alex") if key in self.deblurring[0]]
            parts.append(markdown(means(self.deblurring)))
            parts.append(
                "Mean difference to the input, and its 95 % confidence interval over "
                f"{len({row['scene'] for row in self.deblurring})} scenes:"
            )
            parts.append(markdown(gains(self.deblurring, INPUT, compared)))
        if self.maps:
            parts.append(markdown(means(self.maps)))
        return "\n\n".join(parts) + "\n"

    def write(self, folder: Path) -> None:
        """Write ``table.md``, the means, and ``table.csv``, every scene."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "table.md").write_text(self.text(), encoding="utf-8")
        write_csv(folder / "table.csv", [*self.deblurring, *self.maps])


def evaluate(
    benchmark: Benchmark, data: Path, contest: Contest, panels: Path | None = None
) -> Report:
    """Score models, and classical methods beside them.

    Parameters
    ----------
    benchmark : Benchmark
        The kind of scenes.
    data : Path
        Where they lie: a folder, or the file of a pool.
    contest : Contest
        What is compared.
    panels : Path, optional
        Folder for pictures of the first eight scenes.

    Raises
    ------
    TrainingError
        If there are no such scenes.
    ModelError
        If a model is not found, or is not made for what is scored.
    """
    models = find_entries(contest.models or _defaults(_TASKS[benchmark]), _TASKS[benchmark])
    deblurring = [model for model in models if model.task == "deblur"]
    estimators = [model for model in models if model.task != "deblur"]
    guides = find_entries(contest.map_models or _defaults(_MAPS), _MAPS)
    distances = {} if contest.lpips is None else _distances(contest.lpips)
    report = Report()
    found = islice(_SCENES[benchmark](data), contest.limit)
    for index, (blurred, mapped) in enumerate(found):
        folder = panels if index < _PANELS else None
        if blurred is not None and deblurring:
            panel = folder and folder / f"{blurred.name}.png"
            rows = score_deblurring(
                blurred, deblurring, guides, distances, scale=contest.scale, panel=panel
            )
            report.deblurring.extend(rows)
        if mapped is not None and estimators:
            panel = folder and folder / f"{mapped.name}-maps.png"
            rows = score_maps(mapped, estimators, scale=contest.scale, panel=panel)
            report.maps.extend(rows)
    if not (report.deblurring or report.maps):
        raise TrainingError(f"{data} holds no scenes of the kind {benchmark}")
    return report


_SCENES: dict[Benchmark, Callable[[Path], Iterator[Found]]] = {
    Benchmark.dpdd: dpdd,
    Benchmark.pixel4: pixel4,
    Benchmark.rendered: rendered,
}
_MAPS: tuple[Task, ...] = ("single", "dual")
_TASKS: dict[Benchmark, tuple[Task, ...]] = {
    Benchmark.dpdd: ("deblur",),
    Benchmark.pixel4: _MAPS,
    Benchmark.rendered: ("deblur", *_MAPS),
}


def _defaults(tasks: Sequence[Task]) -> list[str]:
    return [DEFAULTS[task] for task in tasks]


def _distances(folder: Path) -> dict[str, Lpips]:
    return {f"lpips_{name}": Lpips(folder / f"{name}.safetensors") for name in ("alex", "squeeze")}
