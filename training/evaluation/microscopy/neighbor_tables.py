"""Table of what neighboring planes add to the restoration of a plane of a stack.

The middle of three planes is scored, as in `restoration_tables`. Its specimen is thin, or has a
second layer four planes away; then the truth is what the microscope shows when it is focused on the
first layer, free of noise.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from napari_defocus import deblur
from training.evaluation.intervals import mean_interval
from training.evaluation.microscopy.fields import (
    Field,
    Image,
    draw_fields,
    to_counts,
    to_electrons,
)
from training.evaluation.microscopy.measures import psnr
from training.evaluation.microscopy.trial import Trial
from training.evaluation.tables import Row

#: Growth of the radius from plane to plane, in pixels.
_SPACINGS = (0.75, 1.5, 3.0)
_LAYERS_APART = 4


def neighbors(trial: Trial) -> list[Row]:
    """Gain of the middle of three planes, restored alone and with its neighbors."""
    count = max(trial.count // 2, 5)
    fields = list(draw_fields(count, trial.seed + 5))
    layers = list(draw_fields(count, trial.seed + 6))
    rows: list[Row] = []
    for name, seconds in (("thin", [None] * count), ("two layers", layers)):
        for spacing in _SPACINGS:
            gains = np.array(
                [
                    _gains(field, second, spacing)
                    for field, second in zip(fields, seconds, strict=True)
                ]
            )
            alone, together = (mean_interval(column) for column in gains.T)
            rows.append(
                {
                    "specimen": name,
                    "spacing": f"{spacing:g} px",
                    "alone": f"{alone.mean:+.2f} ({alone.low:+.2f} to {alone.high:+.2f})",
                    "with neighbors": (
                        f"{together.mean:+.2f} ({together.low:+.2f} to {together.high:+.2f})"
                    ),
                    "least difference": f"{(gains[:, 1] - gains[:, 0]).min():+.2f}",
                }
            )
    return rows


def _gains(field: Field, second: Field | None, spacing: float) -> tuple[float, float]:
    """Return the gain in dB without and with neighbors, the microscope being known."""
    fields = [field.at(0.0)]
    if second is not None:
        layer = replace(second, microscope=field.microscope, photons=field.photons)
        fields.append(layer.at(_LAYERS_APART * spacing))
    truth = _light(fields, 0.0)
    stack = np.stack(
        [_counts(fields, field.radius + step * spacing, field.seed) for step in (-1, 0, 1)]
    )
    alone, together = (
        to_electrons(
            deblur(stack, stack_axis=axis, imaging="microscopy", optics=field.microscope.objective)[
                1
            ]
        )
        for axis in (None, 0)
    )
    before = psnr(to_electrons(stack[1]), truth)
    return psnr(alone, truth) - before, psnr(together, truth) - before


def _light(fields: Sequence[Field], farther: float) -> Image:
    """Return the electrons expected of layers whose radii are greater by so many pixels."""
    return np.asarray(sum(layer.at(layer.radius + farther).blurred for layer in fields))


def _counts(fields: Sequence[Field], farther: float, seed: int) -> NDArray[np.uint16]:
    light = _light(fields, farther)
    rng = np.random.default_rng([seed, round(100 * farther) + 10_000])
    return to_counts(rng.poisson(light) + fields[0].read * rng.standard_normal(light.shape))
