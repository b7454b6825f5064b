"""Golden results: every shipped model gives the recorded result on a small crop.

After an intended change, ``make golden`` records new results.
"""

from pathlib import Path

import numpy as np
import pytest

from napari_defocus import DefocusMap, deblur, estimate_defocus
from napari_defocus.io import read_picture
from napari_defocus.models import list_models
from napari_defocus.viewer.files.samples import FOLDER as SAMPLES

GOLDEN = Path(__file__).parent / "golden"
CROP = np.s_[180:276, 400:528]
OPTIONS = {"channel_axis": -1, "downscale": 1, "device": "cpu", "precision": "float32"}
# Processors round differently; visible changes are larger. Confidence and images are in [0, 1],
# radii in pixels.
TOLERANCE = {"radius": 0.02, "confidence": 0.005, "image": 0.002}


def _crop(view):
    return read_picture(SAMPLES / f"stairwell-{view}.png").data[CROP]


def _results(card):
    """Return the results of a model on the crop, by name."""
    left = _crop("left")
    if card.task == "deblur":
        radius = np.tile(np.linspace(0, 16, left.shape[1], dtype=np.float32), (len(left), 1))
        defocus = DefocusMap(radius, np.full_like(radius, 0.8))
        return {"image": deblur(left / np.float32(255), defocus, model=card.name, **OPTIONS)}
    right = _crop("right") if card.task == "dual" else None
    radius, confidence = estimate_defocus(left, right=right, model=card.name, **OPTIONS)
    return {"radius": radius, "confidence": confidence}


def _histogram(error, tolerance):
    edges = tolerance * np.array([0, 0.1, 1, 3, 10, 30, 100, np.inf])
    counts = np.histogram(error, edges)[0]
    lines = [
        f"  {low:8.4g} to {high:8.4g}: {count / error.size:7.2%}"
        for low, high, count in zip(edges, edges[1:], counts, strict=False)
    ]
    return "\n".join(lines)


@pytest.mark.parametrize("card", list_models(), ids=lambda card: card.name)
def test_results_are_the_recorded_ones(card):
    path = GOLDEN / f"{card.name}.npz"
    assert path.exists(), f"no golden result of {card.name}: run make golden"
    with np.load(path) as golden:
        for name, result in _results(card).items():
            error = np.abs(result - golden[name])
            assert error.max() <= TOLERANCE[name], (
                f"{name} of {card.name} changed by up to {error.max():.4g}; share of values by "
                f"error:\n{_histogram(error, TOLERANCE[name])}"
            )


def test_the_histogram_shows_the_shares_of_changed_values():
    text = _histogram(np.array([0.0, 0.0, 0.0, 0.05]), 0.01)
    assert "75.00%" in text
    assert text.count("25.00%") == 1


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for shipped in list_models():
        np.savez_compressed(GOLDEN / f"{shipped.name}.npz", **_results(shipped))
        print(GOLDEN / f"{shipped.name}.npz")
