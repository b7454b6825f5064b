"""Scores of models on every kind of scene."""

import csv
import io
from contextlib import redirect_stdout

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image, ImageFilter

from napari_defocus.errors import ModelError
from training.__main__ import run as run_command
from training.data.dpdd import dpdd_scenes
from training.data.images import image_files
from training.errors import TrainingError
from training.evaluation.contamination import contamination_warning
from training.evaluation.models_under_test import find_models_under_test
from training.metrics import psnr, ssim

from ...model_files import save_untrained

SMALL = {
    "single-estimator": ("single", {"widths": [4, 4, 4], "blocks": [1, 1, 1, 1]}),
    "generator": ("deblur", {"width": 8, "blocks": [1, 1, 1, 1, 1]}),
}


@pytest.fixture(scope="module")
def small_models(tmp_path_factory):
    """Files of untrained networks, by task."""
    folder = tmp_path_factory.mktemp("models")
    torch.manual_seed(0)
    files = {}
    for architecture, (task, arguments) in SMALL.items():
        files[task] = save_untrained(folder, f"small-{task}", architecture, arguments).path
    return files


def run(*arguments):
    """Run a command; return what it prints."""
    printed = io.StringIO()
    with redirect_stdout(printed):
        run_command([str(argument) for argument in arguments])
    return printed.getvalue()


def rows_of(folder):
    return list(csv.DictReader((folder / "table.csv").read_text(encoding="utf-8").splitlines()))


def cells(table, method):
    line = next(line for line in table.splitlines() if line.startswith(f"| {method} |"))
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_rendered_scenes_score_everything(pool_file, small_models, tmp_path):
    deblur, single = small_models["deblur"], small_models["single"]
    out = tmp_path / "out"
    models = ["--model", deblur, "--model", "dual-pixel", "--model", single, "--map-model", single]
    table = run("evaluate", "rendered", "--data", pool_file, *models, "--limit", 2, "--out", out)
    assert table.strip() == (out / "table.md").read_text(encoding="utf-8").strip()
    rows = rows_of(out)
    methods = {row["method"] for row in rows}
    assert {"input", "unsharp mask", "Richardson-Lucy", "Wiener", "dual-pixel"} <= methods
    assert {"block matching"} <= methods
    assert sum("small-deblur" in method for method in methods) == 2
    assert {row["scene"] for row in rows} == {"0000", "0001"}
    untouched = [row["no_harm"] for row in rows if row["method"] == "input"]
    assert set(untouched) <= {"100.0", ""}
    dual = [row for row in rows if row["method"] == "dual-pixel"]
    shares = ("within_1_px", "textured_within_1_px")
    assert all(0 <= float(row[share]) <= 1 for row in dual for share in shares)
    assert {path.name for path in (out / "panels").iterdir()} == {
        "0000.png",
        "0000-maps.png",
        "0001.png",
        "0001-maps.png",
    }


def test_the_same_scenes_are_scored_each_time(pool_file):
    first, again = (
        run("evaluate", "rendered", "--data", pool_file, "--model", "single", "--limit", 1)
        for _ in range(2)
    )
    assert first == again


@pytest.fixture
def small_scene(data_folder, tmp_path):
    """Return a folder with part of a DPDD scene."""
    part = np.s_[100:228, 100:228]
    blurred = tifffile.imread(data_folder / "dpdd" / "00_input.tif")
    tifffile.imwrite(tmp_path / "00_input.tif", blurred[part])
    for name in ("target", "dpdnet", "view0", "view1"):
        with Image.open(data_folder / "dpdd" / f"00_{name}.png") as image:
            Image.fromarray(np.asarray(image)[part]).save(tmp_path / f"00_{name}.png")
    return tmp_path


def test_dpdd_scenes_are_scored_beside_dpdnet(small_scene, lpips_folder, small_models):
    table = run(
        *("evaluate", "dpdd", "--data", small_scene, "--lpips", lpips_folder),
        *("--model", small_models["deblur"], "--map-model", "single"),
    )
    header = cells(table, "method")
    [scene] = dpdd_scenes(small_scene)
    for method, image in (("input", scene.blurred), ("DPDNet (two views)", scene.dpdnet)):
        scores = dict(zip(header, cells(table, method), strict=True))
        assert scores["psnr"] == f"{psnr(image, scene.target):.2f}"
        assert scores["ssim"] == f"{ssim(image, scene.target):.3f}"
        assert 0 < float(scores["lpips_alex"]) < 1


@pytest.mark.slow
def test_dpdd_scores_as_published(data_folder, lpips_folder, small_models):
    table = run(
        *("evaluate", "dpdd", "--data", data_folder / "dpdd", "--lpips", lpips_folder),
        *("--model", small_models["deblur"], "--map-model", "single", "--limit", 1),
    )
    header = cells(table, "method")
    scores = dict(zip(header, cells(table, "input"), strict=True))
    assert (scores["psnr"], scores["ssim"], scores["lpips_alex"]) == ("27.66", "0.826", "0.250")
    assert "DPDNet (two views)" in table


def test_pixel4_scores_both_views(data_folder, tmp_path):
    run(
        *("evaluate", "pixel4", "--data", data_folder / "pixel4", "--model", "dual-pixel"),
        *("--downscale", 4, "--limit", 1, "--out", tmp_path),
    )
    errors = {row["method"]: float(row["aiwe1"]) for row in rows_of(tmp_path)}
    assert set(errors) == {"dual-pixel", "block matching"}
    assert max(errors.values()) < 0.2


@pytest.mark.slow  # part of a DPDD scene, above, is its sample
def test_pixel4_scores_deblurring_against_the_all_in_focus_image(data_folder, small_models):
    table = run(
        *("evaluate", "pixel4", "--data", data_folder / "pixel4", "--limit", 1),
        *("--model", small_models["deblur"], "--map-model", "single", "--corruption", "half"),
    )
    scores = dict(zip(cells(table, "method"), cells(table, "input"), strict=True))
    assert 25 < float(scores["psnr"]) < 28


def test_corrupted_scenes_are_scored(pool_file, small_models):
    table = run(
        *("evaluate", "rendered", "--data", pool_file, "--limit", 1, "--corruption", "sharp"),
        *("--model", small_models["deblur"], "--model", "single", "--map-model", "single"),
    )
    assert cells(table, "input")[3] == "0.000"
    assert "block matching" not in table


def test_a_folder_without_scenes_is_an_error(tmp_path):
    with pytest.raises(TrainingError, match="holds no scenes of the kind dpdd"):
        run("evaluate", "dpdd", "--data", tmp_path)


def test_a_model_for_something_else_is_an_error(tmp_path):
    with pytest.raises(ModelError, match="made for the task 'single', not 'deblur'"):
        run("evaluate", "dpdd", "--data", tmp_path, "--model", "single")


def test_labels_of_equal_file_names_include_their_folders(small_models):
    [entry] = find_models_under_test([str(small_models["deblur"])], ("single", "deblur"))
    assert entry.task == "deblur"
    assert entry.label == f"{small_models['deblur'].parent.name}/small-deblur.safetensors"


def test_calibrate_prints_and_plots(pool_file, tmp_path):
    out = tmp_path / "plot.png"
    text = run("calibrate", "--pool", pool_file, "--model", "single", "--out", out, "--limit", 2)
    assert "expected calibration error" in text
    assert out.stat().st_size > 0


def test_a_pool_of_unknown_origin_causes_a_warning(pool_file):
    table = run("evaluate", "rendered", "--data", pool_file, "--model", "single", "--limit", 1)
    assert table.startswith(f"Warning: {pool_file} does not say which photographs")


def test_images_outside_the_manifest_are_counted(photo_folder):
    warning = contamination_warning(sorted(photo_folder.iterdir()))
    assert warning.startswith("Warning: 3 of 3 images, a.png the first, are not in")


@pytest.mark.parametrize("benchmark", ["dpdd", "pixel4"])
def test_evaluation_data_cause_no_warning(data_folder, benchmark):
    assert contamination_warning(image_files(data_folder / benchmark)) is None


def test_pairs_of_a_folder(photo_folder, tmp_path):
    for name in ("blurred", "sharp"):
        (tmp_path / name).mkdir()
    for path in photo_folder.iterdir():
        with Image.open(path) as image:
            sharp = image.reduce(4)
        sharp.save(tmp_path / "sharp" / path.name)
        sharp.filter(ImageFilter.BoxBlur(2)).save(tmp_path / "blurred" / path.name)
    table = run("evaluate", "pairs", "--data", tmp_path, "--map-model", "single", "--limit", 2)
    assert table.startswith("Warning: 6 of 6 images")
    scores = [float(cells(table, method)[1]) for method in ("input", "photo-faithful, map: single")]
    assert scores[1] > scores[0]
    assert "over 2 scenes" in table


def test_pairs_of_different_size_are_an_error(photo_folder, tmp_path):
    for name, factor in (("blurred", 4), ("sharp", 8)):
        (tmp_path / name).mkdir()
        with Image.open(photo_folder / "a.png") as image:
            image.reduce(factor).save(tmp_path / name / "a.png")
    with pytest.raises(TrainingError, match=r"\(128, 128\) px.*\(64, 64\)"):
        run("evaluate", "pairs", "--data", tmp_path)
