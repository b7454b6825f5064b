"""Placement of results: pixels of a crop keep their world coordinates."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from napari.layers import Image

from napari_defocus.viewer.layers.geometry import placement
from napari_defocus.viewer.layers.regions import whole_layer
from napari_defocus.viewer.layers.window import Window

factors = st.floats(0.1, 10)
shifts = st.floats(-100, 100)


@pytest.mark.filterwarnings("ignore:Non-orthogonal slicing")
@settings(max_examples=25, deadline=None)
@given(
    scale=st.tuples(factors, factors, factors),
    translate=st.tuples(shifts, shifts, shifts),
    angle=st.floats(-180, 180),
    shear=st.tuples(*[st.floats(-0.5, 0.5)] * 3),
    more=st.tuples(shifts, shifts, shifts),
    start=st.tuples(*[st.integers(0, 3)] * 3),
)
def test_pixels_of_a_crop_keep_their_world_coordinates(scale, translate, angle, shear, more, start):
    affine = np.eye(4)
    affine[:3, 3] = more
    affine[1, 2] = 0.3
    layer = Image(
        np.zeros((4, 5, 6)),
        scale=scale,
        translate=translate,
        rotate=(angle, 20, 10),
        shear=shear,
        affine=affine,
        units=("s", "um", "um"),
        axis_labels=("t", "y", "x"),
    )
    window = Window(start, (4, 5, 6))
    crop = Image(np.zeros(window.shape), **placement(layer, window))
    for pixel in ((0, 0, 0), (0, 1, 1)):
        there = layer.data_to_world(np.add(pixel, start))
        assert crop.data_to_world(pixel) == pytest.approx(there, abs=1e-6)
    assert crop.units == layer.units
    assert crop.axis_labels == layer.axis_labels


def test_map_of_a_color_layer_has_its_scale_and_translation():
    layer = Image(np.zeros((20, 30, 3), np.uint8), rgb=True, scale=(2, 3), translate=(5, 6))
    radius = Image(np.zeros((20, 30)), **placement(layer, whole_layer(layer)))
    assert np.allclose(radius.scale, (2, 3))
    assert np.allclose(radius.translate, (5, 6))
