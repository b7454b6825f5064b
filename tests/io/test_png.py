"""PNG: 8 and 16 bits, alpha, and metadata chunks."""

import struct
import zlib

import imagecodecs
import numpy as np
import pytest
from PIL import Image

from napari_defocus.errors import FileError
from napari_defocus.io import Resolution, read_picture, write_picture

SEED = np.random.default_rng(1)


def chunk(name, body):
    return struct.pack(">I4s", len(body), name) + body + struct.pack(">I", zlib.crc32(name + body))


def png(data, *chunks):
    content = imagecodecs.png_encode(data)
    return content[:33] + b"".join(chunk(*c) for c in chunks) + content[33:]


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize(("samples", "axes"), [((), "YX"), ((3,), "YXS"), ((4,), "YXS")])
def test_reads_and_writes_gray_and_color(tmp_path, dtype, samples, axes):
    data = SEED.integers(0, np.iinfo(dtype).max, (9, 7, *samples)).astype(dtype)
    (tmp_path / "a.png").write_bytes(png(data))
    first = read_picture(tmp_path / "a.png")
    write_picture(tmp_path / "b.png", first.data, first)
    for picture in (first, read_picture(tmp_path / "b.png")):
        assert picture.axes == axes
        assert picture.data.dtype == dtype
        np.testing.assert_array_equal(picture.data, data)


def test_alpha_of_gray_is_kept_beside_it(tmp_path):
    data = SEED.integers(0, 65535, (9, 7, 2)).astype(np.uint16)
    (tmp_path / "a.png").write_bytes(png(data))
    picture = read_picture(tmp_path / "a.png")
    assert picture.axes == "YX"
    write_picture(tmp_path / "b.png", picture.data, picture)
    np.testing.assert_array_equal(imagecodecs.png_decode((tmp_path / "b.png").read_bytes()), data)


def test_palette_with_transparency_becomes_color_with_alpha(tmp_path):
    image = Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8)).convert("P")
    image.save(tmp_path / "a.png", transparency=5)
    picture = read_picture(tmp_path / "a.png")
    assert picture.axes == "YXS"
    assert picture.data.shape == (8, 8, 4)
    assert picture.data[0, 5, 3] == 0
    assert (np.delete(picture.data[..., 3].ravel(), 5) == 255).all()


def test_chunks_are_kept(tmp_path):
    data = SEED.integers(0, 255, (9, 7, 3)).astype(np.uint8)
    chunks = [
        (b"gAMA", struct.pack(">I", 45455)),
        (b"cHRM", bytes(range(32))),
        (b"iCCP", b"name\0\0" + zlib.compress(b"a color profile")),
        (b"pHYs", struct.pack(">IIB", 11811, 5906, 1)),
        (b"tEXt", b"Title\0caf\xe9"),
        (b"zTXt", b"Author\0\0" + zlib.compress(b"nobody")),
        (b"iTXt", b"Description\0\1\0de\0\0" + zlib.compress("unscharf — größer".encode())),
        (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0<xmp/>"),
    ]
    (tmp_path / "a.png").write_bytes(png(data, *chunks))
    first = read_picture(tmp_path / "a.png")
    write_picture(tmp_path / "b.png", data, first)
    again = read_picture(tmp_path / "b.png")
    for metadata in (first.metadata, again.metadata):
        assert metadata.icc == b"a color profile"
        assert metadata.xmp == b"<xmp/>"
        assert metadata.resolution == Resolution(118.11, 59.06, "centimeter")
        assert dict(metadata.png) == dict(chunks[:2])
        assert metadata.text == {
            "Title": "café",
            "Author": "nobody",
            "Description": "unscharf — größer",
        }


def test_written_chunks_are_read_by_pillow(tmp_path):
    data = SEED.integers(0, 255, (9, 7, 3)).astype(np.uint8)
    chunks = [(b"pHYs", struct.pack(">IIB", 11811, 11811, 1)), (b"tEXt", b"Title\0a wren")]
    (tmp_path / "a.png").write_bytes(png(data, *chunks))
    write_picture(tmp_path / "b.png", data, read_picture(tmp_path / "a.png"))
    with Image.open(tmp_path / "b.png") as image:
        assert image.info["dpi"] == pytest.approx((300, 300), abs=0.01)
        assert image.text == {"Title": "a wren"}


def test_damaged_texts_are_left_out(tmp_path, capfd):
    data = SEED.integers(0, 255, (9, 7)).astype(np.uint8)
    chunks = [(b"zTXt", b"Author\0\0not deflated"), (b"iCCP", b"name\0\0not deflated")]
    (tmp_path / "a.png").write_bytes(png(data, *chunks))
    picture = read_picture(tmp_path / "a.png")
    assert picture.metadata.icc is None
    np.testing.assert_array_equal(picture.data, data)
    assert capfd.readouterr() == ("", "")


def test_too_many_pixels_are_refused_before_decoding(tmp_path):
    header = struct.pack(">IIBBBBB", 2**17, 2**17, 8, 6, 0, 0, 0)
    content = (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")
    )
    (tmp_path / "bomb.png").write_bytes(content)
    with pytest.raises(FileError, match="claims 131072 x 131072 pixels"):
        read_picture(tmp_path / "bomb.png")


def test_text_that_decompresses_to_megabytes_is_left_out(tmp_path):
    bomb = (b"zTXt", b"Bomb\0\0" + zlib.compress(bytes(2**25)))
    (tmp_path / "a.png").write_bytes(png(np.eye(3, dtype=np.uint8), bomb))
    assert read_picture(tmp_path / "a.png").metadata.text["Bomb"] == ""


@pytest.mark.parametrize("keep", [20, 40, 60, -13])
def test_truncated_file_is_refused(tmp_path, keep):
    content = png(SEED.integers(0, 255, (30, 30)).astype(np.uint8))
    (tmp_path / "a.png").write_bytes(content[:keep])
    with pytest.raises(FileError, match="damaged or truncated"):
        read_picture(tmp_path / "a.png")


def test_later_frames_of_an_animation_are_mentioned(tmp_path):
    (tmp_path / "a.png").write_bytes(png(np.eye(3, dtype=np.uint8), (b"acTL", bytes(8))))
    assert read_picture(tmp_path / "a.png").ignored == "frames behind the first"


@pytest.mark.parametrize(("shift", "white"), [(0, 4095), (4, None)])
def test_significant_bits_tell_white_where_values_were_not_scaled_up(tmp_path, shift, white):
    data = np.stack([np.arange(4096, dtype=np.uint16) << shift, np.full(4096, 65535)], -1)
    (tmp_path / "a.png").write_bytes(png(data[None].astype(np.uint16), (b"sBIT", bytes([12, 16]))))
    first = read_picture(tmp_path / "a.png")
    write_picture(tmp_path / "b.png", first.data, first)
    assert first.metadata.white == read_picture(tmp_path / "b.png").metadata.white == white


def test_color_with_unscaled_values_stays_unscaled(tmp_path):
    data = SEED.integers(0, 4095, (9, 7, 3)).astype(np.uint16)
    (tmp_path / "a.png").write_bytes(png(data, (b"sBIT", bytes([12] * 3))))
    first = read_picture(tmp_path / "a.png")
    write_picture(tmp_path / "b.png", first.data, first)
    again = read_picture(tmp_path / "b.png")
    np.testing.assert_array_equal(again.data, data)
    assert again.metadata.white == first.metadata.white == 4095
