"""JPEG XL, AVIF, WebP, BMP, GIF, JPEG XR and JPEG 2000: pixels, orientation, colors, metadata."""

import io
import struct

import imagecodecs
import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps

from napari_defocus.errors import FileError
from napari_defocus.io import Metadata, Picture, read_picture, write_picture
from napari_defocus.io.isobmff import box
from napari_defocus.io.picture import turn_upright

RAMP = np.stack(
    np.broadcast_arrays(np.arange(48)[:, None] * 5, np.arange(32) * 7, 90, 200), axis=-1
).astype(np.uint8)
WIDE = RAMP.astype(np.uint16) * 257
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
XMP = b"<x/>"


def exif_of(orientation):
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = orientation, "Canon"
    return exif


def pillow(data, kind, **options):
    buffer = io.BytesIO()
    Image.fromarray(data).save(buffer, kind, **options)
    return buffer.getvalue()


def heic(images, **options):
    """Return a HEIC file by pillow-heif, which may be missing."""
    import pillow_heif

    buffer = io.BytesIO()
    first, *others = (pillow_heif.from_pillow(Image.fromarray(image)) for image in images)
    others = [file[0] for file in others]
    first.save(buffer, quality=100, chroma=444, append_images=others, **options)
    return buffer.getvalue()


def read(folder, content):
    (folder / "a.bin").write_bytes(content)
    return read_picture(folder / "a.bin")


def joined(picture):
    if picture.alpha is None:
        return picture.data
    return np.stack([picture.data, picture.alpha], -1)


def codec(name, data, **options):
    encode = getattr(imagecodecs, f"{name}_encode")
    decode = getattr(imagecodecs, f"{name}_decode")
    content = encode(np.ascontiguousarray(data), **options)
    return pytest.param(content, decode, id=f"{name} {data.dtype} {data.shape[2:]}")


LOSSLESS = {"lossless": True}
EXACT = {"level": 0, "reversible": True}
COLOR = np.ascontiguousarray(RAMP[..., :3])
WIDE_COLOR, WIDE_GRAY = COLOR.astype(np.uint16) * 257, np.ascontiguousarray(WIDE[..., 0])
#: Whole files to damage.
EXAMPLES = {
    "JPEG XL": (
        imagecodecs.jpegxl_encode(WIDE_COLOR, **LOSSLESS),
        imagecodecs.jpegxl_encode(RAMP),
    ),
    "AVIF": (
        imagecodecs.avif_encode(WIDE >> 4, bitspersample=12),
        pillow(RAMP, "AVIF", exif=exif_of(6)),
    ),
    "WebP": (pillow(RAMP, "WEBP", exif=exif_of(6)), pillow(COLOR, "WEBP", lossless=True)),
    "BMP": (pillow(COLOR, "BMP"), pillow(RAMP[..., 0], "BMP")),
    "GIF": (pillow(RAMP[..., 0], "GIF"),),
    "JPEG XR": (
        imagecodecs.jpegxr_encode(WIDE_COLOR, level=1.0),
        imagecodecs.jpegxr_encode(RAMP, level=0.9),
    ),
    "JPEG 2000": (imagecodecs.jpeg2k_encode(WIDE_COLOR, **EXACT),),
    "JPEG": (
        imagecodecs.jpeg8_encode(WIDE_COLOR >> 4, bitspersample=12),
        imagecodecs.ljpeg_encode(WIDE_GRAY),
    ),
}


@pytest.mark.parametrize(
    ("content", "decode"),
    [
        *(codec("jpegxl", WIDE[..., :n], **LOSSLESS) for n in (1, 3, 4)),
        *(codec("jpegxl", data, **LOSSLESS) for data in (RAMP[..., 0], RAMP, RAMP[..., [0, 3]])),
        codec("jpegxl", (WIDE[..., 0] / 65535).astype(np.float32), **LOSSLESS),
        codec("avif", RAMP[..., :3]),
        codec("avif", RAMP),
        codec("avif", RAMP[..., 0]),
        codec("avif", WIDE[..., :3] >> 4, bitspersample=12),
        codec("avif", WIDE[..., :3] >> 6, bitspersample=10),
        codec("jpegxr", WIDE[..., :3], level=1.0),
        codec("jpegxr", RAMP[..., 0], level=1.0),
        codec("jpeg2k", WIDE[..., :3], **EXACT),
        codec("jpeg2k", RAMP, **EXACT),
        codec("webp", RAMP, **LOSSLESS),
        codec("webp", RAMP[..., :3], **LOSSLESS),
    ],
)
def test_pixels_are_those_of_the_reference_library(tmp_path, content, decode):
    picture = read(tmp_path, content)
    expected = decode(content)
    np.testing.assert_array_equal(joined(picture), np.squeeze(expected))
    assert picture.data.dtype == expected.dtype


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA"])
def test_bmp_is_read_as_by_pillow(tmp_path, mode):
    image = Image.fromarray(RAMP[..., :3]).convert(mode)
    buffer = io.BytesIO()
    image.save(buffer, "BMP")
    with Image.open(buffer) as stored:
        expected = np.asarray(stored.convert({"1": "L", "P": "RGB"}.get(stored.mode)))
    np.testing.assert_array_equal(read(tmp_path, buffer.getvalue()).data, expected)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "AVIF"])
def test_first_frame_is_read_and_the_others_are_said(tmp_path, kind):
    frames = [Image.fromarray(RAMP[..., :3]), Image.fromarray(RAMP[::-1, :, :3])]
    buffer = io.BytesIO()
    options = {"quality": 100} if kind == "AVIF" else {"lossless": True}
    frames[0].save(buffer, kind, save_all=True, append_images=frames[1:], **options)
    picture = read(tmp_path, buffer.getvalue())
    assert "frames behind the first" in picture.ignored
    with Image.open(buffer) as image:
        np.testing.assert_allclose(picture.data.astype(int), image.convert("RGB"), atol=6)


def test_transparency_of_gif_becomes_alpha(tmp_path):
    image = Image.fromarray(RAMP[..., :3]).convert("P", palette=Image.Palette.ADAPTIVE)
    buffer = io.BytesIO()
    image.save(buffer, "GIF", transparency=image.getpixel((0, 0)))
    picture = read(tmp_path, buffer.getvalue())
    assert picture.data.shape == (48, 32, 4)
    assert picture.data[0, 0, 3] == 0
    assert picture.data[-1, -1, 3] == 255


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["AVIF", "WEBP"])
def test_orientation_is_applied_as_by_pillow(tmp_path, orientation, kind):
    content = pillow(RAMP[..., :3], kind, exif=exif_of(orientation), quality=100)
    with Image.open(io.BytesIO(content)) as image:
        expected = np.asarray(ImageOps.exif_transpose(image))
    picture = read(tmp_path, content)
    assert picture.data.shape == expected.shape
    np.testing.assert_allclose(picture.data.astype(int), expected, atol=12)
    made = Image.Exif()
    made.load(picture.metadata.exif)
    assert (made[0x010F], made.get(0x0112, 1)) == ("Canon", 1)


@pytest.mark.parametrize(("turn", "orientation"), list(enumerate((1, 4, 2, 3, 6, 7, 5, 8))))
def test_transformation_of_jpeg_xr_is_applied(tmp_path, turn, orientation):
    content = bytearray(imagecodecs.jpegxr_encode(RAMP[..., :3].copy(), level=1.0))
    place = content.find(struct.pack("<HHI", 0xBC02, 4, 1))
    content[place + 8] = turn
    expected = turn_upright(RAMP[..., :3], orientation, color=True)
    np.testing.assert_array_equal(read(tmp_path, bytes(content)).data, expected)


@pytest.mark.parametrize("suffix", [".jxl", ".avif"])
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("samples", [[0], [0, 3], [0, 1, 2], [0, 1, 2, 3]])
def test_written_pictures_keep_metadata_alpha_and_depth(tmp_path, suffix, dtype, samples):
    data = (RAMP if dtype == "uint8" else WIDE)[..., samples]
    white = None
    if suffix == ".avif" and dtype == "uint16":
        data, white = data >> 4, 4095.0
    blob = exif_of(1).tobytes()[6:]
    alpha = data[..., 1] if len(samples) == 2 else None
    axes = "YX" if len(samples) < 3 else "YXS"
    like = Picture(
        data if axes == "YXS" else data[..., 0],
        axes,
        Metadata(exif=blob, xmp=XMP, icc=SRGB, white=white),
        alpha,
    )
    path = tmp_path / f"a{suffix}"
    write_picture(path, like.data, like)
    again = read_picture(path)
    assert (again.metadata.exif, again.metadata.xmp) == (blob, XMP)
    assert again.metadata.icc == (SRGB if suffix == ".avif" else None)
    assert (again.axes, again.metadata.white, again.ignored) == (axes, white, "")
    largest = float(data.max())
    atol = 0 if suffix == ".jxl" else largest / 40
    np.testing.assert_allclose(joined(again) / 1.0, joined(like), atol=atol)


def test_color_of_16_bits_becomes_avif_of_12(tmp_path):
    write_picture(tmp_path / "a.avif", WIDE[..., :3], channel_axis=-1)
    picture = read_picture(tmp_path / "a.avif")
    assert picture.metadata.white == 4095
    np.testing.assert_allclose(picture.data / 4095, WIDE[..., :3] / 65535, atol=0.02)
    with pytest.raises(FileError, match="cannot hold uint16 values; AVIF holds 12 bits"):
        write_picture(tmp_path / "b.avif", WIDE[..., 0])


def test_jpeg_xl_refuses_color_spaces_that_it_cannot_name(tmp_path):
    for metadata in (Metadata(icc=PROFILE), Metadata(png=((b"cICP", b"\x02\x02\0\1"),))):
        like = Picture(RAMP[..., :3], "YXS", metadata)
        with pytest.raises(FileError, match="cannot hold the picture's color space"):
            write_picture(tmp_path / "a.jxl", like.data, like)


@pytest.mark.parametrize("colors", [(1, 13), (1, 8), (12, 13), (9, 16), (9, 18)])
@pytest.mark.parametrize("data", [RAMP, WIDE, RAMP[..., 0], WIDE[..., 0]])
def test_color_spaces_of_jpeg_xl_are_kept(tmp_path, data, colors):
    chunks = () if colors == (1, 13) else ((b"cICP", bytes([*colors, 0, 1])),)
    like = Picture(data, "YXS" if data.ndim == 3 else "YX", Metadata(png=chunks))
    write_picture(tmp_path / "a.jxl", data, like)
    again = read_picture(tmp_path / "a.jxl")
    np.testing.assert_array_equal(again.data, data)
    expected = colors if data.ndim == 3 else (1, colors[1])  # gray has no primaries
    assert dict(again.metadata.png) == (
        {} if expected == (1, 13) else {b"cICP": bytes([*expected, 0, 1])}
    )


def test_color_space_and_10_bits_of_avif_are_kept(tmp_path):
    chunks = ((b"cICP", b"\x09\x10\0\1"),)
    like = Picture(WIDE[..., :3] >> 6, "YXS", Metadata(png=chunks, white=1023.0))
    write_picture(tmp_path / "a.avif", like.data, like)
    first = read_picture(tmp_path / "a.avif")
    assert "a color space other than sRGB" in first.left_out(tmp_path / "b.tif")
    assert first.left_out(tmp_path / "b.png") == ""
    write_picture(tmp_path / "b.avif", first.data, first)
    again = read_picture(tmp_path / "b.avif")
    assert first.metadata == again.metadata == like.metadata
    np.testing.assert_allclose(again.data / 1023, like.data / 1023, atol=0.02)


def test_metadata_of_jpeg_xl_may_be_compressed(tmp_path):
    write_picture(tmp_path / "a.jxl", RAMP[..., 0])
    packed = box(b"brob", b"xml ", imagecodecs.brotli_encode(XMP))
    assert read(tmp_path, (tmp_path / "a.jxl").read_bytes() + packed).metadata.xmp == XMP


def test_profile_of_jpeg_2000_is_kept(tmp_path):
    content = imagecodecs.jpeg2k_encode(RAMP[..., :3].copy(), codecformat="jp2", **EXACT)
    start = content.find(b"\0\0\0\x0fcolr")
    old = content[start : start + 15]
    new = box(b"colr", b"\2\0\0", PROFILE)
    at = content.find(b"jp2h") - 4
    size = struct.unpack_from(">I", content, at)[0] + len(new) - len(old)
    content = content.replace(old, new).replace(
        content[at : at + 8], struct.pack(">I", size) + b"jp2h"
    )
    assert read(tmp_path, content).metadata.icc == PROFILE


@pytest.mark.parametrize("kind", ["jpegxl", "avif", "jpegxr", "jpeg2k", "webp"])
def test_truncated_file_is_refused(tmp_path, kind):
    content = getattr(imagecodecs, f"{kind}_encode")(RAMP[..., :3].copy(), level=90)
    if kind == "jpeg2k":  # behind whose end old versions write more
        content = content[: content.rfind(b"\xff\xd9") + 2]
    with pytest.raises(FileError, match="damaged"):
        read(tmp_path, content[: len(content) // 2])


def test_cmyk_is_refused(tmp_path):
    content = imagecodecs.jpeg2k_encode(RAMP, codecformat="jp2", **EXACT)
    start = content.find(b"colr") + 7
    with pytest.raises(FileError, match="holds CMYK colors; convert it to RGB first"):
        read(tmp_path, content[:start] + struct.pack(">I", 12) + content[start + 4 :])
    content = bytearray(imagecodecs.jpegxr_encode(RAMP, level=1.0))
    content[23] = 0x1C
    with pytest.raises(FileError, match="holds CMYK colors; convert it to RGB first"):
        read(tmp_path, bytes(content))


def test_color_of_12_bits_fills_the_range_of_png(tmp_path):
    like = Picture(WIDE[..., :3] >> 4, "YXS", Metadata(white=4095.0))
    for suffix in (".png", ".jxl"):
        write_picture(tmp_path / f"a{suffix}", like.data, like)
        picture = read_picture(tmp_path / f"a{suffix}")
        assert picture.metadata.white is None
        np.testing.assert_allclose(picture.data / 65535, like.data / 4095, atol=1e-5)
