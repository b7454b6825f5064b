"""Copied Python code and command lines do what the widget did."""

import shlex

import numpy as np
import pytest
import tifffile
from napari.layers._layer_actions import _duplicate_layer
from napari.layers._source import layer_source
from PIL import Image
from scipy.ndimage import gaussian_filter
from typer.testing import CliRunner

from napari_defocus.cli.commands import app
from napari_defocus.io import read_picture, write_picture


def execute(code, viewer):
    names = {"viewer": viewer}
    exec(compile(code, "<clipboard>", "exec"), names)
    return names


@pytest.fixture
def file(tmp_path, photo):
    path = tmp_path / "a photo.png"
    write_picture(path, photo, channel_axis=-1)
    return path


def test_python_for_part_of_a_layer_uses_the_value_range_of_the_whole(
    viewer, open_widget, finish, stack
):
    viewer.add_image(stack, name="cells 'n' dots")
    viewer.dims.current_step = (2, 1, 0, 0)
    widget = open_widget("Defocus Map")
    widget.planes.value = "current"
    code = widget.as_python()
    finish(widget.run())
    assert np.array_equal(execute(code, viewer)["defocus"].radius, viewer.layers[-1].data)


def test_python_contains_the_settings(viewer, open_widget, finish, photo):
    photo = gaussian_filter(photo, (3, 3, 0))
    viewer.add_image(photo, rgb=True)
    widget = open_widget("Deblur")
    widget.strength.value, widget.protect_radius.value = 0.5, 0.0
    widget.detail.value = "natural"
    assert "--detail natural" in widget.as_command_line()
    code = widget.as_python()
    finish(widget.run())
    assert not np.array_equal(viewer.layers[-1].data, photo)
    assert np.array_equal(execute(code, viewer)["sharp"], viewer.layers[-1].data)


def test_python_for_a_file_needs_no_viewer(viewer, open_widget, finish, file):
    viewer.open(file)
    widget = open_widget("Defocus Map")
    code = widget.as_python()
    finish(widget.run())
    assert np.array_equal(execute(code, None)["defocus"].radius, viewer.layers[-1].data)


def test_python_with_two_views(viewer, open_widget, finish, photo):
    right = viewer.add_image(np.roll(photo, 2, axis=1), rgb=True)
    left = viewer.add_image(photo, rgb=True)
    widget = open_widget("Defocus Map")
    widget.image.value, widget.right.value = left, right
    finish(widget.run())
    assert np.array_equal(
        execute(widget.as_python(), viewer)["defocus"].radius, viewer.layers[-1].data
    )


@pytest.mark.parametrize("edited", [False, True])
@pytest.mark.parametrize("region", ["whole layer", "shapes"])
def test_python_with_a_map(viewer, open_widget, finish, photo, edited, region):
    image = viewer.add_image(photo, rgb=True, name="photo")
    finish(open_widget("Defocus Map").run())
    radius = viewer.layers[-1]
    if edited:
        radius.data[10:20] = 5
    widget = open_widget("Deblur")
    widget.image.value, widget.defocus.value = image, radius
    widget.shapes.value = viewer.add_shapes([np.array([[8, 8], [8, 63], [47, 63], [47, 8]])])
    widget.region.value = region
    code = widget.as_python()
    assert ("photo defocus" in code) == (edited or region == "shapes")  # or it is estimated again
    finish(widget.run())
    assert np.array_equal(execute(code, viewer)["sharp"], viewer.layers.selection.active.data)


def test_python_names_only_public_functions(viewer, open_widget, stack):
    viewer.add_image(stack, name="cells")
    viewer.dims.current_step = (0, 0, 0, 0)
    widget = open_widget("Deblur")
    widget.planes.value = "current"
    widget.encoding.value, widget.downscale.value = "linear", 2
    widget.protect_radius.value, widget.tile.value = 1.0, "whole"
    imports, *_, call = widget.as_python().splitlines()
    assert imports == "from napari_defocus import deblur, measure_range"
    assert call == (
        "sharp = deblur(image[0:1, 0:1, 0:48, 0:64], protect_radius=1.0, encoding='linear', "
        "downscale=2, tile=None, value_range=measure_range(image, encoding='linear'))"
    )
    assert widget.as_command_line() == (
        "napari-defocus deblur cells.tif --protect-radius 1.0 --encoding linear --downscale 2 "
        "--tile whole  # the whole picture, not the region; save layer 'cells' as cells.tif first"
    )


@pytest.mark.parametrize("name", ["Defocus Map", "Deblur"])
@pytest.mark.parametrize("region", ["whole layer", "shapes"])
def test_gray_stack_with_four_columns_has_no_color(
    viewer, open_widget, finish, stack, name, region
):
    narrow = stack[0] if region == "shapes" else stack[0, :, :, :4]
    image = viewer.add_image(narrow, rgb=False, name="cells")
    widget = open_widget(name)
    widget.image.value = image
    widget.shapes.value = viewer.add_shapes([np.array([[8, 8], [8, 11], [39, 11], [39, 8]])])
    widget.region.value = region
    code = widget.as_python()
    assert "channel_axis='none'" in code
    finish(widget.run())
    result = execute(code, viewer)
    values = result["sharp"] if name == "Deblur" else result["defocus"].radius
    assert values.shape[-1] == 4
    made = viewer.layers["cells deblurred" if name == "Deblur" else "cells defocus"]
    assert np.array_equal(values, made.data)


def test_python_omits_default_settings(viewer, open_widget, photo):
    viewer.add_image(photo, rgb=True, name="photo")
    code = open_widget("Deblur").as_python()
    assert code.splitlines()[-1] == "sharp = deblur(image, channel_axis=-1, bokeh_radius='auto')"


def test_command_line_does_the_same(viewer, open_widget, finish, file, monkeypatch):
    viewer.open(file)
    widget = open_widget("Deblur")
    widget.strength.value = 0.5
    widget.tile.value = "whole"
    program, *arguments = shlex.split(widget.as_command_line())
    assert program == "napari-defocus"
    finish(widget.run())
    monkeypatch.chdir(file.parent)
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    written = read_picture(file.with_name("a photo-deblurred.png"))
    assert np.array_equal(written.data, viewer.layers[-1].data)


def test_command_line_says_that_it_takes_the_whole_picture(viewer, open_widget, photo):
    viewer.add_image(photo, rgb=True, name="photo")
    viewer.add_shapes([np.array([[8, 8], [8, 63], [47, 63], [47, 8]])])
    widget = open_widget("Deblur")
    widget.region.value = "shapes"
    widget.image.value = viewer.layers["photo"]
    widget.shapes.value = viewer.layers[-1]
    assert widget.as_command_line() == (
        "napari-defocus deblur photo.tif --bokeh-radius auto --imaging photograph  "
        "# the whole picture, not the "
        "region; save layer 'photo' as photo.tif first"
    )


def open_channel(viewer, folder, photo):
    path = folder / "channels.tif"
    channels = np.stack([photo[..., 0], photo[::-1, :, 0]]).astype(np.uint16)
    tifffile.imwrite(path, channels, imagej=True, metadata={"axes": "CYX"})
    return viewer.open(path, channel_axis=0)[1]


def open_phone_photo(viewer, folder, photo):
    path = folder / "phone.jpg"
    exif = Image.Exif()
    exif[0x112] = 6  # turn it by 90 degrees to see it upright, which napari does not do
    Image.fromarray(photo).save(path, exif=exif)
    return viewer.open(path)[0]


def open_planar(viewer, folder, photo):
    path = folder / "planar.tif"
    planes = np.moveaxis(photo, -1, 0)
    tifffile.imwrite(path, planes, photometric="rgb", planarconfig="separate")
    return viewer.open(path)[0]


def open_pyramid(viewer, folder, photo):
    path = folder / "pyramid.png"
    Image.fromarray(photo).save(path)
    with layer_source(path=str(path)):
        return viewer.add_image([photo, photo[::2, ::2]], rgb=True, multiscale=True)


def open_duplicate(viewer, folder, photo):
    path = folder / "color.png"
    Image.fromarray(photo).save(path)
    viewer.open(path)
    _duplicate_layer(viewer.layers)
    return viewer.layers[-1]


@pytest.mark.parametrize(
    "open_layer", [open_channel, open_phone_photo, open_planar, open_pyramid, open_duplicate]
)
def test_python_reads_what_the_layer_holds_from_its_file(
    viewer, open_widget, finish, tmp_path, photo, open_layer
):
    widget = open_widget("Deblur")
    widget.image.value = open_layer(viewer, tmp_path, photo)
    code = widget.as_python()
    finish(widget.run())
    assert "viewer" not in code
    assert np.array_equal(execute(code, None)["sharp"], viewer.layers[-1].data)


def edit(layer):
    layer.data[3] = 7


def crop(layer):
    layer.data = layer.data[4:60, 8:80]


def replace_by_stack(layer):
    layer.data = np.stack([layer.data, layer.data[::-1]])


@pytest.mark.parametrize("change", [edit, crop, replace_by_stack])
def test_python_and_command_say_where_the_file_does_not_hold_the_layer(
    viewer, open_widget, finish, file, change
):
    (layer,) = viewer.open(file)
    layer.data = layer.data.copy()
    change(layer)
    widget = open_widget("Deblur")
    code = widget.as_python()
    finish(widget.run())
    assert "read_picture" not in code
    assert str(file) in code
    assert "napari's console, or save the layer" in code
    assert np.array_equal(execute(code, viewer)["sharp"], viewer.layers[-1].data)
    words, _, comment = widget.as_command_line().partition("  # ")
    assert words == "napari-defocus deblur 'a photo.tif' --bokeh-radius auto"
    assert comment == (f"save layer 'a photo' as a photo.tif first, for {file} holds other data")


def test_command_does_not_advise_to_overwrite_the_file_of_an_edited_layer(
    viewer, open_widget, tmp_path, photo
):
    path = tmp_path / "cells.tif"
    tifffile.imwrite(path, photo[..., 0])
    (layer,) = viewer.open(path)
    layer.data[:] = 3
    command = open_widget("Deblur").as_command_line()
    assert "save layer 'cells' as cells layer.tif first" in command


def test_python_and_command_of_a_vanished_file_name_the_layer(viewer, open_widget, file):
    viewer.open(file)
    file.unlink()
    widget = open_widget("Deblur")
    assert "image = viewer.layers['a photo'].data" in widget.as_python()
    assert "save layer" in widget.as_command_line()


def test_python_with_a_resampled_map(viewer, open_widget, finish, photo):
    image = viewer.add_image(photo, rgb=True, name="photo")
    painted = np.zeros((128, 192), int)
    painted[:, 96:] = 4
    labels = viewer.add_image(painted, name="painted", scale=(0.5, 0.5))
    shapes = viewer.add_shapes([np.array([[8, 8], [8, 63], [47, 63], [47, 8]])])
    widget = open_widget("Deblur")
    widget.image.value, widget.defocus.value = image, labels
    for region in ("whole layer", "shapes"):
        widget.region.value, widget.shapes.value = region, shapes
        code = widget.as_python()
        finish(widget.run())
        result = viewer.layers.selection.active.data
        assert "# layer 'painted' is resampled" in code
        assert np.array_equal(execute(code, viewer)["sharp"], result)
    assert "resampled to the pixels of the image" in widget.as_command_line()


def test_command_line_for_channels_takes_the_range_of_the_layer(
    viewer, open_widget, finish, tmp_path, stack, monkeypatch
):
    path = tmp_path / "channels.tif"
    tifffile.imwrite(path, stack[:, 0], imagej=True, metadata={"axes": "CYX"})
    viewer.open(path)
    widget = open_widget("Deblur")
    _, *arguments = shlex.split(widget.as_command_line(), comments=True)
    finish(widget.run())
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    written = read_picture(tmp_path / "channels-deblurred.tif")
    assert np.array_equal(written.data, viewer.layers[-1].data)
