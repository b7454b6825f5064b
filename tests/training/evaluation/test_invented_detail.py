"""Detail that blur erased and the reference lacks."""

import numpy as np
import pytest

from training.evaluation.invented_detail import invented_detail

RADIUS = np.full((96, 128), 6.0)


def pictures():
    """Return an even gray picture with noise, as blurred, and without, as target."""
    noise = np.random.default_rng(0).normal(0, 0.01, (96, 128, 1))
    target = np.full((96, 128, 3), 0.5)
    return target + noise, target


def stripes(period, amplitude=0.03):
    return amplitude * np.cos(2 * np.pi / period * np.arange(128))[:, None]


def test_the_input_has_1():
    blurred, target = pictures()
    assert invented_detail(blurred, blurred, target, RADIUS) == pytest.approx(1)


def test_invented_stripes_raise_it():
    blurred, target = pictures()
    assert invented_detail(blurred + stripes(6), blurred, target, RADIUS) > 3


def test_stripes_that_the_reference_has_too_do_not_count():
    blurred, target = pictures()
    ratio = invented_detail(blurred + stripes(6), blurred, target + stripes(6), RADIUS)
    assert ratio < 1.5


def test_stripes_that_the_blur_has_not_erased_do_not_count():
    blurred, target = pictures()
    wide = blurred + stripes(40)
    assert invented_detail(wide, blurred, target, RADIUS) == pytest.approx(1, abs=0.05)


def test_without_blur_nothing_is_erased():
    blurred, target = pictures()
    assert np.isnan(invented_detail(blurred, blurred, target, 0 * RADIUS))
