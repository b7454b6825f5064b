"""The commands deblur and refocus: results, metadata, provenance and errors."""

import json

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_defocus import DefocusMap, deblur, estimate_defocus, refocus
from napari_defocus.io import read_picture, write_picture

from .conftest import blobs


@pytest.fixture
def painted(tmp_path):
    """Radii from 0 to 6 pixels for the photo."""
    radius = np.linspace(0, 6, 40 * 48, dtype=np.float32).reshape(40, 48)
    write_picture(tmp_path / "painted.tif", radius)
    return tmp_path / "painted.tif"


def test_same_bytes_as_the_api(run, photo, tmp_path):
    completed = run(
        "deblur", photo, tmp_path / "sharp.png", "--strength", 0.7, "--protect-radius", 0
    )
    assert (completed.status, completed.out, completed.err) == (
        0,
        f"{tmp_path / 'sharp.png'}\n",
        "",
    )
    expected = deblur(read_picture(photo).data, strength=0.7, protect_radius=0, channel_axis=-1)
    np.testing.assert_array_equal(read_picture(tmp_path / "sharp.png").data, expected)
    record = json.loads((tmp_path / "sharp.png.json").read_text())
    assert record["function"] == "deblur"
    assert [model["name"] for model in record["models"]] == ["photo-faithful", "single"]
    assert record["parameters"]["strength"] == 0.7


def test_detail_chooses_the_model(run, photo, tmp_path):
    assert run("deblur", photo, tmp_path / "a.png", "--detail", "natural").status == 0
    expected = deblur(read_picture(photo).data, detail="natural", channel_axis=-1)
    np.testing.assert_array_equal(read_picture(tmp_path / "a.png").data, expected)
    record = json.loads((tmp_path / "a.png.json").read_text())
    assert [model["name"] for model in record["models"]] == ["photo-natural", "single"]
    completed = run("deblur", photo, tmp_path / "b.png", "--detail", "natural", "--model", "a.pth")
    assert "detail is 'natural' and the model 'a.pth'" in completed.error


def test_planes_of_a_stack_help_each_other(run, photo, tmp_path):
    stack = (blobs(2, 3, 40, 48) * 900).astype(np.uint16)
    tifffile.imwrite(tmp_path / "stack.ome.tif", stack, metadata={"axes": "TZYX"})
    out = tmp_path / "sharp.ome.tif"
    assert run("deblur", tmp_path / "stack.ome.tif", out, "--stack-axis", "Z").status == 0
    expected = deblur(stack, stack_axis=1)
    np.testing.assert_array_equal(read_picture(out).data, expected)
    assert (expected != deblur(stack)).any()
    record = json.loads((tmp_path / "sharp.ome.tif.json").read_text())
    assert record["parameters"]["stack_axis"] == 1
    refused = run("deblur", photo, tmp_path / "sharp.png", "--stack-axis", "Z").error
    assert "holds one plane; leave out --stack-axis" in refused


def test_channels_are_deblurred_separately(run, tmp_path):
    channels = blobs(2, 2, 3, 40, 48) * np.array([60000, 900]).reshape(2, 1, 1, 1)
    stack = channels.astype(np.uint16)
    tifffile.imwrite(
        tmp_path / "stack.ome.tif",
        stack,
        metadata={
            "axes": "TCZYX",
            "Channel": {"Name": ["nuclei", "spots"]},
            **{f"PhysicalSize{axis}": 0.5 for axis in "XYZ"},
        },
    )
    assert run("deblur", tmp_path / "stack.ome.tif", tmp_path / "sharp.ome.tif").status == 0
    result = read_picture(tmp_path / "sharp.ome.tif")
    assert (result.axes, result.data.dtype, result.data.shape) == ("TCZYX", np.uint16, stack.shape)
    assert result.metadata.channel_names == ("nuclei", "spots")
    assert result.metadata.pixel_size["X"].value == 0.5
    for channel in range(2):
        np.testing.assert_array_equal(result.data[:, channel], deblur(stack[:, channel]))


def test_metadata_are_kept(run, photo):
    assert run("deblur", photo).status == 0
    with Image.open(photo.parent / "photo-deblurred.jpg") as image:
        assert image.getexif()[0x010F] == "Canon"
        assert image.info["dpi"] == (300, 300)


def test_map_and_confidence_are_used(run, photo, painted, tmp_path):
    image = read_picture(photo).data
    radius = read_picture(painted).data
    confidence = np.full_like(radius, 0.25)
    write_picture(tmp_path / "c.tif", confidence)
    run("deblur", photo, tmp_path / "a.png", "--map", painted)
    run("deblur", photo, tmp_path / "b.png", "--map", painted, "--confidence", tmp_path / "c.tif")
    np.testing.assert_array_equal(
        read_picture(tmp_path / "a.png").data, deblur(image, radius, channel_axis=-1)
    )
    np.testing.assert_array_equal(
        read_picture(tmp_path / "b.png").data,
        deblur(image, DefocusMap(radius, confidence), channel_axis=-1),
    )
    record = json.loads((tmp_path / "a.png.json").read_text())
    assert [model["name"] for model in record["models"]] == ["photo-faithful"]
    assert record["parameters"]["defocus"].startswith("sha256:")


def test_map_option_has_the_name_of_the_api_too(run, photo, painted, tmp_path):
    assert run("deblur", photo, tmp_path / "a.png", "--defocus", painted).status == 0


def test_a_written_map_gives_the_same_result_as_estimating(run, photo, tmp_path):
    run("map", photo, tmp_path / "r.tif", "--confidence-out", tmp_path / "c.tif")
    options = ["--map", tmp_path / "r.tif", "--confidence", tmp_path / "c.tif"]
    run("deblur", photo, tmp_path / "a.png", *options)
    run("deblur", photo, tmp_path / "b.png")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_a_note_names_pictures_that_are_left_out(run, tmp_path):
    first, second = (Image.fromarray((blobs(24, 32) * n).astype(np.uint8)) for n in (255, 128))
    first.save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=[second])
    completed = run("deblur", tmp_path / "a.jpg")
    assert completed.status == 0
    assert (
        completed.err
        == f"Note: {tmp_path / 'a.jpg'} also holds pictures behind the first, left out here.\n"
    )


def test_strength_0_changes_nothing(run, tmp_path):
    data = (np.moveaxis(blobs(4, 30, 36), 0, -1) * 65535).astype(np.uint16)
    write_picture(tmp_path / "a.png", data, channel_axis=-1)
    assert run("deblur", tmp_path / "a.png", tmp_path / "b.tif", "--strength", 0).status == 0
    written = read_picture(tmp_path / "b.tif").data
    assert written.dtype == np.uint16
    np.testing.assert_array_equal(written, data)


def test_alpha_of_a_gray_picture_is_kept(run, tmp_path):
    data = (np.moveaxis(blobs(2, 30, 36), 0, -1) * 255).astype(np.uint8)
    Image.fromarray(data).save(tmp_path / "a.png")
    assert run("deblur", tmp_path / "a.png", tmp_path / "b.png").status == 0
    with Image.open(tmp_path / "b.png") as image:
        np.testing.assert_array_equal(np.asarray(image)[..., 1], data[..., 1])


def test_an_existing_output_is_replaced_only_with_overwrite(run, photo, tmp_path):
    (tmp_path / "b.png").write_text("precious")
    completed = run("deblur", photo, tmp_path / "b.png")
    assert (
        "b.png exists already; give another name, or overwrite=True (--overwrite)"
        in completed.error
    )
    assert (tmp_path / "b.png").read_text() == "precious"
    assert run("deblur", photo, tmp_path / "b.png", "--overwrite").status == 0
    assert read_picture(tmp_path / "b.png").axes == "YXS"


def test_an_existing_sidecar_is_not_replaced(run, photo, tmp_path):
    (tmp_path / "b.png.json").write_text("precious")
    assert "b.png.json exists already" in run("deblur", photo, tmp_path / "b.png").error
    assert not (tmp_path / "b.png").exists()


@pytest.mark.parametrize("option", ["--model", "--strength", "--detail", "--tile", "--device"])
def test_very_long_values_are_shortened_in_messages(run, photo, option):
    completed = run("deblur", photo, option, "a" * 9999)
    assert completed.status == 2
    assert len(completed.err) < 1000


def test_input_is_never_replaced(run, photo, painted):
    before = photo.read_bytes()
    completed = run("deblur", photo, photo, "--overwrite")
    assert f"{photo} is read by the same command" in completed.error
    assert photo.read_bytes() == before


@pytest.mark.parametrize(
    ("out", "words"),
    [
        ("out.bmp", "has the suffix '.bmp'; it should be one of"),
        ("out", "has no suffix"),
        ("no/such/out.png", "there is no folder"),
        ("", "is a folder; give the name of a file to write"),
    ],
)
def test_unwritable_outputs_are_refused(run, photo, tmp_path, out, words):
    assert words in run("deblur", photo, tmp_path / out).error


def test_a_format_that_cannot_hold_the_values_is_refused_before_the_work(run, tmp_path):
    write_picture(tmp_path / "a.tif", blobs(24, 32).astype(np.float32))
    completed = run("deblur", tmp_path / "a.tif", tmp_path / "b.png")
    assert "b.png cannot hold float32 values; PNG holds uint8 and uint16" in completed.error


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read: No such file"),
        (b"", "is empty"),
        (b"plain text", "is not an image of a known kind"),
        (b"\x89PNG\r\n\x1a\n\0\0", "is damaged or truncated"),
    ],
)
def test_files_that_are_no_image_are_refused(run, tmp_path, content, words):
    if content is not None:
        (tmp_path / "a.png").write_bytes(content)
    assert words in run("deblur", tmp_path / "a.png").error


def test_a_truncated_photograph_is_refused(run, photo):
    photo.write_bytes(photo.read_bytes()[:-40])
    assert "photo.jpg is damaged or truncated" in run("deblur", photo).error


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (np.ones((1, 1), np.uint8), "at least 4 x 4 pixels"),
        (np.full((20, 20), np.nan, np.float32), "no finite value"),
        (np.ones((20, 20), np.complex64), "data type is complex64"),
    ],
)
def test_impossible_images_are_refused(run, tmp_path, data, words):
    write_picture(tmp_path / "a.tif", data)
    assert words in run("deblur", tmp_path / "a.tif").error


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (np.zeros((9, 9), np.float32), "(9, 9)"),
        (np.full((40, 48), np.nan, np.float32), "NaN"),
    ],
)
def test_impossible_maps_are_refused(run, photo, tmp_path, data, words):
    write_picture(tmp_path / "m.tif", data)
    assert words in run("deblur", photo, tmp_path / "b.png", "--map", tmp_path / "m.tif").error


def test_a_colored_picture_of_a_map_is_refused(run, photo):
    completed = run("deblur", photo, "--map", photo)
    assert "is a picture in colors; it should hold radii in pixels" in completed.error


def test_a_confidence_without_map_is_refused(run, photo, painted):
    assert "give --map too" in run("deblur", photo, "--confidence", painted).error


@pytest.mark.parametrize(
    "options", [["--strength", 3], ["--strength", "nan"], ["--protect-radius", -1]]
)
def test_numbers_out_of_range_are_refused(run, photo, options):
    option, value = options
    name = option[2:].replace("-", "_")
    assert f"{name} is {value}" in run("deblur", photo, *options).error


def test_damaged_weights_are_refused(run, photo, tmp_path):
    (tmp_path / "own.safetensors").write_bytes(bytes(100))
    completed = run("deblur", photo, "--model", tmp_path / "own.safetensors")
    assert "own.safetensors" in completed.error


def test_refocus_estimates_deblurs_and_refocuses(run, photo, tmp_path):
    completed = run("refocus", photo, tmp_path / "b.png", "--focus", 2, "--aperture", 1.5)
    assert (completed.status, completed.err) == (0, "")
    image = read_picture(photo).data
    defocus = estimate_defocus(image, channel_axis=-1)
    sharp = deblur(image, defocus, channel_axis=-1)
    expected = refocus(sharp, defocus, focus=2, aperture=1.5, channel_axis=-1)
    np.testing.assert_array_equal(read_picture(tmp_path / "b.png").data, expected)
    record = json.loads((tmp_path / "b.png.json").read_text())
    assert record["function"] == "refocus"
    assert record["parameters"]["aperture"] == 1.5


def test_refocus_with_sharp_skips_deblurring(run, photo, painted, tmp_path):
    options = ["--focus", -1, "--aperture", 0.5, "--map", painted, "--sharp"]
    assert run("refocus", photo, tmp_path / "b.png", *options).status == 0
    expected = refocus(
        read_picture(photo).data,
        read_picture(painted).data,
        focus=-1,
        aperture=0.5,
        channel_axis=-1,
    )
    np.testing.assert_array_equal(read_picture(tmp_path / "b.png").data, expected)
    assert json.loads((tmp_path / "b.png.json").read_text())["models"] == []


def test_refocus_in_steps_writes_a_stack(run, photo, painted, tmp_path):
    options = ["--aperture", 0.5, "--map", painted, "--sharp", "--focus"]
    assert run("refocus", photo, *options, "-1:2:4").status == 0
    written = read_picture(photo.with_name(f"{photo.stem}-refocused.tif"))
    expected = refocus(
        read_picture(photo).data,
        read_picture(painted).data,
        focus=[-1, 0, 1, 2],
        aperture=0.5,
        channel_axis=-1,
    )
    assert written.axes == "ZYXS"
    np.testing.assert_array_equal(written.data, expected)
    completed = run("refocus", photo, tmp_path / "b.jpg", *options, "0:2:4")
    assert "cannot hold a stack" in completed.error
    for wrong in ("near", "0:2", "0:2:1", "0:2:3.5"):
        assert "FIRST:LAST:N" in run("refocus", photo, *options, wrong).error


def test_refocus_with_sharp_needs_a_map(run, photo):
    completed = run("refocus", photo, "--focus", 1, "--aperture", 1, "--sharp")
    assert "give --map with --sharp" in completed.error


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (["--scale", "2"], "--downscale"),
        (["--scale=2"], "--downscale"),
        (["--protect", "1"], "--protect-radius"),
    ],
)
def test_an_old_name_of_an_option_is_refused_with_the_new_one(run, photo, words, name):
    completed = run("deblur", photo, *words)
    assert completed.status == 2
    assert name in completed.err
    assert len(completed.err.splitlines()) == 1


def test_masks_of_one_bit_are_no_maps(run, photo, tmp_path):
    tifffile.imwrite(tmp_path / "bits.tif", np.ones((40, 48), bool))
    error = run("deblur", photo, tmp_path / "out.png", "--map", tmp_path / "bits.tif").error
    assert "holds one bit a pixel, black or white; write radii in pixels as numbers" in error
