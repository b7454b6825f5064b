"""Pixels of layers: lazy parts, value range and origin."""

import dask.array as da
import numpy as np
import pytest
from napari.layers import Image

from napari_defocus import Options, measure_range
from napari_defocus.steps import run_to_end
from napari_defocus.viewer.layers.image_source import image_source
from napari_defocus.viewer.layers.window import Window

PART = Window((1, 0, 8, 16), (3, 1, 40, 64))


def count_steps(steps):
    """Return the number of steps and their result."""
    count = 0
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            return count, stop.value
        count += 1


def test_part_of_an_array_shares_its_memory(stack):
    source = image_source(Image(stack), PART)
    pixels = run_to_end(source.read())
    assert np.shares_memory(pixels, stack)
    assert np.array_equal(pixels, stack[1:3, :1, 8:40, 16:64])


def test_lazy_part_is_read_plane_by_plane(stack):
    lazy = da.from_array(stack, chunks=(1, 1, 24, 32))
    steps, pixels = count_steps(image_source(Image(lazy), PART).read())
    assert steps == 2
    assert isinstance(pixels, np.ndarray)
    assert np.array_equal(pixels, stack[1:3, :1, 8:40, 16:64])


def test_lazy_color_keeps_its_channels(photo):
    source = image_source(Image(da.from_array(photo), rgb=True), Window((2, 3), (20, 30)))
    assert source.channel_axis == -1
    assert np.array_equal(run_to_end(source.read()), photo[2:20, 3:30])


def test_multiscale_layer_is_read_at_full_resolution(photo):
    layer = Image([photo, photo[::2, ::2]], rgb=True, multiscale=True)
    assert np.array_equal(run_to_end(image_source(layer).read()), photo)


@pytest.mark.parametrize("lazy", [False, True])
def test_value_range_of_a_part_is_that_of_the_whole_layer(stack, lazy):
    layer = Image(da.from_array(stack) if lazy else stack)
    options = run_to_end(image_source(layer, PART).complete_options(Options()))
    assert options.value_range == measure_range(stack)
    assert options.value_range != measure_range(stack[PART.slices])
    chosen = Options(value_range=(1, 2))
    assert run_to_end(image_source(layer, PART).complete_options(chosen)).value_range == (1, 2)


def test_range_is_not_measured_when_the_api_determines_it(stack, photo):
    whole = image_source(Image(stack))
    bytes_ = image_source(Image(stack.astype(np.uint8)), PART)
    color = image_source(Image(photo, rgb=True), Window((0, 0), (9, 9)))
    for source in (whole, bytes_, color):
        steps, options = count_steps(source.complete_options(Options()))
        assert (steps, options.value_range) == (0, None)


def test_axis_of_channels_has_ranges_of_its_own(stack):
    layer = Image(stack, axis_labels=("t", "Channel", "y", "x"))
    assert run_to_end(image_source(layer).complete_options(Options())).range_axis == 1
    assert image_source(Image(stack)).range_axis is None


def test_origin_names_layer_path_and_region(stack):
    origin = image_source(Image(stack, name="cells"), PART).origin
    assert origin == {"layer": "cells", "path": None, "region": [[1, 3], [0, 1], [8, 40], [16, 64]]}
