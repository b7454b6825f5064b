"""Checks of the maps that users give."""

import tracemalloc

import dask.array
import numpy as np
import pytest

from napari_defocus import deblur, reblur
from napari_defocus.defocus_map import check_map
from napari_defocus.image.layout import read_layout
from napari_defocus.networks import build

SHAPE = (40, 48)


class CountingRadii:
    """Radii that count how often they are read."""

    shape, dtype, ndim = SHAPE, np.dtype(np.float32), 2

    def __init__(self, lowest):
        self.values = np.linspace(lowest, 5, SHAPE[1], dtype=np.float32) * np.ones(
            SHAPE, np.float32
        )
        self.reads = 0

    def __getitem__(self, index):
        part = self.values[index]
        self.reads += part.size > 0  # dask itself looks at an empty part
        return part

    def lazy(self):
        return dask.array.from_array(self, chunks=SHAPE)


@pytest.mark.parametrize(("lowest", "signed"), [(-4, True), (0, False)])
def test_radii_are_signed_if_any_is_negative(lowest, signed):
    layout, radii = read_layout(np.zeros(SHAPE, np.uint8)), CountingRadii(lowest)
    assert check_map(radii.values, layout, lazy=True).signed is signed
    delayed = check_map(radii.lazy(), layout, lazy=True).signed
    assert radii.reads == 0
    assert delayed.compute() is signed
    assert check_map(radii.lazy(), layout, lazy=False).signed is signed
    assert radii.reads == 2


@pytest.mark.parametrize("out", [None, np.empty(SHAPE, np.uint8)])
def test_lazy_radii_are_read_for_their_sign_only_where_it_matters(out):
    image = dask.array.from_array(np.random.default_rng(0).integers(0, 256, SHAPE, np.uint8))
    network = build("generator", {"width": 8, "blocks": (1,) * 5, "radii": (2.0, 6.0)})
    for run, reads in (
        (lambda radii: deblur(image, radii, model=network, out=out), 1),
        (lambda radii: reblur(image, radii, out=out), 2),
    ):
        radii = CountingRadii(-4)
        result = run(radii.lazy())
        if out is None:
            assert radii.reads == 0
            result.compute()
        assert radii.reads <= reads


def test_certain_lazy_radii_take_no_memory():
    layout = read_layout(np.broadcast_to(np.uint8(0), (8000, 8000)))
    radius = dask.array.zeros(layout.shape, dtype=np.float32, chunks=1000)
    tracemalloc.start()
    try:
        defocus = check_map(radius, layout, lazy=True)
        assert tracemalloc.get_traced_memory()[1] < radius.nbytes / 10
    finally:
        tracemalloc.stop()
    assert defocus.confidence[:2, 3].compute().tolist() == [1, 1]
