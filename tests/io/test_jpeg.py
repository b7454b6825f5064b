"""JPEG: orientation, EXIF, color profile, XMP, IPTC, comment and density."""

import struct
from dataclasses import replace

import imagecodecs
import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps

from napari_defocus.errors import FileError
from napari_defocus.io import Metadata, Picture, Resolution, read_picture, write_picture

_EXIF, _GPS = 0x8769, 0x8825
_IPTC = b"\x1c\x02\x05\x00\x06a wren"
SMOOTH = np.stack(
    np.broadcast_arrays(np.arange(48)[:, None] * 5, np.arange(32) * 7, 90), axis=-1
).astype(np.uint8)
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def exif_of(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "Canon"
    exif[0x013B] = "A. Photographer"
    exif.get_ifd(_EXIF).update({0xA002: 32, 0xA003: 48, 0x829D: 2.8, 0x927C: b"maker's note"})
    exif.get_ifd(_GPS).update({1: "N", 2: (47.0, 30.0, 0.0)})
    return exif


@pytest.fixture
def photograph(tmp_path):
    """Write a photograph with orientation 6 and all metadata that a JPEG file can hold."""
    path = tmp_path / "photograph.jpg"
    resource = b"8BIM" + struct.pack(">HHI", 1028, 0, len(_IPTC)) + _IPTC + bytes(len(_IPTC) % 2)
    body = b"Photoshop 3.0\0" + resource
    Image.fromarray(SMOOTH).save(
        path,
        exif=exif_of(6),
        icc_profile=PROFILE,
        xmp=b'<rdf:Description tiff:Orientation="6" xmp:Rating="5"/>',
        comment="a wren in a canyon",
        dpi=(300, 150),
        extra=b"\xff\xed" + struct.pack(">H", len(body) + 2) + body,
    )
    return path


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied_as_by_pillow(tmp_path, orientation):
    path = tmp_path / "a.jpg"
    Image.fromarray(SMOOTH).save(path, exif=exif_of(orientation))
    with Image.open(path) as image:
        expected = np.asarray(ImageOps.exif_transpose(image))
    np.testing.assert_array_equal(read_picture(path).data, expected)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif"])
def test_metadata_are_written_to_every_format(photograph, tmp_path, suffix):
    picture = read_picture(photograph)
    path = tmp_path / f"out{suffix}"
    write_picture(path, picture.data, picture)
    with Image.open(path) as image:
        exif = image.getexif()
        assert image.size == (48, 32)
        assert exif.get(0x0112, 1) == 1
        assert exif[0x010F] == "Canon"
        assert exif[0x013B] == "A. Photographer"
        inner = exif.get_ifd(_EXIF)
        assert (inner[0xA002], inner[0xA003]) == (48, 32)
        assert inner[0x829D] == 2.8
        assert inner[0x927C] == b"maker's note"
        assert exif.get_ifd(_GPS)[2] == (47.0, 30.0, 0.0)
        assert image.info["icc_profile"] == PROFILE
        assert image.info["dpi"] == pytest.approx((150, 300), rel=1e-4)
    metadata = read_picture(path).metadata
    assert metadata.xmp == b'<rdf:Description tiff:Orientation="1" xmp:Rating="5"/>'
    assert "a wren in a canyon" in metadata.text.values()
    if suffix != ".png":
        assert metadata.iptc == _IPTC


@pytest.mark.parametrize("second", [".jpg", ".png", ".tif"])
@pytest.mark.parametrize("first", [".png", ".tif"])
def test_metadata_survive_a_second_change_of_format(photograph, tmp_path, first, second):
    picture = read_picture(photograph)
    write_picture(tmp_path / f"a{first}", picture.data, picture)
    again = read_picture(tmp_path / f"a{first}")
    write_picture(tmp_path / f"b{second}", again.data, again)
    with Image.open(tmp_path / f"b{second}") as image:
        exif = image.getexif()
        assert exif[0x013B] == "A. Photographer"
        assert exif.get_ifd(_EXIF)[0x829D] == 2.8
        assert exif.get_ifd(_GPS)[2] == (47.0, 30.0, 0.0)
        assert image.info["icc_profile"] == PROFILE


def test_thumbnail_of_the_old_picture_is_unlinked(tmp_path):
    exif = exif_of(1)
    blob = exif.tobytes()
    start = 6 + struct.unpack_from(">I", blob, 10)[0]
    end = start + 2 + 12 * struct.unpack_from(">H", blob, start)[0]
    linked = blob[:end] + struct.pack(">I", len(blob) - 6) + blob[end + 4 :] + bytes(6)
    Image.fromarray(SMOOTH).save(tmp_path / "a.jpg", exif=linked)
    picture = read_picture(tmp_path / "a.jpg")
    assert picture.metadata.exif[end - 6 : end - 2] == bytes(4)


def test_quality_is_high(tmp_path):
    write_picture(tmp_path / "a.jpg", SMOOTH, channel_axis=-1)
    error = read_picture(tmp_path / "a.jpg").data.astype(int) - SMOOTH
    assert np.abs(error).max() <= 6


def test_gray_stays_gray(tmp_path):
    write_picture(tmp_path / "a.jpg", SMOOTH[..., 0])
    assert read_picture(tmp_path / "a.jpg").axes == "YX"


def test_color_of_16_bits_is_rounded(tmp_path):
    write_picture(tmp_path / "a.jpg", SMOOTH.astype(np.uint16) * 257 + 100, channel_axis=-1)
    write_picture(tmp_path / "b.jpg", SMOOTH, channel_axis=-1)
    assert (tmp_path / "a.jpg").read_bytes() == (tmp_path / "b.jpg").read_bytes()


@pytest.mark.parametrize(
    ("data", "channel_axis", "words"),
    [
        (SMOOTH[..., 0].astype(np.uint16), None, "cannot hold uint16 values.*.png or .tif"),
        (SMOOTH[..., 0].astype(np.float32), None, "cannot hold float32 values.*write a .tif"),
        (np.dstack([SMOOTH, SMOOTH[..., 0]]), -1, "alpha channel; write a .png or .tif"),
        (SMOOTH[None, ..., 0], None, "a stack of axes QYX; write a .tif"),
        (np.zeros((1, 65536), np.uint8), None, "65536 x 1 pixels; write a .png or .tif"),
    ],
)
def test_picture_that_jpeg_cannot_hold_is_refused(tmp_path, data, channel_axis, words):
    with pytest.raises(FileError, match=words):
        write_picture(tmp_path / "a.jpg", data, channel_axis=channel_axis)
    assert not list(tmp_path.iterdir())


def test_cmyk_is_refused(tmp_path):
    Image.new("CMYK", (8, 8)).save(tmp_path / "a.jpg")
    with pytest.raises(FileError, match="holds CMYK colors; convert it to RGB first"):
        read_picture(tmp_path / "a.jpg")


def test_truncated_file_is_refused(photograph):
    content = photograph.read_bytes()
    for length in [*range(3, len(content), len(content) // 30), len(content) - 2]:
        photograph.write_bytes(content[:length])
        with pytest.raises(FileError, match="damaged or truncated"):
            read_picture(photograph)


def test_maker_note_too_long_for_a_jpeg_is_left_out(tmp_path):
    exif = exif_of(1)
    exif.get_ifd(_EXIF)[0x927C] = bytes(70000)
    Image.fromarray(SMOOTH).save(tmp_path / "a.png", exif=exif)
    picture = read_picture(tmp_path / "a.png")
    write_picture(tmp_path / "b.jpg", picture.data, picture)
    with Image.open(tmp_path / "b.jpg") as image:
        assert image.getexif()[0x010F] == "Canon"
        assert 0x927C not in image.getexif().get_ifd(_EXIF)


@pytest.mark.parametrize(("length", "kept"), [(65504, True), (65505, False)])
def test_xmp_too_long_for_a_jpeg_is_left_out(tmp_path, length, kept):
    packet = b"x" * length
    like = Picture(SMOOTH, "YXS", Metadata(xmp=packet))
    write_picture(tmp_path / "a.jpg", SMOOTH, like)
    assert read_picture(tmp_path / "a.jpg").metadata.xmp == (packet if kept else None)


def test_damaged_exif_does_not_hide_the_picture(tmp_path):
    Image.fromarray(SMOOTH).save(tmp_path / "a.jpg", exif=b"Exif\0\0II*\0\xff\xff\xff\x7f")
    picture = read_picture(tmp_path / "a.jpg")
    assert picture.data.shape == SMOOTH.shape
    write_picture(tmp_path / "b.tif", picture.data, picture)


def test_pictures_behind_the_first_are_mentioned(tmp_path):
    first, second = Image.fromarray(SMOOTH), Image.fromarray(SMOOTH[::2])
    first.save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=[second])
    picture = read_picture(tmp_path / "a.jpg")
    assert picture.data.shape == SMOOTH.shape
    assert picture.ignored == "pictures behind the first"


def test_density_in_centimeters_is_kept(tmp_path):
    write_picture(tmp_path / "a.jpg", SMOOTH, channel_axis=-1)
    content = bytearray((tmp_path / "a.jpg").read_bytes())
    content[13:18] = struct.pack(">BHH", 2, 100, 100)
    (tmp_path / "a.jpg").write_bytes(content)
    assert read_picture(tmp_path / "a.jpg").metadata.resolution == Resolution(
        100, 100, "centimeter"
    )


def test_sixty_megapixels_pass_without_a_warning(tmp_path):
    Image.new("L", (9600, 9600), 90).save(tmp_path / "a.jpg")
    assert read_picture(tmp_path / "a.jpg").data.shape == (9600, 9600)


def test_real_photographs_keep_their_pixels(tmp_path, data_folder):
    for path in sorted((data_folder / "real").glob("*.jpg")):
        picture = read_picture(path)
        with Image.open(path) as image:
            np.testing.assert_array_equal(picture.data, np.asarray(image))


def encoded(data, bits, **options):
    return imagecodecs.jpeg8_encode(np.ascontiguousarray(data), bitspersample=bits, **options)


def lossless(data, bits):
    return imagecodecs.ljpeg_encode(np.ascontiguousarray(data), bitspersample=bits)


@pytest.mark.parametrize(
    ("content", "white", "is_lossless"),
    [
        (encoded(SMOOTH.astype(np.uint16) << 4, 12), 4095, False),
        (encoded(SMOOTH[..., 0].astype(np.uint16) << 4, 12), 4095, False),
        (encoded(SMOOTH.astype(np.uint16) << 8, 16, lossless=True), None, True),
        (lossless(SMOOTH[..., 0].astype(np.uint16) << 6, 14), 16383, True),
        (lossless(SMOOTH[..., 0].astype(np.uint16) << 8, 16), None, True),
        (encoded(SMOOTH, 8, lossless=True), None, True),
    ],
    ids=["12 bits", "12 bits gray", "16 bits lossless", "14 bits gray", "16 bits gray", "8 bits"],
)
def test_more_than_8_bits_and_lossless_files_are_kept(tmp_path, content, white, is_lossless):
    path, copy = tmp_path / "a.jpg", tmp_path / "b.jpg"
    path.write_bytes(content)
    first = read_picture(path)
    decode = imagecodecs.ljpeg_decode if white == 16383 else imagecodecs.jpeg8_decode
    np.testing.assert_array_equal(first.data, decode(content))
    metadata = replace(first.metadata, exif=exif_of(1).tobytes()[6:], icc=PROFILE)
    write_picture(copy, first.data, replace(first, metadata=metadata))
    again = read_picture(copy)
    assert first.metadata.white == again.metadata.white == white
    assert again.data.dtype == first.data.dtype
    assert (again.metadata.exif, again.metadata.icc) == (metadata.exif, PROFILE)
    atol = 0 if is_lossless else 0.004 * first.data.max()
    np.testing.assert_allclose(again.data.astype(int), first.data, atol=atol)


def test_truncated_file_of_12_bits_is_refused(tmp_path):
    content = encoded(SMOOTH.astype(np.uint16) << 4, 12)
    (tmp_path / "a.jpg").write_bytes(content[:-200])
    with pytest.raises(FileError, match="damaged or truncated"):
        read_picture(tmp_path / "a.jpg")


def test_color_of_12_bits_is_rounded_by_its_own_white(tmp_path):
    like = Picture(SMOOTH.astype(np.uint16) << 4, "YXS", Metadata(white=4080))
    write_picture(tmp_path / "a.jpg", like.data, like)
    np.testing.assert_allclose(read_picture(tmp_path / "a.jpg").data.astype(int), SMOOTH, atol=4)


def test_depth_and_gain_maps_are_mentioned(tmp_path):
    xmp = b'<x xmlns:a="http://ns.google.com/photos/1.0/depthmap/" b="http://ns.adobe.com/hdr-gain-map/1.0/"/>'
    more = b"http://ns.adobe.com/xmp/extension/\0" + bytes(40)
    extra = b"\xff\xe1" + struct.pack(">H", len(more) + 2) + more
    Image.fromarray(SMOOTH).save(tmp_path / "a.jpg", xmp=xmp, extra=extra)
    assert read_picture(tmp_path / "a.jpg").ignored == "a gain map, a depth map, extended XMP"
