"""The command that leaves out one part of the deblurring training at a time."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from napari_defocus.models import find_model, load_network
from training.ablation import VARIANTS, score, spread, variant_config
from training.engine.fit import FitOptions
from training.engine.launch import launch
from training.evaluation.tables import Row, markdown, write_csv
from training.lpips import Lpips
from training.options import with_options
from training.recipes import DataOptions, GanConfig, gan_task, train


@dataclass(frozen=True)
class AblationConfig:
    """What all trainings of an ablation have in common."""

    fit: FitOptions = field(default_factory=FitOptions)
    data: DataOptions = field(default_factory=DataOptions)
    guide: Annotated[str, "Single-image estimator that guides: a name or a file."] = "single"
    seeds: Annotated[int, "Trainings of each variant, counted from --seed."] = 2
    dpdd: Annotated[Path | None, "Folder of DPDD scenes to score on too."] = None


def _ablate(
    out: Annotated[Path, typer.Argument(help="Folder for the runs and the table.")],
    lpips: Annotated[Path, typer.Option(help="Folder of the LPIPS weights.")],
    options: AblationConfig,
) -> None:
    """Train every variant for the same time on the same scenes, and compare what they reach.

    Runs found in the folder go on, or are only scored if they are done.
    """
    distance = Lpips(lpips / "alex.safetensors")
    first = options.fit.seed
    rows = []
    for seed in range(first, first + options.seeds):
        for method, gan in VARIANTS.items():
            config = variant_config(options.fit, options.data, gan, seed, options.guide, lpips)
            run = out / f"{method.replace(', ', '-').replace(' ', '-')}-{seed}"
            if not train(run, config, config.fit, lambda f, c=config: gan_task(c, f), {}):
                typer.echo(f"{run}: stopped; the same command goes on")
                return
            rows.append({"method": method, "seed": seed, **_scored(run, config, distance, options)})
            write_csv(out / f"ablation-{first}.csv", rows)
    table = markdown(spread(rows))
    (out / "ablation.md").write_text(table + "\n", encoding="utf-8")
    typer.echo(table)


def _scored(run: Path, config: GanConfig, distance: Lpips, options: AblationConfig) -> Row:
    card = find_model(run / "deblur.safetensors", "deblur")
    task = gan_task(config, launch(config.fit.precision, config.fit.threads))
    scores = score(task, load_network(card), distance, options.dpdd)
    return {"steps": card.recipe["steps done"], **scores}


ablate_command = with_options(_ablate, AblationConfig)
