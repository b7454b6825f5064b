"""Rendered scenes kept in one memory-mapped file, so that runs share what is slow to render."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from training.data.corpus import Corpus
from training.data.scene import SceneOptions, Scenes, render

_BATCH = 8
_CHANNELS = 10


def write_pool(path: Path, corpus: Corpus, count: int, seed: int, options: SceneOptions) -> None:
    """Render `count` scenes (rounded up to whole batches) into a half-precision file."""
    batches = -(-count // _BATCH)
    temporary = path.with_suffix(".part")
    path.parent.mkdir(parents=True, exist_ok=True)
    store = np.lib.format.open_memmap(
        temporary,
        mode="w+",
        dtype=np.float16,
        shape=(batches * _BATCH, _CHANNELS, options.size, options.size),
    )
    for batch in tqdm(range(batches), desc="rendering", mininterval=5):
        scenes = render(corpus, _BATCH, seed + batch, options)
        stacked = torch.cat([scenes.sharp, scenes.left, scenes.right, scenes.radius], 1)
        store[batch * _BATCH : (batch + 1) * _BATCH] = stacked.half().numpy()
    store.flush()
    temporary.replace(path)


class Pool:
    """Scenes drawn at random from a file written by `write_pool`."""

    def __init__(self, path: Path) -> None:
        self._store = np.load(path, mmap_mode="r")

    def __len__(self) -> int:
        return len(self._store)

    @property
    def size(self) -> int:
        """Side of a scene in pixels."""
        return int(self._store.shape[-1])

    def take(self, indices: np.ndarray, crop: int, rng: np.random.Generator) -> Scenes:
        """The scenes of some indices, cropped at random to `crop` pixels."""
        picked = []
        for index in indices:
            top, left = rng.integers(self.size - crop + 1, size=2)
            picked.append(self._store[index, :, top : top + crop, left : left + crop])
        batch = torch.from_numpy(np.stack(picked)).float()
        return Scenes(*_split(batch))

    def draw(self, count: int, crop: int, rng: np.random.Generator) -> Scenes:
        """Random scenes, mirrored at random; mirroring along x swaps the sign of the radius."""
        scenes = self.take(rng.integers(len(self), size=count), crop, rng)
        batch = torch.cat([scenes.sharp, scenes.left, scenes.right, scenes.radius], 1)
        if rng.random() < 0.5:
            batch = batch.flip(-2)
        if rng.random() < 0.5:
            batch = batch.flip(-1)
            batch[:, 9:] *= -1
        return Scenes(*_split(batch))


def _split(batch: Tensor) -> tuple[Tensor, ...]:
    return batch.split([3, 3, 3, 1], 1)
