"""Pictures of the documentation, which are no older than what they show."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

DOCS = Path(__file__).resolve().parents[1] / "docs"
sys.path.append(str(DOCS))

import picture_sources  # noqa: E402

#: Mean difference of pixels, out of 255, that rounding on another processor causes at most.
_ROUNDING = 0.5


def test_every_picture_has_sources_and_a_record():
    pictures = {path.name for path in picture_sources.FOLDER.iterdir()} - {"sources.json"}
    assert pictures == set(picture_sources.PICTURES)
    assert pictures == set(picture_sources.read_records())


@pytest.mark.parametrize("name", picture_sources.PICTURES)
def test_no_picture_is_older_than_its_sources(name):
    assert not picture_sources.outdated(name), f"run: {picture_sources.PICTURES[name].command}"


def test_a_change_of_code_counts_and_one_of_comments_does_not(tmp_path):
    path = tmp_path / "draw.py"
    path.write_text('"""Draw."""\n\n\ndef main():\n    """Draw."""\n    print(1)\n')
    digest = picture_sources.digest_file(path)
    path.write_text("# A comment.\ndef main():\n    '''Draw it\n    all.'''\n\n    print(1)\n")
    assert picture_sources.digest_file(path) == digest
    path.write_text("def main():\n    print(2)\n")
    assert picture_sources.digest_file(path) != digest


@pytest.mark.slow
def test_panels_are_what_the_code_draws_now(tmp_path):
    made = importlib.import_module("pictures").make_pictures(tmp_path)
    missed_focus = importlib.import_module("missed_focus")
    made.append(tmp_path / missed_focus.PICTURE.name)
    missed_focus.draw(missed_focus.measure(), made[-1])
    for path in made:
        before, now = (
            np.asarray(Image.open(each)).astype(float)
            for each in (picture_sources.FOLDER / path.name, path)
        )
        assert before.shape == now.shape, path.name
        assert np.abs(now - before).mean() < _ROUNDING, path.name
