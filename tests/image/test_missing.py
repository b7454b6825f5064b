"""Pixels without data."""

import numpy as np
import pytest

from napari_defocus import Options, measure_range
from napari_defocus.errors import OptionError
from napari_defocus.image.missing import valid_mask


def test_fill_values_beyond_float16_do_not_matter():
    values = np.array([0.25, 0.5, -np.inf, 600], np.float16)
    assert valid_mask(values, "auto", (0, 1)).tolist() == [True, True, False, False]
    assert valid_mask(values, "auto", (0, 1000)).tolist() == [True, True, False, True]


@pytest.mark.parametrize(
    ("value", "dtype", "words"),
    [
        (300, np.uint8, "nodata is 300; uint8 holds whole numbers from 0 to 255"),
        (-1, np.uint16, "nodata is -1; uint16 holds whole numbers from 0 to 65535"),
        (0.5, np.int16, "nodata is 0.5; int16 holds whole numbers from -32768 to 32767"),
    ],
)
def test_no_data_values_that_the_type_does_not_hold_are_refused(value, dtype, words):
    with pytest.raises(OptionError, match=f"^{words}$"):
        measure_range(np.zeros((9, 9), dtype), nodata=value)


def test_infinite_no_data_values_are_refused():
    for value in (np.inf, -np.inf):
        with pytest.raises(OptionError, match="inf, which never holds data; leave it out"):
            Options(nodata=value)
