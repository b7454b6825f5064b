"""The training loop: a time budget, bfloat16, moving-average weights, a log."""

import copy
import json
import logging
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

_log = logging.getLogger(__name__)

Loss = Callable[[nn.Module, np.random.Generator], Tensor]
Validation = Callable[[nn.Module], dict[str, float]]


@dataclass(frozen=True)
class FitOptions:
    """How a network is trained.

    Attributes
    ----------
    minutes : float
        Time budget; the learning rate falls to zero over it along a half cosine.
    steps : int, optional
        Steps after which to stop if time is left; the learning rate then falls over them.
    learning_rate : float
        AdamW's, after a warm-up of 2 % of the budget.
    average : float
        Decay of the exponential moving average of the weights, per step.
    clip : float
        Largest norm of the gradient.
    seed : int
        Seed of everything random.
    report_seconds : float
        Time between validations.
    """

    minutes: float = 30.0
    steps: int | None = None
    learning_rate: float = 1e-3
    average: float = 0.999
    clip: float = 1.0
    seed: int = 0
    report_seconds: float = 120.0


def fit(
    network: nn.Module,
    loss: Loss,
    validate: Validation,
    folder: Path,
    options: FitOptions,
    **about: object,
) -> nn.Module:
    """Train until the time is up.

    Parameters
    ----------
    network : nn.Module
        Trained in place.
    loss : callable
        Draws a batch and returns the loss of the network on it.
    validate : callable
        Figures of a network; called now and then on the averaged weights.
    folder : Path
        Where ``recipe.json``, ``log.jsonl`` and ``average.pt`` are written.
    options : FitOptions
        Budget and step sizes.
    **about
        What else describes the run; kept beside the options, for the model card.

    Returns
    -------
    nn.Module
        A copy with moving-average weights.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "recipe.json").write_text(json.dumps(asdict(options) | about), encoding="utf-8")
    rng = np.random.default_rng(options.seed)
    network.to(memory_format=torch.channels_last).train()
    average = copy.deepcopy(network).eval()
    optimiser = torch.optim.AdamW(
        network.parameters(), options.learning_rate, betas=(0.9, 0.99), weight_decay=1e-4
    )
    start = time.monotonic()
    spent, step, reported, running = 0.0, 0, 0.0, 0.0
    while spent < 1:
        for group in optimiser.param_groups:
            group["lr"] = options.learning_rate * _schedule(spent)
        optimiser.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16):
            value = loss(network, rng)
        value.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(network.parameters(), options.clip)
        optimiser.step()
        step += 1
        _follow(average, network, min(options.average, step / (step + 20)))
        running = 0.98 * running + 0.02 * value.item() if step > 1 else value.item()
        seconds = time.monotonic() - start
        spent = seconds / (60 * options.minutes)
        if options.steps is not None:
            spent = max(spent, step / options.steps)
        if seconds - reported > options.report_seconds or spent >= 1:
            reported = seconds
            _report(folder, average, validate, {"step": step, "seconds": seconds, "loss": running})
    return average


def _schedule(spent: float) -> float:
    return min(1.0, spent / 0.02 + 0.01) * 0.5 * (1 + math.cos(math.pi * min(spent, 1.0)))


@torch.no_grad()
def _follow(average: nn.Module, network: nn.Module, decay: float) -> None:
    for slow, fast in zip(average.parameters(), network.parameters(), strict=True):
        slow.lerp_(fast, 1 - decay)


def _report(
    folder: Path, average: nn.Module, validate: Validation, figures: dict[str, float]
) -> None:
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        figures = figures | validate(average)
    with (folder / "log.jsonl").open("a", encoding="utf-8") as log:
        log.write(json.dumps(figures) + "\n")
    temporary = folder / "average.part"
    torch.save(average.state_dict(), temporary)
    temporary.replace(folder / "average.pt")
    _log.info(" ".join(f"{key} {value:.4g}" for key, value in figures.items()))
