"""Reference lens: a random kernel bank against which learned ones are compared."""

from dataclasses import replace

import torch

from napari_defocus.optics.bank import KernelBank
from training.data.random_lenses import RandomLenses, TracedLenses
from training.data.rng import SampleRNG

_DARK = 1e-5


def reference_bank(rng: SampleRNG, max_radius: int = 24) -> KernelBank:
    """The kernels of one random lens, unlike the Butterworth rings a new bank starts with.

    Parameters
    ----------
    rng : SampleRNG
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
    lens = _bright_lens(rng)
    kernels = lens.kernels(torch.zeros(len(radii), dtype=torch.long), radii, max_radius + 1)[:, 0]
    peak = kernels.amax((-2, -1), keepdim=True)
    with torch.no_grad():
        bank.scores.copy_((kernels / peak).clamp(min=_DARK).log())
    return bank


def _bright_lens(rng: SampleRNG) -> TracedLenses:
    lens, flat = RandomLenses().draw(rng), torch.zeros(1, device=rng.device)
    ramp = torch.where(rng.bernoulli(0.5), rng.uniform(0.1, 0.25), rng.uniform(0.75, 0.9))
    return replace(
        lens,
        ring=flat,
        soft_edge=rng.uniform(0.02, 0.1),
        blades=rng.integers(5, 8).float(),
        cut_x=flat,
        cut_y=flat,
        spherical=flat,
        coma=flat.expand(1, 2),
        astigmatism=flat.expand(1, 2),
        ramp=ramp,
    )
