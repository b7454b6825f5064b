"""Results of microscopes' files: sizes, names and times are written with the pixels."""

import numpy as np
import pytest
import tifffile

from napari_defocus.io import read_picture, write_picture

from .lif_file import lif_bytes

STACK = np.random.default_rng(0).integers(0, 4096, (3, 2, 20, 30), np.uint16)


def test_sizes_names_and_times_are_kept(tmp_path):
    pytest.importorskip("liffile", reason="needs liffile, of the extra formats")
    times = {"times": (0, 0, 1.5, 1.5, 3.25, 3.25)}
    (tmp_path / "a.lif").write_bytes(lif_bytes((STACK, "TCYX", times)))
    picture = read_picture(tmp_path / "a.lif")
    write_picture(tmp_path / "b.tif", picture.data, picture)
    result = read_picture(tmp_path / "b.tif")
    assert result.axes == "TCYX"
    np.testing.assert_array_equal(result.data, STACK)
    assert result.metadata.pixel_size == picture.metadata.pixel_size
    assert result.metadata.channel_names == ("Blue", "Green")
    with tifffile.TiffFile(tmp_path / "b.tif") as file:
        xml = file.ome_metadata
    for frame, time in enumerate((0.0, 1.5, 3.25)):
        assert f'TheC="1" TheZ="0" TheT="{frame}" DeltaT="{time}"' in xml
