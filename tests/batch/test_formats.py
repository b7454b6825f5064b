"""Batches of microscopes' files, each image of which is one of the batch."""

import lzma

import numpy as np
import pytest

from napari_defocus.batch.cluster import connect, run_on_cluster
from napari_defocus.batch.inputs import find_inputs
from napari_defocus.batch.plan import make_plan
from napari_defocus.batch.records import file_hash
from napari_defocus.batch.run import run_plan
from napari_defocus.io import read_picture, write_picture

from ..io.microscopy.examples import FLUOVIEW, KINDS, STACK, write_examples
from ..io.microscopy.lif_file import lif_bytes

for package in filter(None, KINDS.values()):
    pytest.importorskip(package, reason=f"needs {package}, of the extra formats")

SMALL = STACK[0, 0]


@pytest.fixture
def lif(tmp_path):
    (tmp_path / "in").mkdir()
    images = [(SMALL, "CYX", {}), (SMALL[::-1], "CYX", {}), (SMALL[:1], "CYX", {})]
    (tmp_path / "in" / "a.lif").write_bytes(lif_bytes(*images))
    return tmp_path / "in" / "a.lif"


def test_images_of_a_file_are_inputs_one_by_one(lif):
    every = [lif / "0", lif / "1", lif / "2"]
    for inputs in ([lif], [lif.parent], [lif.parent / "*.lif"], [*every, lif]):
        assert [file.path for file in find_inputs(inputs)] == every
    assert [file.path for file in find_inputs([lif / "1"])] == [lif / "1"]
    assert len({file_hash(path) for path in (lif, *every)}) == 4


def test_planes_of_an_oif_file_are_no_images_of_their_own(tmp_path):
    oiffile = pytest.importorskip("oiffile")
    (tmp_path / "a.oib").write_bytes(lzma.decompress(FLUOVIEW.read_bytes()))
    oiffile.oib2oif(tmp_path / "a.oib", tmp_path / "in", verbose=0)
    (file,) = find_inputs([tmp_path / "in"])
    assert file.path.suffix == ".oif"
    before = file_hash(file.path)
    next((tmp_path / "in").rglob("*.tif")).write_bytes(b"")
    assert file_hash(file.path) != before


def states(plan, run=run_plan):
    return [event.outcome.state for event in run(plan) if event.outcome is not None]


def test_images_of_a_file_have_results_of_their_own(lif, settings, tmp_path):
    plan = make_plan([lif], tmp_path / "out", settings())
    assert states(plan) == ["done"] * 3
    names = [f"a-{number}-deblurred.tif" for number in range(3)]
    assert sorted(path.name for path in (tmp_path / "out").glob("*.tif")) == names
    one, other = (read_picture(tmp_path / "out" / name).data for name in names[:2])
    np.testing.assert_array_equal(one[::-1], other)
    assert states(make_plan([lif], tmp_path / "out", settings())) == ["verified"] * 3
    lif.rename(lif.with_name("b.lif"))
    again = make_plan([lif.with_name("b.lif") / "1"], tmp_path / "out", settings())
    assert states(again) == ["done"]


@pytest.mark.slow
def test_folder_of_all_formats_is_done_by_two_workers(settings, tmp_path):
    pytest.importorskip("distributed")
    folder = tmp_path / "in"
    folder.mkdir()
    for kind in KINDS:
        write_examples(folder, kind)
    for name in ("a.png", "a.tif", "a.jpg"):
        write_picture(folder / name, STACK[0, 0, 0].astype(np.uint8))
    count = len(find_inputs([folder]))
    assert count == 5 + 2 + 2 + 1 + 6 + 1 + 3
    with connect(None, 2) as client:
        plan = make_plan([folder], tmp_path / "out", settings())
        done = states(plan, lambda plan: run_on_cluster(plan, client))
    assert done == ["done"] * count
