"""Rendered scenes kept in one memory-mapped file, so that runs share what is slow to render."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from training.data.chance import Chance
from training.data.scene import Scenes, mirrored_at_random
from training.data.source import Source

_BATCH = 8
_CHANNELS = 10


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
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".part")
    store = np.lib.format.open_memmap(temporary, mode="w+", dtype=_record(size), shape=(count,))
    for first in tqdm(range(0, count, _BATCH), desc="rendering", mininterval=5):
        samples = range(first, min(first + _BATCH, count))
        scenes = source.draw(Chance.of(seed, samples=samples, device=device), size)
        part = store[samples.start : samples.stop]
        part["pictures"] = scenes.stacked().half().cpu().numpy()
        part["fluorescent"] = scenes.fluorescent.cpu().numpy()
    store.flush()
    temporary.replace(path)


def join_pools(path: Path, pools: Sequence[Path], size: int) -> None:
    """Write the middle `size` pixels of the scenes of several pools into one file.

    Raises
    ------
    ValueError
        If a file is no pool, or its scenes are smaller.
    """
    sources = [Pool(pool) for pool in pools]
    small = next((pool for pool, of in zip(pools, sources, strict=True) if of.size < size), None)
    if small is not None:
        raise ValueError(f"the scenes of {small} are smaller than {size} px")
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".part")
    count = sum(len(source) for source in sources)
    store = np.lib.format.open_memmap(temporary, mode="w+", dtype=_record(size), shape=(count,))
    done = 0
    for source in sources:
        margin = (source.size - size) // 2
        inner = slice(margin, margin + size)
        for record in tqdm(source.records(), total=len(source), desc="joining", mininterval=5):
            store[done]["pictures"] = record["pictures"][:, inner, inner]
            store[done]["fluorescent"] = record["fluorescent"]
            done += 1
    store.flush()
    temporary.replace(path)


class Pool:
    """A source that picks its scenes from a file written by `write_pool`."""

    def __init__(self, path: Path) -> None:
        self._store = np.load(path, mmap_mode="r")
        if self._store.dtype.names is None:
            raise ValueError(f"{path} is no pool of scenes; make one with `render`")

    def __len__(self) -> int:
        return len(self._store)

    @property
    def size(self) -> int:
        """Side of a scene in pixels."""
        return int(self._store.dtype["pictures"].shape[-1])

    def records(self) -> Iterator[np.void]:
        """What the file holds of one scene after the other."""
        return iter(self._store)

    def fixed(self, first: int, count: int, device: torch.device | str = "cpu") -> Scenes:
        """The scenes from `first` on, at most `count`, whole and as they are."""
        part = self._store[first : first + count]
        return _scenes(np.array(part["pictures"]), np.array(part["fluorescent"]), device)

    def draw(self, chance: Chance, crop: int) -> Scenes:
        """As `Source.draw`."""
        picked, fluorescent = [], []
        for stream in chance.streams:
            index = stream.integers(len(self))
            top, left = stream.integers(self.size - crop + 1, size=2)
            record = self._store[index]
            picked.append(record["pictures"][:, top : top + crop, left : left + crop])
            fluorescent.append(record["fluorescent"])
        scenes = _scenes(np.stack(picked), np.stack(fluorescent), chance.device)
        return mirrored_at_random(scenes, chance)


def _record(size: int) -> np.dtype[np.void]:
    fields = [("pictures", np.float16, (_CHANNELS, size, size)), ("fluorescent", np.bool_)]
    return np.dtype(fields, align=True)


def _scenes(pictures: np.ndarray, fluorescent: np.ndarray, device: torch.device | str) -> Scenes:
    halves = torch.from_numpy(pictures).to(device)
    return Scenes.of(halves.float(), torch.from_numpy(fluorescent).to(device))
