"""Check widget: overlay, verdict, places, and the slider for false alarms."""

import numpy as np
import pytest

from napari_defocus import Check, check
from napari_defocus.viewer.checking.check import legend
from napari_defocus.viewer.maps.map_source import MAP_KEY

from ...evidence.scenes import MAP, PATCH, photograph_of, plant, sharp_picture


@pytest.fixture(scope="module")
def pictures():
    sharp = sharp_picture()
    parts = photograph_of(sharp), plant(sharp)
    return [(part.clip(0, 1) * 255).round().astype(np.uint8) for part in parts]


@pytest.fixture
def checked(viewer, open_widget, finish, pictures):
    image, sharp = pictures
    viewer.add_image(image, name="photo", scale=(0.5, 0.5), translate=(10, 20))
    viewer.add_image(sharp, name="fraud", scale=(0.5, 0.5), translate=(10, 20))
    viewer.add_image(MAP.astype(np.float32), name="map", scale=(0.5, 0.5), translate=(10, 20))
    widget = open_widget("Check")
    for name, layer in (("image", "photo"), ("sharp", "fraud"), ("defocus", "map")):
        widget[name].value = viewer.layers[layer]
    finish(widget.run())
    return widget


def test_overlay_and_verdict_are_those_of_the_api(viewer, checked, pictures):
    expected = check(*pictures, MAP.astype(np.float32))
    overlay = viewer.layers["photo not supported by the image"]
    np.testing.assert_array_equal(overlay.data, expected.invented)
    np.testing.assert_allclose(overlay.extent.world, viewer.layers["photo"].extent.world)
    assert overlay.metadata["napari-defocus"]["check"]["verdict"] == expected.verdict
    assert overlay.metadata[MAP_KEY] is None  # the overlay is no map to be chosen
    assert checked.verdict.value.lower() == f"{expected.verdict}.".lower()
    assert "Magenta" in checked.legend.value
    status = overlay.get_status((10.0, 20.0), world=True)
    assert status["value"] in ("not flagged", "flagged: not supported by the image")


def test_no_other_image_is_taken_for_the_sharp_picture(viewer, open_widget, pictures):
    viewer.add_image(pictures[0], name="nuclei")
    viewer.add_image(pictures[0], name="filaments")
    widget = open_widget("Check")
    assert widget.sharp.value is None
    widget.run_button.native.click()
    assert "no sharp picture is chosen" in widget._controls.status.value


def test_the_slider_moves_the_threshold_alone(viewer, checked):
    before, overlay = checked.check, viewer.layers["photo not supported by the image"]
    checked.false_alarms.value = 0.2
    assert checked.check.unexplained is before.unexplained
    np.testing.assert_array_equal(overlay.data, before.with_false_alarms(0.2).invented)
    assert overlay.data.sum() > before.invented.sum()
    viewer.layers.remove(overlay)
    checked.false_alarms.value = 0.01
    assert checked.check.false_alarms == 0.01


def test_the_list_holds_what_the_legend_counts(checked):
    places = checked.check.clear_regions or checked.check.regions
    assert tuple(checked.regions.choices) == places
    assert checked.legend.value == legend(checked.check, len(places))


@pytest.mark.parametrize(
    ("scores", "listed", "words"),
    [
        ([9, 8, 3, 3, 3], 2, "Listed: 2 clear, with a score of 6 or more. 3 more may be chance."),
        ([9, 8, 7], 2, "Listed: the 2 clearest of 3, with a score of 6 or more. Click"),
        ([4, 3, 3], 3, "None reaches the score of 6 of a clear one: all may be chance. Click"),
        ([4, 3, 3], 2, "all may be chance. Listed: the 2 strongest of 3."),
        ([], 0, "Nothing is flagged."),
    ],
)
def test_the_legend_tells_what_is_listed_and_what_may_be_chance(scores, listed, words):
    unexplained = np.zeros((20, 20 * 6), np.float32)
    for index, score in enumerate(scores):
        unexplained[4:16, 20 * index : 20 * index + 12] = score
    done = Check(unexplained, np.zeros_like(unexplained), np.ones_like(unexplained))
    assert words in legend(done, listed)


def test_a_click_on_a_place_shows_it(viewer, checked):
    region = checked.regions.choices[0]
    assert region == checked.check.regions[0]
    checked.regions.value = [region]
    rows, columns = PATCH
    middle = (rows.start + rows.stop) / 2, (columns.start + columns.stop) / 2
    expected = np.array(middle) * 0.5 + (10, 20)
    np.testing.assert_allclose(viewer.scene.camera.center[-2:], expected, atol=5)
    assert viewer.scene.camera.zoom > 4


def test_places_of_one_plane_are_named_by_their_index_in_the_stack(
    viewer, open_widget, finish, pictures
):
    for name, picture in zip(("photo", "fraud", "map"), (*pictures, MAP), strict=True):
        viewer.add_image(np.stack([np.zeros_like(picture), picture]), name=name)
    widget = open_widget("Check")
    for name, layer in (("image", "photo"), ("sharp", "fraud"), ("defocus", "map")):
        widget[name].value = viewer.layers[layer]
    widget.planes.value = "current"
    viewer.dims.set_current_step(0, 1)
    finish(widget.run())
    place = widget.regions.native.item(0).text()
    region = widget.regions.choices[0]
    assert f"plane 1, row {region.top}, column {region.left}" in place


def test_the_copied_code_does_the_same(viewer, checked, pictures):
    names = {"viewer": viewer}
    exec(checked.as_python(), names)
    np.testing.assert_array_equal(names["result"].unexplained, checked.check.unexplained)
    command = checked.as_command_line()
    assert command.startswith("napari-defocus check photo.tif fraud.tif --defocus map.tif")


def test_a_missing_sharp_picture_is_named(viewer, open_widget):
    from napari_defocus import DefocusError

    widget = open_widget("Check")
    with pytest.raises(DefocusError, match="no image is chosen"):
        widget.run()


def test_findings_are_shown_beside_the_image_that_was_checked(viewer, checked):
    text, places = checked.verdict.value, list(checked.regions.choices)
    assert "done" in checked._controls.status.value
    image = checked.image.value
    checked.image.value = viewer.add_image(np.zeros((64, 64), np.float32), name="another")
    assert checked.check is None
    assert not checked.verdict.visible
    assert not checked.regions.visible
    assert not checked._controls.status.value
    checked.false_alarms.value = 0.2
    checked.image.value = image
    assert checked.check.false_alarms == 0.2
    checked.false_alarms.value = 0.05
    assert (checked.verdict.value, list(checked.regions.choices)) == (text, places)
    assert checked.verdict.visible
