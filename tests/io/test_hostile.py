"""Damaged and malicious files: each gives a picture that can be written, or a FileError."""

import io
import os
import socket
import struct
import tracemalloc
import zlib

import imagecodecs
import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from napari_defocus.errors import FileError
from napari_defocus.io import check_fits, read_picture, write_picture
from napari_defocus.io.read import open_picture

from .png_checksums import with_checksums

posix = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs POSIX pipes")
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


def ome(planes=1, data="<TiffData/>"):
    """Return an OME-TIFF of one plane with OME-XML that says otherwise."""
    xml = (
        '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0"><Pixels'
        ' ID="Pixels:0" DimensionOrder="XYCZT" Type="uint8" SizeX="32" SizeY="48" SizeC="1" '
        f'SizeZ="1" SizeT="{planes}">{data}</Pixels></Image></OME>'
    )
    return tiff(GRAY, metadata=None, description=xml)


@pytest.mark.parametrize(
    ("claim", "words"),
    [
        ({"planes": 2 * 10**9}, "claims more than 1000000 planes"),
        (
            {"data": '<TiffData IFD="0" PlaneCount="2000000000"/>'},
            "claims more than 1000000 planes",
        ),
        ({"data": '<ModuloAlongT Start="0" Step="1" End="1e10"/>'}, "more than 1000000 planes"),
        ({"data": "<TiffData/>" * 600_000}, "its OME-XML holds too many elements"),
        ({"data": "<TiffData/>" + " " * 2**25}, "its description is 33554"),
    ],
)
def test_ome_that_claims_too_much_is_refused(tmp_path, claim, words):
    refused(tmp_path / "a.ome.tif", ome(**claim), words)


@pytest.mark.parametrize("name", ["../secret.tif", "{folder}/secret.tif", "..\\secret.tif", ""])
def test_files_in_other_folders_that_ome_names_are_not_read(tmp_path, name):
    (tmp_path / "secret.tif").write_bytes(ome())
    (tmp_path / "given").mkdir()
    uuid = f'<UUID FileName="{name.format(folder=tmp_path)}">urn:uuid:2</UUID>'
    content = ome(data=f'<TiffData IFD="0" PlaneCount="1">{uuid}</TiffData>')
    refused(tmp_path / "given" / "a.ome.tif", content, "only files in its own folder are read")


def test_description_of_very_many_values_is_refused(tmp_path):
    content = tiff(GRAY, metadata=None, description='{"shape": [48, 32], "a": [' + "[]," * 10**6)
    refused(tmp_path / "a.tif", content, "is damaged or truncated: it holds .* values")


def linked_directories(count, tag=(256, 3, 1, 1)):
    """Return a TIFF file of many directories that hold one tag."""
    form = struct.Struct("<HHHIII")
    links = (*range(8 + form.size, 8 + form.size * count, form.size), 0)
    return b"II*\0\x08\0\0\0" + b"".join(form.pack(1, *tag, link) for link in links)


def test_file_of_very_many_pages_is_refused(tmp_path):
    refused(tmp_path / "a.tif", linked_directories(70_001), "holds more than 70000 pages")


def test_file_of_very_many_pages_below_one_is_refused(tmp_path):
    content = linked_directories(1, (330, 4, 20_000, 8)) + bytes(80_000)
    refused(tmp_path / "a.tif", content, "holds 20001 pages of several sizes; up to 10000")


def test_tags_that_share_their_values_are_refused(tmp_path):
    strips = (273, 4, 10**6, 8)
    refused(tmp_path / "a.tif", linked_directories(100, strips), "its tags claim more bytes")


def test_tag_of_very_many_values_is_refused(tmp_path):
    content = linked_directories(1, (273, 4, 3 * 10**6, 8)) + bytes(12 * 10**6)
    refused(tmp_path / "a.tif", content, "its tags claim more than 2000000 values")


def with_tags(content, **values):
    buffer = io.BytesIO(content)
    with tifffile.TiffFile(buffer, mode="r+b") as file:
        for name, value in values.items():
            file.pages[0].tags[name].overwrite(value)
    return buffer.getvalue()


def test_tile_far_larger_than_the_image_is_refused(tmp_path):
    content = tiff(np.zeros((16, 16), np.uint8), tile=(16, 16), compression="zlib", metadata=None)
    content = with_tags(content, TileWidth=65488, TileLength=65488)
    refused(tmp_path / "a.tif", content, "its tiles are larger than the image")


@pytest.mark.parametrize("kind", ["jpeg", "jpeg2000"])
def test_tile_whose_header_claims_more_than_the_tile_is_refused(tmp_path, kind):
    content = bytearray(tiff(GRAY, compression=kind, photometric="minisblack", metadata=None))
    if kind == "jpeg":
        struct.pack_into(">HH", content, content.index(b"\xff\xc0") + 5, 65500, 65500)
    else:
        struct.pack_into(">II", content, content.index(b"\xff\x4f\xff\x51") + 8, 65500, 65500)
    refused(tmp_path / "a.tif", content, "a tile claims to be larger than all tiles are")


@pytest.mark.parametrize("codec", ["png", "webp", "jpegxl", "jpegxr", "lerc"])
def test_tile_that_is_a_larger_image_is_refused(tmp_path, codec):
    encode = getattr(imagecodecs, f"{codec}_encode")
    fastest = {"effort": 1} if codec == "jpegxl" else {}
    tile = np.zeros((2000, 2000, 3), np.uint8)
    layout = {"shape": (64, 64, 3), "dtype": "u1", "photometric": "rgb", "tile": (64, 64)}
    compression = {"jpegxl": "jpegxl", "jpegxr": 34934}.get(codec, codec)
    for pixels, side in ((tile[:64, :64], 64), (tile, 2000)):
        encoded = iter([encode(np.ascontiguousarray(pixels), **fastest)])
        content = tiff(encoded, compression=compression, metadata=None, **layout)
        if side == 64:
            (tmp_path / "a.tif").write_bytes(content)
            assert read_picture(tmp_path / "a.tif").data.shape == (64, 64, 3)
        else:
            tracemalloc.start()
            refused(tmp_path / "a.tif", content, "is damaged")
            assert tracemalloc.get_traced_memory()[1] < 10**7
            tracemalloc.stop()


def test_palette_of_very_many_colors_is_refused(tmp_path):
    content = tiff(GRAY, photometric="palette", colormap=np.zeros((3, 256), np.uint16))
    content = bytearray(content) + bytes(2 * 10**6)
    place = content.index(struct.pack("<HHI", 320, 3, 768))
    struct.pack_into("<II", content, place + 4, 10**6, len(content) - 2 * 10**6)
    refused(tmp_path / "a.tif", content, "its palette holds 1000000 values")


def test_padding_does_not_buy_memory(tmp_path):
    pixels = zlib.compress(bytes(100)) + bytes(100_000)
    content = tiff(
        iter([pixels]), shape=(20000, 20000), dtype="u1", compression="zlib", tile=(20000, 20000)
    )
    refused(tmp_path / "a.tif", content, "bytes claim to hold 0.4 GiB")


def test_planes_that_share_their_data_do_not_buy_memory(tmp_path):
    strips = iter([zlib.compress(bytes(10**6))] * 100)
    layout = {"shape": (100, 1000, 1000), "dtype": "u1", "rowsperstrip": 1000}
    content = bytearray(tiff(strips, compression="zlib", metadata=None, **layout))
    with tifffile.TiffFile(io.BytesIO(content)) as file:
        places = [page.tags["StripOffsets"] for page in file.pages]
    for place in places:
        struct.pack_into("<I", content, place.valueoffset, places[0].value[0])
    refused(tmp_path / "a.tif", content, "bytes claim to hold 0.1 GiB")


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_picture_of_more_pixels_than_its_data_can_hold_is_refused(tmp_path, kind):
    content = bytearray(pillow(Image.fromarray(GRAY), kind, comment=bytes(60_000)))
    if kind == "PNG":
        struct.pack_into(">II", content, 16, 20000, 20000)
        content = with_checksums(content)
    else:
        struct.pack_into(">HH", content, content.index(b"\xff\xc0") + 5, 20000, 20000)
    refused(tmp_path / "a.bin", content, r"bytes claim to hold 0\.\d GiB of pixels")


def test_exif_whose_values_share_their_bytes_is_left_out(tmp_path):
    content = pillow(Image.fromarray(GRAY), "PNG")
    tags = b"".join(struct.pack("<HHII", 40000 + n, 7, 10**6, 8) for n in range(1000))
    blob = b"II*\0\x08\0\0\0" + struct.pack("<H", 1000) + tags + bytes(10**6)
    chunk = struct.pack(">I4s", len(blob), b"eXIf") + blob
    chunk += struct.pack(">I", zlib.crc32(chunk[4:]))
    (tmp_path / "a.png").write_bytes(content[:33] + chunk + content[33:])
    assert read_picture(tmp_path / "a.png").metadata.exif is None


def test_jpeg_of_very_many_scans_is_refused(tmp_path):
    content = pillow(Image.fromarray(GRAY), "JPEG", progressive=True)
    start = content.index(b"\xff\xda")
    scan = content[start : start + 10]
    refused(tmp_path / "a.jpg", content[:start] + 200 * scan + b"\xff\xd9", "holds 200 scans")


def test_file_beyond_its_pixels_is_not_read(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(pillow(Image.fromarray(GRAY), "PNG"))
    os.truncate(path, 2**30)
    with pytest.raises(FileError, match="it holds 1073741824 bytes; up to 33557600 are read"):
        read_picture(path)


def test_png_of_more_pixels_than_its_size_takes_is_refused(tmp_path):
    content = pillow(Image.fromarray(GRAY), "PNG")
    pixels = struct.pack(">I4s", 10**5, b"IDAT") + bytes(10**5 + 4)
    content = with_checksums(content[:33] + pixels + content[33:])
    refused(tmp_path / "a.png", content, "it holds more pixels than its size takes")


def special_files(folder):
    """Make a pipe, a socket and a link to a device, and return their paths."""
    paths = [folder / name for name in ("pipe.tif", "socket.tif", "device.tif")]
    os.mkfifo(paths[0])
    with socket.socket(socket.AF_UNIX) as file:
        file.bind(str(paths[1]))
    paths[2].symlink_to("/dev/zero")
    return paths


@posix
def test_special_files_are_refused_at_once(tmp_path):
    for path in special_files(tmp_path):
        with pytest.raises(FileError, match="is a pipe or a device"):
            read_picture(path)


@posix
def test_special_file_that_ome_names_is_refused_at_once(tmp_path):
    for path in special_files(tmp_path):
        uuid = f'<UUID FileName="{path.name}">urn:uuid:2</UUID>'
        content = ome(data=f'<TiffData IFD="0" PlaneCount="1">{uuid}</TiffData>')
        refused(tmp_path / "a.ome.tif", content, "it is a pipe or a device")


@posix
def test_special_file_swapped_in_is_refused_when_a_window_is_read(tmp_path):
    path = tmp_path / "a.tif"
    path.write_bytes(tiff(GRAY, metadata=None))
    picture = open_picture(path, lazy_from=0)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(FileError, match="it is a pipe or a device"):
        picture.data.compute()
