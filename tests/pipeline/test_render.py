"""Rendering of a plane with the blur of another focus, block by block."""

import numpy as np
import pytest

from napari_defocus.image.layout import read_layout
from napari_defocus.inference.storage import DiskStorage, MemoryStorage
from napari_defocus.options import Options
from napari_defocus.pipeline.plane import PlaneRun, drain
from napari_defocus.pipeline.progress import ProgressMeter
from napari_defocus.pipeline.render import PlaneRenderer

SHAPE = (260, 300)


def render(storage, plane, downscale):
    layout = read_layout(plane[0] if len(plane) == 1 else np.moveaxis(plane, 0, -1),
                         None if len(plane) == 1 else -1)  # fmt: skip
    radius = np.linspace(0, 6, SHAPE[1], dtype=np.float32) * np.ones((1, SHAPE[0], 1), np.float32)
    process = PlaneRenderer(layout, signed=False, focus=1.5, aperture=0.8)
    run = PlaneRun(Options(device="cpu", downscale=downscale), ProgressMeter(0), storage)
    steps = process.steps(plane, radius, np.ones_like(radius), value_range=(0, 4000), run=run)
    return drain(steps)[:, :, :]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("downscale", ["auto", 2])
def test_blocks_on_disk_give_the_result_of_the_whole(tmp_path, channels, downscale):
    plane = np.random.default_rng(0).integers(0, 4000, (channels, *SHAPE)).astype(np.uint16)
    whole = render(MemoryStorage(), plane, downscale)
    blocks = render(DiskStorage(tmp_path, 128), plane, downscale)
    assert whole.dtype == blocks.dtype == np.uint16
    np.testing.assert_allclose(blocks.astype(int), whole.astype(int), atol=1)
    assert np.abs(whole.astype(int) - plane).mean() > 100
