"""The shipped estimators' maps change with the image as they should, and no further."""

import io

import numpy as np
import pytest
from PIL import Image
from skimage.transform import downscale_local_mean

from napari_defocus import estimate_defocus
from napari_defocus.image.encoding import decode, encode
from napari_defocus.io import read_picture
from napari_defocus.viewer.samples import FOLDER as SAMPLES

#: Median change of the radius that is still the same map: in pixels, and more for large radii.
SAME, GROWTH = 0.25, 0.15


@pytest.fixture(scope="module")
def views():
    """Left and right view of the stairwell, in [0, 1]."""
    return [
        read_picture(SAMPLES / f"stairwell-{view}.png").data[:480, :768] / np.float32(255)
        for view in ("left", "right")
    ]


@pytest.fixture(scope="module", params=["single", "dual"])
def seen(request, views):
    return views[:1] if request.param == "single" else views


@pytest.fixture(scope="module")
def radius(seen):
    return estimated(*seen)


def estimated(left, right=None, **how):
    return estimate_defocus(left, right, channel_axis=-1, **how).radius


def change(found, wanted):
    return np.median(np.abs(found - wanted) / (1 + GROWTH * np.abs(wanted)))


def test_the_map_is_not_the_same_everywhere(radius):
    assert np.ptp(np.quantile(radius, [0.1, 0.9])) > 4 * SAME


def test_mirrored_images_have_mirrored_maps(seen, radius):
    upside = estimated(*(view[::-1] for view in seen))
    assert change(upside, radius[::-1]) < SAME
    sideways = estimated(*(view[:, ::-1] for view in seen))
    sign = 1 if len(seen) == 1 else -1
    assert change(sideways, sign * radius[:, ::-1]) < SAME


def test_views_exchanged_change_the_sign(views):
    assert change(estimated(*views[::-1]), -estimated(*views)) < SAME


def test_an_image_of_half_the_size_has_half_the_radii(seen, radius):
    small = estimated(*(encode(downscale_local_mean(decode(view), (2, 2, 1))) for view in seen))
    wanted = downscale_local_mean(radius, (2, 2)) / 2
    assert change(small, wanted) < 0.35
    blurred = np.abs(wanted) > 1
    assert np.median(small[blurred] / wanted[blurred]) == pytest.approx(1, abs=0.25)


def test_sixteen_bits_say_what_eight_bits_say(seen, radius):
    deep = [np.round(view * 65535).astype(np.uint16) for view in seen]
    assert change(estimated(*deep), radius) < 0.02


def test_linear_values_say_what_display_values_say(seen, radius):
    linear = estimated(*(decode(view) for view in seen), encoding="linear", value_range=(0, 1))
    assert change(linear, radius) < 0.02


def test_jpeg_of_quality_75_says_much_the_same(seen, radius):
    assert change(estimated(*(compressed(view) for view in seen)), radius) < 2 * SAME


def compressed(view):
    buffer = io.BytesIO()
    Image.fromarray(np.round(view * 255).astype(np.uint8)).save(buffer, "JPEG", quality=75)
    return np.asarray(Image.open(buffer), np.float32) / 255


@pytest.mark.parametrize("factor", [0.9, 1.1])
def test_views_may_differ_in_brightness(views, factor):
    other = encode(np.clip(factor * decode(views[1]), 0, 1))
    assert change(estimated(views[0], other), estimated(*views)) < SAME


@pytest.mark.parametrize("rows", [-2, -1, 1, 2])
def test_views_may_be_vertically_misaligned(views, rows):
    inner = np.s_[4:-4]
    moved = estimated(views[0][inner], np.roll(views[1], rows, 0)[inner])
    assert change(moved, estimated(*views)[inner]) < SAME


@pytest.mark.parametrize("views_given", [1, 2])
def test_flat_areas_are_not_known_for_sure(views_given):
    chance = np.random.default_rng(0)
    flat = [np.full((256, 256, 3), 0.5) for _ in range(views_given)]
    noisy = [np.clip(view + chance.normal(0, 0.004, view.shape), 0, 1) for view in flat]
    for pictures in (flat, noisy):
        found = estimate_defocus(*(p.astype(np.float32) for p in pictures), channel_axis=-1)
        assert found.confidence.max() < 0.6
