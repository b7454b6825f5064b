"""Blurred layers: occlusion and colors."""

import pytest
import torch

from napari_defocus.optics.bank import KernelBank
from training.data.blur_layers import blur_layers
from training.data.layers import Depths
from training.data.lenses import BankLens
from training.data.rng import SampleRNG

HALF, SIDE = 12, 60


class Fringed:
    """A bank's lens whose red and blue have other radii than green."""

    def __init__(self, *fringe):
        self._lenses = BankLens(KernelBank(10)).draw(SampleRNG.from_key(0, samples=[0]))
        self.fringe = torch.tensor([fringe])

    def kernels(self, scene, radius, half):
        return self._lenses.kernels(scene, radius, half)


def layers(*radii):
    low = torch.tensor([radii])
    return Depths(low, low, low[..., None, None].expand(-1, -1, SIDE, SIDE).clone())


def edge():
    picture = torch.zeros(1, 1, 3, SIDE, SIDE)
    picture[..., SIDE // 2 :] = 1
    return picture


def center(*views):
    left, right = views
    return ((left + right) / 2)[0, :, SIDE // 2]


def test_a_color_with_a_larger_radius_has_the_wider_edge():
    colors = center(*blur_layers(edge(), torch.zeros(1, 1, SIDE, SIDE), layers(3.0),
                                Fringed(-0.4, 0.0, 0.4), HALF))  # fmt: skip
    slope = colors.diff(dim=-1)[:, HALF:-HALF]
    place = torch.arange(slope.shape[1]) - (SIDE / 2 - HALF - 1)
    red, green, blue = (slope * place**2).sum(1).tolist()
    assert red < 0.9 * green
    assert blue > 1.1 * green


def test_white_over_white_has_no_edge_in_any_color():
    alphas = torch.zeros(1, 2, SIDE, SIDE)
    alphas[..., SIDE // 2 :] = 1
    white = torch.ones(1, 2, 3, SIDE, SIDE)
    colors = center(*blur_layers(white, alphas, layers(0.0, 4.0), Fringed(-0.4, 0.0, 0.4), HALF))
    torch.testing.assert_close(colors, torch.ones_like(colors), atol=1e-4, rtol=0)


def test_a_sharp_foreground_hides_a_blurred_background():
    textures = torch.cat([edge(), torch.full((1, 1, 3, SIDE, SIDE), 0.5)], 1)
    alphas = torch.ones(1, 2, SIDE, SIDE)
    colors = center(*blur_layers(textures, alphas, layers(8.0, 0.0), Fringed(0.0, 0.0, 0.0), HALF))
    torch.testing.assert_close(colors, torch.full_like(colors, 0.5), atol=1e-4, rtol=0)


def test_a_slanted_layer_is_blurred_by_its_radius():
    line = torch.linspace(0, 8, SIDE)[:, None].expand(SIDE, SIDE)
    slanted = Depths(torch.tensor([[0.0]]), torch.tensor([[8.0]]), line[None, None].clone())
    lenses, alphas = Fringed(0.0, 0.0, 0.0), torch.zeros(1, 1, SIDE, SIDE)
    view = blur_layers(edge(), alphas, slanted, lenses, HALF)[0][0, 1]
    for row in (20, 30, 40):
        flat = blur_layers(edge(), alphas, layers(float(line[row, 0])), lenses, HALF)[0][0, 1]
        assert (view[row] - flat[row]).abs().max() < 0.05


@pytest.mark.parametrize("radius", [-5.0, 5.0])
def test_light_stays_in_the_picture(radius):
    point = torch.zeros(1, 1, 3, SIDE, SIDE)
    point[..., SIDE // 2, SIDE // 2] = 1
    views = blur_layers(point, torch.zeros(1, 1, SIDE, SIDE), layers(radius),
                      Fringed(0.3, 0.0, -0.3), HALF)  # fmt: skip
    for view in views:
        torch.testing.assert_close(view.sum((-2, -1)), torch.ones(1, 3))
