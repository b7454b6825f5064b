"""Damaged and malicious files: each gives a picture that can be written, or a FileError."""

import io
import os
import struct
import zlib

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from napari_defocus.errors import FileError
from napari_defocus.io import check_fits, read_picture, write_picture

RAMP = np.stack(
    np.broadcast_arrays(np.arange(48)[:, None] * 5, np.arange(32) * 7, 90), axis=-1
).astype(np.uint8)
GRAY = RAMP[..., 0]
STACK = np.stack([GRAY, GRAY // 2, GRAY // 3])


def tiff(data, how=None, **options):
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer, **how or {}) as writer:
        writer.write(data, **options)
    return buffer.getvalue()


def pillow(image, kind, **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def exif():
    made = Image.Exif()
    made[0x0112], made[0x010F] = 6, "Canon"
    made.get_ifd(0x8769).update({0xA002: 32, 0x829D: 2.8, 0x927C: bytes(90)})
    made.get_ifd(0x8825).update({1: "N", 2: (47.0, 30.0, 0.0)})
    return made


def with_folders_below():
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as writer:
        writer.write(GRAY, subifds=1)
        writer.write(GRAY[::2, ::2], subfiletype=1)
        writer.write(GRAY)
    return buffer.getvalue()


def examples():
    for compression in (None, "zlib", "lzw", "packbits", "zstd", "jpeg", "jpeg2000"):
        yield tiff(GRAY, compression=compression, photometric="minisblack")
    yield tiff(RAMP, photometric="rgb", tile=(16, 16), compression="zlib", predictor=True)
    yield tiff(RAMP.astype(">u2") * 257, {"bigtiff": True, "byteorder": ">"}, photometric="rgb")
    yield tiff((GRAY / 255).astype(np.float32), compression="zlib", predictor=3)
    yield tiff(GRAY > 100, photometric="minisblack")
    yield tiff(np.stack([GRAY, GRAY], -1), extrasamples=["unassalpha"], planarconfig="contig")
    yield tiff(GRAY, photometric="palette", colormap=np.ones((3, 256), np.uint16))
    fields = {"axes": "ZYX", "spacing": 0.5, "unit": "um", "finterval": 2.0}
    yield tiff(STACK, {"imagej": True}, metadata=fields, resolution=(10, 10))
    fields = {"axes": "CYX", "PhysicalSizeX": 0.3, "Channel": {"Name": ["a", "b", "c"]}}
    yield tiff(STACK, {"ome": True}, metadata=fields)
    tags = [(274, 3, 1, 6, True), (700, 1, 12, b"<x:xmpmeta/>", True), (33723, 7, 2, b"ab", True)]
    yield tiff(RAMP, description="a wren", resolution=(72, 72), extratags=tags, iccprofile=b"icc.")
    yield with_folders_below()
    color, gray = Image.fromarray(RAMP), Image.fromarray(GRAY)
    yield pillow(color, "TIFF", exif=exif(), compression="tiff_lzw")
    options = {"exif": exif(), "icc_profile": b"icc.", "dpi": (300, 150), "comment": "a wren"}
    for image in (color, gray):
        yield pillow(image, "JPEG", **options, xmp=b'<x tiff:Orientation="6"/>')
    yield pillow(color, "JPEG", progressive=True)
    yield pillow(color, "MPO", save_all=True, append_images=[gray.convert("RGB")])
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Note", "b" * 50, zip=True)
    texts.add_itxt("XML:com.adobe.xmp", "<x/>")
    yield pillow(color, "PNG", exif=exif(), icc_profile=b"icc.", dpi=(300, 150), pnginfo=texts)
    for mode in ("RGBA", "LA", "1"):
        yield pillow(color.convert(mode), "PNG")
    yield pillow(color.convert("P"), "PNG", transparency=b"\0\x80\xff")


EXAMPLES = list(examples())
NUMBERS = [0, 1, 255, 2**15, 2**16 - 1, 2**16, 10**9, 2**31 - 1, 2**31, 2**32 - 1]


def with_checksums(png):
    """Return a PNG file with correct checksums, so that readers parse its chunks."""
    content, position = bytearray(png), 8
    while position + 12 <= len(content):
        end = position + 8 + struct.unpack_from(">I", content, position)[0]
        if end + 4 > len(content):
            break
        struct.pack_into(">I", content, end, zlib.crc32(content[position + 4 : end]))
        position = end + 4
    return bytes(content)


@st.composite
def damaged_files(draw):
    """Draw an image file with bytes changed, inserted or cut out, or with its end cut off."""
    content = bytearray(draw(st.sampled_from(EXAMPLES)))
    for _ in range(draw(st.integers(1, 5))):
        place = draw(st.integers(0, 3000) | st.integers(0, 200) | st.integers(-300, -1))
        place %= len(content)
        kind = draw(st.sampled_from(["byte", "byte", "number", "insert", "cut", "end"]))
        if kind == "byte":
            content[place] = draw(st.integers(0, 255))
        elif kind == "number":
            form = draw(st.sampled_from(["<I", ">I"]))
            content[place : place + 4] = struct.pack(form, draw(st.sampled_from(NUMBERS)))
        elif kind == "insert":
            content[place:place] = draw(st.binary(min_size=1, max_size=40))
        elif kind == "cut":
            del content[max(place, 1) : place + draw(st.integers(1, 40))]
        else:
            del content[max(place, 1) :]
    is_png = content.startswith(b"\x89PNG")
    return with_checksums(content) if is_png and draw(st.booleans()) else bytes(content)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=damaged_files())
def test_damaged_file_gives_a_writable_picture_or_a_file_error(tmp_path, content):
    path = tmp_path / "a.bin"
    path.write_bytes(content)
    picture, message = attempt(path)
    if picture is None:
        assert message.startswith(str(path))
        assert "\n" not in message
        return
    assert picture.data.ndim == len(picture.axes)
    for name in ("b.tif", "b.ome.tif", "b.png", "b.jpg"):
        if fits(tmp_path / name, picture):
            write_picture(tmp_path / name, picture.data, picture, overwrite=True)
            again = read_picture(tmp_path / name).data.squeeze()
            assert again.shape == picture.data.squeeze().shape
            if name != "b.jpg":
                np.testing.assert_array_equal(again, picture.data.squeeze())


def attempt(path):
    try:
        return read_picture(path), ""
    except FileError as error:
        return None, str(error)


def fits(path, picture):
    try:
        check_fits(path, picture)
    except FileError:
        return False
    return True


def refused(path, content, words):
    path.write_bytes(content)
    with pytest.raises(FileError, match=words):
        read_picture(path)


def test_directories_in_a_circle_are_not_followed(tmp_path):
    for big, form, link in ((False, "<I", 4), (True, "<Q", 8)):
        content = bytearray(tiff(GRAY, {"bigtiff": big}, metadata=None))
        start = struct.unpack_from(form, content, link)[0]
        count = struct.unpack_from("<Q" if big else "<H", content, start)[0]
        end = start + (8 + 20 * count if big else 2 + 12 * count)
        struct.pack_into(form, content, end, start)
        refused(tmp_path / "a.tif", content, "its directories lead in a circle")


def test_small_file_that_claims_gigabytes_is_refused(tmp_path):
    content = tiff(np.zeros((16, 16), np.uint8), tile=(16, 16), compression="zlib", metadata=None)
    (tmp_path / "a.tif").write_bytes(content)
    with tifffile.TiffFile(tmp_path / "a.tif", mode="r+b") as file:
        tags = file.pages[0].tags
        for tag in ("ImageWidth", "ImageLength", "TileWidth", "TileLength"):
            tags[tag].overwrite(2**16)
        tags["TileOffsets"].overwrite(0)
        tags["TileByteCounts"].overwrite(0)
    with pytest.raises(FileError, match=r"bytes claim to hold 4\.0 GiB of pixels"):
        read_picture(tmp_path / "a.tif")
    jpeg = bytearray(pillow(Image.fromarray(RAMP), "JPEG", progressive=True))
    start = jpeg.index(b"\xff\xc2")
    struct.pack_into(">HH", jpeg, start + 5, 22000, 22000)
    refused(tmp_path / "a.jpg", jpeg, r"bytes claim to hold 2\.7 GiB of pixels")


@pytest.mark.parametrize("sides", [(10**9, 10**9), (2**31 - 1, 1), (30000, 30000)])
def test_png_of_gigapixels_is_refused(tmp_path, sides):
    content = bytearray(pillow(Image.fromarray(RAMP), "PNG"))
    struct.pack_into(">II", content, 16, *sides)
    words = rf"claims {sides[0]} x {sides[1]} pixels; pictures of up to 500 megapixels"
    refused(tmp_path / "a.png", with_checksums(content), words)


def test_size_that_hides_behind_another_chunk_is_refused(tmp_path):
    content = pillow(Image.fromarray(RAMP), "PNG")
    hidden = bytearray(struct.pack(">I4sII", 8, b"tEXt", 4, 4) + bytes(4))
    refused(tmp_path / "a.png", with_checksums(content[:8] + hidden + content[8:]), "is damaged")


def test_total_length_of_texts_is_limited(tmp_path):
    texts = PngImagePlugin.PngInfo()
    for number in range(40):
        texts.add_text(f"Bomb {number}", " " * 10**6, zip=True)
    (tmp_path / "a.png").write_bytes(pillow(Image.fromarray(RAMP), "PNG", pnginfo=texts))
    kept = read_picture(tmp_path / "a.png").metadata.text
    assert 0 < sum(map(len, kept.values())) <= 2**24


def test_profile_and_xmp_of_another_type_become_bytes_or_are_left_out(tmp_path):
    tags = [(34675, 3, 2, (65000, 65001), True), (700, 2, 5, "<x/>", True)]
    (tmp_path / "a.tif").write_bytes(tiff(RAMP, extratags=tags))
    picture = read_picture(tmp_path / "a.tif")
    assert picture.metadata.icc is None
    assert picture.metadata.xmp == b"<x/>"
    write_picture(tmp_path / "b.tif", picture.data, picture)


def test_imagej_fields_beyond_ascii_are_escaped(tmp_path):
    content = tiff(STACK, {"imagej": True}, metadata={"axes": "ZYX", "unit": "xm"})
    (tmp_path / "a.tif").write_bytes(content.replace(b"unit=xm", b"unit=\xb5m"))
    picture = read_picture(tmp_path / "a.tif")
    write_picture(tmp_path / "b.tif", picture.data, picture)
    assert read_picture(tmp_path / "b.tif").metadata.imagej["unit"] == "\\u00B5m"


def test_ome_without_tiff_data_keeps_all_planes(tmp_path):
    content = tiff(STACK, {"ome": True}, metadata={"axes": "CYX"})
    (tmp_path / "a.tif").write_bytes(content.replace(b"<TiffData", b"<TiffDatx"))
    picture = read_picture(tmp_path / "a.tif")
    write_picture(tmp_path / "b.tif", picture.data, picture)
    np.testing.assert_array_equal(read_picture(tmp_path / "b.tif").data, STACK)


def test_ome_file_is_reproducible(tmp_path):
    (tmp_path / "a.ome.tif").write_bytes(tiff(STACK, {"ome": True}, metadata={"axes": "CYX"}))
    picture = read_picture(tmp_path / "a.ome.tif")
    for like in (picture, None):
        for name in ("b.ome.tif", "c.ome.tif"):
            write_picture(tmp_path / name, picture.data, like, overwrite=True)
        assert (tmp_path / "b.ome.tif").read_bytes() == (tmp_path / "c.ome.tif").read_bytes()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs POSIX pipes")
def test_pipe_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "a.png")
    with pytest.raises(FileError, match="is a pipe or a device"):
        read_picture(tmp_path / "a.png")


def test_too_long_name_is_refused(tmp_path):
    for path in (tmp_path / ("é" * 200 + ".tif"), tmp_path / ("/x" * 4000) / "a.tif"):
        with pytest.raises(FileError, match="cannot be read: File name too long"):
            read_picture(path)
        with pytest.raises(FileError, match="cannot be written: File name too long"):
            write_picture(path, GRAY)


@pytest.mark.parametrize("bytes_of_name", [255 - 4, 255 - 5])
def test_longest_possible_name_is_written(tmp_path, bytes_of_name):
    path = tmp_path / ("x" * bytes_of_name + ".tif")
    write_picture(path, GRAY)
    np.testing.assert_array_equal(read_picture(path).data, GRAY)
