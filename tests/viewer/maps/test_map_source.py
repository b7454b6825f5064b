"""Maps from layers: the region they cover, painted labels, and confidence."""

import json

import numpy as np
import pytest
from napari.layers import Image, Labels
from napari.layers._source import layer_source

from napari_defocus.defocus_map import DefocusMap
from napari_defocus.errors import MapError
from napari_defocus.io import read_picture, write_picture
from napari_defocus.options import Options
from napari_defocus.viewer import layer_map
from napari_defocus.viewer.deblurring.deblur_job import DeblurLayerJob
from napari_defocus.viewer.jobs.recipe import as_python
from napari_defocus.viewer.layers.geometry import placement
from napari_defocus.viewer.layers.image_source import image_source
from napari_defocus.viewer.layers.regions import whole_layer
from napari_defocus.viewer.layers.window import Window
from napari_defocus.viewer.maps.map_result import map_result
from napari_defocus.viewer.maps.map_source import MAP_KEY, map_source


@pytest.fixture
def image():
    return Image(np.zeros((4, 30, 40)), scale=(1, 0.5, 0.5), translate=(7, 3, 3), name="cells")


@pytest.fixture
def radius():
    return np.random.default_rng(0).uniform(0, 9, (4, 30, 40)).astype(np.float32)


def estimated_layer(radius, **arguments):
    defocus = DefocusMap(radius, np.full(radius.shape, 0.25, np.float32), model="single")
    kept = map_result(defocus, {"input": {"hash": ""}}, Options(), "auto").estimated
    return Image(radius, metadata={MAP_KEY: kept}, **arguments)


PART = Window((2, 5, 6), (3, 25, 36))


@pytest.fixture
def place(image):
    """Arguments that place a map of the whole image on it."""
    return placement(image, whole_layer(image))


@pytest.fixture
def place_of_plane():
    """Arguments that place a map of one plane on the image."""
    return {"scale": (0.5, 0.5), "translate": (3, 3)}


def test_map_of_the_whole_image_is_cut_to_the_region(image, radius, place):
    read = map_source(Image(radius, **place), image, PART).read()
    assert np.array_equal(read, radius[2:3, 5:25, 6:36])
    assert np.shares_memory(read, radius)


def test_map_of_one_plane_is_used_for_all_planes(image, radius, place_of_plane):
    source = map_source(Image(radius[0], **place_of_plane), image, PART)
    assert np.array_equal(source.read(), radius[0, 5:25, 6:36])


@pytest.mark.parametrize(
    ("turn", "transform"),
    [
        (lambda m: m[::-1], {"scale": (-1, 1), "translate": (29, 0)}),
        (lambda m: m[:, ::-1], {"scale": (1, -1), "translate": (0, 39)}),
        (np.rot90, {"rotate": -90, "translate": (0, 39)}),
        (np.transpose, {"affine": [[0, 1, 0], [1, 0, 0], [0, 0, 1]]}),
        (lambda m: m, {"units": "mm", "scale": (0.001, 0.001)}),
    ],
)
def test_turned_map_is_used_where_it_is_shown(radius, turn, transform):
    image = Image(np.zeros((30, 40)), units="um")
    layer = Image(turn(radius[0]).copy(), **({"units": "um"} | transform))
    window = Window((5, 6), (25, 36))
    assert np.array_equal(map_source(layer, image, window).read(), radius[0, 5:25, 6:36])
    whole = layer_map(layer, image)
    assert np.array_equal(whole, radius[0])


def test_coarse_and_fine_maps_are_resampled(image, place_of_plane):
    x = np.arange(40, dtype=np.float32)
    expected = np.broadcast_to(x[6:36], (20, 30))
    coarse = np.broadcast_to(x[::2], (15, 20))
    layer = Image(coarse, **(place_of_plane | {"scale": (1, 1)}))
    assert np.allclose(map_source(layer, image, PART).read(), expected)
    fine = np.repeat(np.repeat(np.arange(40)[None], 2, axis=1), 60, axis=0)
    painted = Labels(fine, scale=(0.25, 0.25), translate=(3, 3))
    assert np.array_equal(map_source(painted, image, PART).read(), expected)


def test_slanted_stack_of_maps_is_resampled_between_its_planes():
    image = Image(np.zeros((4, 30, 40)))
    levels = np.broadcast_to(np.arange(3, dtype=np.float32)[:, None, None], (3, 30, 44))
    layer = Image(levels, scale=(2, 1, 1), translate=(-1, 0, -2))
    resampled = map_source(layer, image, whole_layer(image)).read()
    assert resampled.shape == (4, 30, 40)
    assert np.allclose(resampled[:, 5, 7], (np.arange(4) + 1) / 2)


def test_resampled_estimate_keeps_its_confidence(image, radius, place):
    layer = estimated_layer(radius[:, ::-1].copy(), **place)
    layer.scale, layer.translate = (1, -0.5, 0.5), (7, 3 + 29 * 0.5, 3)
    estimate = map_source(layer, image, PART).read()
    assert np.array_equal(estimate.radius, radius[2:3, 5:25, 6:36])
    assert estimate.confidence.shape == (1, 20, 30)
    assert (estimate.confidence == 0.25).all()


def test_map_shown_beside_the_image_is_an_error(image, radius):
    layer = Image(radius[0], name="unplaced", translate=(40, 40))
    with pytest.raises(MapError, match="'unplaced' .* does not cover .* scale and translation"):
        map_source(layer, image, PART)


def test_map_of_a_region_is_matched_by_world_coordinates(image, radius):
    window = Window((0, 2, 3), (4, 28, 38))
    layer = Image(radius[window.slices], **placement(image, window))
    assert np.array_equal(map_source(layer, image, PART).read(), radius[2:3, 5:25, 6:36])


def test_map_that_does_not_cover_the_region_is_an_error(image, radius):
    window = Window((0, 10, 10), (4, 20, 20))
    layer = Image(radius[window.slices], name="small", **placement(image, window))
    with pytest.raises(MapError, match="'small' .* does not cover"):
        map_source(layer, image, PART)


def test_map_with_more_axes_than_the_image_is_an_error(image, radius):
    with pytest.raises(MapError, match="4 axes"):
        map_source(Image(radius[None]), image, whole_layer(image))


def test_painted_labels_are_radii_in_pixels(image, place_of_plane):
    painted = Labels(np.full((30, 40), 3), **place_of_plane)
    radius = map_source(painted, image, PART).read()
    assert radius.dtype == np.float32
    assert (radius == 3).all()


def test_estimated_map_keeps_its_confidence(image, radius, place):
    estimate = map_source(estimated_layer(radius, **place), image, PART).read()
    assert isinstance(estimate, DefocusMap)
    assert (estimate.confidence == 0.25).all()
    assert estimate.confidence.shape == estimate.radius.shape == (1, 20, 30)


def test_edited_map_loses_its_confidence(image, radius, place):
    layer = estimated_layer(radius, **place)
    layer.data[0, 0, 0] += 1
    assert isinstance(map_source(layer, image, PART).read(), np.ndarray)


@pytest.fixture
def map_in_micrometers(image, radius, place, tmp_path):
    """A layer of a file in which a pixel of 0.5 µm has radii of half their number of pixels."""
    path = tmp_path / "um.tif"
    write_picture(path, radius / 2)
    record = {"radii": {"unit": "um", "median_px": 1.0, "pixel_size_um": [0.5, 0.5]}}
    path.with_name("um.tif.json").write_text(json.dumps(record))
    with layer_source(path=str(path)):
        return Image(radius / 2, **place, name="um")


def test_map_files_in_micrometers_are_taken_in_pixels(map_in_micrometers, image, radius):
    source = map_source(map_in_micrometers, image, PART)
    np.testing.assert_array_equal(source.read(), radius[2:3, 5:25, 6:36])
    assert layer_map(map_in_micrometers, image).tolist() == radius.tolist()


def test_copied_python_reads_map_files_in_micrometers_in_pixels(map_in_micrometers, image, radius):
    job = DeblurLayerJob(
        image_source(image), Options(), map_source(map_in_micrometers, image, whole_layer(image))
    )
    (line,) = (text for text in as_python(job.call).splitlines() if text.startswith("defocus ="))
    names = {"read_picture": read_picture}
    exec(line, names)
    np.testing.assert_array_equal(names["defocus"], radius)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_pictures_are_refused_as_maps(viewer, open_widget, finish, photo, dtype):
    image = viewer.add_image(photo, rgb=True, name="photo")
    channel = viewer.add_image(photo[..., 0].astype(dtype), name="channel")
    widget = open_widget("Deblur")
    widget.image.value, widget.defocus.value = image, channel
    finish(widget.run())
    assert "it seems to be a picture" in widget._controls.status.value
    assert len(viewer.layers) == 2
