"""Pool of rendered scenes in one memory-mapped file, which several runs share."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from training.data.rng import SampleRNG
from training.data.scene import Scenes, mirror_at_random
from training.data.source import Source

_BATCH = 8


def write_pool(
    path: Path,
    source: Source,
    count: int,
    seed: int,
    *,
    size: int = 144,
    device: torch.device | str = "cpu",
) -> None:
    """Draw scenes of `size` pixels into a half-precision file.

    Scene i depends on the source, `seed` and i alone.
    """
    with _new_store(path, size, count) as append:
        for first in tqdm(range(0, count, _BATCH), desc="rendering", mininterval=5):
            samples = range(first, min(first + _BATCH, count))
            scenes = source.draw(SampleRNG.from_key(seed, samples=samples, device=device), size)
            pictures = scenes.stacked().half().cpu().numpy()
            append(pictures, scenes.fluorescent.cpu().numpy())


def join_pools(path: Path, pools: Sequence[Path], size: int) -> None:
    """Write the middle `size` pixels of the scenes of several pools into one file.

    Raises
    ------
    ValueError
        If a file is not a pool, or its scenes are smaller.
    """
    sources = [Pool(pool) for pool in pools]
    small = next((pool for pool, of in zip(pools, sources, strict=True) if of.size < size), None)
    if small is not None:
        raise ValueError(f"the scenes of {small} are smaller than {size} px")
    count = sum(len(source) for source in sources)
    scenes = tqdm(chain(*map(Pool.middles, sources, repeat(size))), "joining", count, mininterval=5)
    with _new_store(path, size, count) as append:
        for pictures, fluorescent in scenes:
            append(pictures[None], fluorescent[None])


@contextmanager
def _new_store(path: Path, size: int, count: int) -> Iterator[Callable[[Any, Any], None]]:
    """Open a new file of scenes, which gets its name once it is filled, and yield what fills it.

    It is not mapped: Windows renames no file that is.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".part")
    fields = [("pictures", np.float16, (Scenes.CHANNELS, size, size)), ("fluorescent", np.bool_)]
    record = np.dtype(fields, align=True)
    empty = np.lib.format.header_data_from_array_1_0(np.empty(0, record))
    with temporary.open("wb") as file:

        def append(pictures: Any, fluorescent: Any) -> None:
            records = np.zeros(len(pictures), record)
            records["pictures"], records["fluorescent"] = pictures, fluorescent
            file.write(records.tobytes())

        np.lib.format.write_array_header_1_0(file, {**empty, "shape": (count,)})
        yield append
    temporary.replace(path)


class Pool:
    """A source that picks its scenes from a file written by `write_pool`."""

    def __init__(self, path: Path) -> None:
        self._store = np.load(path, mmap_mode="r")
        if self._store.dtype.names is None:
            raise ValueError(f"{path} is not a pool of scenes; make one with `render`")

    def __len__(self) -> int:
        return len(self._store)

    @property
    def size(self) -> int:
        """Side of a scene in pixels."""
        return int(self._store.dtype["pictures"].shape[-1])

    def middles(self, size: int) -> Iterator[tuple[NDArray[np.float16], np.bool_]]:
        """Yield each scene's pictures, cut to their middle `size` pixels, and its kind."""
        margin = (self.size - size) // 2
        inner = slice(margin, margin + size)
        for record in self._store:
            yield record["pictures"][:, inner, inner], record["fluorescent"]

    def read(self, first: int, count: int) -> tuple[Tensor, Tensor]:
        """Return half-precision pictures, as `Scenes.stacked`, and kinds from `first` on."""
        part = self._store[first : first + count]
        pictures, fluorescent = (np.array(part[name]) for name in ("pictures", "fluorescent"))
        return torch.from_numpy(pictures), torch.from_numpy(fluorescent)

    def scenes(self, first: int, count: int, device: torch.device | str = "cpu") -> Scenes:
        """Return the scenes from `first` on, at most `count`, whole and as they are."""
        pictures, fluorescent = self.read(first, count)
        return Scenes.of(pictures.to(device).float(), fluorescent.to(device))

    def draw(self, rng: SampleRNG, crop: int) -> Scenes:
        """As `Source.draw`."""
        picked, fluorescent = [], []
        for index, top, left in places(rng, len(self), self.size - crop).tolist():
            record = self._store[index]
            picked.append(record["pictures"][:, top : top + crop, left : left + crop])
            fluorescent.append(record["fluorescent"])
        halves = torch.from_numpy(np.stack(picked)).to(rng.device)
        kinds = torch.from_numpy(np.stack(fluorescent)).to(rng.device)
        return mirror_at_random(Scenes.of(halves.float(), kinds), rng)


def places(rng: SampleRNG, scenes: int, room: int) -> Tensor:
    """Draw the index of a scene and the top left corner of a crop, (N, 3)."""
    index = rng.integers(0, scenes)
    return torch.cat([index[:, None], rng.integers(0, room + 1, 2)], 1)
