"""Pixels without data."""

import numpy as np

from napari_defocus.image.missing import valid_mask


def test_fill_values_beyond_float16_do_not_matter():
    values = np.array([0.25, 0.5, -np.inf, 600], np.float16)
    assert valid_mask(values, "auto", (0, 1)).tolist() == [True, True, False, False]
    assert valid_mask(values, "auto", (0, 1000)).tolist() == [True, True, False, True]
