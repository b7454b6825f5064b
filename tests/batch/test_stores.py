"""Batches of OME-Zarr plates and series, whose layout the results keep."""

from dataclasses import replace

import numpy as np
import pytest

from napari_defocus import DeblurJob, EstimateJob, Options, Views
from napari_defocus.batch.inputs import find_inputs
from napari_defocus.batch.plan import make_plan
from napari_defocus.batch.run import run_plan
from napari_defocus.errors import FileError
from napari_defocus.io import open_picture, read_picture

from ..ngff_stores import pixels, set_attributes, write_image, write_plate, write_series

zarr = pytest.importorskip("zarr")
yaozarrs = pytest.importorskip("yaozarrs")


def outcomes(plan):
    return [event.outcome for event in run_plan(plan) if event.outcome is not None]


def states(plan):
    return [outcome.state for outcome in outcomes(plan)]


def attributes(path):
    fields = dict(zarr.open_group(str(path), mode="r").attrs)
    return fields.get("ome", fields)


def check_plate(path, wells, version):
    """Check plate, wells and images of a plate with an independent schema."""
    models = {"0.4": yaozarrs.v04, "0.5": yaozarrs.v05}[version]
    plate = models.Plate.model_validate(attributes(path)).plate
    assert [well.path for well in plate.wells] == list(wells)
    for well, fields in wells.items():
        images = models.Well.model_validate(attributes(path / well)).well.images
        assert [image.path for image in images] == fields
        for field in fields:
            models.Image.model_validate(attributes(path / well / field))


@pytest.mark.parametrize(
    ("version", "fields", "words"),
    [("0.2", 1, ["deblurred"]), ("0.4", 2, ["deblurred", "defocus"]), ("0.5", 1, ["defocus"])],
)
def test_a_plate_becomes_plates(settings, tmp_path, version, fields, words):
    axes = "" if version == "0.2" else "yx"
    plate = write_plate(
        tmp_path / "p.zarr", ["A/1", "B/3"], fields=fields, version=version, axes=axes
    )
    custom = settings(task={1: "map" if "defocus" in words else "deblur", 2: "both"}[len(words)])
    made = make_plan([plate], tmp_path / "out", custom)
    assert states(made) == ["done"] * 2 * fields
    names = [str(field) for field in range(fields)]
    for word in words:
        result = tmp_path / "out" / f"p-{word}.zarr"
        written = "0.5" if version == "0.5" else "0.4"
        check_plate(result, {"A/1": names, "B/3": names}, written)
        assert attributes(result)["plate"]["name"] == "screen"
        dtype = np.float32 if word == "defocus" else np.uint16
        assert read_picture(result / "B/3/0").data.dtype == dtype
    again = make_plan([tmp_path], tmp_path / "out", custom)
    assert states(again) == ["verified"] * 2 * fields
    report = (tmp_path / "out" / "report.csv").read_text(encoding="utf-8")
    assert str(plate / "B/3/0") in report


def test_parts_of_a_plate_keep_their_place(settings, tmp_path, monkeypatch):
    plate = write_plate(tmp_path / "p.zarr", ["A/1", "A/2", "B/1"], fields=2)
    monkeypatch.chdir(plate / "A")
    for inputs, number in ((["1/0"], 1), (["../A/2"], 2), ([str(plate / "*/1/1")], 2)):
        assert states(make_plan(inputs, tmp_path / "out", settings())) == ["done"] * number
    check_plate(
        tmp_path / "out" / "p-deblurred.zarr", {"A/1": ["0", "1"], "A/2": ["0", "1"], "B/1": ["1"]},
        "0.4",
    )  # fmt: skip
    assert states(make_plan([plate], tmp_path / "out", settings())) == [
        "verified", "verified", "verified", "verified", "done", "verified"]  # fmt: skip


def test_all_images_of_a_plate_have_one_value_range(settings, tmp_path):
    plate = write_plate(tmp_path / "p.zarr", ["A/1"], axes="cyx", data=pixels((2, 24, 40)))
    dim = pixels((2, 24, 40), seed=1) // 8
    write_image(plate, "A/2/0", axes="cyx", data=dim)
    set_attributes(plate, "A/2", "0.4", well={"images": [{"path": "0"}], "version": "0.4"})
    fields = attributes(plate)["plate"]
    fields["columns"].append({"name": "2"})
    fields["wells"].append({"path": "A/2", "rowIndex": 0, "columnIndex": 1})
    set_attributes(plate, "", "0.4", plate=fields)
    custom = settings()
    assert states(make_plan([plate / "A/2/0"], tmp_path / "out", custom)) == ["done"]
    both = np.stack([pixels((2, 24, 40)), dim])
    white = np.percentile(both[0], 99.99, axis=(1, 2))
    ranges = np.stack([both.min(axis=(0, 2, 3)), white], axis=-1)[:, None] * 1.0
    result = read_picture(tmp_path / "out" / "p-deblurred.zarr" / "A/2/0").data
    options = replace(custom.options, value_range=ranges[:, 0], channel_axis="none")
    defocus = EstimateJob(Views(dim), custom.deblurring.map_model, options).run()
    deblurring = replace(custom.deblurring, map_model="auto")
    np.testing.assert_array_equal(result, DeblurJob(dim, defocus, deblurring, options).run())


def test_planes_of_a_time_lapse_have_one_value_range_per_channel(settings, tmp_path):
    data = pixels((3, 2, 24, 40))
    data[1] //= 4
    data[:, 1] //= 2
    path = write_image(tmp_path / "a.zarr", axes="tcyx", data=data)
    custom = settings()
    assert states(make_plan([path], tmp_path / "out", custom)) == ["done"]
    ranges = [[data[:, c].min(), np.percentile(data[:, c], 99.99)] for c in range(2)]
    options = Options(value_range=ranges, channel_axis="none")
    frame = data[1]
    defocus = EstimateJob(Views(frame), custom.deblurring.map_model, options).run()
    deblurring = replace(custom.deblurring, map_model="auto")
    sharp = DeblurJob(frame, defocus, deblurring, options).run()
    result = read_picture(tmp_path / "out" / "a-deblurred.zarr").data
    np.testing.assert_array_equal(result[1], sharp)


@pytest.mark.parametrize(("version", "task"), [("0.4", "both"), ("0.5", "deblur")])
def test_series_become_series(settings, tmp_path, version, task):
    store = write_series(tmp_path / "s.zarr", 2, version=version)
    assert states(make_plan([tmp_path], tmp_path / "out", settings(task=task))) == ["done"] * 2
    result = tmp_path / "out" / "s-deblurred.zarr"
    assert attributes(result)["bioformats2raw.layout"] == 3
    assert attributes(result / "OME")["series"] == ["0", "1"]
    assert (result / "OME" / "METADATA.ome.xml").read_text(encoding="utf-8") == "<OME/>"
    assert not (tmp_path / "out" / "s-defocus.zarr" / "OME" / "METADATA.ome.xml").exists()
    assert open_picture(result).ignored == f"a further image, {result / '1'}"
    if version == "0.5":
        yaozarrs.validate_zarr_store(str(result))
    assert not np.array_equal(read_picture(result / "1").data, read_picture(store / "1").data)


def test_a_damaged_field_does_not_stop_the_others_and_is_not_listed(settings, tmp_path):
    plate = write_plate(tmp_path / "p.zarr", ["A/1", "A/2"])
    (plate / "A/1/0/.zattrs").write_text("{")
    done = outcomes(make_plan([plate], tmp_path / "out", settings()))
    assert [outcome.state for outcome in done] == ["failed", "done"]
    assert "damaged" in done[0].message
    check_plate(tmp_path / "out" / "p-deblurred.zarr", {"A/2": ["0"]}, "0.4")


def test_two_plates_of_one_name_do_not_mix(settings, tmp_path):
    plates = [tmp_path / name / "p.zarr" for name in "ab"]
    for plate, well in zip(plates, ("A/1", "B/2"), strict=True):
        plate.parent.mkdir()
        write_plate(plate, [well])
    assert states(make_plan(plates, tmp_path / "out", settings())) == ["done", "done"]
    for name, well in (("p-deblurred", "A/1"), ("p-deblurred-2", "B/2")):
        check_plate(tmp_path / "out" / f"{name}.zarr", {well: ["0"]}, "0.4")


def test_a_store_that_no_batch_made_is_not_written_to(settings, tmp_path):
    plate = write_plate(tmp_path / "p.zarr", ["A/1"])
    other = write_image(tmp_path / "out" / "p-deblurred.zarr", "B/1/0")
    before = {path: path.stat().st_mtime_ns for path in other.rglob("*")}
    with pytest.raises(FileError, match=r"p-deblurred.zarr exists already"):
        make_plan([plate], tmp_path / "out", settings())
    assert states(make_plan([plate], tmp_path / "out", settings(existing="keep"))) == ["kept"]
    assert {path: path.stat().st_mtime_ns for path in other.rglob("*")} == before
    assert states(make_plan([plate], tmp_path / "out", settings(existing="replace"))) == ["done"]
    check_plate(other, {"A/1": ["0"]}, "0.4")
    assert not (other / "B").exists()


def test_a_plate_can_become_single_files(settings, tmp_path):
    plate = write_plate(tmp_path / "p.ome.zarr", ["A/1"])
    custom = settings(pattern="{name}-{what}.tif")
    assert states(make_plan([plate], tmp_path / "out", custom)) == ["done"]
    assert read_picture(tmp_path / "out" / "p-A-1-0-deblurred.tif").data.shape == (24, 40)


def test_results_within_a_plate_that_is_read_are_refused(settings, tmp_path):
    plate = write_plate(tmp_path / "p.zarr", ["A/1"])
    with pytest.raises(FileError, match="lies within .*p.zarr, which is read"):
        make_plan([plate / "A/1/0"], plate / "out", settings())


def test_label_images_are_no_inputs(tmp_path):
    store = write_image(tmp_path / "a.zarr")
    write_image(store, "labels/cells", data=pixels(dtype=np.uint8))
    assert [file.path.name for file in find_inputs([tmp_path / "*"])] == ["a.zarr"]
    with pytest.raises(FileError, match="matches no image file"):
        find_inputs([tmp_path / "*.zarr" / "labels" / "*"])


@pytest.mark.slow
def test_a_plate_of_96_wells_becomes_a_plate_with_two_workers(settings, tmp_path):
    wells = [f"{row}/{column}" for row in "ABCDEFGH" for column in range(1, 13)]
    plate = write_plate(tmp_path / "p.zarr", wells, version="0.5")
    plan = make_plan([plate], tmp_path / "out", settings())
    pytest.importorskip("distributed")
    from napari_defocus.batch.cluster import connect, run_on_cluster

    with connect(None, 2) as client:
        done = [event.outcome for event in run_on_cluster(plan, client) if event.outcome]
    assert [outcome.state for outcome in done] == ["done"] * 96
    result = tmp_path / "out" / "p-deblurred.zarr"
    check_plate(result, {well: ["0"] for well in wells}, "0.5")
    yaozarrs.validate_zarr_store(str(result))
    again = make_plan([plate], tmp_path / "out", settings())
    assert states(again) == ["verified"] * 96
