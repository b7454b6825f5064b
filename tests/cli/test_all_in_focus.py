"""The command all-in-focus: picture, depth, provenance, refusals."""

import json

import numpy as np
import pytest
from PIL import Image

from napari_defocus import AllInFocusJob, all_in_focus, provenance
from napari_defocus.io import Metadata, Picture, read_picture, write_picture

from ..stacks.scenes import rendered_stack


@pytest.fixture(scope="module")
def planes():
    return (rendered_stack(3, 1.0, tilt=1.0) * 255).clip(0, 255).astype(np.uint8)


@pytest.fixture
def stack_file(planes, tmp_path):
    path = tmp_path / "stack.tif"
    write_picture(path, planes, Picture(planes, "ZYX", Metadata()))
    return path


def test_the_files_hold_what_the_api_gives(run, planes, stack_file, tmp_path):
    out, depth = tmp_path / "sharp.tif", tmp_path / "depth.tif"
    done = run("all-in-focus", stack_file, out, "--depth", depth)
    assert done.out.splitlines() == [str(out), str(depth)]
    expected = all_in_focus(planes)
    np.testing.assert_array_equal(read_picture(out).data, expected.image)
    np.testing.assert_array_equal(read_picture(depth).data, expected.depth)
    record = json.loads((tmp_path / "sharp.tif.json").read_text())
    expected_record = json.loads(json.dumps(provenance(AllInFocusJob(planes), path="stack.tif")))
    for key in ("function", "models", "input"):
        assert record[key] == expected_record[key]
    for name in ("axis", "align", "deblur_rest", "model", "encoding", "value_range", "imaging"):
        assert record["parameters"][name] == expected_record["parameters"][name], name


def test_photographs_keep_their_metadata_and_are_taken_in_natural_order(run, planes, tmp_path):
    exif = Image.Exif()
    exif[0x010F] = "Canon"
    paths = [tmp_path / f"p{number}.png" for number in (2, 9, 10)]
    for path, plane in zip(paths, planes, strict=True):
        Image.fromarray(np.repeat(plane[..., None], 3, -1)).save(path, exif=exif)
    out, depth = tmp_path / "sharp.png", tmp_path / "depth.tif"
    run("all-in-focus", *sorted(paths), out, "--align", "none", "--depth", depth)
    colors = np.repeat(planes[..., None], 3, -1)
    expected = all_in_focus(colors, channel_axis=-1, align="none")
    np.testing.assert_array_equal(read_picture(out).data, expected.image)
    np.testing.assert_array_equal(read_picture(depth).data, expected.depth)
    with Image.open(out) as written:
        assert written.getexif()[0x010F] == "Canon"
    record = json.loads((tmp_path / "sharp.png.json").read_text())
    assert record["planes"] == ["p2.png", "p9.png", "p10.png"]


def test_a_stack_that_shows_nothing_has_its_first_plane_and_a_note(run, tmp_path):
    path, out = tmp_path / "dark.tif", tmp_path / "merged.tif"
    dark = np.repeat(np.uint8([7, 8])[:, None, None], 48, 1).repeat(48, 2)
    write_picture(path, dark, Picture(dark, "ZYX", Metadata()))
    done = run("all-in-focus", path, out)
    assert "its picture is the first of them, and its depth is NaN" in " ".join(done.err.split())
    np.testing.assert_array_equal(read_picture(out).data, dark[0])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["stack.tif", "out.tif", "--depth", "depth.png"], "depth.png cannot hold a depth"),
        (["stack.tif", "stack.tif"], "stack.tif is read by the same command"),
        (["stack.tif", "out.xyz"], "out.xyz"),
        (["one.png", "out.png"], "one.png holds one plane; give a file with a stack"),
        (["stack.tif", "one.png", "out.png"], "stack.tif holds uint8 (3, 64, 64)"),
        (["one.png", "small.png", "out.png"], "small.png holds uint8 (8, 9)"),
        (["one.png", "missing.png", "out.png"], "missing.png cannot be read"),
    ],
)
@pytest.mark.usefixtures("stack_file")
def test_mistakes_are_told_in_one_sentence(run, planes, tmp_path, words, message, monkeypatch):
    write_picture(tmp_path / "one.png", planes[0])
    write_picture(tmp_path / "small.png", planes[0][:8, :9])
    monkeypatch.chdir(tmp_path)
    assert message in run("all-in-focus", *words).error
