"""Fields for the objective: filled in from the layer, shared by all steps of a dock, checked."""

import numpy as np
import pytest

from napari_defocus import Objective, estimate_defocus
from napari_defocus.errors import OptionError
from napari_defocus.io.picture import Length, Metadata, ObjectiveLens, Picture
from napari_defocus.viewer.controls.objective_controls import parse_wavelength
from napari_defocus.viewer.layers.file_layers import layer_arguments

LENS = Objective(0.75, 0.52, 0.25, 1.0)


@pytest.fixture
def cells():
    rng = np.random.default_rng(0)
    return rng.integers(100, 4000, (12, 16)).astype(np.uint16).repeat(4, 0).repeat(4, 1)


@pytest.fixture
def dock(open_widget, viewer, cells):
    viewer.add_image(cells, name="cells", scale=(0.25, 0.25), units=("um", "um"))
    return open_widget("Defocus")


def enter_lens(dock):
    dock.objective.na.value, dock.objective.wavelength.value = "0.75", "520"


def file_layer(**metadata):
    sizes = {axis: Length(0.1, "um") for axis in "YX"}
    picture = Picture(np.zeros((2, 32, 40), np.uint16), "CYX",
                      Metadata(pixel_size=sizes, channel_names=("a", "b"), **metadata))  # fmt: skip
    return layer_arguments(picture, "file")


def test_fields_are_shown_for_micrographs_only(viewer, dock, photo):
    assert dock.objective.container.visible
    dock.image.value = viewer.add_image(photo, rgb=True)
    assert not dock.objective.container.visible
    dock.imaging.value = "microscopy"
    assert dock.objective.container.visible


def test_the_size_of_a_pixel_is_taken_from_the_scale_and_the_rest_is_said_to_be_unknown(
    viewer, dock
):
    assert dock.objective.pixel_size.value == "0.25"
    assert dock.objective.na.value == ""
    assert "Optics unknown" in dock.objective.note.value
    viewer.layers["cells"].scale = (0.5, 0.5)
    assert dock.objective.pixel_size.value == "0.5"


def test_what_is_entered_serves_all_steps(dock, finish, cells, viewer):
    before = dock.step("Deblur")
    enter_lens(dock)
    steps = [before, *(dock.step(name) for name in ("Map", "Check", "Refocus", "Stack"))]
    assert {step.optics.value for step in steps} == {LENS.to_text()}
    assert f"{LENS.spot_px:.3g} px" in dock.objective.note.value
    finish(dock.step("Map").run())
    expected = estimate_defocus(cells, optics=LENS, imaging="microscopy")
    assert np.array_equal(viewer.layers["cells defocus"].data, expected.radius)
    assert "optics=Objective(na=0.75" in dock.step("Map").as_python()


def test_steps_have_no_line_of_optics_of_their_own(dock):
    step = dock.open_step("Deblur")
    step.more.value = True
    assert not step.optics.native.isVisibleTo(step.native)


def test_what_was_entered_stays_with_its_image(viewer, dock, cells):
    enter_lens(dock)
    dock.image.value = viewer.add_image(cells, name="other")
    assert dock.objective.na.value == dock.objective.pixel_size.value == ""
    dock.image.value = viewer.layers["cells"]
    assert (dock.objective.na.value, dock.objective.wavelength.value) == ("0.75", "520")


def test_channels_have_the_wavelengths_of_their_file(viewer, open_widget):
    viewer.add_image(
        **file_layer(objective=ObjectiveLens(1.2, 60, "water"), wavelengths=(461.0, 617.0))
    )
    dock = open_widget("Defocus")
    for name, wavelength in (("file a", "461"), ("file b", "617")):
        dock.image.value = viewer.layers[name]
        shown = (field.value for field in (dock.objective.na, dock.objective.wavelength))
        assert tuple(shown) == ("1.2", wavelength)
        assert "from the file" in dock.objective.note.value
        assert dock.step("Map").optics.value == "auto"
    dock.objective.na.value = ""
    assert dock.step("Map").optics.value == "none"


@pytest.mark.parametrize(
    ("field", "entry", "sentence"),
    [
        ("na", "wide", "NA is 'wide'; a number is expected"),
        ("na", "1.7", "the aperture lies below the refractive index"),
        ("wavelength", "50", "λ is '50'; nanometers, such as 520, or micrometers"),
        ("index", "-1", "index is -1.0; a finite number above 0 is expected"),
    ],
)
def test_entries_that_cannot_be_are_told_and_refused_by_runs(dock, field, entry, sentence):
    enter_lens(dock)
    getattr(dock.objective, field).value = entry
    assert sentence in dock.objective.note.value
    with pytest.raises(OptionError):
        dock.step("Map").run()
    enter_lens(dock)
    dock.objective.index.value = ""
    assert "a point is" in dock.objective.note.value


@pytest.mark.parametrize(
    ("text", "micrometers"),
    [("520", 0.52), ("520 nm", 0.52), ("0.52", 0.52), ("0.52um", 0.52), ("0.52 µm", 0.52)],
)
def test_wavelengths_may_have_units(text, micrometers):
    assert parse_wavelength(text) == pytest.approx(micrometers)


@pytest.mark.parametrize("text", ["", "nm", "50", "-520", "nan", "520 pixels"])
def test_other_wavelengths_are_refused(text):
    with pytest.raises(OptionError, match="λ is"):
        parse_wavelength(text)
