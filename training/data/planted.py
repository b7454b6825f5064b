"""Kernel banks of a known lens, against which learned ones are judged."""

from dataclasses import replace

import torch

from napari_defocus.optics.bank import KernelBank
from training.data.chance import Chance
from training.data.lens import Lens, RandomLenses

_DARK = 1e-5


def planted_bank(chance: Chance, max_radius: int = 24) -> KernelBank:
    """The kernels of one random lens, unlike the Butterworth rings a new bank starts with.

    Parameters
    ----------
    chance : Chance
        One stream.
    max_radius : int
        Largest radius in px.

    Returns
    -------
    KernelBank
        One evenly bright polygonal pupil for every radius, its halves cut hard or very softly.
    """
    bank = KernelBank(max_radius)
    radii = torch.arange(max_radius + 1.0)
    lens = _bright_lens(chance)
    kernels = lens.kernels(torch.zeros(len(radii), dtype=torch.long), radii, max_radius + 1)[:, 0]
    peak = kernels.amax((-2, -1), keepdim=True)
    with torch.no_grad():
        bank.scores.copy_((kernels / peak).clamp(min=_DARK).log())
    return bank


def _bright_lens(chance: Chance) -> Lens:
    lens, flat = RandomLenses().draw(chance), torch.zeros(1, device=chance.device)
    ramp = torch.where(chance.happens(0.5), chance.uniform(0.1, 0.25), chance.uniform(0.75, 0.9))
    return replace(
        lens,
        ring=flat,
        soft_edge=chance.uniform(0.02, 0.1),
        blades=chance.integers(5, 8).float(),
        cut_x=flat,
        cut_y=flat,
        spherical=flat,
        coma=flat.expand(1, 2),
        astigmatism=flat.expand(1, 2),
        ramp=ramp,
    )
