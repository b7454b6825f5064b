"""Scenes in a device's memory equal those of their files."""

import pytest
import torch

from training.data.device_pool import DevicePool
from training.data.pool import Pool, write_pool
from training.data.rng import SampleRNG
from training.errors import TrainingError


def test_the_scenes_of_one_file_are_drawn_as_from_the_file(pool_file):
    kept, read = DevicePool([pool_file], "cpu"), Pool(pool_file)
    assert (len(kept), kept.size) == (len(read), read.size)
    drawn, expected = (
        source.draw(SampleRNG.from_key(7, samples=range(6)), 32).stacked()
        for source in (kept, read)
    )
    assert torch.equal(drawn, expected)


def test_the_scenes_of_all_files_are_drawn(tmp_path, renderer):
    for name, count in {"a": 1, "b": 2}.items():
        write_pool(tmp_path / f"{name}.npy", renderer, count=count, seed=ord(name), size=32)
    files = [tmp_path / "a.npy", tmp_path / "b.npy"]
    kept = DevicePool(files, "cpu")
    assert len(kept) == 3
    scenes = [Pool(file).scenes(i, 1) for file in files for i in (0, 1)]
    means = {round(each.sharp.mean().item(), 4) for each in scenes}
    drawn = kept.draw(SampleRNG.from_key(0, samples=range(24)), 32).sharp.mean((1, 2, 3))
    assert {round(mean, 4) for mean in drawn.tolist()} == {mean for mean in means if mean == mean}


def test_scenes_of_several_sizes_are_refused(tmp_path, renderer):
    for size in (32, 48):
        write_pool(tmp_path / f"{size}.npy", renderer, count=1, seed=0, size=size)
    with pytest.raises(TrainingError, match="have 32, 48 px; one size is expected"):
        DevicePool([tmp_path / "32.npy", tmp_path / "48.npy"], "cpu")
