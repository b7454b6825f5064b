"""Pupil that a sharp picture and its image tell together."""

import numpy as np
import pytest
import torch

from napari_defocus import check, reblur
from napari_defocus.evidence.noise import estimate_noise
from napari_defocus.evidence.pupil_fit import Pair, fit_pupil
from napari_defocus.optics.kernels import disk
from napari_defocus.optics.pupil import PupilImage, make_pupil

from .scenes import DISPLAY, SIDE, plant, sharp_picture

RADIUS = np.linspace(3, 6, SIDE) * np.ones((SIDE, 1))
SIGMA = 0.004


def beside(pupil, down):
    """Return the pupil, its light moved down by a share of its radius."""
    rows, columns = (np.array(pupil.image.shape) - 1) / 2
    return PupilImage(pupil.image, pupil.radius, center=(rows - down * pupil.radius, columns))


PUPILS = {
    "ring": make_pupil("ring:0.6"),
    "cat's eye": make_pupil("cats-eye:0.6"),
    "beside": beside(make_pupil("polygon:8"), 0.2),
}


def image_of(sharp, pupil):
    noise = SIGMA * np.random.default_rng(3).standard_normal(sharp.shape)
    return (reblur(sharp, RADIUS, pupil=pupil, **DISPLAY) + noise).astype(np.float32)


def fit(sharp, image):
    zero, one = torch.zeros(SIDE, SIDE), torch.ones(SIDE, SIDE)
    radius = torch.from_numpy(-RADIUS.astype(np.float32))
    planes = [torch.from_numpy(part) for part in (sharp, image)]
    pair = Pair.of(torch.stack([*planes, radius, zero, zero, zero, one]))
    return fit_pupil([pair], estimate_noise([planes[1]], 0, even=True), linear=False)


def distance(kernel, other):
    half = max(kernel.shape[0], other.shape[0]) // 2
    padded = [
        torch.nn.functional.pad(part, [half - part.shape[0] // 2] * 4) for part in (kernel, other)
    ]
    return float((padded[0] - padded[1]).norm())


@pytest.mark.parametrize("name", PUPILS)
def test_the_fit_is_nearer_to_the_truth_than_a_disk(name):
    sharp = sharp_picture()
    truth = PUPILS[name].kernel(-5.0)
    for picture in (sharp, plant(sharp)):  # a fraud does not mislead it
        kernel = fit(picture, image_of(sharp, PUPILS[name])).kernel(-5.0)
        assert distance(kernel, truth) < 0.6 * distance(disk(5.0), truth)


def test_a_disk_stays_a_disk():
    sharp = sharp_picture()
    kernel = fit(sharp, image_of(sharp, "disk")).kernel(-5.0)
    assert distance(kernel, disk(5.0)) < 0.15 * float(disk(5.0).norm())


def test_a_check_without_kernels_agrees_nearly_as_well_as_with_them():
    sharp = sharp_picture()
    image = image_of(sharp, PUPILS["beside"])
    results = {
        pupil: check(image, sharp, RADIUS, pupil=pupil, **DISPLAY).score.consistency
        for pupil in ("auto", "disk", PUPILS["beside"])
    }
    auto, as_disk, by_pupil = results.values()
    assert by_pupil > as_disk + 3
    assert auto > as_disk + 0.7 * (by_pupil - as_disk)
