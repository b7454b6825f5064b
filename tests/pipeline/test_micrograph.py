"""Maps of micrographs: what spectrum and noise say beside the network."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, median_filter, uniform_filter
from scipy.signal import fftconvolve

from napari_defocus import Objective, estimate_defocus
from napari_defocus.image.encoding import encode
from napari_defocus.models import find_model
from napari_defocus.optics.kernels import disk
from napari_defocus.pipeline.micrograph import judge_map, make_up_for_aperture, subtract_spot
from napari_defocus.pipeline.noise_tiles import measure_noise_tiles, without_spikes

CORRECTION = find_model("microscopy-single", "single").correction


def counted(light, seed=0):
    """Return light, from 0 to 1, counted as 300 photons, in the networks' form."""
    counts = np.random.default_rng(seed).poisson(300 * light + 5) / 300
    return encode(counts.astype(np.float32))[None]


def cells(radius, side=256):
    """Return soft cells with granules, blurred by a disk."""
    rng = np.random.default_rng(1)
    shapes = np.clip(gaussian_filter(rng.standard_normal((side, side)), 12) * 20, 0, 1)
    grain = np.clip(1 + 0.5 * gaussian_filter(rng.standard_normal((side, side)), 1) * 3, 0, 3)
    light = shapes * grain / 3
    return light if radius == 0 else fftconvolve(light, disk(radius).numpy(), mode="same").clip(0)


def judged(image, radius, confidence=0.6, correction=CORRECTION):
    estimate = np.full((2, *image.shape[1:]), np.float32(radius))
    estimate[1] = confidence
    judge_map(estimate, image, correction)
    return estimate


@pytest.mark.parametrize("wrong", [4.0, 7.5])
def test_the_spectrum_moves_a_wrong_radius_toward_the_true_one(wrong):
    points = gaussian_filter((np.random.default_rng(4).random((256, 256)) < 0.01).astype(float), 1)
    light = fftconvolve(points / points.max(), disk(5.0).numpy(), mode="same").clip(0)
    radius, _ = judged(counted(4 * light), wrong)
    assert abs(np.median(radius) - 5) < 0.7


def test_what_the_network_takes_for_slight_blur_is_in_focus():
    radius, _ = judged(counted(cells(0.0)), 0.9)
    assert np.median(radius) < 0.5


def test_what_a_soft_specimen_in_focus_may_show_is_just_below_a_pixel():
    estimate = np.zeros((2, 64, 64), np.float32)
    estimate[0] = np.linspace(0, 24, 64, dtype=np.float32)
    settled = {**CORRECTION, "said": [0, 24], "meant": [0, 24]}
    before = estimate[0].copy()
    before[:, :8] = estimate[0, :, :8] = np.linspace(0, 1.6, 8)
    judge_map(estimate, counted(np.zeros((64, 64))), settled)
    radius = estimate[0, 0]
    assert (np.diff(radius) > 0).all()
    assert radius[:8] == pytest.approx([0, 0.22, 0.45, 0.67, 0.83, 0.92, 1.16, 1.6], abs=0.02)
    assert radius[8:] == pytest.approx(before[0, 8:], abs=1e-4)


def test_what_is_too_far_to_be_restored_is_hardly_trusted():
    image = counted(cells(5.0, 96))
    far, near = (judged(image, radius)[1].mean() for radius in (22.0, 13.0))
    assert far < 0.15
    assert near > 0.5


def test_confidence_is_high_where_the_spectrum_agrees_and_low_where_it_does_not():
    points = gaussian_filter((np.random.default_rng(4).random((256, 256)) < 0.01).astype(float), 1)
    light = fftconvolve(points / points.max(), disk(5.0).numpy(), mode="same").clip(0)
    right, wrong = (judged(counted(4 * light), radius) for radius in (5.0, 1.2))
    assert wrong[0].max() < 2
    assert right[1].min() > 0.8
    assert wrong[1].max() < 0.5


def test_a_plane_without_a_window_keeps_the_confidence_of_the_network():
    small = counted(cells(3.0, 96))
    without = {name: CORRECTION[name] for name in CORRECTION if name != "confidence_by_spectrum"}
    pairs = [judged(small, 3.0, correction=correction)[1] for correction in (CORRECTION, without)]
    assert np.array_equal(*pairs)


def test_fringes_of_unstained_cells_are_hardly_trusted():
    rng = np.random.default_rng(3)
    noise = rng.standard_normal((256, 256))
    ripples = gaussian_filter(noise, 2) - gaussian_filter(noise, 4)
    _, confidence = judged(counted(np.clip(0.5 + 2 * ripples, 0, 1)), 2.0)
    assert confidence.max() < 0.15


def test_a_model_without_correction_keeps_its_radii():
    radius, confidence = judged(counted(cells(5.0)), 7.5, correction={})
    assert (radius == 7.5).all()
    assert confidence.max() == pytest.approx(0.6)


def test_an_empty_field_tells_nothing():
    for level in (0.0, 0.1, 1.0):
        _, confidence = judged(counted(np.full((256, 256), level)), 8.0)
        assert not confidence.any()


def test_only_the_surroundings_of_structure_are_judged():
    light = np.zeros((256, 512))
    light[:, :128] = cells(3.0)[:, :128]
    _, confidence = judged(counted(light), 3.0)
    assert confidence[:, :128].min() > 0.3
    assert not confidence[:, 320:].any()


@pytest.mark.parametrize(
    "change",
    [
        lambda image: median_filter(image, 3),
        lambda image: gaussian_filter(image, 0.7),
        lambda image: uniform_filter(image, 2),
    ],
)
def test_filtered_noise_lowers_confidence(change):
    light = cells(4.0)
    light[:, 160:] = 0.02  # noise shows where nothing else does
    image = counted(light)
    assert 0.6 < measure_noise_tiles(image).correlation < 1.3
    assert judged(image, 4.0)[1].max() > 0.5
    assert judged(change(image[0])[None], 4.0)[1].max() < 0.15


def test_sharp_texture_everywhere_is_not_taken_for_filtered_noise():
    rng = np.random.default_rng(5)
    texture = sum(gaussian_filter(rng.standard_normal((256, 256)), w) * w for w in (0.8, 2, 6))
    image = counted(np.clip(0.5 + 0.2 * texture, 0, 1))
    assert measure_noise_tiles(image).correlation == 1
    assert judged(image, 0.9)[1].min() > 0.4


def test_a_window_of_several_depths_keeps_them():
    estimate = np.full((2, 256, 256), np.float32(0.6))
    estimate[0] = np.linspace(2, 9, 256, dtype=np.float32)
    judge_map(estimate, counted(cells(3.0)), CORRECTION)
    assert estimate[0, 0, 0] == pytest.approx(1.95, abs=0.2)
    assert estimate[0, 0, -1] == pytest.approx(8.2, abs=0.5)


def test_a_hot_pixel_neither_is_structure_nor_moves_radii():
    image = counted(np.full((256, 256), 0.1))
    image[0, 100, 100] = 40
    assert not judged(image, 4.0)[1].any()
    assert without_spikes(image[0]).max() < 1


def test_planes_too_small_to_tell_are_left_to_the_network():
    radius, confidence = judged(counted(cells(3.0, 24)), 1.5)
    assert radius == pytest.approx(1.5)
    assert confidence.min() > 0.3


def test_a_spot_of_several_pixels_is_not_taken_for_blur():
    oversampled = Objective(1.3, 0.6, 0.065, 1.515)
    estimate = np.full((2, 8, 8), 2.0, np.float32)
    subtract_spot(estimate, oversampled)
    assert not estimate[0].any()
    usual = Objective(0.45, 0.6, 0.65)
    estimate = np.full((2, 8, 8), 2.0, np.float32)
    subtract_spot(estimate, usual)
    assert (estimate == 2).all()


def test_radii_of_steep_cones_are_enlarged():
    radius = np.broadcast_to(np.linspace(0, 14, 141, dtype=np.float32), (8, 141))
    estimate = np.stack([radius, np.full_like(radius, 0.5)])
    make_up_for_aperture(estimate, Objective(0.95, 0.6, 0.1625))
    enlarged = estimate[0, 0] / np.maximum(radius[0], 1e-6)
    assert enlarged[23:41] == pytest.approx(1 / 0.82, rel=1e-5)
    assert enlarged[:14].max() <= 1  # what is in focus stays
    assert 1 < enlarged[-1] < 1.1
    assert (np.diff(estimate[0, 0]) > 0).all()
    assert (estimate[1] == 0.5).all()
    estimate = np.full((2, 8, 8), 4.0, np.float32)
    make_up_for_aperture(estimate, Objective(0.75, 0.52, 0.325))
    assert (estimate == 4).all()


def test_the_aperture_counts_only_if_it_is_known():
    counts = np.random.default_rng(0).poisson(300 * cells(5.0) + 5).astype(np.uint16)
    usual, steep, unknown = (
        np.median(estimate_defocus(counts, optics=optics).radius)
        for optics in (Objective(0.75, 0.6, 0.4), Objective(0.95, 0.6, 0.32), "none")
    )
    assert usual == unknown
    assert 1.1 * unknown < steep < 1.3 * unknown
