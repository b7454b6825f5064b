"""Motions between planes: shift, similarity, and none where nothing tells it."""

import numpy as np
import pytest
from scipy.ndimage import affine_transform, gaussian_filter

from napari_defocus.stacks.alignment import STILL, Motion, chain, find_motion, is_clear

SIDE = 160


@pytest.fixture(scope="module")
def plane():
    noise = np.random.default_rng(0).normal(0, 1, (SIDE, SIDE))
    return (0.5 + 0.5 * gaussian_filter(noise, 2)).astype(np.float32)


def moved(plane, matrix):
    """Return a plane in which a thing at p is seen at `matrix` p."""
    return affine_transform(plane, np.linalg.inv(matrix), order=3, mode="nearest")


def similarity(scale, angle, shift):
    cosine, sine = scale * np.cos(angle), scale * np.sin(angle)
    return np.array([[cosine, -sine, shift[0]], [sine, cosine, shift[1]], [0, 0, 1.0]])


def test_scale_rotation_and_shift_are_found(plane):
    matrix = similarity(1.02, 0.01, (1.5, -4.0))
    second = gaussian_filter(moved(plane, matrix), 1.0)
    motion = find_motion(plane, second, "similarity")
    corners = np.array([[0, 0, 1], [0, SIDE, 1], [SIDE, 0, 1], [SIDE, SIDE, 1]], float).T
    np.testing.assert_allclose((motion.matrix @ corners)[:2], (matrix @ corners)[:2], atol=0.3)


def test_a_shift_and_a_gain_are_found(plane):
    motion = find_motion(plane, 1.3 * np.roll(plane, (12, -7), (0, 1)), "shift")
    np.testing.assert_allclose(motion.matrix, similarity(1, 0, (12, -7)), atol=0.05)
    assert motion.gain == pytest.approx(1.3, abs=0.01)


def test_the_motion_back_is_the_inverse(plane):
    second = gaussian_filter(moved(plane, similarity(1.02, 0.01, (1.5, -4.0))), 1.0)
    there, back = (
        find_motion(*planes, "similarity") for planes in ((plane, second), (second, plane))
    )
    np.testing.assert_allclose(back.matrix @ there.matrix, np.eye(3), atol=1e-9)
    assert back.gain * there.gain == pytest.approx(1)


def test_the_reference_stays_exactly_where_it_is():
    motions = chain([Motion(similarity(1.013, 0.007, (1.1, 2.3)), 1.0)] * 4, 2)
    np.testing.assert_array_equal(motions[2].matrix, np.eye(3))


def test_planes_that_have_nothing_in_common_stay(plane):
    noise = np.random.default_rng(1).normal(0, 1, plane.shape).astype(np.float32)
    assert find_motion(plane, noise, "similarity") is STILL
    assert find_motion(np.zeros_like(plane), plane, "shift") is STILL


def test_motions_are_chained_from_the_reference():
    step = Motion(similarity(1.01, 0, (1, 2)), 1.1, 0.1)
    motions = chain([step, step], 1)
    np.testing.assert_allclose(motions[0].matrix, np.linalg.inv(step.matrix), atol=1e-12)
    np.testing.assert_allclose(motions[1].matrix, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(motions[2].matrix, step.matrix, atol=1e-12)
    assert [round(motion.gain, 4) for motion in motions] == [0.9091, 1.0, 1.1]


@pytest.mark.parametrize(("shift", "clear"), [(0.2, False), (0.6, False), (1.5, True)])
def test_small_and_uncertain_motions_are_not_clear(shift, clear):
    motion = Motion(similarity(1, 0, (shift, 0)), 1.0, 0.05)
    assert is_clear(chain([motion], 0), (SIDE, SIDE)) is clear
