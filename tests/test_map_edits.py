"""Edits painted over a map."""

import numpy as np
import pytest

from napari_defocus import DefocusMap
from napari_defocus.errors import MapError
from napari_defocus.map_edits import LEAVE_ALONE, SHARPEN, apply_edits, radius_label

SIZE = (40, 60)


def estimate(radius=4.0, *, signed=False, shape=SIZE):
    return DefocusMap(
        np.full(shape, radius, np.float32), np.full(shape, 0.4, np.float32), signed=signed
    )


def painted(label):
    labels = np.zeros(SIZE, int)
    labels[10:30, 20:40] = label
    return labels


@pytest.mark.parametrize(
    ("label", "radius"),
    [(3, 3.0), (radius_label(2.3), 2.3), (LEAVE_ALONE, 0.0), (SHARPEN, 4.0)],
)
def test_labels_set_radii_for_sure_and_the_rest_is_the_estimate(label, radius):
    edited = apply_edits(estimate(), painted(label))
    np.testing.assert_allclose(edited.radius[painted(1) > 0], radius, atol=1e-6)
    assert (edited.confidence[painted(1) > 0] == 1).all()
    assert (edited.radius[painted(1) == 0] == 4).all()
    assert (edited.confidence[painted(1) == 0] == np.float32(0.4)).all()


def test_what_is_to_be_sharpened_is_not_protected():
    assert apply_edits(estimate(0.2), painted(SHARPEN)).radius[20, 30] == 1.5


def test_signs_stay():
    assert apply_edits(estimate(-4.0, signed=True), painted(2)).radius[20, 30] == -2


def test_what_radii_mean_stays():
    defocus = DefocusMap(*estimate(), model="single", reference="in-focus spot")
    edited = apply_edits(defocus, painted(2))
    assert (edited.model, edited.reference) == ("single", "in-focus spot")


def test_edits_fade_into_the_estimate():
    edited = apply_edits(estimate(), painted(LEAVE_ALONE), softness=2)
    row = edited.radius[20]
    assert row[30] == pytest.approx(0, abs=0.01)
    assert row[19] == pytest.approx(2, abs=0.5)
    assert row[5] == pytest.approx(4, abs=0.01)
    assert (np.abs(np.diff(row)) < 1).all()


def test_one_plane_of_edits_serves_a_stack():
    assert apply_edits(estimate(shape=(3, *SIZE)), painted(2)).radius[:, 20, 30].tolist() == [2] * 3


@pytest.mark.parametrize("label", [700, 997, -1])
def test_labels_without_meaning_are_refused(label):
    with pytest.raises(MapError, match=f"label {label};"):
        apply_edits(estimate(), painted(label))


def test_edits_of_another_shape_are_refused():
    with pytest.raises(MapError, match=r"shape \(5, 5\)"):
        apply_edits(estimate(), np.zeros((5, 5), int))
