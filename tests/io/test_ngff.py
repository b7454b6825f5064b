"""OME-Zarr of versions 0.1 to 0.5: axes, scales, places, labels, plates and series."""

from contextlib import suppress

import numpy as np
import pytest

from napari_defocus.batch.inputs import find_inputs
from napari_defocus.errors import FileError
from napari_defocus.io import open_picture, read_picture, write_picture
from napari_defocus.io.picture import Length
from napari_defocus.io.zarr_layout import read_collection

from ..ngff_stores import pixels, set_attributes, write_image, write_plate, write_series

zarr = pytest.importorskip("zarr")
yaozarrs = pytest.importorskip("yaozarrs")


def attributes(path):
    fields = dict(zarr.open_group(str(path), mode="r").attrs)
    return fields.get("ome", fields)


def rewrite(path, folder):
    """Read an image and write it as OME-Zarr; return the axes and transformations of the result."""
    picture = read_picture(path)
    write_picture(folder / "result.zarr", picture.data, picture)
    fields = dict(zarr.open_group(str(folder / "result.zarr"), mode="r").attrs)
    if "ome" in fields:
        (image,) = yaozarrs.v05.Image.model_validate(fields["ome"]).multiscales
    else:
        (image,) = yaozarrs.v04.Image.model_validate(fields).multiscales
    return image.axes, image.datasets[0].coordinateTransformations


@pytest.mark.parametrize("version", ["0.1", "0.2"])
@pytest.mark.parametrize(("shape", "axes"), [((2, 3, 1, 9, 8), "TCZYX"), ((2, 9, 8), "QYX")])
def test_old_versions_without_axes_are_read(tmp_path, version, shape, axes):
    path = write_image(tmp_path / "a.zarr", data=pixels(shape), axes="", version=version)
    picture = read_picture(path)
    assert picture.axes == axes
    np.testing.assert_array_equal(picture.data, pixels(shape))


def test_axes_that_are_letters_are_read(tmp_path):
    path = write_image(tmp_path / "a.zarr", data=pixels((2, 9, 8)), axes="cyx", version="0.3")
    assert read_picture(path).axes == "CYX"
    axes, _ = rewrite(path, tmp_path)
    assert [(axis.name, axis.type) for axis in axes] == [
        ("c", "channel"), ("y", "space"), ("x", "space")]  # fmt: skip


UM = [{"name": name, "type": "space", "unit": "micrometer"} for name in "yx"]


@pytest.mark.parametrize(
    ("array", "image", "scale", "shift"),
    [
        ([("scale", [-0.5, 0.5])], [], [-0.5, 0.5], None),
        ([("scale", [2, 3]), ("translation", [10, -20])], [], [2, 3], [10, -20]),
        ([("scale", [2, 3]), ("translation", [10, 20])], [("scale", [0.5, -1])], [1, -3], [5, -20]),
        ([("scale", [2, 3])], [("translation", [1e6, 0])], [2, 3], [1e6, 0]),
        ([("scale", [1, 1]), ("translation", [4, 0])], [("scale", [1, 1])], [1, 1], [4, 0]),
    ],
)
@pytest.mark.parametrize(("version", "axes"), [("0.4", UM), ("0.5", "yx")])
def test_scale_and_place_are_kept(tmp_path, array, image, scale, shift, version, axes):
    steps, outer = ([{"type": kind, kind: numbers} for kind, numbers in s] for s in (array, image))
    path = write_image(
        tmp_path / "a.zarr",
        axes=axes,
        version=version,
        steps=steps,
        **({"coordinateTransformations": outer} if outer else {}),
    )
    result, (scaling, *translations) = rewrite(path, tmp_path)
    assert [axis.unit for axis in result] == [("micrometer" if axes == UM else None)] * 2
    assert scaling.scale == scale
    assert [each.translation for each in translations] == ([] if shift is None else [shift])
    assert read_picture(path).metadata.geometry().origin == read_picture(path).metadata.origin


@pytest.mark.parametrize("number", [0.0, float("inf"), float("nan")])
def test_an_impossible_scale_is_left_out(tmp_path, number):
    steps = [{"type": "scale", "scale": [number, 0.5]}]
    path = write_image(tmp_path / "a.zarr", axes=UM, steps=steps)
    assert read_picture(path).metadata.pixel_size == {"X": Length(0.5, "micrometer")}


def test_smaller_copies_lie_where_the_image_lies(tmp_path):
    steps = [{"type": "scale", "scale": [-2, 1]}, {"type": "translation", "translation": [7, 5]}]
    path = write_image(tmp_path / "a.zarr", data=pixels((600, 40)), steps=steps)
    rewrite(path, tmp_path)
    (image,) = attributes(tmp_path / "result.zarr")["multiscales"]
    scale, shift = image["datasets"][1]["coordinateTransformations"]
    assert (scale["scale"], shift["translation"]) == ([-4, 2], [6, 5.5])


def test_names_and_units_of_other_axes_are_kept(tmp_path):
    names = [
        {"name": "hours", "type": "time", "unit": "hour"},
        {"name": "angle", "unit": "degree"},
        *UM,
    ]
    steps = [{"type": "scale", "scale": [0.25, 15, 0.5, 0.5]}]
    path = write_image(tmp_path / "a.zarr", data=pixels((2, 3, 9, 8)), axes=names, steps=steps)
    picture = read_picture(path)
    assert picture.axes == "TQYX"
    assert picture.metadata.pixel_size["T"] == Length(0.25, "hour")
    write_picture(tmp_path / "b.zarr", picture.data.astype(np.float32), picture)  # as a map
    (image,) = attributes(tmp_path / "b.zarr")["multiscales"]
    assert image["axes"] == names
    assert image["datasets"][0]["coordinateTransformations"] == steps


def test_images_of_a_plate_are_read_one_by_one(tmp_path, monkeypatch):
    plate = write_plate(tmp_path / "p.zarr", ["A/1", "B/3"], fields=2)
    with pytest.raises(FileError, match=r"such as .*A/1/0, .*2 rows and 2 columns: 2 wells with 4"):
        read_picture(plate)
    np.testing.assert_array_equal(read_picture(plate / "B/3/1").data, pixels(seed=11))
    well = read_picture(plate / "B/3")
    np.testing.assert_array_equal(well.data, pixels(seed=10))
    assert well.ignored == f"a further image, {plate / 'B/3/1'}"
    monkeypatch.chdir(plate / "B" / "3")
    np.testing.assert_array_equal(read_picture("1").data, pixels(seed=11))


def test_a_store_needs_no_suffix(tmp_path):
    write_plate(tmp_path / "plate", ["A/1"], version="0.5")
    np.testing.assert_array_equal(read_picture(tmp_path / "plate/A/1/0").data, pixels())


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_series_are_read_one_by_one(tmp_path, version):
    store = write_series(tmp_path / "s.zarr", 5, version=version)
    picture = read_picture(store)
    np.testing.assert_array_equal(picture.data, pixels())
    named = ", ".join(str(store / name) for name in "123")
    assert picture.ignored == f"4 further images, {named}, ..."
    np.testing.assert_array_equal(read_picture(store / "3").data, pixels(seed=3))


@pytest.mark.parametrize("path", ["../b.zarr", "/etc", "", "A\\1", 7, None])
def test_paths_out_of_a_store_are_refused(tmp_path, path):
    write_image(tmp_path / "b.zarr")
    store = write_plate(tmp_path / "a.zarr", ["A/1"])
    set_attributes(store, "A/1", "0.4", well={"images": [{"path": path}]})
    with pytest.raises(FileError, match="damaged|it lacks"):
        read_picture(store / "A/1")


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_labels_are_copied_to_a_picture_and_not_to_a_map(tmp_path, version):
    store = write_image(tmp_path / "a.zarr", version=version)
    set_attributes(store, "labels", version, labels=["nuclei"])
    write_image(store, "labels/nuclei", data=pixels(dtype=np.uint8), version=version)
    picture = open_picture(store)
    assert picture.left_out() == picture.left_out(tmp_path / "a.tif") == "the label image nuclei"
    assert picture.left_out(tmp_path / "b.zarr") == ""
    write_picture(tmp_path / "b.zarr", pixels() + 1, picture)
    copied = read_picture(tmp_path / "b.zarr" / "labels" / "nuclei")
    np.testing.assert_array_equal(copied.data, pixels(dtype=np.uint8))
    write_picture(tmp_path / "map.zarr", np.zeros((24, 40), np.float32), picture)
    assert not (tmp_path / "map.zarr" / "labels").exists()


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_channels_keep_their_display_settings_and_maps_their_names(tmp_path, version):
    window = {"min": 0, "max": 4095, "start": 10, "end": 900}
    channels = [
        {"label": name, "color": color, "window": window, "active": True}
        for name, color in (("DAPI", "0000FF"), ("GFP", "00FF00"))
    ]
    data = pixels((2, 24, 40))
    path = write_image(
        tmp_path / "a.zarr", data=data, axes="cyx", version=version, omero={"channels": channels}
    )
    picture = read_picture(path)
    assert picture.metadata.channel_names == ("DAPI", "GFP")
    rewrite(path, tmp_path)
    assert attributes(tmp_path / "result.zarr")["omero"]["channels"] == channels
    radius = np.stack([np.full((24, 40), 2, np.float32), np.full((24, 40), np.nan, np.float32)])
    radius[0, 0] = 5
    write_picture(tmp_path / "map.zarr", radius, picture)
    models = {"0.4": yaozarrs.v04, "0.5": yaozarrs.v05}[version]
    image = models.Image.model_validate(attributes(tmp_path / "map.zarr"))
    assert [channel.label for channel in image.omero.channels] == ["DAPI", "GFP"]
    assert [channel.window.end for channel in image.omero.channels] == [5, 1]


@pytest.mark.parametrize("seed", range(60))
def test_damaged_layouts_give_one_sentence(tmp_path, seed):
    random = np.random.default_rng(seed)
    store = write_plate(tmp_path / "p.zarr", ["A/1"], version=("0.4", "0.5")[seed % 2])
    files = sorted(path for path in store.rglob("*") if path.name in (".zattrs", "zarr.json"))
    path = files[seed % len(files)]
    content = bytearray(path.read_bytes())
    for place in random.integers(0, len(content), 3):
        content[place] = random.choice(list(b'{}[]",:0a.-/\\'))
    path.write_bytes(content)
    for part in ("", "A/1", "A/1/0"):
        with suppress(FileError):
            read_collection(store / part)
            read_picture(store / part)
    with suppress(FileError):
        find_inputs([store])
