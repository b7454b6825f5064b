"""TIFF, OME-TIFF and ImageJ hyperstacks: axes, colors and metadata, read and written."""

import re
import tracemalloc
from pathlib import Path
from xml.etree import ElementTree

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_defocus.errors import FileError
from napari_defocus.io import (
    Length,
    Metadata,
    Picture,
    Resolution,
    open_picture,
    read_picture,
    write_picture,
)
from napari_defocus.io.picture import ObjectiveLens, Storage
from napari_defocus.io.read import count_images
from napari_defocus.io.recorded_optics import recorded_optics
from napari_defocus.io.tiff_write import write_tiff

SEED = np.random.default_rng(0)
STACK = SEED.integers(0, 60000, (5, 3, 20, 30)).astype(np.uint16)
COLOR = np.moveaxis(STACK[0], 0, -1)


def write(path, data, *, bigtiff=False, byteorder="<", imagej=False, ome=False, **options):
    with tifffile.TiffWriter(
        path, bigtiff=bigtiff, byteorder=byteorder, imagej=imagej, ome=ome
    ) as writer:
        writer.write(data, **options)
    return path


def round_trip(path: Path, **options) -> tuple[Picture, Picture]:
    """Return the picture that is read, and the one read again after writing it."""
    first = read_picture(path)
    copy = path.with_name(f"copy-{path.name}")
    write_picture(copy, first.data, first, **options)
    return first, read_picture(copy)


@pytest.mark.parametrize(
    ("options", "axes", "expected"),
    [
        pytest.param({}, "YX", STACK[0, 0], id="strips"),
        pytest.param({"tile": (16, 16)}, "YX", STACK[0, 0], id="tiles"),
        pytest.param({"bigtiff": True, "byteorder": ">"}, "YX", STACK[0, 0], id="big, big-endian"),
        pytest.param({"compression": "zlib", "predictor": True}, "YX", STACK[0, 0], id="deflate"),
        pytest.param({"compression": "lzw"}, "YX", STACK[0, 0], id="lzw"),
        pytest.param({"compression": "zstd"}, "YX", STACK[0, 0], id="zstd"),
        pytest.param({"compression": "packbits"}, "YX", STACK[0, 0], id="packbits"),
        pytest.param({"photometric": "miniswhite"}, "YX", 65535 - STACK[0, 0], id="inverted gray"),
        pytest.param({"bitspersample": 12}, "YX", STACK[0, 0] >> 4, id="12 bits"),
        pytest.param({"photometric": "rgb"}, "YXS", COLOR, id="color"),
        pytest.param(
            {"photometric": "rgb", "planarconfig": "separate"}, "YXS", COLOR, id="planar color"
        ),
        pytest.param({"photometric": "minisblack", "metadata": None}, "IYX", STACK[0], id="pages"),
        pytest.param(
            {"photometric": "minisblack", "metadata": {"axes": "TZYX"}},
            "TZYX",
            STACK,
            id="named axes",
        ),
        pytest.param(
            {"photometric": "minisblack", "planarconfig": "separate"},
            "CYX",
            STACK[:, 0],
            id="five samples, planar",
        ),
        pytest.param(
            {"photometric": "minisblack", "planarconfig": "contig"},
            "CYX",
            STACK[:, 0],
            id="five samples, interleaved",
        ),
    ],
)
def test_every_layout_is_read_and_written(tmp_path, options, axes, expected):
    stored = expected
    if options.get("photometric") == "miniswhite":
        stored = 65535 - expected
    if options.get("planarconfig") == "contig":
        stored = np.moveaxis(expected, 0, -1)
    if axes == "YXS" and options.get("planarconfig") == "separate":
        stored = np.moveaxis(expected, -1, 0)
    try:
        path = write(tmp_path / "a.tif", np.ascontiguousarray(stored), **options)
    except NotImplementedError as error:
        pytest.skip(f"this version of imagecodecs cannot write it: {error}")
    first, again = round_trip(path)
    for picture in (first, again):
        assert picture.axes == axes
        assert picture.channel_axis == (-1 if axes == "YXS" else None)
        assert picture.data.dtype == np.uint16
        assert picture.data.dtype.isnative
        np.testing.assert_array_equal(picture.data, expected)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint32", "float16", "float32", "float64"])
def test_type_is_kept(tmp_path, dtype):
    data = STACK[0, 0].astype(dtype)
    if data.dtype.kind == "f":
        data[3, 4] = np.nan
    first, again = round_trip(write(tmp_path / "a.tif", data))
    for picture in (first, again):
        assert picture.data.dtype == dtype
        np.testing.assert_array_equal(picture.data, data)


def test_alpha_of_color_is_a_fourth_sample(tmp_path):
    data = np.dstack([COLOR, STACK[1, 0]])
    first, again = round_trip(
        write(tmp_path / "a.tif", data, photometric="rgb", extrasamples=["assocalpha"])
    )
    assert first.axes == "YXS"
    np.testing.assert_array_equal(again.data, data)
    with tifffile.TiffFile(tmp_path / "copy-a.tif") as tiff:
        assert [int(sample) for sample in tiff.pages[0].extrasamples] == [1]


def test_alpha_of_gray_is_kept_beside_it(tmp_path):
    data = np.moveaxis(STACK[0, :2], 0, -1)
    path = write(
        tmp_path / "a.tif",
        np.ascontiguousarray(data),
        photometric="minisblack",
        planarconfig="contig",
        extrasamples=["unassalpha"],
    )
    first, again = round_trip(path)
    assert first.axes == again.axes == "YX"
    np.testing.assert_array_equal(again.data, data[..., 0])
    np.testing.assert_array_equal(again.alpha, data[..., 1])


def test_palette_becomes_color(tmp_path):
    palette = np.stack([np.arange(256), np.arange(256)[::-1], np.full(256, 7)]).astype(np.uint16)
    index = STACK[0, 0].astype(np.uint8)
    path = write(tmp_path / "a.tif", index, photometric="palette", colormap=palette * 257)
    picture = read_picture(path)
    assert picture.axes == "YXS"
    np.testing.assert_array_equal(picture.data, palette.T.astype(np.uint8)[index])


def test_imagej_look_up_table_leaves_values_alone(tmp_path):
    index = STACK[0, 0].astype(np.uint8)
    table = np.stack([np.arange(256)] * 3).astype(np.uint16) * 200
    path = write(tmp_path / "a.tif", index, imagej=True, colormap=table)
    for picture in round_trip(path):
        assert picture.axes == "YX"
        np.testing.assert_array_equal(picture.data, index)
        np.testing.assert_array_equal(picture.metadata.lut, table)
    with tifffile.TiffFile(tmp_path / "copy-a.tif") as tiff:
        assert tiff.is_imagej


def test_look_up_table_of_ome_is_kept(tmp_path):
    table = np.stack([np.arange(1 << 16), np.zeros(1 << 16), np.zeros(1 << 16)]).astype(np.uint16)
    for picture in round_trip(write(tmp_path / "a.tif", STACK[0, 0], ome=True, colormap=table)):
        np.testing.assert_array_equal(picture.data, STACK[0, 0])
        np.testing.assert_array_equal(picture.metadata.lut, table)


def test_imagej_hyperstack_keeps_axes_sizes_and_fields(tmp_path):
    fields = {
        "axes": "ZCYX",
        "unit": "um",
        "spacing": 2.0,
        "finterval": 0.5,
        "Labels": [f"plane {i}" for i in range(15)],
        "Info": "objective 20x",
        "Ranges": (1.0, 2.0, 3.0, 4.0, 5.0, 6.0),
        "mode": "composite",
    }
    path = write(tmp_path / "a.tif", STACK, imagej=True, metadata=fields, resolution=(10, 5))
    first, again = round_trip(path)
    assert first.axes == again.axes == "ZCYX"
    assert again.metadata.pixel_size == {
        "X": Length(0.1, "um"),
        "Y": Length(0.2, "um"),
        "Z": Length(2.0, "um"),
        "T": Length(0.5, "s"),
    }
    assert first.metadata.imagej == again.metadata.imagej
    np.testing.assert_array_equal(again.data, STACK)


def test_imagej_unit_beyond_ascii_survives(tmp_path):
    path = write(
        tmp_path / "a.tif",
        STACK[:, 0],
        imagej=True,
        metadata={"axes": "ZYX", "unit": "\\u00B5m", "spacing": 1.5},
        resolution=(10, 10),
    )
    first, again = round_trip(path)
    assert first.metadata.pixel_size == again.metadata.pixel_size
    assert first.metadata.imagej["unit"] == again.metadata.imagej["unit"]


def test_map_of_an_imagej_stack_keeps_its_sizes_but_not_its_display_range(tmp_path):
    fields = {"axes": "ZYX", "unit": "um", "spacing": 2.0, "min": 0.0, "max": 9.0}
    path = write(tmp_path / "a.tif", STACK[:, 0], imagej=True, metadata=fields, resolution=(10, 10))
    stack = read_picture(path)
    write_picture(tmp_path / "map.tif", stack.data.astype(np.float32), stack)
    written = read_picture(tmp_path / "map.tif")
    assert written.axes == "ZYX"
    assert written.data.dtype == np.float32
    assert written.metadata.pixel_size == stack.metadata.pixel_size
    assert not {"min", "max"} & set(written.metadata.imagej)


OME = {
    "axes": "TCYX",
    "PhysicalSizeX": 0.11,
    "PhysicalSizeXUnit": "µm",
    "PhysicalSizeY": 0.12,
    "TimeIncrement": 3.0,
    "Channel": {"Name": ["DAPI", "GFP", "DIC"], "Color": [255, -16711681, 7]},
    "Description": "slide 4, drifted",
}


def test_ome_xml_is_kept(tmp_path):
    path = write(tmp_path / "a.ome.tif", STACK, ome=True, metadata=OME)
    first, again = round_trip(path)
    assert again.axes == "TCYX"
    assert again.metadata.channel_names == ("DAPI", "GFP", "DIC")
    assert again.metadata.pixel_size == {
        "X": Length(0.11, "µm"),
        "Y": Length(0.12, "µm"),
        "T": Length(3.0, "s"),
    }
    for kept in ("slide 4, drifted", 'Color="-16711681"', 'SizeT="5"', 'Type="uint16"'):
        assert kept in first.metadata.ome
        assert kept in again.metadata.ome
    np.testing.assert_array_equal(again.data, STACK)


def test_map_of_an_ome_picture_is_float_without_colors(tmp_path):
    path = write(
        tmp_path / "a.ome.tif",
        np.moveaxis(STACK, 1, -1),
        ome=True,
        photometric="rgb",
        metadata={"axes": "ZYXS", "PhysicalSizeZ": 4.0},
    )
    picture = read_picture(path)
    write_picture(tmp_path / "map.ome.tif", STACK[:, 0].astype(np.float32), picture)
    written = read_picture(tmp_path / "map.ome.tif")
    assert written.axes == "ZYX"
    assert written.data.dtype == np.float32
    assert written.metadata.pixel_size["Z"] == Length(4.0, "µm")
    assert 'Type="float"' in written.metadata.ome
    assert 'SizeC="1"' in written.metadata.ome


def test_ome_of_several_images_keeps_and_reports_the_first(tmp_path):
    path = tmp_path / "a.ome.tif"
    with tifffile.TiffWriter(path, ome=True) as writer:
        writer.write(STACK[0, 0], metadata={"Name": "first"})
        writer.write(STACK[:, 0, :9, :9], metadata={"Name": "second"})
    first, again = round_trip(path)
    assert first.ignored == f"a further image, which is read as {path}/1"
    assert 'Name="first"' in again.metadata.ome
    assert "second" not in again.metadata.ome
    np.testing.assert_array_equal(again.data, STACK[0, 0])


def test_ome_lacking_planes_is_refused(tmp_path):
    path = write(tmp_path / "a.ome.tif", STACK, ome=True, metadata={"axes": "TCYX"})
    content = path.read_bytes().replace(b'PlaneCount="15"', b'PlaneCount="13"')
    path.write_bytes(content)
    with pytest.raises(FileError, match="lacks 2 of its 15 planes"):
        read_picture(path)


def test_suffix_ome_tif_turns_imagej_into_ome(tmp_path):
    fields = {"axes": "ZCYX", "unit": "micron", "spacing": 2.0}
    path = write(tmp_path / "a.tif", STACK, imagej=True, metadata=fields, resolution=(4, 4))
    picture = read_picture(path)
    write_picture(tmp_path / "b.ome.tif", picture.data, picture)
    written = read_picture(tmp_path / "b.ome.tif")
    assert written.metadata.imagej is None
    assert written.axes == "ZCYX"
    assert written.metadata.pixel_size == {
        "X": Length(0.25, "µm"),
        "Y": Length(0.25, "µm"),
        "Z": Length(2.0, "µm"),
    }


def test_stack_without_named_axes_can_become_ome(tmp_path):
    write_picture(tmp_path / "a.ome.tif", STACK)
    written = read_picture(tmp_path / "a.ome.tif")
    np.testing.assert_array_equal(written.data, STACK)


def test_plain_tags_are_kept(tmp_path):
    path = write(
        tmp_path / "a.tif",
        COLOR,
        photometric="rgb",
        metadata=None,
        description="größer".encode(),
        resolution=(300, 300),
        resolutionunit="inch",
        iccprofile=b"a color profile",
        compression="lzw",
        extratags=[
            (271, 2, 0, "Canon", True),
            (315, 2, 0, "A. Photographer", True),
            (700, 1, 5, b"<xmp>", True),
            (33723, 7, 6, b"\x1c\x02\x00\x00\x01\x31", True),
        ],
    )
    first, again = round_trip(path)
    assert again.metadata == first.metadata
    assert again.metadata.text == {"Description": "größer"}
    assert again.metadata.resolution == Resolution(300, 300, "inch")
    assert again.metadata.icc == b"a color profile"
    assert again.metadata.xmp == b"<xmp>"
    assert again.metadata.iptc == b"\x1c\x02\x00\x00\x01\x31"
    with tifffile.TiffFile(tmp_path / "copy-a.tif") as tiff:
        assert tiff.pages[0].tags["Make"].value == "Canon"
        assert tiff.pages[0].tags["Artist"].value == "A. Photographer"
        assert tiff.pages[0].compression.name == "LZW"


def test_map_carries_no_color_profile(tmp_path):
    path = write(tmp_path / "a.tif", COLOR, photometric="rgb", iccprofile=b"a color profile")
    picture = read_picture(path)
    write_picture(tmp_path / "map.tif", COLOR[..., 0].astype(np.float32), picture)
    assert read_picture(tmp_path / "map.tif").metadata.icc is None


def test_lossy_compression_is_not_repeated(tmp_path):
    smooth = np.linspace(0, 200, 32 * 48 * 3).reshape(32, 48, 3).astype(np.uint8)
    path = write(tmp_path / "a.tif", smooth, photometric="rgb", compression="jpeg")
    first, again = round_trip(path)
    np.testing.assert_array_equal(first.data, again.data)
    with tifffile.TiffFile(tmp_path / "copy-a.tif") as tiff:
        assert tiff.pages[0].compression.name == "ADOBE_DEFLATE"


def test_tiles_are_kept(tmp_path):
    round_trip(write(tmp_path / "a.tif", STACK[0, 0], tile=(16, 32)))
    with tifffile.TiffFile(tmp_path / "copy-a.tif") as tiff:
        assert tiff.pages[0].tile == (16, 32)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied(tmp_path, orientation):
    path = write(
        tmp_path / "a.tif", STACK[0, 0], metadata=None, extratags=[(274, 3, 1, orientation, True)]
    )
    expected = {
        1: STACK[0, 0],
        2: STACK[0, 0][:, ::-1],
        3: STACK[0, 0][::-1, ::-1],
        4: STACK[0, 0][::-1],
        5: STACK[0, 0].T,
        6: np.rot90(STACK[0, 0], -1),
        7: STACK[0, 0][::-1, ::-1].T,
        8: np.rot90(STACK[0, 0]),
    }[orientation]
    first, again = round_trip(path)
    np.testing.assert_array_equal(first.data, expected)
    np.testing.assert_array_equal(again.data, expected)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"photometric": "cfa"}, "raw sensor data"),
        ({"photometric": "separated", "planarconfig": "contig"}, "SEPARATED colors"),
        ({"photometric": "cielab", "planarconfig": "contig"}, "CIELAB colors"),
    ],
)
def test_other_colors_are_refused(tmp_path, options, words):
    data = {"cfa": STACK[0, 0], "separated": np.dstack([COLOR] * 2)[..., :4], "cielab": COLOR}
    path = write(tmp_path / "a.tif", data[options["photometric"]], **options)
    with pytest.raises(FileError, match=words):
        read_picture(path)


def test_array_without_rows_is_refused(tmp_path):
    path = write(tmp_path / "a.tif", STACK[0, 0, 0])
    with pytest.raises(FileError, match=re.escape("an array of axes X, shape (30,)")):
        read_picture(path)


@pytest.mark.parametrize("kind", ["strips", "deflate", "tiles", "pages", "imagej", "ome"])
def test_truncated_file_is_refused_or_complete(tmp_path, kind):
    options = {
        "strips": {},
        "deflate": {"compression": "zlib"},
        "tiles": {"tile": (16, 16), "compression": "lzw"},
        "pages": {"metadata": None},
        "imagej": {"imagej": True},
        "ome": {"ome": True},
    }[kind]
    path = write(tmp_path / "a.tif", STACK[:, 0], photometric="minisblack", **options)
    whole, content = read_picture(path), path.read_bytes()
    for length in [*range(16, len(content), len(content) // 40), len(content) - 1]:
        path.write_bytes(content[:length])
        try:
            picture = read_picture(path)
        except FileError:
            continue
        np.testing.assert_array_equal(picture.data, whole.data)


def test_message_says_how_much_is_truncated(tmp_path):
    path = write(tmp_path / "a.tif", STACK[0, 0])
    content = path.read_bytes()
    path.write_bytes(content[:-100])
    with pytest.raises(
        FileError, match=f"truncated: {len(content)} bytes announced, {len(content) - 100} there"
    ):
        read_picture(path)


def test_pixels_beyond_memory_are_refused_before_they_are_decoded(tmp_path):
    path = write(tmp_path / "a.tif", STACK[0, 0], compression="zlib", metadata=None)
    with tifffile.TiffFile(path, mode="r+b") as tiff:
        for tag in ("ImageWidth", "ImageLength", "RowsPerStrip"):
            tiff.pages[0].tags[tag].overwrite(2**28)
    with pytest.raises(FileError, match="GiB of memory"):
        read_picture(path)


@pytest.mark.parametrize("bigtiff", [False, True])
def test_exif_is_attached_to_the_first_directory(tmp_path, bigtiff):
    exif = Image.Exif()
    exif[0x010F] = "Canon"
    exif.get_ifd(0x8769).update({0x829D: 2.8, 0x927C: b"maker's note"})
    exif.get_ifd(0x8825)[1] = "N"
    metadata = Metadata(exif=exif.tobytes()[6:], storage=Storage(bigtiff=bigtiff))
    like = Picture(COLOR, "YXS", metadata)
    write_picture(tmp_path / "a.tif", COLOR, like)
    with tifffile.TiffFile(tmp_path / "a.tif") as tiff:
        assert tiff.is_bigtiff == bigtiff
        tags = tiff.pages[0].tags
        assert tags["Make"].value == "Canon"
        assert tags["ExifTag"].value["MakerNote"] == b"maker's note"
        assert tags["GPSTag"].value == {"GPSLatitudeRef": "N"}
    first, again = round_trip(tmp_path / "a.tif")
    assert first.metadata == again.metadata
    np.testing.assert_array_equal(again.data, COLOR)


def _packs_integers():
    try:
        imagecodecs.packints_encode(np.zeros(8, np.uint16), 12)
    except NotImplementedError:
        return False
    return True


_PACKED = pytest.mark.skipif(not _packs_integers(), reason="imagecodecs cannot pack integers yet")


@pytest.mark.parametrize(
    ("options", "white"),
    [
        ({"extratags": [(281, 3, 1, 4095, True)]}, 4095),
        pytest.param({"bitspersample": 12}, 4095, marks=_PACKED),
        ({"ome": True, "metadata": {"SignificantBits": 10}}, 1023),
        ({"extratags": [(281, 3, 1, 65535, True)]}, None),
        ({}, None),
    ],
)
def test_declared_white_is_kept(tmp_path, options, white):
    first, again = round_trip(write(tmp_path / "a.tif", STACK[0, 0] >> 6, **options))
    assert first.metadata.white == again.metadata.white == white


@pytest.mark.parametrize(("text", "value"), [("-9999", -9999.0), ("nan", None), ("x", None)])
def test_declared_value_without_data_is_kept(tmp_path, text, value):
    tags = [(42113, 2, len(text) + 1, text, True)]
    path = write(tmp_path / "a.tif", STACK[0, 0].astype(np.int16), extratags=tags)
    first, again = round_trip(path)
    assert first.metadata.nodata == again.metadata.nodata == value


GEOREFERENCE = (
    (33550, 12, 3, (0.5, 0.5, 0.0)),
    (33922, 12, 6, (0.0, 0.0, 0.0, 1000.0, 2000.0, 0.0)),
    (34735, 3, 8, (1, 1, 0, 1, 3072, 0, 1, 32633)),
    (42112, 2, 16, "<GDALMetadata/>"),
)


def with_tags(path, *tags):
    return write(path, COLOR, photometric="rgb", extratags=[(*tag, True) for tag in tags])


def test_georeference_is_kept_also_by_a_map(tmp_path):
    first, again = round_trip(with_tags(tmp_path / "a.tif", *GEOREFERENCE))
    assert {tag[0] for tag in first.metadata.tags} == {33550, 33922, 34735, 42112}
    assert again.metadata.tags == first.metadata.tags
    assert first.ignored == ""
    write_picture(tmp_path / "map.tif", COLOR[..., 0].astype(np.float32), first)
    with tifffile.TiffFile(tmp_path / "map.tif") as tiff:
        assert tiff.geotiff_metadata["ModelPixelScale"] == [0.5, 0.5, 0.0]
        assert 42112 not in tiff.pages[0].tags


def test_georeference_of_a_turned_image_is_left_out_and_said(tmp_path):
    path = with_tags(tmp_path / "a.tif", *GEOREFERENCE[:2], (274, 3, 1, 6))
    picture = read_picture(path)
    assert picture.metadata.tags == ()
    assert picture.ignored == "the georeference, as the image was turned upright"


def test_tags_that_are_left_out_are_said(tmp_path):
    path = with_tags(tmp_path / "a.tif", (37724, 7, 8, b"Adobe Ph"), (65100, 3, 1, 5))
    assert read_picture(path).ignored == "layers of Photoshop, the tag 65100"


def test_images_below_a_page_are_said(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        writer.write(STACK[0, 0], subifds=1)
        writer.write(STACK[0, 0, ::3, ::3], subfiletype=1)
    assert read_picture(tmp_path / "a.tif").ignored == "images below its page (SubIFDs)"


def test_samples_beyond_color_and_alpha_are_left_out_and_said(tmp_path):
    data = np.dstack([COLOR, COLOR])[..., :5]
    kinds = ["unspecified", "assocalpha"]
    path = write(tmp_path / "a.tif", data, photometric="rgb", extrasamples=kinds)
    first, again = round_trip(path)
    np.testing.assert_array_equal(again.data, data[..., [0, 1, 2, 4]])
    assert again.metadata.storage.extrasample == 1
    assert first.ignored == "a further sample a pixel"


def test_colors_multiplied_by_alpha_become_those_of_png(tmp_path):
    straight = np.dstack([COLOR, np.full(COLOR.shape[:2], 13107, np.uint16)])
    data = straight.copy()
    data[..., :3] //= 5
    write(tmp_path / "a.tif", data, photometric="rgb", extrasamples=["assocalpha"])
    write_picture(tmp_path / "a.png", data, read_picture(tmp_path / "a.tif"))
    np.testing.assert_allclose(read_picture(tmp_path / "a.png").data, straight, atol=5)


def test_further_images_are_read_by_their_numbers(tmp_path):
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as writer:
        writer.write(STACK[0, 0], metadata=None)
        writer.write(STACK[:, 0, :9, :9], metadata=None, photometric="minisblack")
    first, second = read_picture(path), read_picture(path / "1")
    np.testing.assert_array_equal(first.data, STACK[0, 0])
    np.testing.assert_array_equal(second.data, STACK[:, 0, :9, :9])
    assert first.ignored == f"a further image, which is read as {path}/1"
    assert second.ignored == f"a further image, which is read as {path}/0"
    with pytest.raises(FileError, match="has no image 2; it holds 2 images, 0 to 1"):
        read_picture(path / "2")
    assert count_images(path) == 1  # further ones are thumbnails more often than not


STORED = {
    "ImageJ": (STACK[0], {"imagej": True}),
    "pages": (STACK[0], {}),
    "big-endian": (STACK[0].astype(np.float32), {"byteorder": ">"}),
    "strips": (STACK[:1, 0], {"rowsperstrip": 7}),
    "colors": (np.moveaxis(STACK[:2], 1, -1), {"photometric": "rgb"}),
}


@pytest.mark.parametrize("kind", STORED)
def test_pixels_that_are_not_compressed_are_read_window_by_window(tmp_path, kind):
    pytest.importorskip("zarr")
    data, options = STORED[kind]
    container = {key: options[key] for key in ("imagej", "byteorder") if key in options}
    options = {"photometric": "minisblack", "metadata": None, **options}
    with tifffile.TiffWriter(tmp_path / "a.tif", **container) as writer:
        for page in [data] if kind == "ImageJ" else data:
            writer.write(page, **{k: v for k, v in options.items() if k not in container})
    lazy = open_picture(tmp_path / "a.tif", lazy_from=0).data
    np.testing.assert_array_equal(lazy.compute(), np.squeeze(data))
    window = np.s_[..., 3:11:2, 2:9, :] if kind == "colors" else np.s_[..., 3:11:2, 2:9]
    np.testing.assert_array_equal(lazy[window].compute(), np.squeeze(data)[window])


def test_a_window_of_one_large_strip_is_read_without_the_rest(tmp_path):
    pytest.importorskip("zarr")
    data = np.arange(4_000_000, dtype=np.uint32).reshape(2000, 2000)
    tifffile.imwrite(tmp_path / "a.tif", data)
    lazy = open_picture(tmp_path / "a.tif", lazy_from=0).data
    tracemalloc.start()
    try:
        np.testing.assert_array_equal(lazy[500:510, 7:300].compute(), data[500:510, 7:300])
        assert tracemalloc.get_traced_memory()[1] < data.nbytes / 10
    finally:
        tracemalloc.stop()


def test_a_file_that_shrinks_while_it_is_read_is_an_error(tmp_path):
    pytest.importorskip("zarr")
    tifffile.imwrite(tmp_path / "a.tif", STACK[0, 0])
    lazy = open_picture(tmp_path / "a.tif", lazy_from=0).data
    with (tmp_path / "a.tif").open("r+b") as file:
        file.truncate(600)
    with pytest.raises(FileError, match="is damaged or truncated: it ends before its pixels do"):
        lazy.compute()


LENS = Metadata(
    objective=ObjectiveLens(1.4, 63.0, "Oil"),
    wavelengths=(525.0, None, 610.5),
    channel_names=("green", "light", "red"),
)


@pytest.mark.parametrize("streamed", [False, True])
def test_objective_and_wavelengths_are_written_to_ome(tmp_path, streamed):
    data = STACK[:, :3]
    if streamed:
        data = pytest.importorskip("dask.array").from_array(data, chunks=(1, 1, 20, 30))
    with (tmp_path / "a.tif").open("w+b") as file:
        write_tiff(file, Picture(data, "ZCYX", LENS), tmp_path / "a.tif")
    with tifffile.TiffFile(tmp_path / "a.tif") as tiff:
        root = ElementTree.fromstring(tiff.ome_metadata)
    space = {"o": root.tag[1:].partition("}")[0]}
    lens = root.find("o:Instrument/o:Objective", space)
    assert (lens.get("LensNA"), lens.get("NominalMagnification"), lens.get("Immersion")) == (
        "1.4", "63", "Oil")  # fmt: skip
    image = root.find("o:Image", space)
    assert image.find("o:ObjectiveSettings", space).get("ID") == lens.get("ID")
    assert image.find("o:InstrumentRef", space).get("ID") == root.find("o:Instrument", space).get(
        "ID"
    )
    channels = image.findall("o:Pixels/o:Channel", space)
    assert [each.get("Name") for each in channels] == ["green", "light", "red"]
    assert [each.get("EmissionWavelength") for each in channels] == ["525", None, "610.5"]
    order = [child.tag.rpartition("}")[2] for child in root]
    assert order.index("Instrument") < order.index("Image")
    again = read_picture(tmp_path / "a.tif")
    assert again.axes == "ZCYX"
    np.testing.assert_array_equal(again.data, STACK[:, :3])
    assert recorded_optics(again.metadata) == recorded_optics(LENS)
