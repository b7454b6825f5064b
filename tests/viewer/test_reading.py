import dask.array as da
import numpy as np
import pytest
from napari.layers import Image

from napari_defocus.image.layout import read_layout
from napari_defocus.image.value_range import measure_range
from napari_defocus.inference.engine import run_to_end
from napari_defocus.viewer.reading import source_of
from napari_defocus.viewer.regions import Window

PART = Window((1, 0, 8, 16), (3, 1, 40, 64))


def counted(steps):
    """Drain steps; return how many there were, and the result."""
    count = 0
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            return count, stop.value
        count += 1


def test_part_of_an_array_is_a_view_of_it(stack):
    source = source_of(Image(stack), PART)
    pixels = run_to_end(source.read())
    assert np.shares_memory(pixels, stack)
    assert np.array_equal(pixels, stack[1:3, :1, 8:40, 16:64])


def test_lazy_part_is_fetched_plane_by_plane_so_that_it_can_be_cancelled(stack):
    lazy = da.from_array(stack, chunks=(1, 1, 24, 32))
    steps, pixels = counted(source_of(Image(lazy), PART).read())
    assert steps == 2
    assert isinstance(pixels, np.ndarray)
    assert np.array_equal(pixels, stack[1:3, :1, 8:40, 16:64])


def test_lazy_color_keeps_its_channels(photo):
    source = source_of(Image(da.from_array(photo), rgb=True), Window((2, 3), (20, 30)))
    assert source.channel_axis == -1
    assert np.array_equal(run_to_end(source.read()), photo[2:20, 3:30])


def test_multiscale_layer_is_read_at_full_resolution(photo):
    layer = Image([photo, photo[::2, ::2]], rgb=True, multiscale=True)
    assert np.array_equal(run_to_end(source_of(layer).read()), photo)


@pytest.mark.parametrize("lazy", [False, True])
def test_black_and_white_of_a_part_are_those_of_the_whole(stack, lazy):
    layer = Image(da.from_array(stack) if lazy else stack)
    found = run_to_end(source_of(layer, PART).value_range("auto"))
    assert found == measure_range(stack, read_layout(stack))
    assert found != measure_range(stack[PART.slices], read_layout(stack[PART.slices]))


def test_range_is_not_measured_where_it_is_known(stack, photo):
    whole = source_of(Image(stack))
    bytes_ = source_of(Image(stack.astype(np.uint8)), PART)
    color = source_of(Image(photo, rgb=True), Window((0, 0), (9, 9)))
    for source in (whole, bytes_, color):
        assert counted(source.value_range("auto")) == (0, None)


def test_source_says_where_its_pixels_are_from(stack):
    origin = source_of(Image(stack, name="cells"), PART).origin
    assert origin == {"layer": "cells", "path": None, "region": [[1, 3], [0, 1], [8, 40], [16, 64]]}
