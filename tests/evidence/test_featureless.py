"""Areas that show no more than noise."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from napari_defocus.evidence.featureless import CELL, featureless_cells, measure_noise, squares
from napari_defocus.optics.reblur import reblur_layers

SIDE = 256


def noise_of(deviation, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return deviation * torch.randn(SIDE, SIDE, generator=generator)


def disk(radius):
    """Return a bright square, blurred by a disk of a radius in pixels."""
    light = torch.zeros(1, 1, SIDE, SIDE)
    light[..., 104:152, 104:152] = 0.3
    return reblur_layers(light, torch.full((1, 1, SIDE, SIDE), radius))[0, 0]


def cells_of(image, quantum=0.0):
    noise = measure_noise([image], quantum, even=True)
    return featureless_cells(squares(image), noise).numpy()


@given(deviation=st.floats(0.002, 0.1), slope=st.floats(-0.3, 0.3), seed=st.integers(0, 9))
def test_noise_on_a_ramp_is_nothing(deviation, slope, seed):
    ramp = torch.linspace(0.5 - slope / 2, 0.5 + slope / 2, SIDE)
    inside = cells_of(ramp + noise_of(deviation, seed))[4:-4, 4:-4]
    assert inside.mean() > 0.9


@pytest.mark.parametrize("radius", [0.0, 2.0, 6.0, 12.0])
def test_edges_show_however_blurred(radius):
    cells = cells_of(0.2 + disk(radius) + noise_of(0.01))
    edge = slice(104 // CELL, 152 // CELL)
    assert not cells[edge, 104 // CELL].any()
    assert cells[:4].all()
    assert cells[-4:].all()


@pytest.mark.parametrize("shape", [(4, 4), (9, 31), (64, 17)])
def test_any_shape_has_its_cells(shape):
    image = torch.rand(shape, generator=torch.Generator().manual_seed(0))
    cells = cells_of(image)
    assert cells.shape == tuple(int(np.ceil(length / CELL)) for length in shape)


def test_values_of_few_bits_are_nothing_where_they_are_all_the_same():
    image = torch.full((SIDE, SIDE), 3 / 255)
    image[100:110] = 1
    cells = cells_of(image, 1 / 255)
    assert cells[:4].all()
    assert not cells[13].any()
