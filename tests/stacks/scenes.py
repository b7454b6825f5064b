"""Small stacks whose plane of focus is known."""

import numpy as np

from napari_defocus import reblur

from ..evidence.scenes import smooth_noise

SIDE = 64


def rendered_stack(planes, focus, *, tilt=0.0, side=SIDE):
    """Return a noisy, linear float32 stack (planes, Y, X), in focus at the plane `focus`.

    The radius grows by a pixel a plane; the plane of focus rises by `tilt` planes from the
    center to the right edge.
    """
    rng = np.random.default_rng(0)
    sharp = _draw(rng, side)
    height = np.broadcast_to(focus + tilt * np.linspace(-1, 1, side), (side, side))
    blurred = [
        reblur(sharp, np.abs(plane - height), encoding="linear", value_range=(0, 1))
        for plane in range(planes)
    ]
    return (np.stack(blurred) + 0.01 * rng.standard_normal((planes, side, side))).astype("f4")


def sharp_scene(side):
    """Return what `rendered_stack` shows, all in focus (Y, X)."""
    return _draw(np.random.default_rng(0), side)


def _draw(rng, side):
    detail = sum(smooth_noise(rng, side, width) for width in (0.8, 2.0, 6.0))
    return (0.5 + 0.1 * detail).clip(0.05, 0.95).astype(np.float32)
