"""Another focus distance and aperture for a sharp image with a signed map."""

from torch import Tensor

from napari_defocus.optics.reblur import reblur_layers


def refocused_radius(radius: Tensor, focus: float, aperture: float) -> Tensor:
    """Signed radius after focus and aperture have changed.

    Parameters
    ----------
    radius : Tensor
        Signed radius in px as the photograph was taken.
    focus : float
        Radius in px of what is to be in focus.
    aperture : float
        New diameter of the aperture, in units of the one the map was taken with, >= 0.

    Returns
    -------
    Tensor
        aperture * (radius - focus): in the thin-lens model the circle of confusion is linear in
        inverse depth, its slope proportional to the aperture.

    Examples
    --------
    >>> refocused_radius(Tensor([0.0, 4.0]), focus=4.0, aperture=0.5).tolist()
    [-2.0, 0.0]
    """
    return aperture * (radius - focus)


def refocus_layers(sharp: Tensor, radius: Tensor, focus: float, aperture: float) -> Tensor:
    """Render a sharp image (N, C, H, W), linear light, at another focus and aperture.

    Examples
    --------
    >>> import torch
    >>> refocus_layers(torch.rand(1, 3, 8, 8), torch.ones(1, 1, 8, 8), 1.0, 2.0).shape
    torch.Size([1, 3, 8, 8])
    """
    return reblur_layers(sharp, refocused_radius(radius, focus, aperture))
