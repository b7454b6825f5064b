"""Pools return their scenes as they were rendered."""

import numpy as np
import pytest
import torch

from training.data.pool import Pool, join_pools, write_pool
from training.data.rng import SampleRNG


def rng(*samples):
    return SampleRNG.from_key(7, samples=samples)


def test_scenes_come_back(renderer, pool):
    assert len(pool) == 16
    rendered = renderer.draw(SampleRNG.from_key(1, samples=range(13, 16)), 64)
    kept = pool.scenes(13, 8)
    torch.testing.assert_close(kept.sharp, rendered.sharp, atol=2e-3, rtol=2e-3)
    torch.testing.assert_close(kept.radius, rendered.radius, atol=1e-2, rtol=2e-3)
    assert torch.equal(kept.fluorescent, rendered.fluorescent)


def test_draws_are_reproducible_and_cropped(pool):
    first, again = (pool.draw(rng(0, 1, 2, 3), 32) for _ in range(2))
    assert first.left.shape == (4, 3, 32, 32)
    assert torch.equal(first.stacked(), again.stacked())


def test_a_draw_does_not_depend_on_its_batch(pool):
    whole = pool.draw(rng(0, 1, 2, 3), 32)
    parts = [pool.draw(rng(*pair), 32) for pair in ((0, 1), (2, 3))]
    assert torch.equal(whole.stacked(), torch.cat([part.stacked() for part in parts]))


def test_mirroring_sideways_swaps_the_sign(tmp_path, renderer):
    write_pool(tmp_path / "one.npy", renderer, count=1, seed=1, size=64)
    pool = Pool(tmp_path / "one.npy")
    kept = pool.scenes(0, 1)
    drawn = pool.draw(rng(*range(16)), 64)
    orientations = set()
    for left, radius in zip(drawn.left, drawn.radius, strict=True):
        for upside in (False, True):
            for sideways in (False, True):
                axes = [-2] * upside + [-1] * sideways
                if torch.equal(left, kept.left[0].flip(axes)):
                    sign = -1 if sideways else 1
                    assert torch.equal(radius, sign * kept.radius[0].flip(axes))
                    orientations.add((upside, sideways))
    assert len(orientations) == 4


def test_other_files_are_refused(tmp_path):
    np.save(tmp_path / "old.npy", np.zeros((2, 10, 8, 8), np.float16))
    with pytest.raises(ValueError, match=r"old\.npy is not a pool"):
        Pool(tmp_path / "old.npy")


def test_the_middles_of_several_files_are_joined_in_order(tmp_path, renderer):
    large, small = tmp_path / "large.npy", tmp_path / "small.npy"
    write_pool(large, renderer, count=2, seed=1, size=64)
    write_pool(small, renderer, count=1, seed=2, size=48)
    join_pools(tmp_path / "both.npy", [large, small], 48)
    joined = Pool(tmp_path / "both.npy").scenes(0, 8)
    wide, narrow = Pool(large).scenes(0, 2), Pool(small).scenes(0, 1)
    middle = wide.stacked()[..., 8:56, 8:56]
    assert torch.equal(joined.stacked(), torch.cat([middle, narrow.stacked()]))
    assert torch.equal(joined.fluorescent, torch.cat([wide.fluorescent, narrow.fluorescent]))


def test_scenes_that_are_too_small_are_not_joined(tmp_path, renderer):
    write_pool(tmp_path / "small.npy", renderer, count=1, seed=2, size=48)
    with pytest.raises(ValueError, match=r"scenes of .*small\.npy are smaller than 64 px"):
        join_pools(tmp_path / "both.npy", [tmp_path / "small.npy"], 64)
    assert not (tmp_path / "both.npy").exists()
