"""Fine random texture, such as that of concrete, plaster and gravel."""

import torch
from torch import Tensor

from training.data.rng import SampleRNG

#: Amplitudes fall with this power of the frequency: from white noise to a texture that is similar
#: at every size.
_FALL = (0.0, 1.2)


def noise_texture(rng: SampleRNG, count: int, side: int) -> Tensor:
    """Draw textures (N, count, side, side) of mean 0 and deviation 1, periodic at the borders."""
    fall = rng.uniform(*_FALL, count, 1, 1)
    lines = torch.fft.fftfreq(side, device=rng.device)[:, None]
    columns = torch.fft.rfftfreq(side, device=rng.device)
    frequency = torch.hypot(lines, columns).clamp(min=1 / side)
    spectrum = torch.fft.rfft2(rng.noise(count, side, side)) * frequency**-fall
    spectrum[..., 0, 0] = 0
    field: Tensor = torch.fft.irfft2(spectrum, s=(side, side))
    return field / field.std((-2, -1), keepdim=True)
