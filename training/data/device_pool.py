"""Pool of scenes in a device's memory, from which large batches are cut at once."""

from collections.abc import Sequence
from pathlib import Path

import torch

from training.data.pool import Pool, places
from training.data.rng import SampleRNG
from training.data.scene import Scenes, mirror_at_random
from training.errors import TrainingError

_AT_ONCE = 256


class DevicePool:
    """A source that picks its scenes from the memory of a device.

    Parameters
    ----------
    paths : sequence of Path
        Files written by `write_pool`, of scenes of one size; all scenes are
        equally likely to be drawn.
    device : torch.device or str
        Its memory keeps them, as half-precision numbers.
    """

    def __init__(self, paths: Sequence[Path], device: torch.device | str) -> None:
        pools = [Pool(path) for path in paths]
        self.size = pools[0].size
        if any(pool.size != self.size for pool in pools):
            sizes = ", ".join(str(pool.size) for pool in pools)
            raise TrainingError(f"the scenes of the pools have {sizes} px; one size is expected")
        count = sum(len(pool) for pool in pools)
        shape = (count, Scenes.CHANNELS, self.size, self.size)
        self._pictures = torch.empty(shape, dtype=torch.float16, device=device)
        self._fluorescent = torch.empty(count, dtype=torch.bool, device=device)
        filled = 0
        for pool in pools:
            for first in range(0, len(pool), _AT_ONCE):
                pictures, fluorescent = pool.read(first, _AT_ONCE)
                place = slice(filled, filled := filled + len(fluorescent))
                self._pictures[place], self._fluorescent[place] = pictures, fluorescent

    def __len__(self) -> int:
        return len(self._pictures)

    def draw(self, rng: SampleRNG, crop: int) -> Scenes:
        """As `Source.draw`."""
        index, top, left = places(rng, len(self), self.size - crop).unbind(1)
        along = torch.arange(crop, device=rng.device)
        channels = torch.arange(Scenes.CHANNELS, device=rng.device)
        picked = self._pictures[
            index[:, None, None, None],
            channels[:, None, None],
            (top[:, None] + along)[:, None, :, None],
            (left[:, None] + along)[:, None, None, :],
        ]
        scenes = Scenes.of(picked.float(), self._fluorescent[index])
        return mirror_at_random(scenes, rng)
