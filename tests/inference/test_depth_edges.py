"""Confidence falls beside edges in depth, and nowhere else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_defocus.inference.depth_edges import doubt_depth_edges
from napari_defocus.inference.room import Room

SHAPE = (96, 120)


def doubted(radius, confidence=0.9):
    found = np.stack([radius, np.full(radius.shape, confidence, np.float32)])
    doubt_depth_edges(found, Room())
    np.testing.assert_array_equal(found[0], radius)
    return found[1]


def step(height):
    radius = np.full(SHAPE, -1, np.float32)
    radius[:, 64:] += height
    return radius


@pytest.mark.parametrize("radius", [0, 5, -12])
def test_an_even_surface_is_believed_as_before(radius):
    np.testing.assert_allclose(doubted(np.full(SHAPE, radius, np.float32)), 0.9, atol=1e-6)


def test_doubt_ends_two_cells_from_an_edge():
    sure = doubted(step(6))
    assert sure[:, 60:68].max() < 0.7
    np.testing.assert_allclose(sure[:, :48], 0.9, atol=1e-6)
    np.testing.assert_allclose(sure[:, 80:], 0.9, atol=1e-6)


def test_higher_edges_are_doubted_more():
    lowest = [doubted(step(height)).min() for height in (0, 1, 3, 9)]
    assert lowest == sorted(lowest, reverse=True)
    assert lowest[0] > lowest[-1] + 0.2


@given(st.floats(0, 1, width=32), st.floats(-24, 24, width=32))
def test_confidence_stays_a_share_and_never_grows(confidence, height):
    sure = doubted(step(np.float32(height)), np.float32(confidence))
    assert sure.min() >= 0
    assert (sure <= confidence + 1e-6).all()
