"""Shipped estimators: maps follow changes of geometry, and ignore changes of encoding."""

import io

import numpy as np
import pytest
from PIL import Image
from skimage.transform import downscale_local_mean

from napari_defocus import estimate_defocus
from napari_defocus.image.encoding import decode, encode
from napari_defocus.io import read_picture
from napari_defocus.viewer.files.samples import FOLDER as SAMPLES

#: Largest median change of the radius between equal maps: in pixels, and per pixel of radius.
SAME, GROWTH = 0.25, 0.15


@pytest.fixture(scope="module")
def views():
    """Return the left and the right view of the stairwell, in [0, 1]."""
    return [
        read_picture(SAMPLES / f"stairwell-{view}.png").data[:320, :512] / np.float32(255)
        for view in ("left", "right")
    ]


@pytest.fixture(scope="module", params=["single", "dual"])
def images(request, views):
    return views[:1] if request.param == "single" else views


@pytest.fixture(scope="module")
def signed_radius(views):
    return estimate_radius(*views)


@pytest.fixture(scope="module")
def radius(images, signed_radius):
    return estimate_radius(*images) if len(images) == 1 else signed_radius


def estimate_radius(left, right=None, **options):
    return estimate_defocus(left, right=right, channel_axis=-1, **options).radius


def change(radius, expected):
    return np.median(np.abs(radius - expected) / (1 + GROWTH * np.abs(expected)))


def test_a_map_varies_over_the_image(radius):
    assert np.ptp(np.quantile(radius, [0.1, 0.9])) > 4 * SAME


def test_mirrored_images_have_mirrored_maps(images, radius):
    upside = estimate_radius(*(view[::-1] for view in images))
    assert change(upside, radius[::-1]) < SAME
    sideways = estimate_radius(*(view[:, ::-1] for view in images))
    sign = 1 if len(images) == 1 else -1
    assert change(sideways, sign * radius[:, ::-1]) < SAME


def test_exchanged_views_change_the_sign(views, signed_radius):
    assert change(estimate_radius(*views[::-1]), -signed_radius) < SAME


def test_an_image_of_half_the_size_has_half_the_radii(images, radius):
    small = estimate_radius(
        *(encode(downscale_local_mean(decode(view), (2, 2, 1))) for view in images)
    )
    expected = downscale_local_mean(radius, (2, 2)) / 2
    assert change(small, expected) < 0.35
    blurred = np.abs(expected) > 1
    assert np.median(small[blurred] / expected[blurred]) == pytest.approx(1, abs=0.25)


def test_sixteen_bits_have_the_map_of_eight_bits(images, radius):
    deep = [np.round(view * 65535).astype(np.uint16) for view in images]
    assert change(estimate_radius(*deep), radius) < 0.02


def test_linear_values_have_the_map_of_display_values(images, radius):
    linear = estimate_radius(
        *(decode(view) for view in images), encoding="linear", value_range=(0, 1)
    )
    assert change(linear, radius) < 0.02


def test_jpeg_of_quality_75_has_nearly_the_same_map(images, radius):
    assert change(estimate_radius(*(compress(view) for view in images)), radius) < 2 * SAME


def compress(view):
    buffer = io.BytesIO()
    Image.fromarray(np.round(view * 255).astype(np.uint8)).save(buffer, "JPEG", quality=75)
    return np.asarray(Image.open(buffer), np.float32) / 255


@pytest.mark.parametrize("factor", [0.9, 1.1])
def test_views_may_differ_in_brightness(views, signed_radius, factor):
    other = encode(np.clip(factor * decode(views[1]), 0, 1))
    assert change(estimate_radius(views[0], other), signed_radius) < SAME


@pytest.mark.parametrize(
    "rows",
    [-2, 1, *(pytest.param(rows, marks=pytest.mark.slow) for rows in (-1, 2))],
)
def test_views_may_be_vertically_misaligned(views, signed_radius, rows):
    inner = np.s_[4:-4]
    moved = estimate_radius(views[0][inner], np.roll(views[1], rows, 0)[inner])
    assert change(moved, signed_radius[inner]) < SAME


@pytest.mark.parametrize("count", [1, 2])
def test_flat_areas_have_low_confidence(count):
    rng = np.random.default_rng(0)
    flat = [np.full((256, 256, 3), 0.5) for _ in range(count)]
    noisy = [np.clip(view + rng.normal(0, 0.004, view.shape), 0, 1) for view in flat]
    for pictures in (flat, noisy):
        left, *rights = (picture.astype(np.float32) for picture in pictures)
        right = rights[0] if rights else None
        defocus = estimate_defocus(left, right=right, channel_axis=-1)
        assert defocus.confidence.max() < 0.6
