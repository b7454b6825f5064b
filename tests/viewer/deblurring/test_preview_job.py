"""Jobs of previews: equal to the result, and computed as small as the screen shows them."""

from dataclasses import replace

import numpy as np
import pytest
from napari.layers import Image, Labels, Shapes

from napari_defocus import DeblurSettings, Options, deblur
from napari_defocus.map_edits import LEAVE_ALONE
from napari_defocus.steps import run_to_end
from napari_defocus.viewer.deblurring.deblur_job import DeblurLayerJob
from napari_defocus.viewer.deblurring.preview_job import PreviewJob
from napari_defocus.viewer.layers.image_source import image_source
from napari_defocus.viewer.layers.pixel_blocks import mean_of_blocks
from napari_defocus.viewer.layers.region_mask import region_mask
from napari_defocus.viewer.layers.regions import whole_layer
from napari_defocus.viewer.layers.window import Window
from napari_defocus.viewer.maps.map_source import map_source


def run(job, layer, **arguments):
    return run_to_end(PreviewJob(job, whole_layer(layer), **arguments).steps())


def layer_job(layer, **arguments):
    arguments = {"options": Options(), **arguments}
    return DeblurLayerJob(image=image_source(layer), **arguments)


def test_map_is_estimated_again_after_a_change_of_options(photo):
    layer, cache = Image(photo, rgb=True), None
    for downscale in (1, 2):
        options = Options(downscale=downscale)
        result = run(layer_job(layer, options=options), layer, cache=cache)
        cache = result.cache
        expected = deblur(photo, channel_axis=-1, downscale=downscale)
        assert np.array_equal(result.picture, expected)


def test_coarse_preview_takes_the_fine_map_that_exists(photo):
    layer = Image(photo, rgb=True)
    fine = run(layer_job(layer), layer)
    coarse = run(layer_job(layer), layer, coarseness=2, cache=fine.cache)
    assert coarse.cache is fine.cache


def test_preview_is_as_small_as_the_screen_shows_it(photo):
    large = photo.repeat(2, axis=0).repeat(2, axis=1)
    small_map, large_map = np.full((64, 96), 3.0, np.float32), np.full((128, 192), 6.0, np.float32)
    layer = Image(large, rgb=True)
    source = map_source(Image(large_map), layer, whole_layer(layer))
    settings = DeblurSettings(protect_radius=2.0, bokeh_radius=20.0)
    job = layer_job(layer, settings=settings, defocus=source)
    result = run(job, layer, step=2)
    expected = deblur(photo, small_map, channel_axis=-1, protect_radius=1.0, bokeh_radius=10.0)
    assert np.array_equal(result.picture, expected)
    part = replace(PreviewJob(job, whole_layer(layer), 2), inner=Window((20, 40), (60, 101)))
    assert np.array_equal(run_to_end(part.steps()).picture, expected[10:30, 20:51])


def test_labels_and_shapes_act_on_a_smaller_preview(photo):
    layer = Image(photo.repeat(2, axis=0).repeat(2, axis=1), rgb=True)
    painted = np.full((128, 192), 6)
    painted[:, 96:] = LEAVE_ALONE
    labels = map_source(Labels(painted), layer, whole_layer(layer))
    upper = Shapes([[(-0.5, -0.5), (-0.5, 191.5), (63.5, 191.5), (63.5, -0.5)]])
    mask = region_mask(layer, upper, whole_layer(layer))
    picture = run(layer_job(layer, defocus=labels, mask=mask), layer, step=2).picture
    changed = (picture != photo).any(axis=-1)
    assert changed[:32, :48].mean() > 0.9
    assert not changed[32:].any()
    assert not changed[:, 48:].any()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, bool])
def test_mean_of_blocks_keeps_the_data_type(dtype):
    values = np.zeros((2, 5, 7, 3), dtype)
    values[:, :2, :2] = 1
    mean = mean_of_blocks(values, 2, color=True)
    assert (mean.shape, mean.dtype) == ((2, 2, 3, 3), dtype)
    assert mean[:, 0, 0].all()
    assert mean.sum() == 6
