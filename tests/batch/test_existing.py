"""Files where results should go: what is not the batch's own stays as it is."""

import json
import os
import shutil
import sys
from pathlib import Path

import pytest
from PIL import Image

from napari_defocus.batch.existing import ExistingFileError
from napari_defocus.batch.plan import PLAN_NAME, Plan, make_plan
from napari_defocus.batch.run import run_plan
from napari_defocus.errors import FileError

from .conftest import picture
from .test_run import contents, finish, states

RESULTS = ("a-deblurred.png", "a-deblurred.png.json")


def results(folder):
    return {path: content for path, content in contents(folder).items() if path.name != PLAN_NAME}


def save(path, seed):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture(seed)).save(path)
    return path


@pytest.fixture
def source(tmp_path):
    return save(tmp_path / "in" / "a.png", 0)


@pytest.fixture
def out(tmp_path):
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


@pytest.fixture
def batch(settings, out):
    """Return a function that runs a batch into `out` and returns the states of its files."""

    def _batch(*inputs, **changes):
        return states(finish(make_plan(inputs, out, settings(**changes)))[1])

    return _batch


@pytest.fixture
def attempt(batch):
    """Return a function that runs a batch and returns a text: the states, or why it was refused."""

    def _attempt(*inputs, **changes):
        try:
            return ", ".join(batch(*inputs, **changes))
        except FileError as error:
            return str(error)

    return _attempt


# Names that the results of other inputs have


@pytest.fixture
def days(tmp_path):
    """Two pictures of one name in two folders."""
    return save(tmp_path / "mon" / "p.png", 1), save(tmp_path / "tue" / "p.png", 2)


def test_results_of_another_folder_are_refused_or_get_numbers(batch, out, days):
    monday, tuesday = days
    batch(monday)
    before = results(out)
    with pytest.raises(FileError, match="p-deblurred.png is the result of .*mon/p.png; give"):
        batch(tuesday)
    assert batch(tuesday, existing="replace") == ["done"]
    assert before.items() < results(out).items()
    assert (out / "p-deblurred-2.png").exists()
    assert batch(tuesday) == ["verified"]
    assert batch(monday) == ["verified"]


@pytest.mark.parametrize("with_plan", [True, False])
def test_files_keep_the_names_of_their_results_alone_and_in_any_order(batch, out, days, with_plan):
    assert batch(*days) == ["done", "done"]
    before = results(out)
    for inputs in (days[1:], days[::-1], days[:1], days):
        if not with_plan:
            (out / PLAN_NAME).unlink()
        assert batch(*inputs) == ["verified"] * len(inputs)
    assert results(out) == before


def test_a_further_file_of_the_same_name_gets_the_next_number(batch, out, days, tmp_path):
    batch(*days)
    before = results(out)
    further = save(tmp_path / "wed" / "p.png", 3)
    assert batch(*days, further) == ["verified", "verified", "done"]
    assert before.items() < results(out).items()


def test_results_of_moved_inputs_are_still_theirs(batch, out, source, tmp_path):
    batch(source)
    before = results(out)
    source.parent.rename(tmp_path / "moved")
    assert batch(tmp_path / "moved") == ["verified"]
    save(tmp_path / "moved" / "a.png", 5)  # of which nothing tells that it was the same picture
    with pytest.raises(FileError, match="a-deblurred.png is the result of .*in/a.png; give"):
        batch(tmp_path / "moved")
    assert results(out) == before
    for strength in (1.0, 0.3):
        assert batch(tmp_path / "moved", existing="replace", strength=strength) == ["done"]
    assert before.items() < results(out).items()
    assert (out / "a-deblurred-2.png").exists()


def test_two_runs_in_nested_folders_do_not_take_each_others_names(settings, tmp_path, days):
    inner = tmp_path / "tree" / "mon"
    (first,) = finish(make_plan([days[1]], inner, settings()))[1]
    before = results(inner)
    plan = make_plan([tmp_path / "mon"], inner, settings(existing="keep"))
    steps = run_plan(make_plan([days[0].parent.parent / "mon"], inner.parent, settings()))
    *_, last = steps
    assert (first.state, last.outcome.state) == ("done", "done")
    assert plan.items[0].results["sharp"].name == "p-deblurred-2.png"
    assert results(inner) == before


# Files of the user


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a-deblurred.png", b"mine"),
        ("a-deblurred.png.json", b"my notes"),
        ("a-deblurred.png.json", b'{"batch": {"source": "mine"}}'),
        (PLAN_NAME, b'{"mine": true}'),
    ],
)
def test_files_of_the_user_where_results_should_go_stay(attempt, out, source, name, content):
    (out / name).write_bytes(content)
    for existing in ("refuse", "keep"):
        end = attempt(source, existing=existing)
        assert end == "kept" or f"{name} " in end
        assert (out / name).read_bytes() == content


def test_reports_and_hidden_files_of_the_user_stay(batch, out, source):
    names = [
        "report.csv",
        "report.html",
        "report-2.csv",
        ".holiday_movie_01.part",
        ".0123456789abcdef.part",
        ".napari-defocus-0123456789abcdef.part",
    ]
    for name in names:
        (out / name).write_bytes(b"mine")
    folder = out / ".napari-defocus-0123456789abcdea.part"
    folder.mkdir()
    (folder / "movie.mp4").write_bytes(b"mine")
    assert batch(source) == ["done"]
    assert {path.read_bytes() for path in (*(out / name for name in names), *folder.iterdir())} == {
        b"mine"
    }
    assert (out / "report-3.html").exists()


@pytest.mark.parametrize("name", ["a-deblurred.png", "a-deblurred.png.json", PLAN_NAME])
def test_pipes_of_the_user_stay(attempt, out, source, name):
    os.mkfifo(out / name)
    for existing in ("refuse", "keep"):
        end = attempt(source, existing=existing)
        assert end == "kept" or f"{name} " in end
        assert (out / name).is_fifo()


def test_a_picture_whose_sidecar_does_not_parse_is_the_users(batch, out, source):
    batch(source)
    sidecar = out / "a-deblurred.png.json"
    sidecar.write_bytes(sidecar.read_bytes()[:-7])
    before = results(out)
    with pytest.raises(FileError, match="exists already, and no earlier run made it; give another"):
        batch(source)
    assert batch(source, existing="keep") == ["kept"]
    assert results(out) == before
    assert batch(source, existing="replace") == ["done"]
    assert batch(source) == ["verified"]


@pytest.mark.parametrize("is_source_changed", [False, True])
def test_a_result_that_was_changed_afterwards_is_the_users(batch, out, source, is_source_changed):
    batch(source)
    save(out / "a-deblurred.png", 5)
    if is_source_changed:
        save(source, 6)
    further = save(source.with_name("b.png"), 7)
    before = results(out)
    with pytest.raises(FileError, match="a-deblurred.png was changed after an earlier run made"):
        batch(further, source)
    assert results(out) == before
    assert batch(source, existing="keep") == ["kept"]
    assert results(out) == before
    assert batch(source, existing="replace") == ["done"]


def test_a_sidecar_that_was_changed_afterwards_is_the_users(batch, out, source):
    batch(source)
    sidecar = out / "a-deblurred.png.json"
    sidecar.write_text(json.dumps(json.loads(sidecar.read_text()) | {"note": "mine"}))
    before = results(out)
    save(source, 6)
    with pytest.raises(FileError, match="json was changed after an earlier run wrote it"):
        batch(source)
    assert batch(source, existing="keep") == ["kept"]
    assert results(out) == before


def test_results_of_other_settings_are_refused_kept_or_replaced(batch, out, source):
    batch(source)
    before = results(out)
    with pytest.raises(FileError) as error:
        batch(source, strength=0.3)
    assert "a-deblurred.png was made with other settings" in str(error.value)
    assert "--existing keep" in str(error.value)
    assert "--overwrite" in str(error.value)
    assert batch(source, strength=0.3, existing="keep") == ["kept"]
    assert results(out) == before
    assert batch(source, strength=0.3, existing="replace") == ["done"]
    assert batch(source, strength=0.3) == ["verified"]


def test_results_of_other_settings_can_lie_beside_each_other(batch, out, source):
    others = [save(source.with_name(f"{name}.png"), seed) for seed, name in enumerate("bc", 1)]
    batch(source, *others)
    before = results(out)
    with pytest.raises(ExistingFileError) as error:
        batch(source, *others, strength=0.3)
    assert error.value.count == 3
    for _ in range(2):
        states = batch(source, *others, strength=0.3, existing="beside")
        now = results(out)
        assert {path: now[path] for path in before} == before
        assert (out / "a-deblurred-2.png").exists()
        assert not (out / "a-deblurred-3.png").exists()
    assert states == ["verified"] * 3
    assert batch(source, *others, strength=0.3) == ["verified"] * 3
    assert batch(source, *others, existing="beside") == ["verified"] * 3
    assert results(out) == now


def test_a_hard_linked_backup_of_a_result_does_not_change_with_it(batch, out, source, tmp_path):
    batch(source)
    os.link(out / "a-deblurred.png", tmp_path / "backup.png")
    before = (tmp_path / "backup.png").read_bytes()
    save(source, 6)
    assert batch(source) == ["done"]
    assert (tmp_path / "backup.png").read_bytes() == before
    assert (out / "a-deblurred.png").read_bytes() != before


#: What a file of the user appears as, a moment before the batch gives its own that name.
_trap = {}


def _spring(event, arguments):
    target = _trap.get("target")
    if target is None or event not in ("os.link", "os.rename"):
        return
    if str(arguments[1]) == str(target):
        del _trap["target"]
        target.write_bytes(b"mine")


sys.addaudithook(_spring)


@pytest.mark.parametrize("name", ["a-deblurred.png", "a-deblurred.png.json", "report.html"])
def test_a_file_that_appears_at_the_last_moment_stays(attempt, out, source, name):
    _trap["target"] = out / name
    end = attempt(source)
    assert end == "failed" or f"{name} exists already" in end
    assert (out / name).read_bytes() == b"mine"
    assert made_files(out) <= {name, *(RESULTS if name.startswith("report") else ())}


def made_files(folder):
    return {path.name for path in folder.iterdir() if path.name in RESULTS}


# Links in the folder of the results


@pytest.fixture(params=["to a file", "to nothing"])
def outside(request, tmp_path):
    """Path of a file outside of the folder, which exists or not."""
    (tmp_path / "outside").mkdir()
    if request.param == "to a file":
        (tmp_path / "outside" / "precious").write_bytes(b"precious")
    return tmp_path / "outside" / "precious"


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_links_are_refused_or_replaced_but_not_followed(attempt, out, source, outside):
    before = files(outside.parent)
    for name in (*RESULTS, "report.csv", "report.html"):
        (out / name).symlink_to(outside)
    assert "a-deblurred.png exists already" in attempt(source)
    assert attempt(source, existing="replace") == "done"
    assert files(outside.parent) == before
    assert not any((out / name).is_symlink() for name in RESULTS)
    assert (out / "report.csv").is_symlink()
    assert (out / "report-2.csv").exists()


@pytest.mark.parametrize("name", [PLAN_NAME, ".napari-defocus-batch.lock"])
def test_links_in_place_of_plan_and_lock_are_refused(attempt, out, source, outside, name):
    before = files(outside.parent)
    (out / name).symlink_to(outside)
    assert f"{name} is not the " in attempt(source, existing="replace")
    assert files(outside.parent) == before


@pytest.mark.parametrize("name", ["a-deblurred.png", "a-deblurred.png.json", "report.csv"])
def test_a_result_that_was_moved_and_linked_is_not_followed(attempt, out, source, tmp_path, name):
    attempt(source)
    shutil.move(out / name, tmp_path / "precious")
    (out / name).symlink_to(tmp_path / "precious")
    before = (tmp_path / "precious").read_bytes()
    save(source, 6)
    for existing in ("refuse", "replace"):
        assert attempt(source, existing=existing)
        assert (tmp_path / "precious").read_bytes() == before


def test_only_the_files_of_a_linked_folder_fail(batch, out, tmp_path):
    save(tmp_path / "in" / "a.png", 0)
    save(tmp_path / "in" / "sub" / "deeper" / "b.png", 1)
    (tmp_path / "outside").mkdir()
    (out / "sub").symlink_to(tmp_path / "outside")
    assert batch(tmp_path / "in") == ["done", "failed"]
    assert not list((tmp_path / "outside").iterdir())


def test_a_forged_plan_makes_no_file_a_result(settings, out, source, tmp_path):
    mine = save(out / "mine.png", 3)
    precious = save(tmp_path / "outside" / "precious.png", 4)
    plan = make_plan([source], out, settings())
    for path in (mine, precious):
        before = path.read_bytes()
        text = json.dumps({"source": str(source), "results": {"sharp": str(path)}})
        fields = {"settings": settings().as_json(), "items": [json.loads(text)]}
        (out / PLAN_NAME).write_text(json.dumps(fields))
        assert make_plan([source], out, settings()).items == plan.items
        finish(make_plan([source, mine], out, settings()))
        assert path.read_bytes() == before


@pytest.mark.parametrize("value", [[], {}, 7, "\0", "x" * 5000, None])
def test_forged_records_and_plans_cause_sentences_only(attempt, out, source, value):
    attempt(source)
    sidecar, plan = out / "a-deblurred.png.json", out / PLAN_NAME
    record, fields = json.loads(sidecar.read_text()), json.loads(plan.read_text())
    del record["batch"]["check"]
    for name in (*record["batch"], "former"):
        changed = {**record["batch"], name: value}
        sidecar.write_text(json.dumps({**record, "batch": changed}))
        end = attempt(source)
        assert end in ("done", "verified", "failed") or "a-deblurred.png" in end
    for changed in ({"source": value}, {"results": {"sharp": value}}, {"results": value}):
        item = {**fields["items"][0], **changed}
        plan.write_text(json.dumps({**fields, "items": [item]}))
        end = attempt(source)
        assert (
            end == "verified" or f"{PLAN_NAME} is not the plan" in end or "a-deblurred.png" in end
        )


def test_results_within_an_input_are_refused(settings, tmp_path):
    store = tmp_path / "a.zarr"
    store.mkdir()
    with pytest.raises(FileError, match="lies within .*a.zarr, which is read"):
        make_plan([store], store / "out", settings())


def test_the_paths_of_a_plan_are_absolute(settings, source, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    weights = settings().deblurring.map_model
    plan = make_plan(["in"], "out", settings(map_model=os.path.relpath(weights)))
    assert os.path.realpath(plan.settings.deblurring.map_model) == os.path.realpath(weights)
    assert Path(plan.settings.deblurring.map_model).is_absolute()
    assert settings(model="auto").with_absolute_models().deblurring.model == "auto"
    assert plan.folder == tmp_path / "out"
    assert plan.items[0].results["sharp"] == tmp_path / "out" / "a-deblurred.png"


def test_results_of_an_earlier_version_are_recognized(batch, out, source):
    batch(source)
    sidecar = out / "a-deblurred.png.json"
    record = json.loads(sidecar.read_text())
    for name in ("path", "check"):
        del record["batch"][name]
    sidecar.write_text(json.dumps(record))
    plan = json.loads((out / PLAN_NAME).read_text())
    del plan["earlier"]
    (out / PLAN_NAME).write_text(json.dumps(plan))
    assert Plan.read(out).earlier == ()
    assert batch(source) == ["verified"]
    save(source, 6)
    before = results(out)
    with pytest.raises(FileError, match="is the result of another file"):  # as far as it tells
        batch(source)
    assert results(out) == before
