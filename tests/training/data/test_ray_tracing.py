"""Rays through lenses, against known results."""

import numpy as np
import pytest

from training.data.prescriptions import LINE_D, read_prescription
from training.data.ray_tracing import bundle, entrance_pupil, focal_length, from_infinity, trace
from training.errors import TrainingError

from .lens_files import GLASS, singlet, write_doublet


def test_focal_length_is_the_lensmakers():
    front, back, thickness = 0.02, -0.013, 4.0
    focal, focus = focal_length(singlet((front, back), thickness))
    n = GLASS.index
    power = (n - 1) * (front - back + (n - 1) * thickness * front * back / n)
    assert focal == pytest.approx(1 / power, rel=1e-6)
    assert focus == pytest.approx(thickness + (1 - (n - 1) * thickness * front / n) / power)


def test_a_cartesian_surface_forms_a_perfect_point():
    curvature = 0.03
    conic = -1 / GLASS.index**2
    ellipsoid = singlet((curvature, 0.0), 1e-9, conic=conic).surfaces[1:2]
    heights = np.array([[0.0, 1.0], [4.0, 0.0], [6.0, 6.0]])
    rays = trace(from_infinity(heights, 0.0, -10.0), ellipsoid, LINE_D)
    focus = GLASS.index / (GLASS.index - 1) / curvature
    np.testing.assert_allclose(rays.at_plane(focus), 0, atol=1e-8)


def test_spherical_aberration_is_the_third_orders():
    """Transverse aberration of a thin plano-convex lens: Born and Wolf, 5.5."""
    shape = singlet((0.0, -0.02), 0.01)
    focal, focus = focal_length(shape)
    n, height = GLASS.index, 2.0
    q, p = -1.0, -1.0  # plane toward the distant object
    bending = (n + 2) / (n - 1) * q**2 + 4 * (n + 1) * p * q + (3 * n + 2) * (n - 1) * p**2
    longitudinal = height**2 / (8 * focal * n * (n - 1)) * (bending + n**3 / (n - 1))
    rays = trace(from_infinity(np.array([[height, 0.0]]), 0.0, -5.0), shape.surfaces, LINE_D)
    transverse = rays.at_plane(focus)[0, 0]
    assert abs(transverse) == pytest.approx(longitudinal * height / focal, rel=0.03)
    assert transverse < 0  # rays from the rim cross the axis early


def test_the_entrance_pupil_is_the_image_of_the_stop():
    lens = singlet((0.02, -0.02), 1e-6)
    stop = lens.surfaces[0]
    behind = [*lens.surfaces[1:], type(stop)(20.0, 5.0)]
    lens = type(lens)("stop behind", behind, 2, 20.0)
    focal, _ = focal_length(lens)
    image = 1 / (1 / focal - 1 / 20)
    place, radius = entrance_pupil(lens)
    assert place == pytest.approx(-image, rel=1e-4)
    assert radius == pytest.approx(5 * abs(image) / 20, rel=1e-4)


def test_rims_stop_rays():
    lens = singlet(half=10.0)
    points = np.array([[0.0, 0.5], [0.0, 1.05], [0.99, 0.0]])
    assert bundle(lens, 0.0, points, LINE_D).passing.tolist() == [True, False, True]


def test_a_doublet_is_nearly_free_of_color(tmp_path):
    lens = read_prescription(write_doublet(tmp_path))
    plain = singlet()
    shifts = [
        focal_length(one, 0.4861)[0] / focal_length(one, 0.6563)[0] - 1 for one in (lens, plain)
    ]
    assert abs(shifts[0]) < 0.2 * abs(shifts[1])


def test_a_file_without_a_stop_is_an_error(tmp_path):
    path = tmp_path / "lens.json"
    path.write_text('{"r_sensor": 20, "surfaces": []}', encoding="utf-8")
    with pytest.raises(TrainingError, match="describes no lens"):
        read_prescription(path)


@pytest.mark.parametrize(
    ("name", "focal", "sensor"),
    [("camera/ef100mm_f2.8", 100.04, 115.74), ("camera/ef85mm_f1.8", 85.0, 112.43)],
)
def test_real_lenses_focus_where_their_sensor_lies(data_folder, name, focal, sensor):
    lens = read_prescription(data_folder / "lenses" / f"{name}.json")
    assert focal_length(lens) == pytest.approx((focal, sensor), abs=0.02)
