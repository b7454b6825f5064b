"""Copied Python code and command lines do what the widget did."""

import shlex

import numpy as np
import pytest
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
    image = viewer.add_image(photo, rgb=True)
    finish(open_widget("Defocus Map").run())
    radius = viewer.layers[-1]
    if edited:
        radius.data[10:20] = 5
    widget = open_widget("Deblur")
    widget.image.value, widget.defocus.value = image, radius
    widget.shapes.value = viewer.add_shapes([np.array([[8, 8], [8, 63], [47, 63], [47, 8]])])
    widget.region.value = region
    code = widget.as_python()
    finish(widget.run())
    assert np.array_equal(execute(code, viewer)["sharp"], viewer.layers[-1].data)


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
        "--tile whole  # the whole picture, not the region"
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
    assert np.array_equal(values, viewer.layers[-1].data)


def test_python_omits_default_settings(viewer, open_widget, photo):
    viewer.add_image(photo, rgb=True, name="photo")
    code = open_widget("Deblur").as_python()
    assert code.splitlines()[-1] == "sharp = deblur(image, channel_axis=-1)"


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
        "napari-defocus deblur photo.tif  # the whole picture, not the region"
    )
