"""The command batch: results, messages and exit status."""

import numpy as np
import pytest
from PIL import Image

from napari_defocus.errors import FileError
from napari_defocus.io import read_picture, write_picture
from napari_defocus.io.formats import detect_format
from napari_defocus.io.picture import Picture

from .conftest import blobs


@pytest.fixture
def folder(photo):
    """A folder with the photo and a file that is no image."""
    (photo.parent / "bad.png").write_bytes(b"nothing")
    return photo.parent


def test_results_equal_those_of_the_single_commands(run, folder, photo, tmp_path):
    completed = run("batch", photo, tmp_path / "out", "--task", "both", "--strength", 0.7)
    assert (completed.status, completed.err) == (0, "1 done\n")
    assert completed.out.splitlines() == [
        str(tmp_path / "out" / name)
        for name in (
            "photo-defocus.tif",
            "photo-confidence.tif",
            "photo-deblurred.jpg",
            "report.html",
        )
    ]
    run("deblur", photo, tmp_path / "single.jpg", "--strength", 0.7)
    run("map", photo, tmp_path / "single.tif")
    for name, single in (
        ("photo-deblurred.jpg", "single.jpg"),
        ("photo-defocus.tif", "single.tif"),
    ):
        np.testing.assert_array_equal(
            read_picture(tmp_path / "out" / name).data, read_picture(tmp_path / single).data
        )


def test_planes_of_stacks_help_each_other(run, tmp_path):
    stack = (blobs(3, 40, 48) * 900).astype(np.uint16)
    write_picture(tmp_path / "stack.tif", stack, Picture(stack, "ZYX"))
    run("deblur", tmp_path / "stack.tif", tmp_path / "single.tif", "--stack-axis", "Z")
    assert run("batch", tmp_path / "stack.tif", tmp_path / "out", "--stack-axis", "Z").status == 0
    np.testing.assert_array_equal(
        read_picture(tmp_path / "out" / "stack-deblurred.tif").data,
        read_picture(tmp_path / "single.tif").data,
    )
    refused = run("batch", tmp_path, tmp_path / "maps", "--task", "map", "--stack-axis", "Z")
    assert "the task 'map' restores no plane" in refused.error


def test_bad_files_are_reported_and_make_the_status_1(run, folder, tmp_path):
    completed = run("batch", folder, tmp_path / "out", "--task", "map")
    assert completed.status == 1
    with pytest.raises(FileError, match="not an image of a known kind; TIFF, PNG, JPEG") as error:
        detect_format(folder / "bad.png")
    assert completed.err.splitlines() == [f"Failed: {error.value}", "1 failed, 1 done"]
    again = run("batch", folder, tmp_path / "out", "--task", "map")
    assert again.err.endswith("1 failed, 1 verified\n")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--pattern", "x"], "should hold {name} and {what}"),
        (["--model", "nonsense"], "no model 'nonsense'"),
        (["--detail", "natural", "--model", "photo-faithful"], "detail is 'natural'"),
    ],
)
def test_impossible_settings_are_refused_before_anything_is_written(
    run, photo, tmp_path, options, words
):
    assert words in run("batch", photo, tmp_path / "out", *options).error
    assert not (tmp_path / "out").exists()


def test_a_single_name_lacks_the_folder_of_results(run, folder):
    completed = run("batch", folder)
    assert completed.status == 2
    assert "OUT is missing: it comes last, after all IN..." in completed.error


def test_missing_inputs_are_an_error(run, tmp_path):
    assert (
        "neither a file nor a folder"
        in run("batch", tmp_path / "none*.tif", tmp_path / "out").error
    )


def test_foreign_files_are_replaced_only_on_request(run, photo, tmp_path):
    (tmp_path / "out").mkdir()
    Image.new("L", (8, 8)).save(tmp_path / "out" / "photo-deblurred.jpg")
    assert "exists already" in run("batch", photo, tmp_path / "out").error
    message = run("batch", photo, tmp_path / "out", "--existing", "keep").err
    assert message.startswith("Kept: ")
    assert run("batch", photo, tmp_path / "out", "--existing", "replace").err == "1 done\n"


def test_other_settings_need_a_word_what_to_do_with_earlier_results(run, photo, tmp_path):
    arguments = ("batch", photo, tmp_path / "out", "--task", "map")
    run(*arguments)
    before = (tmp_path / "out" / "photo-defocus.tif").read_bytes()
    error = run(*arguments, "--downscale", 2).error
    for words in ("was made with other settings", "--existing keep", "--overwrite"):
        assert words in error
    assert run(*arguments, "--downscale", 2, "--existing", "keep").err.endswith("1 kept\n")
    assert (tmp_path / "out" / "photo-defocus.tif").read_bytes() == before
    assert run(*arguments, "--downscale", 2, "--overwrite").err == "1 done\n"
    contradiction = run(*arguments, "--existing", "keep", "--overwrite").error
    assert "--existing keep and --overwrite are both given" in contradiction


def test_the_report_that_was_written_is_named_beside_one_of_the_user(run, photo, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "report.html").write_text("mine")
    completed = run("batch", photo, tmp_path / "out", "--task", "map")
    assert completed.out.endswith(f"{tmp_path / 'out' / 'report-2.html'}\n")
    assert (tmp_path / "out" / "report.html").read_text() == "mine"
