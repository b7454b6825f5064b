"""Samples: layers, reproducibility, attribution and size of files."""

from functools import cache

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_defocus import all_in_focus, deblur
from napari_defocus.viewer.files import samples
from napari_defocus.viewer.files.macro_sample import macro_stack

SAMPLES = {
    "dual_pixel": samples.dual_pixel_pair,
    "photograph": samples.photograph,
    "missed_focus": samples.missed_focus,
    "known_radii": samples.known_radii,
    "fluorescence": samples.fluorescence,
    "macro_stack": macro_stack,
}


@cache
def sample(name):
    """Return the layers of a sample, which are generated once for all tests."""
    return SAMPLES[name]()


@pytest.mark.parametrize("name", SAMPLES)
def test_sample_can_be_added_to_a_viewer(name):
    viewer = ViewerModel()
    for data, arguments, kind in sample(name):
        viewer._add_layer_from_data(data, arguments, kind)
    assert len(viewer.layers) > 0
    assert viewer.layers[-1].visible


@pytest.mark.parametrize("name", ["known_radii", "fluorescence", "macro_stack"])
def test_generated_samples_are_reproducible(name):
    first, second = sample(name), SAMPLES[name]()
    for (one, _, _), (other, _, _) in zip(first, second, strict=True):
        assert np.array_equal(one, other)


def test_dual_pixel_views_have_equal_shapes_and_different_values():
    (_, _, _), (right, _, _), (left, _, _) = samples.dual_pixel_pair()
    assert left.shape == right.shape == (514, 840, 3)
    assert left.dtype == np.uint8
    assert not np.array_equal(left, right)


def test_dual_pixel_sample_equals_the_scene_of_the_data_set(data_folder):
    from PIL import Image

    names = ("02_target.png", "02_view1.png", "02_view0.png")
    for name, (sample, _, _) in zip(names, samples.dual_pixel_pair(), strict=True):
        with Image.open(data_folder / "dpdd" / name) as original:
            assert np.array_equal(sample, np.asarray(original.convert("RGB")))


def test_scene_is_blurred_where_its_radii_are_large():
    (sharp, _, _), (radius, _, _), (photo, _, _) = sample("known_radii")
    difference = np.abs(sharp.astype(float) - photo).mean(axis=-1)
    assert radius.min() == 0
    assert radius.max() == pytest.approx(10)
    assert difference[radius == 0].mean() < 1.5
    assert difference[radius > 5].mean() > 8


def test_fluorescence_sample_has_channels_planes_and_units():
    (stack, arguments, _) = sample("fluorescence")[0]
    assert stack.shape == (2, 7, 256, 256)
    assert stack.dtype == np.uint16
    assert arguments["units"] == ("um", "um", "um")


def test_the_depth_of_the_macro_sample_is_the_true_one():
    (depth, _, _), (sharp, _, _), (stack, arguments, _) = sample("macro_stack")
    assert stack.shape == (11, 240, 320, 3)
    assert arguments["rgb"]
    planes = stack[::2, :, 40:280]
    result = all_in_focus(planes, channel_axis=-1)
    assert result.move > 1
    assert np.abs(2 * result.depth - depth[:, 40:280]).mean() < 0.5
    truth = sharp[:, 40:280].astype(float)
    errors = [np.abs(truth - plane).mean() for plane in (result.image, *planes)]
    assert errors[0] < 0.7 * min(errors[1:])


def test_every_sample_file_is_attributed():
    text = (samples.FOLDER / "ATTRIBUTION.md").read_text()
    for file in samples.FOLDER.iterdir():
        if file.suffix in (".png", ".jpg"):
            assert f"`{file.name}`" in text


def test_sample_files_are_small():
    sizes = [file.stat().st_size for file in samples.FOLDER.iterdir()]
    assert max(sizes) < 400_000
    assert sum(sizes) < 1_200_000


def psnr(picture, sharp):
    return 10 * np.log10(255**2 / np.mean((picture.astype(float) - sharp) ** 2))


@pytest.mark.parametrize(
    "part", [np.s_[:208, :312], pytest.param(np.s_[:], marks=pytest.mark.slow)]
)
def test_missed_focus_comes_back_to_the_head_and_leaves_the_background(part):
    (sharp, _, _), (photo, _, _) = sample("missed_focus")
    photo = photo[part]
    result = deblur(photo, channel_axis=-1, bokeh_radius="auto")
    head = samples.OSPREY_HEAD
    assert psnr(result[head], sharp) > psnr(photo[head], sharp) + 2
    bokeh = np.abs(result[20:200, 296:312].astype(float) - photo[20:200, 296:312])
    assert bokeh.mean() < 1
