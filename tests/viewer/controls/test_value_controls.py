"""Controls for kind of image, black and white: preset by the layer, used, saved and copied."""

import shlex

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from napari_defocus import deblur, measure_range
from napari_defocus.errors import OptionError
from napari_defocus.io import Metadata, Picture, write_picture
from napari_defocus.viewer.files.open_files import open_files
from napari_defocus.viewer.layers.results import METADATA_KEY


@pytest.fixture
def widget(open_widget):
    return open_widget("Deblur")


def test_black_and_white_are_used_saved_and_copied(viewer, widget, finish, photo):
    values = photo.astype(np.float32)
    viewer.add_image(values, rgb=True, name="photo")
    widget.value_range.value = "own"
    widget.black.value, widget.white.value = "-0.5", "255"
    code = widget.as_python()
    finish(widget.run())
    result = viewer.layers[-1]
    expected = deblur(values, channel_axis=-1, value_range=(-0.5, 255))
    assert np.array_equal(result.data, expected)
    assert result.metadata[METADATA_KEY]["parameters"]["value_range"] == [-0.5, 255.0]
    names = {"viewer": viewer}
    exec(code, names)
    assert np.array_equal(names["sharp"], expected)
    words = shlex.split(widget.as_command_line(), comments=True)
    assert words[-3:] == ["--value-range", "-0.5", "255"]


def test_black_and_white_of_a_region_are_those_entered(viewer, widget, finish, stack):
    viewer.add_image(stack)
    widget.planes.value = "current"
    widget.value_range.value = "own"
    widget.black.value, widget.white.value = "0", "9999"
    assert "measure_range" not in widget.as_python()
    finish(widget.run())
    part = stack[1:2, :1]
    assert np.array_equal(viewer.layers[-1].data, deblur(part, value_range=(0, 9999)))


def test_contrast_limits_fill_in_black_and_white(viewer, widget, stack):
    layer = viewer.add_image(stack, contrast_limits=(100.5, 9000))
    widget.more.value = True
    assert not widget.black.visible
    widget.value_range.value = "own"
    assert widget.black.visible
    assert (widget.black.value, widget.white.value) == ("100.5", "9000")
    layer.contrast_limits = (7, 8000)
    widget.from_contrast_limits.native.click()
    assert (widget.black.value, widget.white.value) == ("7", "8000")
    widget.value_range.value = "auto"
    assert not widget.black.visible


def test_axis_of_channels_and_missing_data_are_used_and_copied(viewer, widget, finish, stack):
    channels = stack[:, 0] // np.array([1, 1, 30], np.uint16)[:, None, None]
    viewer.add_image(channels)
    widget.range_axis.value, widget.nodata.value = 0, "none"
    finish(widget.run())
    expected = deblur(channels, range_axis=0, nodata="none")
    assert np.array_equal(viewer.layers[-1].data, expected)
    assert "range_axis=0" in widget.as_python()
    assert "--nodata none --range-axis 0" in widget.as_command_line()


def test_words_instead_of_numbers_are_refused(viewer, widget, photo):
    viewer.add_image(photo, rgb=True)
    widget.value_range.value = "own"
    widget.black.value, widget.white.value = "0", "bright"
    with pytest.raises(OptionError, match="white is 'bright'; a number"):
        widget.run()


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [({}, "photograph"), ({"units": "um"}, "microscopy"), ({"units": "mm"}, "photograph")],
)
def test_kind_of_image_is_preset_by_the_layer(viewer, widget, photo, arguments, kind):
    viewer.add_image(photo[..., 0], **arguments)
    assert widget.imaging.current_choice == f"auto: {kind}"
    assert ("imaging='microscopy'" in widget.as_python()) == (kind == "microscopy")
    model = "photo" if kind == "photograph" else "microscopy"
    assert widget.model.names.current_choice == f"auto: {model}-faithful"


def test_kind_of_image_is_used(viewer, widget, finish, photo):
    gray = photo[..., 0]
    viewer.add_image(gray)
    widget.imaging.value = "microscopy"
    assert widget.model.names.current_choice == "auto: microscopy-faithful"
    finish(widget.run())
    assert np.array_equal(viewer.layers[-1].data, deblur(gray, imaging="microscopy"))


def specimens(height=64, width=96):
    """Return colors whose channels hold different specimens, as in fluorescence."""
    rng = np.random.default_rng(5)
    channels = []
    for _ in range(3):
        spots = (rng.random((height, width)) > 0.99).astype(float)
        blurred = gaussian_filter(spots, 1.5)
        channels.append(np.rint(255 * blurred / blurred.max()))
    return np.stack(channels, axis=-1).astype(np.uint8)


def test_fluorescence_in_colors_is_told_in_control_and_note(viewer, widget, finish):
    image = specimens()
    viewer.add_image(image, rgb=True)
    assert widget.imaging.current_choice == "auto: microscopy"
    assert widget.model.names.current_choice == "auto: microscopy-faithful"
    finish(widget.run())
    expected = deblur(image, channel_axis=-1, imaging="microscopy")
    assert np.array_equal(viewer.layers[-1].data, expected)
    note = "Note: the color channels have nothing to do with each other"
    assert widget._controls.status.value.count(note) == 1
    finish(widget.run())
    assert widget._controls.status.value.count(note) == 1


def test_a_thread_looks_at_the_colors_of_a_large_picture(viewer, widget, until):
    viewer.add_image(specimens(400, 500), rgb=True)
    assert "microscopy" not in widget.imaging.current_choice
    until(lambda: widget.imaging.current_choice == "auto: microscopy")
    assert widget.model.names.current_choice == "auto: microscopy-faithful"


def test_code_for_a_large_picture_waits_for_the_look_at_its_colors(viewer, widget):
    viewer.add_image(specimens(400, 500), rgb=True)
    assert "bokeh_radius" not in widget.as_python()
    assert widget.imaging.current_choice == "auto: microscopy"


@pytest.mark.parametrize("make", [specimens, None])
def test_part_of_colors_is_taken_for_what_the_whole_is(viewer, widget, finish, photo, make):
    image = photo if make is None else make()
    image[:32, :48, 1:] = 0  # only one channel holds anything here
    layer = viewer.add_image(image, rgb=True)
    widget.image.value, widget.region.value = layer, "shapes"
    viewer.add_shapes([np.array([[0, 0], [0, 47], [31, 47], [31, 0]])])
    code = widget.as_python()
    finish(widget.run())
    reading = {"channel_axis": -1, "imaging": "photograph" if make is None else "microscopy"}
    expected = deblur(image[:32, :48], value_range=measure_range(image, **reading), **reading)
    result = viewer.layers.selection.active.data
    assert np.array_equal(result, expected)
    names = {"viewer": viewer}
    exec(code, names)
    assert np.array_equal(names["sharp"], result)


def test_note_says_which_white_is_assumed(viewer, widget, finish, photo):
    viewer.add_image(photo.astype(np.float32), rgb=True)
    finish(widget.run())
    assert "Note: " in widget._controls.status.value
    assert "255" in widget._controls.status.value


def test_batch_takes_kind_black_and_white(open_widget, tmp_path):
    widget = open_widget("Batch")
    widget.inputs.value, widget.out.value = [tmp_path], tmp_path / "out"
    widget.imaging.value = "photograph"
    widget.value_range.value = "own"
    widget.black.value, widget.white.value = "0", "4095"
    command = widget.as_command_line()
    assert command.endswith("--value-range 0 4095 --imaging photograph")
    assert "value_range=(0.0, 4095.0), imaging='photograph'" in widget.as_python()


@pytest.mark.parametrize("kind", ["no data", "white"])
def test_what_a_file_declares_of_its_values_is_heeded_and_copied(
    viewer, widget, finish, photo, tmp_path, kind
):
    path = tmp_path / "a.tif"
    if kind == "no data":
        data, metadata, axes = photo[..., 0].astype(np.int16) * 20, Metadata(nodata=1000.0), "YX"
        data[10:20, 10:30] = 1000
        expected = {"nodata": 1000.0}
    else:
        data, metadata, axes = photo.astype(np.uint16) * 16, Metadata(white=4095.0), "YXS"
        expected = {"channel_axis": -1, "value_range": (0, 4095)}
    write_picture(path, data, Picture(data, axes, metadata))
    open_files(viewer, [path])
    finish(widget.run())
    wanted = deblur(data, **expected)
    np.testing.assert_array_equal(viewer.layers[-1].data, wanted)
    names = {}
    exec(widget.as_python(), names)
    np.testing.assert_array_equal(names["sharp"], wanted)
    viewer.layers.pop()
    changed = viewer.layers[0].data.astype(np.float64)
    viewer.layers[0].data = changed  # no values of that file any more
    assert "1000" not in widget.as_python().partition("sharp =")[2]
