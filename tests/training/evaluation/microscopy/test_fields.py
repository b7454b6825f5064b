"""Simulated fields agree with what they say of themselves, and optics with their formulas."""

import numpy as np
import pytest
from scipy.signal import fftconvolve

from napari_defocus.optics.kernels import disk
from training.evaluation.microscopy.classical import best_gaussian, best_richardson_lucy, decibels
from training.evaluation.microscopy.fields import draw_fields, to_counts, to_electrons
from training.evaluation.microscopy.matter import KINDS, phase_image, shift
from training.evaluation.microscopy.trust import TABLES
from training.evaluation.microscopy.vectorial import MICROSCOPES, Microscope

WEAK = Microscope("weak lens", 0.1, 1.0, 0.5, 1.0)


def distance(kernel, other):
    return float(np.square(kernel - other).sum())


def test_a_point_in_focus_is_airys_pattern():
    kernel = WEAK.kernel(0.0, 8, 3)
    row = kernel[kernel.shape[0] // 2]
    first_dark_ring = 0.61 * WEAK.wavelength / WEAK.na * 3
    middle = len(row) // 2
    assert row[middle + round(first_dark_ring)] < 0.02 * row[middle]


@pytest.mark.parametrize("microscope", MICROSCOPES[::3], ids=lambda each: each.name)
def test_a_point_out_of_focus_is_the_disk_of_its_radius_seen_in_focus(microscope):
    in_focus = microscope.kernel(0.0, 24)
    kernel = microscope.kernel(6.0, 24)
    blurred = fftconvolve(in_focus, disk(6.0, 24).numpy(), mode="same")
    smaller, larger = (
        fftconvolve(in_focus, disk(radius, 24).numpy(), mode="same") for radius in (4.5, 7.5)
    )
    assert kernel.sum() == pytest.approx(1)
    assert distance(kernel, blurred) < min(distance(kernel, smaller), distance(kernel, larger))
    assert microscope.depth(0.0) == pytest.approx(0.0)
    assert microscope.depth(3.0) < microscope.depth(6.0) == -microscope.depth(-6.0)


def test_fields_of_a_seed_are_always_the_same_and_noise_is_that_of_photons():
    one, again = (next(draw_fields(1, 3, radius=3.0)) for _ in range(2))
    assert np.array_equal(one.counts, again.counts)
    residual = (one.electrons - one.blurred) / np.sqrt(one.blurred + one.read**2)
    assert residual.std() == pytest.approx(1, abs=0.03)
    assert one.sharp.max() == pytest.approx(one.photons)
    assert to_electrons(to_counts(one.electrons)) == pytest.approx(one.electrons, abs=0.3)


@pytest.mark.parametrize("kind", KINDS)
def test_kinds_fill_a_part_of_the_field(kind):
    image = KINDS[kind](np.random.default_rng(0), 256, 1)
    assert image.min() >= 0
    assert 0.001 < (image > 0.2 * image.max()).mean() < 0.9


def test_what_is_told_the_kernel_gains_more_than_denoising():
    field = next(draw_fields(1, 8, kinds=("vesicles",), radius=4.0, photons=(500, 500)))
    before = decibels(field.electrons, field)
    denoised, deconvolved = (
        decibels(method(field), field) for method in (best_gaussian, best_richardson_lucy)
    )
    assert before < denoised < deconvolved


def test_phase_objects_hardly_show_in_focus_and_do_beside_it():
    rng = np.random.default_rng(1)
    contrast = [phase_image(np.random.default_rng(1), 64, 0.4, z).std() for z in (0.0, 40.0)]
    assert contrast[0] < 0.7 * contrast[1]
    assert phase_image(rng, 64, 0.4, 0.0).mean() == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("contrast", ["phase", "interference"])
def test_contrast_methods_show_phase_objects_in_focus(contrast):
    plain, shown = (
        phase_image(np.random.default_rng(1), 64, 0.4, 0.0, way).std() for way in ("none", contrast)
    )
    assert shown > 3 * plain


def test_a_shift_by_whole_pixels_moves_the_image():
    image = np.random.default_rng(0).random((8, 8))
    assert shift(image, 2.0)[2:, 1:] == pytest.approx(image[:-2, :-1])


def test_every_heading_names_its_own_table():
    assert len({heading.lower() for heading in TABLES}) == len(set(TABLES.values())) == len(TABLES)
