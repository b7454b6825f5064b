"""Batches of OME-TIFF images in several files."""

import pytest
import tifffile

from napari_defocus.batch.inputs import find_inputs
from napari_defocus.batch.plan import make_plan
from napari_defocus.batch.run import run_plan
from napari_defocus.io import read_picture

from ..ome_files import plane, write_set


@pytest.mark.parametrize("companion", ["", "s.companion.ome"])
def test_a_set_is_done_once_whatever_is_given(tmp_path, settings, companion):
    write_set(tmp_path, [0, 1, 2], companion=companion)
    for inputs in (tmp_path, tmp_path / (companion or "s_2.tif"), tmp_path / "s_1.tif"):
        (file,) = find_inputs([inputs])
        assert file.path.name == "s_0.tif"
        assert len(file.others) == 2 + bool(companion)
    (done,) = [e.outcome for e in run_plan(make_plan([tmp_path], tmp_path / "out", settings()))
               if e.outcome]  # fmt: skip
    assert done.message.startswith(f"its image lies in {3 + bool(companion)} files, also in s_1")
    assert read_picture(tmp_path / "out" / "s_0-deblurred.tif").data.shape == (3, 24, 32)
    changed = plane(2)[::-1]
    plan = make_plan([tmp_path], tmp_path / "out", settings())
    assert [e.outcome.state for e in run_plan(plan) if e.outcome] == ["verified"]
    with tifffile.TiffFile(tmp_path / "s_2.tif") as tiff:
        offset = tiff.pages.first.dataoffsets[0]
    with (tmp_path / "s_2.tif").open("r+b") as file:
        file.seek(offset)
        file.write(changed.tobytes())
    assert [e.outcome.state for e in run_plan(plan) if e.outcome] == ["done"]
