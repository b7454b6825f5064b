"""The command check, and deblur --check: verdict, files, exit status."""

import json

import numpy as np
import pytest
from safetensors.torch import save_file

from napari_defocus import check, deblur, provenance
from napari_defocus.io import read_picture, write_picture
from napari_defocus.jobs import CheckJob
from napari_defocus.optics.bank import KernelBank

from ..evidence.scenes import MAP, PATCH, SIDE, photograph_of, plant, sharp_picture


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """An image, an honest and a dishonest sharp version, and the map."""
    folder, sharp = tmp_path_factory.mktemp("check"), sharp_picture()
    pictures = {"image": photograph_of(sharp), "honest": sharp, "fraud": plant(sharp)}
    for name, picture in pictures.items():
        write_picture(folder / f"{name}.png", (picture.clip(0, 1) * 255).round().astype(np.uint8))
    write_picture(folder / "map.tif", MAP.astype(np.float32))
    return folder


def test_the_verdict_is_that_of_the_api(run, files, tmp_path):
    overlay, figures = tmp_path / "overlay.png", tmp_path / "figures.json"
    options = ["--map", files / "map.tif", "--overlay", overlay, "--json", figures]
    done = run("check", files / "image.png", files / "fraud.png", *options)
    assert done.status == 0
    image, fraud = (read_picture(files / f"{name}.png").data for name in ("image", "fraud"))
    result = check(image, fraud, MAP.astype(np.float32))
    first, *rest = done.out.splitlines()
    assert first == result.verdict
    assert rest[0] == "places by score; 6 or more is hardly ever chance:"
    assert rest[1].split() == ["row", "column", "height", "width", "pixels", "score"]
    box = result.regions[0]
    assert rest[2].split()[:2] == [str(box.top), str(box.left)]
    content = json.loads(figures.read_text())
    assert content["verdict"] == result.verdict
    assert content["score"]["flagged"] == result.score.flagged
    assert content["regions"][0]["area"] == result.regions[0].area
    expected = provenance(CheckJob(image, fraud, MAP.astype(np.float32)), path="image.png")
    assert content["provenance"] == expected
    assert json.loads((tmp_path / "overlay.png.json").read_text()) == expected
    painted = read_picture(overlay).data
    assert painted.shape == (SIDE, SIDE, 3)
    tinted = painted[..., 0] != painted[..., 1]
    np.testing.assert_array_equal(tinted, result.invented)
    assert tinted[PATCH].mean() > 0.5


@pytest.mark.parametrize(("sharp", "limit", "status"), [("fraud", 0.02, 3), ("honest", 0.3, 0)])
def test_the_limit_decides_the_exit_status(run, files, sharp, limit, status):
    words = ["--map", files / "map.tif", "--limit", limit]
    assert run("check", files / "image.png", files / f"{sharp}.png", *words).status == status


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--false-alarms", 2], "false_alarms is 2.0; a share of honest pixels"),
        (["--limit", 5], "--limit is 5.0; a share from 0 to 1"),
        (["--kernels", "image.png"], "pupil is 'image.png'; 'auto', 'disk', 'polygon:N'"),
        (["--pupil", "none.safetensors"], "none.safetensors cannot be read"),
        (["--overlay", "image.png"], "image.png is read by the same command"),
    ],
)
def test_mistakes_are_told_in_one_sentence(run, files, words, message, monkeypatch):
    monkeypatch.chdir(files)
    done = run("check", "image.png", "honest.png", "--map", "map.tif", *words)
    assert done.status == 2
    assert message in done.error


def test_places_in_a_stack_name_their_plane(run, files, tmp_path):
    for name in ("image", "fraud"):
        planes = np.stack([read_picture(files / f"{name}.png").data] * 2)
        write_picture(tmp_path / f"{name}.tif", planes)
    words = ["--map", files / "map.tif", "--imaging", "photograph"]
    done = run("check", tmp_path / "image.tif", tmp_path / "fraud.tif", *words)
    header, *places = (line.split() for line in done.out.splitlines()[2:])
    assert header[0] == "plane"
    assert {place[0] for place in places} == {"0", "1"}


def test_pictures_of_two_sizes_are_refused(run, files, tmp_path):
    write_picture(tmp_path / "small.png", np.zeros((40, 40), np.uint8))
    done = run("check", files / "image.png", tmp_path / "small.png")
    assert done.status == 2
    assert "they must be equal" in done.error


def test_deblurring_tells_its_check(run, files, tmp_path):
    out = tmp_path / "sharp.png"
    words = ["--map", files / "map.tif", "--check"]
    done = run("deblur", files / "image.png", out, *words)
    assert done.status == 0
    record = json.loads((tmp_path / "sharp.png.json").read_text())
    assert f"Check: {record['check']['verdict']}." in done.err
    plain = tmp_path / "plain.png"
    assert run("deblur", files / "image.png", plain, "--map", files / "map.tif").status == 0
    assert plain.read_bytes() == out.read_bytes()


def test_kernels_of_a_file_are_those_of_the_api(run, files, tmp_path):
    bank = tmp_path / "lens.safetensors"
    save_file(KernelBank(5).state_dict(), bank)
    figures = tmp_path / "figures.json"
    words = ["--map", files / "map.tif", "--kernels", bank, "--json", figures]
    assert run("check", files / "image.png", files / "honest.png", *words).status == 0
    content = json.loads(figures.read_text())
    image, honest = (read_picture(files / f"{name}.png").data for name in ("image", "honest"))
    result = check(image, honest, MAP.astype(np.float32), pupil=bank)
    assert content["score"]["consistency"] == result.score.consistency
    assert content["provenance"]["parameters"]["pupil"]["file"] == str(bank)


def test_deblurring_writes_its_spread(run, files, tmp_path):
    words = ["--map", files / "map.tif", "--check", "--spread", 2]
    assert run("deblur", files / "image.png", tmp_path / "sharp.png", *words).status == 0
    written = read_picture(tmp_path / "sharp-spread.tif").data
    image = read_picture(files / "image.png").data
    _, result = deblur(image, MAP.astype(np.float32), check=True, spread=2)
    np.testing.assert_array_equal(written, result.spread)
    record = json.loads((tmp_path / "sharp.png.json").read_text())
    assert record["check"]["median_spread"] == result.summary()["median_spread"]
