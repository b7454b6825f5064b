"""Round trips: written images are read back, unchanged but for JPEG and AVIF."""

import tempfile
from pathlib import Path

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_defocus.io import read_picture, write_picture
from napari_defocus.io.formats import WRITABLE

_REAL = [np.uint8, np.int8, np.uint16, np.int16, np.uint32, np.int32, np.float32, np.float64]


@pytest.mark.parametrize("suffix", sorted(WRITABLE.keys() - {".webp"}))  # colors alone
def test_gray_is_read_back_from_every_format(suffix, tmp_path):
    if WRITABLE[suffix].is_folder:
        pytest.importorskip("zarr")
    rows, columns = np.mgrid[:48, :64].astype(np.uint8)
    data = 3 * rows + columns
    write_picture(tmp_path / f"a{suffix}", data)
    picture = read_picture(tmp_path / f"a{suffix}")
    assert picture.data.dtype == np.uint8
    atol = 4 if WRITABLE[suffix].name in ("JPEG", "AVIF") else 0
    np.testing.assert_allclose(picture.data.astype(int), data, atol=atol)


def arrays(dtypes, planes):
    leading = st.lists(st.integers(2, 3), min_size=0, max_size=planes)
    rows = st.lists(st.integers(1, 20), min_size=2, max_size=2)
    shape = st.tuples(leading, rows).map(lambda parts: (*parts[0], *parts[1]))
    return st.sampled_from(dtypes).flatmap(lambda dtype: hnp.arrays(dtype, shape))


@settings(deadline=None)
@given(data=arrays(_REAL, planes=3), ome=st.booleans())
def test_tiff_stacks_are_read_back(data, ome):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / ("a.ome.tif" if ome else "a.tif")
        write_picture(path, data)
        picture = read_picture(path)
        assert picture.data.dtype == data.dtype
        assert picture.channel_axis is None
        np.testing.assert_array_equal(picture.data, data)
        write_picture(path, picture.data, picture, overwrite=True)
        again = read_picture(path)
        assert again.axes == picture.axes
        np.testing.assert_array_equal(again.data, data)


@settings(deadline=None)
@given(
    data=arrays([np.uint8, np.uint16, np.float32], planes=1),
    samples=st.sampled_from([3, 4]),
    axis=st.integers(-3, 2),
)
def test_tiff_colors_are_read_back(data, samples, axis):
    data = np.stack([data] * samples, axis=axis)
    with tempfile.TemporaryDirectory() as folder:
        write_picture(Path(folder) / "a.tif", data, channel_axis=axis)
        picture = read_picture(Path(folder) / "a.tif")
        assert picture.channel_axis == -1
        np.testing.assert_array_equal(picture.data, np.moveaxis(data, axis, -1))


@settings(deadline=None)
@given(data=arrays([np.uint8, np.uint16], planes=0), samples=st.sampled_from([1, 3, 4]))
def test_png_pictures_are_read_back(data, samples):
    axis = None if samples == 1 else -1
    data = data if samples == 1 else np.stack([data] * samples, axis=-1)
    with tempfile.TemporaryDirectory() as folder:
        write_picture(Path(folder) / "a.png", data, channel_axis=axis)
        picture = read_picture(Path(folder) / "a.png")
        assert picture.data.dtype == data.dtype
        assert picture.channel_axis == axis
        np.testing.assert_array_equal(picture.data, data)
