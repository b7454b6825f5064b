"""Radii beyond what a network knows: work at a coarser scale, and carry the result back up.

A blur of radius r is one of radius r/s in an image shrunk s times.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, cast

import numpy as np

from ..arrays import FloatArray, Mask
from ..errors import OptionError
from .device import Compute
from .engine import Progress, infer
from .scaling import averaged, enlarged, level_shape, shrunk
from .smoothing import evened

if TYPE_CHECKING:
    from torch import nn

    from ..networks.descriptor import Descriptor

#: Estimators refine what a coarser look has found up to these radii, in pixels of the level: larger
#: blur has no finer detail to tell by. Rendered scenes score the same between 12 and 18.
_REFINED_BETWEEN = (2.5, 5)
#: There is no detail to lose by deblurring at a coarser level: blur of 8 pixels has left none that
#: a level of half the size could not hold. Two photographs enlarged four times gained 2.0 and
#: 0.4 dB (2.0 and 1.0 at their own size) with levels left between these shares of the largest
#: radius the network knows; 1.1 and -0.3 dB between 16/24 and 22/24.
_DEBLUR_BETWEEN = (5 / 24, 8 / 24)
#: Share of the confidence that must lie on radii that the coarsest level is at ease with.
_COVERED = 0.995
#: Share of the largest radius a network knows that those radii should not exceed.
_COMFORTABLE = 8 / 24
#: Shortest side in pixels of the smallest image that is looked at.
_LEAST_SIDE = 64
#: Radii are looked at in about this many pixels to choose a scale.
_SAMPLE = 1 << 20


class Meter:
    """Adds up the progress of the stages of some work, in pixels.

    Parameters
    ----------
    expected : int
        Pixels of all stages that are planned from the start.
    """

    def __init__(self, expected: int) -> None:
        self.done = 0
        self.expected = expected
        self.told = 0

    def measure(
        self, steps: Generator[Progress, None, FloatArray], pixels: int, *, planned: bool
    ) -> Generator[Progress, None, FloatArray]:
        """Pass on a stage's result, and its progress as part of the whole.

        Parameters
        ----------
        steps : generator
            The stage.
        pixels : int
            Its size.
        planned : bool
            Whether it was expected from the start; if not, it adds to what is.
        """
        self.expected += 0 if planned else pixels
        while True:
            try:
                step = next(steps)
            except StopIteration as stop:
                self.done += pixels
                return cast(FloatArray, stop.value)
            # where tiles are halved on the way, it would fall back
            self.told = max(self.told, self.done + pixels * step.done // step.total)
            yield Progress(self.told, self.expected)

    def skip(self, pixels: int) -> None:
        """Leave out planned work."""
        self.expected -= pixels


def check_scale(scale: int | str) -> int | str:
    """Return `scale`; an OptionError unless it is "auto" or a whole number of 1 or more."""
    whole = isinstance(scale, int | np.integer) and not isinstance(scale, bool) and scale >= 1
    if scale != "auto" and not whole:
        raise OptionError(f"scale is {scale!r}; 'auto' or a whole number of 1 or more is expected")
    return scale


def estimate(
    network: nn.Module, views: FloatArray, compute: Compute, scale: int | str, meter: Meter
) -> Generator[Progress, None, FloatArray]:
    """Estimate radius and confidence, from coarse to fine.

    Parameters
    ----------
    network : torch.nn.Module
        An estimator.
    views : (3 or 6, Y, X) float32 array
        In the networks' form.
    compute : Compute
        Device, precision and tiles.
    scale : int or "auto"
        One level alone, or all: each but the coarsest is told what the one before has found, and
        refines it where it knows such radii.
    meter : Meter
        Counts the progress.

    Yields
    ------
    Progress

    Returns
    -------
    (2, Y, X) float32 array
        Radius in pixels of the plane, confidence.
    """
    shape = views.shape[-2:]
    if scale != "auto":
        levels = [int(scale)]
    else:
        levels = [1 << step for step in range(_coarsest_level(shape).bit_length())]
    finest, pictures = levels[0], shrunk(views, levels)
    blank = np.zeros((2, *pictures[-1].shape[-2:]), np.float32)
    found = yield from _look(network, pictures.pop(), blank, compute, meter, planned=not pictures)
    while pictures:
        coarse = enlarged(found, 2, pictures[-1].shape[-2:])
        coarse[0] *= 2
        share = trust(coarse[0], *_REFINED_BETWEEN)
        picture = pictures.pop()
        finer = yield from _look(
            network, picture, coarse, compute, meter, share > 0, planned=not pictures
        )
        coarse[1] = confidence_at(coarse[1], 0.5)
        finer *= share
        coarse *= 1 - share
        found = finer + coarse
    if finest > 1:
        found = np.stack([found[0] * finest, confidence_at(found[1], 1 / finest)])
        found = enlarged(found, finest, shape)
    found[0] = evened(*found)
    return found


def deblur(
    network: nn.Module,
    image: FloatArray,
    found: FloatArray,
    compute: Compute,
    scale: int | str,
    needed: Mask,
    meter: Meter,
) -> Generator[Progress, None, FloatArray]:
    """Deblur an image at the scales that know its radii.

    Parameters
    ----------
    network : torch.nn.Module
        A deblurring network.
    image : (3, Y, X) float32 array
        In the networks' form.
    found : (2, Y, X) float32 array
        Radius >= 0 in pixels of the plane, and confidence.
    compute : Compute
        Device, precision and tiles.
    scale : int or "auto"
        One level alone, or as many as the map's radii need; the change of every pixel is then taken
        from the finest level that knows its radius.
    needed : (Y, X) bool array
        Where the result matters.
    meter : Meter
        Counts the progress.

    Yields
    ------
    Progress

    Returns
    -------
    (3, Y, X) float32 array
        What is to be added to `image`; zero where it is not needed.
    """
    limit = cast("Descriptor", network.descriptor).max_radius
    shape = image.shape[-2:]
    if scale == "auto":
        coarsest = min(choose_scale(found[0], found[1], limit), _coarsest_level(shape))
        levels = [1 << step for step in range(coarsest.bit_length())]
    else:
        levels = [int(scale)]
    pictures = shrunk(image, levels)
    change = np.zeros_like(image)
    left = np.ones(shape, np.float32)
    for level, picture in zip(levels, pictures, strict=True):
        share = left
        if level < levels[-1]:
            share = left * trust(found[0] / (level * limit), *_DEBLUR_BETWEEN)
        left = left - share
        wanted = _seen_through(needed & (share > 0), level)
        planned = level == levels[0]
        if not wanted.any():
            meter.skip(wanted.size if planned else 0)
            continue
        radius, confidence = averaged(found, level)
        guide = np.stack([radius / level, confidence_at(confidence, level)])
        steps = infer(network, np.concatenate([picture, guide]), compute, wanted)
        result = yield from meter.measure(steps, wanted.size, planned=planned)
        result -= picture
        result[:, ~wanted] = 0
        result = enlarged(result, level, shape)
        result *= share
        change += result
    return change


def render(
    lens: nn.Module, seen: FloatArray, compute: Compute, scale: int | str, meter: Meter
) -> Generator[Progress, None, FloatArray]:
    """Blur by signed radii, at full scale unless told otherwise.

    Parameters
    ----------
    lens : torch.nn.Module
        Takes display-encoded RGB and radius, gives RGB.
    seen : (4, Y, X) float32 array
        The image in the networks' form, and radius in pixels of the plane.
    compute : Compute
        Device, precision and tiles.
    scale : int or "auto"
        The level to work at; "auto" is 1, for blur of any radius can be rendered.
    meter : Meter
        Counts the progress.

    Yields
    ------
    Progress

    Returns
    -------
    (3, Y, X) float32 array
        In the networks' form.
    """
    level = 1 if scale == "auto" else int(scale)
    coarse = np.concatenate([*shrunk(seen[:3], [level]), averaged(seen[3:], level) / level])
    steps = infer(lens, coarse, compute)
    blurred = yield from meter.measure(steps, coarse[0].size, planned=True)
    return enlarged(blurred, level, seen.shape[-2:])


def choose_scale(radius: FloatArray, confidence: FloatArray, limit: float) -> int:
    """Return the least power of two that brings nearly all radii to what a network knows.

    Parameters
    ----------
    radius, confidence : (Y, X) float32 array
        Radius in pixels, of any sign, and how much each counts.
    limit : float
        Largest radius that the network knows.

    Examples
    --------
    >>> choose_scale(np.full((8, 8), 40.0), np.ones((8, 8)), limit=24.0)
    8
    """
    step = int(np.ceil((radius.size / _SAMPLE) ** 0.5))
    sizes = np.abs(radius[::step, ::step]).ravel()
    weights = confidence[::step, ::step].ravel()
    order = np.argsort(sizes)
    reached = np.cumsum(weights[order], dtype=np.float64)
    largest = sizes[order][np.searchsorted(reached, _COVERED * reached[-1])]
    scale = 1
    while largest > _COMFORTABLE * limit * scale:
        scale *= 2
    return scale


def trust(radius: FloatArray, full: float, none: float) -> FloatArray:
    """Return 1 up to `full`, 0 from `none` on, smooth between, for values of either sign."""
    fall = np.clip((np.abs(radius) - full) / (none - full), 0, 1)
    trusted: FloatArray = (1 - fall * fall * (3 - 2 * fall)).astype(np.float32)
    return trusted


def confidence_at(confidence: FloatArray, ratio: float) -> FloatArray:
    """Return the probability of an error below `ratio` times as many pixels.

    Errors are taken to fall off exponentially: of those beyond t pixels, the share p, beyond 2 t
    pixels there are p^2.

    Examples
    --------
    >>> float(confidence_at(np.float32(0.75), 0.5))
    0.5
    """
    return (1 - (1 - confidence) ** np.float32(ratio)).astype(np.float32)


def _look(
    network: nn.Module,
    picture: FloatArray,
    found: FloatArray,
    compute: Compute,
    meter: Meter,
    needed: Mask | None = None,
    *,
    planned: bool,
) -> Generator[Progress, None, FloatArray]:
    """Return radius and confidence (2, Y, X), in pixels of the picture."""
    steps = infer(network, np.concatenate([picture, found]), compute, needed)
    return (yield from meter.measure(steps, picture[0].size, planned=planned))


def _coarsest_level(shape: tuple[int, ...]) -> int:
    return 1 << max(min(shape) // _LEAST_SIDE, 1).bit_length() - 1


def _seen_through(mask: Mask, level: int) -> Mask:
    """Return the coarse pixels that some pixel of (Y, X) is interpolated from."""
    if level == 1:
        return mask
    rows, columns = level_shape(mask.shape, level)
    pad = ((0, rows * level - mask.shape[0]), (0, columns * level - mask.shape[1]))
    blocks = np.pad(mask, pad).reshape(rows, level, columns, level).any(axis=(1, 3))
    around = np.pad(blocks, 1)
    down = around[:-2] | around[1:-1] | around[2:]
    return np.asarray(down[:, :-2] | down[:, 1:-1] | down[:, 2:])
