"""Lazy planes and the range of lazy images."""

import dask.array
import numpy as np

from napari_defocus.image.dask_planes import lazy_map, lazy_planes, lazy_range
from napari_defocus.image.layout import read_layout
from napari_defocus.image.value_range import scan_range


def test_range_of_a_lazy_image_is_that_of_the_whole():
    image = np.random.default_rng(0).gamma(2, 100, (20, 30, 40)).astype(np.float32)
    image[3] = np.nan
    lazy = dask.array.from_array(image, chunks=(2, 17, 40))
    assert lazy_range(lazy, read_layout(lazy), None).compute() == scan_range(
        image, read_layout(image), None
    )


def test_lazy_planes_have_one_block_each():
    image = dask.array.zeros((2, 9, 7, 3), chunks=(2, 4, 5, 1), dtype=np.uint8)
    planes = lazy_planes(image, read_layout(image, -1))
    assert planes.chunks == ((1, 1), (3,), (9,), (7,))


def test_map_of_numpy_becomes_lazy_planes():
    values = np.arange(2 * 9 * 7, dtype=np.float32).reshape(2, 9, 7)
    planes = lazy_map(values, read_layout(values))
    assert planes.chunks == ((1, 1), (1,), (9,), (7,))
    np.testing.assert_array_equal(planes.compute()[:, 0], values)
