"""Another focus, another aperture."""

import torch
from skimage.data import camera

from napari_defocus.optics.refocus import refocus_layers, refocused_radius


def test_radius_is_zero_where_focus_is_put():
    radius = torch.tensor([[-3.0, 0.0, 5.0]])
    assert refocused_radius(radius, focus=5.0, aperture=2.0).tolist() == [[-16.0, -10.0, 0.0]]


def test_closed_aperture_keeps_everything_sharp():
    sharp = torch.from_numpy(camera()[:48, 200:248]).float()[None, None] / 255
    radius = torch.linspace(-6, 6, 48).expand(1, 1, 48, 48)
    torch.testing.assert_close(
        refocus_layers(sharp, radius, focus=2.0, aperture=0.0), sharp, atol=1e-5, rtol=0
    )
