"""Dual-pixel raw files: frame 1 is one half, frame 0 minus frame 1 the other."""

import sys

import numpy as np
import pytest

from napari_defocus.errors import FileError, OptionError
from napari_defocus.image.encoding import decode, encode
from napari_defocus.io.raw import read_dual_pixel, read_raw
from training.data.random_lenses import TYPICAL_DISPARITY

from ..raw_files import (
    SHAPE,
    counts,
    disparity_radius,
    dual_pixel_halves,
    from_disparity,
    mosaic,
    texture,
    write_dng,
    write_halves,
)

pytest.importorskip("rawpy")


@pytest.fixture
def cr2(tmp_path):
    return tmp_path / "a.CR2"


def middle(picture):
    return picture.data[8:-8, 8:-8].reshape(-1, 3).mean(axis=0) / 65535


def light(picture):
    return decode((picture.data / 65535).astype(np.float32))


@pytest.mark.parametrize("color", [(0.2, 0.2, 0.2), (0.5, 0.2, 0.05)])
def test_views_are_as_bright_as_the_photograph(cr2, color):
    write_dng(cr2, mosaic(*color), mosaic(*(part / 2 for part in color)))
    views = read_dual_pixel(cr2)
    for view in (views.left, views.right):
        assert (view.data.shape, view.data.dtype, view.axes) == ((*SHAPE, 3), np.uint16, "YXS")
        np.testing.assert_allclose(middle(view), middle(read_raw(cr2)), atol=0.002)


def test_views_show_the_light_on_their_half(cr2):
    left, right = np.full(SHAPE, 0.1), np.full(SHAPE, 0.5)
    left[:, 48:], right[:, 48:] = right[:, 48:], left[:, 48:].copy()
    write_halves(cr2, left, right)
    views = read_dual_pixel(cr2)
    for view, half in ((views.left, left), (views.right, right)):
        for part in (np.s_[8:-8, 8:40], np.s_[8:-8, 56:-8]):
            expected = encode(half[part].astype(np.float32))
            np.testing.assert_allclose(view.data[part].mean(-1) / 65535, expected, atol=0.005)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_upright_views_add_up_to_the_photograph(cr2, orientation):
    write_halves(cr2, *dual_pixel_halves(texture(), 3), orientation=orientation)
    views = read_dual_pixel(cr2)
    both = (light(views.left) + light(views.right)) / 2
    sides = [views.upright(both[..., color]) for color in range(3)]
    np.testing.assert_allclose(np.stack(sides, -1), light(read_raw(cr2)), atol=2e-3)


@pytest.mark.parametrize("radius", [-5, -2.5, 2.5, 5])
def test_radii_have_size_and_sign_of_a_planted_disparity(cr2, radius):
    write_halves(cr2, *dual_pixel_halves(texture((96, 128)), radius))
    views = read_dual_pixel(cr2)
    radii = from_disparity(views, channel_axis=-1)[16:-16, 16:-16]
    assert np.median(radii) == pytest.approx(disparity_radius(radius), rel=0.1)
    assert np.mean(np.sign(radii) == np.sign(radius)) > 0.99


def test_plain_shift_gives_the_radius_of_a_typical_lens(cr2):
    scene = texture((96, 128))
    write_halves(cr2, np.roll(scene, 2, axis=1), np.roll(scene, -2, axis=1))
    views = read_dual_pixel(cr2)
    radii = from_disparity(views, channel_axis=-1)[16:-16, 16:-16]
    assert np.median(radii) == pytest.approx(4 / TYPICAL_DISPARITY, rel=0.1)


@pytest.mark.parametrize(("whole", "half"), [(1.2, 0.6), (1.2, 0.4), (0.1, 0.4), (0.0, 0.3)])
def test_clipped_or_contradictory_pixels_stay_within_the_range(cr2, whole, half):
    frames = np.full(SHAPE, 0.4), np.full(SHAPE, 0.2)
    for frame, value in zip(frames, (whole, half), strict=True):
        frame[:16, :16] = value
    write_dng(cr2, *map(counts, frames))
    views = read_dual_pixel(cr2)
    left, right = (view.data[2:12, 2:12] for view in (views.left, views.right))
    np.testing.assert_allclose(left / 65535, encode(np.float32(min(2 * half, 1))), atol=0.03)
    assert right.min() > 60000 if whole > 1 else right.max() < 100
    np.testing.assert_allclose(middle(views.left), middle(views.right), atol=0.1)


@pytest.mark.parametrize(
    "frames",
    [
        pytest.param([0.4], id="one frame"),
        pytest.param([0.4, 0.2, 0.2], id="a burst"),
        pytest.param([0.4, 0.4], id="another photograph"),
        pytest.param([0.4, 0.05], id="a darker one"),
        pytest.param([0.4, 0.0], id="nothing on frame 1"),
        pytest.param([0.0, 0.0], id="nothing at all"),
        pytest.param([1.2, 0.6], id="all clipped"),
    ],
)
def test_frame_1_that_is_not_a_half_gives_no_views(cr2, frames):
    write_dng(cr2, *(counts(np.full(SHAPE, value)) for value in frames))
    assert read_dual_pixel(cr2) is None


def test_bright_spot_does_not_turn_frame_1_into_a_half(cr2):
    scene = np.full(SHAPE, 0.4)
    scene[:16, :16] = 0.85  # bright enough for LibRaw to take it for white
    write_dng(cr2, counts(scene), counts(0.7 * scene))
    assert read_dual_pixel(cr2) is None


@pytest.mark.parametrize(
    ("name", "has_views"), [("a.cr2", True), ("a.CR3", True), ("a.dng", False)]
)
def test_only_canon_files_have_views(tmp_path, name, has_views):
    write_dng(tmp_path / name, mosaic(0.4, 0.4, 0.4), mosaic(0.2, 0.2, 0.2))
    assert (read_dual_pixel(tmp_path / name) is not None) == has_views


@pytest.mark.parametrize("length", [9, 200, 20000])
def test_damaged_file_is_refused(cr2, length):
    write_dng(cr2, mosaic(0.4, 0.4, 0.4), mosaic(0.2, 0.2, 0.2))
    cr2.write_bytes(cr2.read_bytes()[:length])
    with pytest.raises(FileError, match=r"a.CR2 is damaged"):
        read_dual_pixel(cr2)


def test_missing_file_is_refused(cr2):
    with pytest.raises(FileError, match="cannot be read: No such file"):
        read_dual_pixel(cr2)


def test_missing_extra_is_named(cr2, monkeypatch):
    write_dng(cr2, mosaic(0.4, 0.4, 0.4), mosaic(0.2, 0.2, 0.2))
    monkeypatch.setitem(sys.modules, "rawpy", None)
    with pytest.raises(OptionError, match=r"napari-defocus\[raw\]"):
        read_dual_pixel(cr2)
