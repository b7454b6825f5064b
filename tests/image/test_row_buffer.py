"""Rows of large images, for which each chunk of a file is read once."""

from collections import Counter

import numpy as np
import pytest

from napari_defocus.image.layout import read_layout
from napari_defocus.image.row_buffer import RowBuffer, chunk_rows
from napari_defocus.image.value_range import scan_range

#: 72 MB, which are measured in two parts.
PLANE = np.resize(np.random.default_rng(0).integers(0, 4000, 10_007, np.uint16), (9000, 4000))


class Chunked:
    """An array in chunks that counts how often each row of chunks is read."""

    def __init__(self, array, chunks):
        self.array, self.chunks = array, chunks
        self.shape, self.ndim, self.dtype = array.shape, array.ndim, array.dtype
        self.reads = Counter()

    def __getitem__(self, index):
        rows, height = index[-2], self.chunks[-2]
        self.reads.update(range(rows.start // height, -(-rows.stop // height)))
        return self.array[index]


def test_each_chunk_is_read_once_to_measure_the_range():
    image = Chunked(PLANE, (1000, 512))
    assert scan_range(image, read_layout(image)) == scan_range(PLANE, read_layout(PLANE))
    assert image.reads == Counter(range(9))


def test_chunks_of_very_many_bytes_are_not_kept():
    image = Chunked(np.broadcast_to(np.uint16(7), (20_000, 20_000)), (20_000, 512))
    assert chunk_rows(image, read_layout(image)) == 1


def test_height_of_chunks_is_that_along_y_whatever_the_order_of_axes():
    image = Chunked(np.zeros((3, 2, 64, 48), np.uint8), (1, 2, 16, 24))
    assert chunk_rows(image, read_layout(image)) == 16
    assert chunk_rows(image, read_layout(image, channel_axis=0)) == 16
    assert chunk_rows(PLANE, read_layout(PLANE)) == 1
    color = Chunked(np.zeros((64, 48, 3), np.uint8), (16, 24, 3))
    assert chunk_rows(color, read_layout(color, channel_axis=-1)) == 16


@pytest.mark.parametrize("step", [1, 3, 8, 100])
def test_overlapping_windows_hold_their_rows(step):
    plane = np.arange(2 * 41 * 3).reshape(2, 41, 3)
    rows = RowBuffer(lambda part: plane[:, part], 41, step)
    for start in range(0, 41, 6):
        window = slice(max(start - 1, 0), start + 7)
        np.testing.assert_array_equal(rows(window), plane[:, window])
