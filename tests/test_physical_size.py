"""Radii in micrometers, and the size of a disk of blur against its own kernel."""

import math

import numpy as np
import pytest

from napari_defocus.errors import MapError
from napari_defocus.io.lengths import micrometers
from napari_defocus.io.picture import Length, Metadata
from napari_defocus.optics.kernels import disk
from napari_defocus.physical_size import (
    BlurSize,
    PixelSize,
    describe_radius,
    pixel_size,
    unit_factor,
)


@pytest.mark.parametrize(
    ("value", "unit", "wanted"),
    [
        (0.5, "µm", 0.5),
        (0.5, "μm", 0.5),  # the Greek letter
        (0.5, "\\u00B5m", 0.5),
        (0.5, "um", 0.5),
        (0.5, "Microns", 0.5),
        (-0.5, "micrometer", 0.5),
        (500, "nm", 0.5),
        (0.5, "mm", 500),
        (0.01, "inch", 254),
        (2, "Å", 2e-4),
        (1, "metres", 1e6),
        (1, "pixel", None),
        (1, "", None),
        (1, "s", None),
        (0, "µm", None),
        (math.nan, "µm", None),
        (math.inf, "nm", None),
    ],
)
def test_units_of_files(value, unit, wanted):
    assert micrometers(value, unit) == (None if wanted is None else pytest.approx(wanted))


@pytest.mark.parametrize(
    ("sizes", "wanted"),
    [
        ({"Y": ("um", 0.5), "X": ("nm", 500)}, PixelSize(0.5, 0.5)),
        ({"Y": ("um", 0.5), "X": ("um", -2.0)}, PixelSize(0.5, 2.0)),
        ({"Y": ("um", 0.5)}, None),
        ({"Y": ("um", 0.5), "X": ("pixel", 0.5)}, None),
        ({}, None),
    ],
)
def test_pixel_size_of_a_file(sizes, wanted):
    lengths = {axis: Length(value, unit) for axis, (unit, value) in sizes.items()}
    assert pixel_size(Metadata(pixel_size=lengths)) == wanted


def test_pixels_that_are_not_square_are_told():
    assert PixelSize(0.5, 0.503).is_square
    assert not PixelSize(0.5, 0.51).is_square
    assert BlurSize(3.0).scaled(PixelSize(0.5, 2.0)).radius == 3.0
    assert "geometric mean" in PixelSize(0.5, 2.0).describe()


@pytest.mark.parametrize("radius", [6.0, 13.5])
def test_spot_and_cutoff_are_those_of_the_kernel(radius):
    kernel = disk(radius).numpy().astype(float)
    line = kernel.sum(axis=0)
    place = np.arange(line.size) - line.size // 2
    deviation = math.sqrt((line * place**2).sum())
    assert BlurSize(radius).fwhm == pytest.approx(
        2 * math.sqrt(2 * math.log(2)) * deviation, rel=0.01
    )
    frequencies = np.linspace(0.5, 1.5, 1001) * BlurSize(radius).cutoff
    transfer = [(line * np.cos(2 * math.pi * f * place)).sum() for f in frequencies]
    zero = frequencies[np.argmax(np.array(transfer) < 0)]
    assert BlurSize(radius).cutoff == pytest.approx(zero, rel=0.01)


def test_a_sharp_pixel_has_no_cutoff():
    assert BlurSize(0.0).fwhm == 0
    assert BlurSize(0.0).cutoff == math.inf
    assert describe_radius(0.0, PixelSize(1, 1)) == "0 px = 0 µm, like a spot of 0 µm FWHM"


def test_micrometers_need_a_pixel_size():
    assert unit_factor("px", None, "a.tif") == 1
    assert unit_factor("um", PixelSize(0.5, 0.5), "a.tif") == 0.5
    with pytest.raises(MapError, match=r"a.tif does not say the size of its pixels"):
        unit_factor("um", None, "a.tif")
