"""HEIC: pixels, orientation, color profile, depth of values, and depth maps of portraits."""

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageCms

from napari_defocus.errors import FileError
from napari_defocus.io import isobmff, read_depth_map, read_picture, write_picture

from .test_stills import heic

pillow_heif = pytest.importorskip("pillow_heif", reason="the extra heic is not installed")
RAMP = np.stack(
    np.broadcast_arrays(np.arange(96)[:, None] * 2, np.arange(128), 90), axis=-1
).astype(np.uint8)
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def read(folder, content):
    (folder / "a.heic").write_bytes(content)
    return read_picture(folder / "a.heic")


def portrait(depth):
    """Return a file whose second image is the depth map of the first."""
    file = isobmff.read_items(heic([RAMP, depth]))
    number = max(number for number, item in file.items.items() if item.kind == b"hvc1")
    kind = (b"auxC", bytes(4) + b"urn:mpeg:hevc:2015:auxid:2\0", True)
    item = file.items[number]
    properties = tuple(each for each in item.properties if each[0] != b"irot")
    relation = ((b"auxl", (file.primary,)),)
    changed = replace(item, properties=(*properties, kind), references=relation)
    return isobmff.extract_still(replace(file, items={**file.items, number: changed}), b"heic")


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_picture_is_upright_and_keeps_metadata(tmp_path, orientation):
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = orientation, "Canon"
    content = heic([RAMP], exif=exif.tobytes(), icc_profile=SRGB)
    picture = read(tmp_path, content)
    file = pillow_heif.open_heif(io.BytesIO(content))
    np.testing.assert_array_equal(picture.data, np.array(file))
    turned = np.rot90(RAMP, {1: 0, 3: 2, 6: -1, 8: 1}[orientation])
    np.testing.assert_allclose(picture.data.astype(int), turned, atol=8)
    assert picture.metadata.icc == SRGB
    made = Image.Exif()
    made.load(picture.metadata.exif)
    assert (made[0x010F], made.get(0x0112, 1)) == ("Canon", 1)
    write_picture(tmp_path / "a.png", picture.data, picture)
    assert read_picture(tmp_path / "a.png").metadata.icc == SRGB


def test_ten_bits_are_kept(tmp_path):
    data = RAMP.astype(np.uint16) * 257
    buffer = io.BytesIO()
    pillow_heif.from_bytes("RGB;16", (128, 96), data.tobytes()).save(buffer, quality=100)
    picture = read(tmp_path, buffer.getvalue())
    expected = pillow_heif.open_heif(buffer, convert_hdr_to_8bit=False)
    np.testing.assert_array_equal(picture.data, np.asarray(expected))
    assert picture.data.dtype == np.uint16
    assert picture.metadata.white == 1023 << 6


def test_depth_map_of_a_portrait_is_said_and_read(tmp_path):
    depth = np.zeros((48, 64), np.uint8)
    depth[:, 32:] = 255
    picture = read(tmp_path, portrait(depth))
    assert picture.ignored == "a depth map, which napari_defocus.io.read_depth_map reads"
    near = read_depth_map(tmp_path / "a.heic").data
    assert near.shape == picture.data.shape[:2]
    assert near[:, :50].max() < 0.1
    assert near[:, -50:].min() > 0.9


def test_file_without_a_depth_map_is_refused(tmp_path):
    assert read(tmp_path, heic([RAMP])).ignored == ""
    with pytest.raises(FileError, match="holds no depth map"):
        read_depth_map(tmp_path / "a.heic")
    write_picture(tmp_path / "a.png", RAMP, channel_axis=-1)
    with pytest.raises(FileError, match="is a PNG file; depth maps are read from HEIC"):
        read_depth_map(tmp_path / "a.png")


def test_further_images_are_said(tmp_path):
    assert read(tmp_path, heic([RAMP, RAMP[::-1]])).ignored == "a further image"


def test_truncated_file_is_refused(tmp_path):
    content = heic([RAMP])
    with pytest.raises(FileError, match="damaged"):
        read(tmp_path, content[: len(content) // 2])
