"""Confidence: the probability of an error below one pixel, for exponential errors."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from napari_defocus.pipeline.confidence import confidence_within, expected_error


def test_confidence_follows_the_size_of_a_pixel():
    confidence = np.array([0.0, 0.5, 0.75, 1.0], np.float32)
    half = confidence_within(confidence, 0.5)
    assert half[2] == pytest.approx(0.5)
    assert half[0] == 0
    assert half[3] == 1
    np.testing.assert_allclose(confidence_within(half, 2), confidence, atol=1e-6)


@given(st.floats(0.2, 100))
def test_the_expected_error_is_the_mean_of_an_exponential_distribution(mean):
    errors = -mean * np.log1p(-(np.arange(100_000) + 0.5) / 100_000)
    within = np.float32((errors < 1).mean())
    assert expected_error(within) == pytest.approx(errors.mean(), rel=0.01)


@given(st.floats(0.05, 0.95), st.floats(0.25, 4))
def test_rescaled_confidences_have_rescaled_expected_errors(confidence, ratio):
    confidence = np.float32(confidence)
    within = confidence_within(confidence, ratio)
    assume(0.002 < within < 0.998)
    same = expected_error(within) * np.float32(ratio)
    assert same == pytest.approx(expected_error(confidence), rel=0.01)


def test_expected_errors_are_finite_and_positive_at_any_confidence():
    errors = expected_error(np.array([0, 0.5, 1], np.float32))
    assert np.isfinite(errors).all()
    assert (np.diff(errors) < 0).all()
    assert errors[-1] > 0
