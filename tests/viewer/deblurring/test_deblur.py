"""Deblur widget: results, maps it takes, provenance, and copied code."""

import json

import dask.array as da
import numpy as np
import pytest
from napari.utils.notifications import notification_manager
from scipy.ndimage import gaussian_filter

from napari_defocus import (
    DeblurJob,
    DeblurSettings,
    DefocusMap,
    Options,
    deblur,
    estimate_defocus,
)
from napari_defocus.errors import MapError, OptionError
from napari_defocus.map_edits import LEAVE_ALONE, apply_edits
from napari_defocus.provenance_record import provenance
from napari_defocus.viewer.layers.results import METADATA_KEY


@pytest.fixture
def widget(open_widget):
    return open_widget("Deblur")


def test_result_takes_position_and_appearance_of_the_image(viewer, widget, finish, stack):
    look = {"colormap": "magenta", "gamma": 0.8, "blending": "additive"}
    place = {"scale": (1, 2, 0.5, 0.5)}
    image = viewer.add_image(stack, name="cells", contrast_limits=(10, 9000), **place, **look)
    finish(widget.run())
    result = viewer.layers["cells deblurred"]
    assert result.data.dtype == stack.dtype
    assert np.allclose(result.extent.world, image.extent.world)
    assert result.colormap.name == "magenta"
    assert (result.gamma, result.blending) == (0.8, "additive")
    assert result.contrast_limits == [10, 9000]


def test_neighboring_planes_help_as_from_the_api(viewer, widget, finish, stack):
    cells = viewer.add_image(stack[:, 0], name="cells", axis_labels=("z", "y", "x"))
    assert list(widget.stack_axis.choices) == [None, 0]
    widget.stack_axis.value = 0
    assert "stack_axis=0" in widget.as_python()
    assert "--stack-axis 0" in widget.as_command_line()
    finish(widget.run())
    result = viewer.layers["cells deblurred"]
    expected = deblur(cells.data, stack_axis=0)
    np.testing.assert_array_equal(result.data, expected)
    assert result.metadata[METADATA_KEY]["parameters"]["stack_axis"] == 0


def test_planes_of_other_times_and_channels_are_no_neighbors(viewer, widget, stack):
    widget.image.value = viewer.add_image(stack, axis_labels=("t", "z", "y", "x"))
    assert list(widget.stack_axis.choices) == [None, 1]


def test_neighbors_are_offered_for_whole_stacks_of_micrographs_alone(viewer, widget, stack, photo):
    viewer.add_image(photo, rgb=True, name="photo")
    viewer.add_image(stack[:, 0], name="cells")
    widget.image.value = viewer.layers["cells"]
    widget.stack_axis.value = 0
    assert "stack_axis" in widget.as_python()
    widget.planes.value = "current"
    assert "stack_axis" not in widget.as_python()
    widget.planes.value = "all"
    widget.imaging.value = "photograph"
    assert "stack_axis" not in widget.as_python()
    widget.image.value = viewer.layers["photo"]
    assert widget.stack_axis.value is None


def test_result_is_the_same_as_from_the_api(viewer, widget, finish, photo):
    viewer.add_image(photo, rgb=True)
    widget.strength.value, widget.protect_radius.value = 0.7, 0.25
    finish(widget.run())
    expected = deblur(photo, channel_axis=-1, strength=0.7, protect_radius=0.25)
    assert viewer.layers[-1].rgb
    assert np.array_equal(viewer.layers[-1].data, expected)


def test_the_widget_by_itself_adds_the_result_alone(viewer, widget, finish, photo):
    viewer.add_image(photo, rgb=True, name="photo")
    finish(widget.run())
    assert [layer.name for layer in viewer.layers] == ["photo", "photo deblurred"]


def test_detail_applies_only_to_the_automatic_model(viewer, widget, finish, photo):
    photo = gaussian_filter(photo, (3, 3, 0))
    viewer.add_image(photo, rgb=True)
    widget.detail.value = "natural"
    finish(widget.run())
    expected = deblur(photo, channel_axis=-1, detail="natural")
    assert np.array_equal(viewer.layers[-1].data, expected)
    assert not np.array_equal(expected, deblur(photo, channel_axis=-1))
    widget.model.value = "photo-faithful"
    assert (widget.detail.value, widget.detail.enabled) == ("faithful", False)
    widget.model.value = "auto"
    assert widget.detail.enabled


def test_auto_shows_the_name_of_the_model(viewer, open_widget, photo):
    viewer.add_image(photo)
    gray = viewer.add_image(photo[..., 0].astype(np.uint16), name="gray")
    deblurring, mapping = open_widget("Deblur"), open_widget("Defocus Map")

    def shown(widget):
        return widget.model.names.current_choice

    assert deblurring.image.value is gray
    assert (shown(deblurring), shown(mapping)) == (
        "auto: microscopy-faithful",
        "auto: microscopy-single",
    )
    deblurring.encoding.value = "srgb"
    assert shown(deblurring) == "auto: photo-faithful"
    deblurring.detail.value = "natural"
    assert shown(deblurring) == "auto: photo-natural"
    mapping.right.value = gray
    assert shown(mapping) == "auto: dual-pixel"


def test_provenance_names_the_microscopy_models(viewer, widget, finish, photo):
    viewer.add_image(photo[..., 0].astype(np.uint16))
    finish(widget.run())
    models = viewer.layers[-1].metadata["napari-defocus"]["models"]
    assert [model["name"] for model in models] == ["microscopy-faithful", "microscopy-single"]


def test_estimated_map_layer_is_used_with_its_confidence(viewer, open_widget, finish, photo):
    viewer.add_image(photo, rgb=True)
    finish(open_widget("Defocus Map").run())
    widget = open_widget("Deblur")
    widget.image.value = viewer.layers[0]
    widget.defocus.value = viewer.layers[-1]
    finish(widget.run())
    expected = deblur(photo, estimate_defocus(photo, channel_axis=-1), channel_axis=-1)
    assert np.array_equal(viewer.layers[-1].data, expected)


def test_edited_map_is_used(viewer, open_widget, finish, photo):
    image = viewer.add_image(photo, rgb=True)
    finish(open_widget("Defocus Map").run())
    radius = viewer.layers[-1]
    radius.data[:, :48] = 0
    widget = open_widget("Deblur")
    widget.image.value, widget.defocus.value = image, radius
    finish(widget.run())
    result = viewer.layers[-1].data
    assert np.array_equal(result[:, :48], photo[:, :48])
    assert np.array_equal(result, deblur(photo, radius.data, channel_axis=-1))


@pytest.mark.parametrize("estimated", [False, True])
def test_painted_labels_hold_where_painted_and_the_rest_is_estimated(
    viewer, widget, open_widget, finish, photo, estimated
):
    image = viewer.add_image(photo, rgb=True, name="photo")
    if estimated:
        finish(open_widget("Defocus Map").run())
    painted = np.zeros(photo.shape[:2], int)
    painted[20:50, 30:70] = 4
    widget.image.value, widget.defocus.value = image, viewer.add_labels(painted)
    widget.bokeh_radius.value = 0.0
    with pytest.raises(OptionError, match="run once, and copy then"):
        widget.as_python()
    finish(widget.run())
    defocus = apply_edits(estimate_defocus(photo, channel_axis=-1), painted)
    expected = deblur(photo, defocus, channel_axis=-1)
    np.testing.assert_array_equal(viewer.layers["photo deblurred"].data, expected)
    assert np.array_equal(widget.defocus.value.data, defocus.radius)  # the edited map, now a layer
    assert "layer_map" in widget.as_python()


def test_labels_as_a_map_keep_the_background_and_an_image_of_radii_does_not(viewer, widget, photo):
    image = viewer.add_image(photo, rgb=True, name="photo")
    widget.image.value = image
    assert widget.bokeh_radius.value == "auto"
    widget.defocus.value = viewer.add_labels(np.zeros(photo.shape[:2], int))
    assert widget.bokeh_radius.value == "auto"
    widget.defocus.value = viewer.add_image(np.full(photo.shape[:2], 3.0, np.float32))
    assert widget.bokeh_radius.value == 0


def test_finer_labels_act_where_they_are_shown_and_a_note_says_so(viewer, widget, finish, photo):
    image = viewer.add_image(photo, rgb=True, name="photo")
    painted = np.zeros((128, 192), int)
    painted[:, :96], painted[:, 96:] = LEAVE_ALONE, 4
    labels = viewer.add_labels(painted, name="painted", scale=(0.5, 0.5))
    widget.image.value, widget.defocus.value = image, labels
    widget.bokeh_radius.value = 0.0
    finish(widget.run())
    changed = (viewer.layers.selection.active.data != photo).any(axis=-1)
    assert changed[:, 48:].any()
    assert not changed[:, :48].any()
    assert (
        "the map 'painted' is resampled to the pixels of 'photo'" in widget._controls.status.value
    )
    widget.defocus.value, labels.scale = labels, (1, 1)
    finish(widget.run())
    assert "Note" not in widget._controls.status.value


def test_map_of_a_region_is_used_for_that_region(viewer, open_widget, finish, photo):
    image = viewer.add_image(photo, rgb=True, name="photo")
    box = np.array([[8, 16], [8, 71], [47, 71], [47, 16]])
    shapes = viewer.add_shapes([box])
    estimation = open_widget("Defocus Map")
    widget = open_widget("Deblur")
    for panel in (estimation, widget):
        panel.image.value, panel.region.value, panel.shapes.value = image, "shapes", shapes
    finish(estimation.run())
    widget.defocus.value = viewer.layers["photo defocus"]
    finish(widget.run())
    part = photo[8:48, 16:72]
    expected = deblur(part, estimate_defocus(part, channel_axis=-1), channel_axis=-1)
    assert np.array_equal(viewer.layers.selection.active.data, expected)


def test_the_only_drawn_shapes_are_chosen(viewer, widget, finish, photo):
    image = viewer.add_image(photo, rgb=True)
    empty = viewer.add_shapes(name="empty")
    viewer.add_shapes([np.array([[8, 16], [8, 71], [47, 71], [47, 16]])], visible=False)
    widget.image.value, widget.region.value = image, "shapes"
    finish(widget.run())
    assert viewer.layers.selection.active.data.shape == (40, 56, 3)
    assert widget.shapes.value is not empty


def test_map_that_does_not_fit_is_refused(viewer, widget, photo):
    image = viewer.add_image(photo, rgb=True)
    widget.image.value = image
    widget.defocus.value = viewer.add_image(np.zeros((9, 9), np.float32), name="small")
    with pytest.raises(MapError, match="'small'"):
        widget.run()


def test_impossible_map_gives_a_notification(viewer, widget, finish, photo):
    image = viewer.add_image(photo, rgb=True)
    radius = np.zeros(photo.shape[:2], np.float32)
    layer = viewer.add_image(radius)
    radius[5, 5] = np.nan
    widget.image.value, widget.defocus.value = image, layer
    before = len(notification_manager.records)
    assert finish(widget.run()) is None
    (shown,) = list(notification_manager.records)[before:]
    assert "NaN" in shown.message


def test_scripts_reach_viewer_image_map_and_region(viewer, widget, photo):
    image = viewer.add_image(photo, rgb=True)
    assert widget.viewer is viewer
    assert widget.image.value is image
    assert widget.defocus.value is None
    assert widget.region.value == "whole layer"
    widget.run_button.native.click()
    assert widget.busy
    widget.cancel()


def test_strength_zero_returns_the_image(viewer, widget, finish, photo):
    viewer.add_image(photo, rgb=True)
    widget.strength.value = 0
    finish(widget.run())
    assert np.array_equal(viewer.layers[-1].data, photo)


def test_dask_layer_gives_a_numpy_result(viewer, widget, finish, stack):
    viewer.add_image(da.from_array(stack, chunks=(1, 1, 48, 64)))
    finish(widget.run())
    assert isinstance(viewer.layers[-1].data, np.ndarray)
    assert np.array_equal(viewer.layers[-1].data, deblur(stack))


def test_provenance_names_both_models_and_all_settings(viewer, widget, finish, photo):
    viewer.add_image(photo, rgb=True)
    widget.strength.value = 0.5
    finish(widget.run())
    record = json.loads(json.dumps(viewer.layers[-1].metadata[METADATA_KEY]))
    assert [model["task"] for model in record["models"]] == ["deblur", "single"]
    assert record["parameters"]["strength"] == 0.5
    assert record["parameters"]["defocus"] is None


def test_provenance_is_that_of_the_api_except_for_the_layer(viewer, widget, finish, photo):
    viewer.add_image(photo, rgb=True, name="photo")
    finish(widget.run())
    record = viewer.layers[-1].metadata[METADATA_KEY]
    settings = DeblurSettings(bokeh_radius="auto")
    expected = provenance(DeblurJob(photo, settings=settings, options=Options(channel_axis=-1)))
    origin = {"layer": "photo", "region": [[0, 64], [0, 96]]}
    assert record == expected | {"input": expected["input"] | origin}


def test_canceled_run_adds_nothing(viewer, widget, finish, photo):
    viewer.add_image(photo, rgb=True)
    worker = widget.run()
    widget.cancel()
    assert finish(worker) is None
    assert len(viewer.layers) == 1


def test_run_survives_removal_of_image_and_map(viewer, widget, finish, photo):
    image = viewer.add_image(photo, rgb=True, name="photo")
    radius = np.full(photo.shape[:2], 3, np.float32)
    widget.image.value, widget.defocus.value = image, viewer.add_image(radius)
    worker = widget.run()
    viewer.layers.clear()
    finish(worker)
    certain = DefocusMap(radius, np.ones_like(radius))
    assert np.array_equal(viewer.layers[0].data, deblur(photo, certain, channel_axis=-1))


def test_buttons_copy_python_and_command_to_the_clipboard(viewer, widget, photo):
    from qtpy.QtWidgets import QApplication

    viewer.add_image(photo, rgb=True, name="photo")
    widget._controls.python_button.native.click()
    assert QApplication.clipboard().text() == widget.as_python()
    widget._controls.command_button.native.click()
    assert QApplication.clipboard().text() == widget.as_command_line()
