"""Full disks, folders that vanish, memory that runs out: reported, and mended by the next run."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given
from hypothesis import settings as limits
from hypothesis import strategies as st
from PIL import Image

from napari_defocus import Options
from napari_defocus.batch.plan import PLAN_NAME, Plan, make_plan
from napari_defocus.batch.run import run_plan
from napari_defocus.errors import FileError
from napari_defocus.io import read_picture, write_picture

from .conftest import picture
from .test_run import contents, finish, states, table

OFTEN = limits(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
TILES = Options(tile=64, downscale=1)


@pytest.fixture
def large(tmp_path):
    """Two pictures that are cut into several tiles."""
    folder = tmp_path / "large"
    folder.mkdir()
    for seed in range(2):
        Image.fromarray(picture(seed, (70, 110, 3))).save(folder / f"{seed}.png")
    return folder


@pytest.fixture
def disk(tmp_path):
    """A separate file system, and a function that mounts it anew with other options."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=10m", "none", folder]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    yield (
        folder,
        lambda options: subprocess.run(
            ["mount", "-o", f"remount,{options}", folder], check=True, capture_output=True
        ),
    )
    subprocess.run(["umount", folder], check=True)


def outcomes_of(steps):
    """Return the outcomes, and the error that the run ended with."""
    outcomes = []
    try:
        outcomes.extend(event.outcome for event in steps if event.outcome is not None)
    except FileError as error:
        return outcomes, str(error)
    return outcomes, ""


def check_whole(folder):
    """Check that no result is half written, and that each has its record."""
    assert not list(folder.rglob("*.part"))
    for path in folder.rglob("*-deblurred.png"):
        read_picture(path)
        assert json.loads(path.with_name(path.name + ".json").read_text())["batch"]["result"]


def test_files_that_failed_on_a_full_disk_are_done_by_the_next_run(large, settings, tmp_path, disk):
    out, remount = disk
    finish(make_plan([large], tmp_path / "whole", settings()))
    remount("size=48k")
    outcomes, error = outcomes_of(run_plan(make_plan([large], out, settings())))
    assert "failed" in states(outcomes)
    for outcome in outcomes:
        assert outcome.state == "done" or "No space left on device" in outcome.message
    reports = [f"{out}/report.{kind}" for kind in ("csv", "html")]
    assert error in [
        "",
        *(f"{path} cannot be written: No space left on device" for path in reports),
    ]
    check_whole(out)
    remount("size=10m")
    _, outcomes = finish(make_plan([large], out, settings()))
    assert "failed" not in states(outcomes)
    assert results(out) == results(tmp_path / "whole")


def results(folder):
    return {path: content for path, content in contents(folder).items() if path.name != PLAN_NAME}


def test_a_read_only_disk_is_refused_and_the_plan_resumed_once_it_is_writable(
    large, settings, disk
):
    out, remount = disk
    finish(make_plan([large / "0.png"], out, settings()))
    remount("ro")
    plan = make_plan([large], out, settings())
    with pytest.raises(FileError, match=f"{out} cannot be written to: Read-only file system"):
        next(run_plan(plan))
    remount("rw")
    _, outcomes = finish(plan)
    assert states(outcomes) == ["verified", "done"]


@pytest.mark.skipif(not hasattr(os, "setresuid"), reason="needs POSIX users")
def test_a_write_protected_folder_is_refused(settings):
    with tempfile.TemporaryDirectory() as folder:
        source, out = Path(folder) / "a.png", Path(folder) / "out"
        Path(folder).chmod(0o755)
        write_picture(source, picture(0), channel_axis=-1)
        out.mkdir(mode=0o555)
        plan = make_plan([source], out, settings())
        user = os.getresuid()
        if user[1] == 0:
            os.setresuid(65534, 65534, 0)  # root may write everywhere
        try:
            with pytest.raises(FileError, match=f"{out} cannot be written to: Permission denied"):
                next(run_plan(plan))
        finally:
            os.setresuid(*user)
        assert not list(out.iterdir())


def test_an_output_folder_that_vanishes_is_not_made_again(photos, settings, tmp_path):
    out = tmp_path / "out"
    steps = run_plan(make_plan([photos], out, settings()))
    while next(steps).outcome is None:
        pass
    shutil.rmtree(out)
    outcomes, error = outcomes_of(steps)
    assert states(outcomes) == ["failed", "failed"]
    for outcome in outcomes:
        assert "there is no folder" in outcome.message
    assert error == f"{out}/report.csv cannot be written: there is no folder {out}"
    assert not out.exists()


def test_only_the_files_of_a_folder_that_cannot_be_made_fail(photos, settings, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "deep er").write_text("in the way")
    _, outcomes = finish(make_plan([photos], out, settings()))
    assert states(outcomes) == ["done", "done", "failed"]
    assert "there is no folder" in outcomes[2].message


def test_a_file_that_vanishes_during_its_work_fails_alone(photos, settings, tmp_path):
    steps = run_plan(make_plan([photos], tmp_path / "out", settings()))
    while not next(steps).total:
        pass
    (photos / "a.png").unlink()
    outcomes, _ = outcomes_of(steps)
    assert states(outcomes) == ["failed", "done", "done"]
    assert f"{photos}/a.png cannot be read: No such file" in outcomes[0].message


@OFTEN
@given(tile=st.integers(1, 30))
def test_a_run_canceled_at_any_tile_can_be_resumed(large, settings, tile):
    custom = settings(options=TILES)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        steps = run_plan(make_plan([large], out, custom))
        for _ in range(tile):
            next(steps, None)
        steps.close()
        check_whole(out)
        _, outcomes = finish(make_plan([large], out, custom))
        assert set(states(outcomes)) <= {"done", "verified"}
        assert len(list(out.glob("*-deblurred.png"))) == 2


@OFTEN
@given(call=st.integers(0, 200))
def test_a_file_fails_alone_when_memory_runs_out_at_any_layer_of_any_tile(large, settings, call):
    custom = settings(options=TILES)
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        out = Path(folder)
        calls, convolve = iter(range(10**6)), torch.nn.functional.conv2d

        def run_out(*args, **kwargs):
            if next(calls) == call:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return convolve(*args, **kwargs)

        patch.setattr(torch.nn.functional, "conv2d", run_out)
        _, outcomes = finish(make_plan([large], out, custom))
        check_whole(out)
        assert states(outcomes).count("failed") <= 1
        for outcome in outcomes:
            assert outcome.state == "done" or "out of memory" in outcome.message
        patch.undo()
        _, again = finish(make_plan([large], out, custom))
        assert [s.replace("failed", "done") for s in states(outcomes)] == ["done"] * 2
        assert set(states(again)) <= {"done", "verified"}


@pytest.mark.parametrize("year", [1970, 2105])
def test_wrong_clocks_do_not_matter(photos, settings, tmp_path, year):
    out = tmp_path / "out"
    finish(make_plan([photos], out, settings()))
    seconds = (year - 1970) * 31_556_952
    for path in [*photos.rglob("*.*"), *out.rglob("*.*")]:
        os.utime(path, (seconds, seconds))
    _, outcomes = finish(make_plan([photos], out, settings()))
    assert states(outcomes) == ["verified"] * 3
    Image.fromarray(picture(9)).save(photos / "a.png")
    os.utime(photos / "a.png", (0, 0))
    _, outcomes = finish(make_plan([photos], out, settings()))
    assert states(outcomes) == ["done", "verified", "verified"]


# Names


def test_names_too_long_for_results_fail_before_the_work(photos, settings, tmp_path):
    for length in (255 - 4, 240, 238):
        (photos / "a.png").rename(photos / ("é" * (length // 2) + ".png"))
        (photos / ("é" * (length // 2) + ".png")).rename(photos / ("x" * length + ".png"))
        events, outcomes = finish(make_plan([photos], tmp_path / "out", settings()))
        assert sorted(states(outcomes))[-1] in ("failed", "verified")
        failed = next(outcome for outcome in outcomes if outcome.state == "failed")
        assert "cannot be written: File name too long" in failed.message
        assert not any(event.total > 1 for event in events if outcomes[event.index] is failed)
        (photos / ("x" * length + ".png")).rename(photos / "a.png")
    assert table(tmp_path / "out")


@pytest.mark.skipif(sys.platform != "linux", reason="names are any bytes on Linux only")
def test_names_of_any_bytes_and_letters(settings, tmp_path):
    folder = tmp_path / "ıñ ‮字"
    folder.mkdir()
    names = ["\udcff\udcfe.png", "a'\"<&>;$(b).png", "line\nbreak.png", "日本 e\u0301.png", "é.png"]
    for seed, name in enumerate(names):
        Image.fromarray(picture(seed)).save(folder / name)
    plan = make_plan([folder], tmp_path / "out", settings())
    _, outcomes = finish(plan)
    assert states(outcomes) == ["done"] * len(names)
    assert Plan.read(tmp_path / "out") == plan
    for name in names:
        assert (tmp_path / "out" / name.replace(".png", "-deblurred.png")).exists()
    _, outcomes = finish(make_plan([folder], tmp_path / "out", settings()))
    assert states(outcomes) == ["verified"] * len(names)


def test_results_are_distinct_where_names_differ_only_in_case_or_accents(settings, tmp_path):
    (tmp_path / "in").mkdir()
    names = ["a.png", "A.png", "\u00e9.png", "e\u0301.png"]
    for seed, name in enumerate(names):
        Image.fromarray(picture(seed)).save(tmp_path / "in" / name)
    plan = make_plan([tmp_path / "in"], tmp_path / "out", settings())
    made = {item.results["sharp"].name.casefold() for item in plan.items}
    assert len(made) == len(plan.items)


def test_results_beside_their_sources_are_not_inputs_of_the_next_run(photos, settings):
    for inputs in (["a.png"], ["b.tif"], ["*.png", "*.tif"], ["*.png", "*.tif"]):
        _, outcomes = finish(make_plan([photos / name for name in inputs], photos, settings()))
    assert states(outcomes) == ["verified", "verified"]
    assert not list(photos.rglob("*deblurred-deblurred*"))
    with pytest.raises(FileError, match="is the result of an earlier run"):
        make_plan([photos / "a-deblurred.png"], photos, settings())


def test_results_never_replace_a_source(photos, settings):
    shutil.copy(photos / "a.png", photos / "a-deblurred.png")
    before = (photos / "a-deblurred.png").read_bytes()
    inputs = [photos / "a.png", photos / "a-deblurred.png"]
    finish(make_plan(inputs, photos, settings(existing="replace")))
    assert (photos / "a-deblurred.png").read_bytes() == before
    assert (photos / "a-deblurred-2.png").exists()


def test_a_broken_link_is_reported_as_failed(photos, settings, tmp_path):
    (photos / "gone.png").symlink_to(photos / "nowhere.png")
    _, outcomes = finish(make_plan([photos], tmp_path / "out", settings()))
    assert states(outcomes).count("failed") == 1
    assert "gone.png cannot be read: No such file" in outcomes[-1].message


def test_values_that_are_not_finite_do_not_spoil_the_report(settings, tmp_path):
    image = np.random.default_rng(0).random((24, 32)).astype(np.float32)
    image[3:5], image[9] = np.nan, np.inf
    (tmp_path / "in").mkdir()
    write_picture(tmp_path / "in" / "a.tif", image)
    _, outcomes = finish(make_plan([tmp_path / "in"], tmp_path / "out", settings(task="both")))
    assert states(outcomes) == ["done"]
    assert (tmp_path / "out" / "report.html").read_text().count("data:image/jpeg") == 3


# Locales

IN_A_LOCALE = """
import json, locale, sys
locale.setlocale(locale.LC_ALL, "")
assert f"{1.5:n}" == "1,5"
from napari_defocus.batch.plan import make_plan
from napari_defocus.batch.run import run_plan
from napari_defocus.batch.settings import Settings
list(run_plan(make_plan([sys.argv[1]], sys.argv[2], Settings.from_json(json.loads(sys.argv[3])))))
"""


def test_decimal_commas_change_nothing(photos, settings, tmp_path):
    localedef = shutil.which("localedef")
    (tmp_path / "locales").mkdir()
    compiled = [localedef, "-i", "de_DE", "-f", "UTF-8", tmp_path / "locales" / "de_DE.UTF-8"]
    if not localedef or subprocess.run(compiled, capture_output=True, check=False).returncode:
        pytest.skip("no locale with decimal commas can be made here")
    finish(make_plan([photos], tmp_path / "here", settings()))
    subprocess.run(
        [sys.executable, "-c", IN_A_LOCALE, photos, tmp_path / "out", as_text(settings())],
        env={**os.environ, "LOCPATH": str(tmp_path / "locales"), "LC_ALL": "de_DE.UTF-8"},
        check=True,
    )
    assert results(tmp_path / "out") == results(tmp_path / "here")
    assert [row["median radius (px)"] for row in table(tmp_path / "out")] == [
        row["median radius (px)"] for row in table(tmp_path / "here")
    ]


def as_text(settings):
    return json.dumps(settings.as_json())
