"""Pyramids that are taken apart, averaged and put together again."""

import numpy as np
import pytest

from napari_defocus.stacks.pyramid import PyramidBlend, band_shapes


@pytest.mark.parametrize("shape", [(4, 4), (9, 40), (33, 31), (64, 128)])
def test_one_plane_comes_back_whatever_its_weights(shape):
    rng = np.random.default_rng(0)
    plane = rng.random((3, *shape))
    blend = PyramidBlend(3, shape, np.float64)
    blend.add(plane, [rng.uniform(0.1, 2, band) for band in band_shapes(shape)])
    image, covered = blend.collapse()
    np.testing.assert_allclose(image, plane, atol=1e-12)
    assert covered.all()


def test_places_without_weight_are_not_covered():
    blend = PyramidBlend(1, (16, 16), np.float64)
    weights = [np.ones(band) for band in blend.shapes]
    weights[0][3, 4] = 0
    blend.add(np.ones((1, 16, 16)), weights)
    _, covered = blend.collapse()
    assert not covered[3, 4]
    assert covered.sum() == 255
