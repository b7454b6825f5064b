"""Best plane of a profile of radii."""

import numpy as np
import pytest

from napari_defocus.stacks.best_plane import best_plane


def profile(focus, planes=9, step=1.0, least=0.4):
    radius = np.hypot(least, step * (np.arange(planes) - focus))
    return radius, np.full(planes, 0.1)


@pytest.mark.parametrize("focus", [1.0, 2.5, 4.2, 6.9])
@pytest.mark.parametrize("step", [0.3, 1.0, 3.0])
def test_the_vertex_lies_between_planes(focus, step):
    index, uncertainty = best_plane(*profile(focus, step=step))
    assert index == pytest.approx(focus, abs=0.02)
    assert 0 < uncertainty < 2


def test_fine_steps_are_less_certain():
    fine, coarse = (best_plane(*profile(4.2, step=step))[1] for step in (0.3, 1.0))
    assert fine > coarse


def test_reversed_planes_have_the_mirrored_index():
    radius, error = profile(2.7)
    index, uncertainty = best_plane(radius, error)
    mirrored = best_plane(radius[::-1], error)
    assert mirrored == pytest.approx((8 - index, uncertainty))


def test_of_planes_that_are_all_as_sharp_the_middle_is_named():
    radius = np.array([0.91, 1.0, 1.03, 1.01, 0.97, 0.9])
    index, uncertainty = best_plane(np.pad(radius, 2, constant_values=np.nan), np.full(10, 0.1))
    assert index == pytest.approx(4.5, abs=0.6)
    assert uncertainty > 1


def test_missing_planes_are_left_out():
    radius, error = profile(4.2)
    radius[[0, 5]] = np.nan
    assert best_plane(radius, error)[0] == pytest.approx(4.2, abs=0.02)


@pytest.mark.parametrize("focus", [-2.0, 10.0])
def test_focus_beyond_the_stack_is_at_its_end(focus):
    index, uncertainty = best_plane(*profile(focus, step=0.5))
    assert index == (0 if focus < 0 else 8)
    assert uncertainty == 0.5


@pytest.mark.parametrize(
    ("radius", "best"), [([0.7], 0), ([1.4, 0.7], 1), ([np.nan, 0.7, np.nan], 1)]
)
def test_one_or_two_planes_tell_the_sharper_one(radius, best):
    assert best_plane(np.array(radius), np.full(len(radius), 0.1)) == (best, 0.5)


@pytest.mark.parametrize("radius", [np.full(3, np.nan), np.array([5.0, 4.0, 5.0])])
def test_where_nothing_is_sharp_there_is_no_answer(radius):
    assert np.isnan(best_plane(radius, np.full(3, 0.1))).all()
