"""Reliability of confidences."""

import numpy as np
import pytest
from PIL import Image

from training.evaluation.reliability import measure_reliability, plot


@pytest.fixture
def claims():
    return np.random.default_rng(0).uniform(0, 1, 50_000)


def errors_of(probability):
    """Errors below 1 px in the given share of cases."""
    hit = np.random.default_rng(1).uniform(0, 1, len(probability)) < probability
    return np.where(hit, 0.5, 3.0)


def test_true_probabilities_are_calibrated(claims):
    reliability = measure_reliability(claims, errors_of(claims))
    assert reliability.expected_error < 0.02
    np.testing.assert_allclose(reliability.observed, reliability.claimed, atol=0.03)
    assert reliability.sure_error < reliability.unsure_error
    assert reliability.share.sum() == pytest.approx(1)
    assert (np.diff(reliability.decile_error) < 0.1).all()


def test_overconfidence_is_detected(claims):
    reliability = measure_reliability(0.5 + claims / 2, errors_of(claims))
    assert reliability.expected_error == pytest.approx(0.25, abs=0.02)
    assert np.isnan(reliability.claimed[:5]).all()


def test_the_plot_is_a_picture(claims, tmp_path):
    plot(measure_reliability(claims, errors_of(claims)), "single", tmp_path / "new" / "plot.png")
    with Image.open(tmp_path / "new" / "plot.png") as image:
        assert image.width > image.height > 300
