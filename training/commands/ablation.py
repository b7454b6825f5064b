"""Command that compares trainings of the deblurring network, each without one of its parts."""

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tyro.conf import Positional

from napari_defocus.models import find_model, load_network
from training.ablation import VARIANTS, score, summarize_seeds, variant_config
from training.engine.fit import FitOptions
from training.engine.launch import launch
from training.evaluation.tables import Row, markdown, write_csv
from training.lpips import Lpips
from training.recipes import DataOptions, GanConfig, gan_training, train


@dataclass(frozen=True)
class AblationConfig:
    """Options that all trainings of an ablation share."""

    fit: FitOptions = field(default_factory=FitOptions)
    data: DataOptions = field(default_factory=DataOptions)
    guide: str = "single"
    """Single-image estimator that guides: a name or a file."""
    seeds: int = 2
    """Trainings of each variant, counted from --seed."""
    dpdd: Path | None = None
    """Folder of DPDD scenes to score on too."""


def ablate(
    out: Positional[Path],
    *,
    lpips: Path,
    config: Path | None = None,
    options: AblationConfig = AblationConfig(),
) -> None:
    """Train every variant for the same time on the same scenes, and compare their scores.

    Parameters
    ----------
    out : Path
        Folder for the runs and the table. Runs that are already there are continued; those that
        are done are only scored.
    lpips : Path
        Folder of the LPIPS weights.
    config : Path
        File of options as a run keeps it; options of the command line take precedence.
    """
    del config  # read before the command line is parsed
    distance = Lpips(lpips / "alex.safetensors")
    first = options.fit.seed
    rows = []
    for seed in range(first, first + options.seeds):
        for method, gan in VARIANTS.items():
            variant = variant_config(options.fit, options.data, gan, seed, options.guide, lpips)
            run = out / f"{method.replace(', ', '-').replace(' ', '-')}-{seed}"
            if not train(run, variant, partial(gan_training, variant), {}):
                print(f"{run}: stopped; repeat the command to go on")
                return
            rows.append({"method": method, "seed": seed, **_score(run, variant, distance, options)})
            write_csv(out / f"ablation-{first}.csv", rows)
    table = markdown(summarize_seeds(rows))
    (out / "ablation.md").write_text(table + "\n", encoding="utf-8")
    print(table)


def _score(run: Path, config: GanConfig, distance: Lpips, options: AblationConfig) -> Row:
    card = find_model(run / "deblur.safetensors", "deblur")
    training = gan_training(config, launch(config.fit.precision, config.fit.threads))
    scores = score(training, load_network(card), distance, options.dpdd)
    return {"steps": card.recipe["steps done"], **scores}
