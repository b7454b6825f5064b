"""Optics from metadata of files, and what a user says of them."""

import numpy as np
import pytest

from napari_defocus import Objective, Options
from napari_defocus.io import Picture
from napari_defocus.io.picture import Length, Metadata, ObjectiveLens
from napari_defocus.io.picture_options import resolve_options
from napari_defocus.io.recorded_optics import complete_optics, recorded_optics

SIZES = {"Y": Length(100, "nm"), "X": Length(0.1, "um")}
METADATA = Metadata(
    pixel_size=SIZES, objective=ObjectiveLens(1.4, 63, "Oil"), wavelengths=(500.0, None, 600.0)
)
OME = """<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Instrument>
<Objective ID="Objective:0" LensNA="0.8" NominalMagnification="20" Immersion="Air"/>
<Objective ID="Objective:1" LensNA="1.2" Immersion="Water"/></Instrument><Image>
<ObjectiveSettings ID="Objective:1"/><Pixels><Channel EmissionWavelength="525"/></Pixels></Image>
</OME>"""


def test_aperture_medium_wavelength_and_pixel_are_taken():
    optics, note = complete_optics("auto", METADATA)
    assert optics == Objective(1.4, 0.55, 0.1, 1.515)
    assert "NA 1.4" in note


def test_the_users_numbers_win_and_the_file_adds_the_others():
    optics, _ = complete_optics("wavelength_um=0.7", METADATA)
    assert optics == Objective(1.4, 0.7, 0.1, 1.515)
    assert complete_optics(optics, Metadata()) == (optics, "")


def test_nothing_is_made_up():
    assert complete_optics("auto", Metadata(pixel_size=SIZES)) == (None, "")
    assert complete_optics("none", METADATA) == (None, "")


def test_ome_names_the_objective_that_was_used():
    assert recorded_optics(Metadata(ome=OME)) == {"na": 1.2, "index": 1.333, "wavelength_um": 0.525}


@pytest.mark.parametrize(("aperture", "index"), [(0.8, 1.0), (1.2, 1.333), (1.4, 1.515)])
def test_a_medium_without_a_name_is_the_usual_one(aperture, index):
    metadata = Metadata(pixel_size=SIZES, objective=ObjectiveLens(aperture), wavelengths=(500,))
    assert complete_optics("auto", metadata)[0].index == index


def test_options_of_a_file_hold_its_optics_and_say_so():
    notes = []
    picture = Picture(np.arange(4096, dtype=np.uint16).reshape(64, 64), "YX", METADATA)
    options = resolve_options(picture, Options(), notes.append)
    assert options.optics == Objective(1.4, 0.55, 0.1, 1.515)
    assert any("microscope" in note for note in notes)
    assert resolve_options(picture, Options(optics="none"), notes.append).optics == "none"
