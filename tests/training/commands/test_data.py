"""Commands that make training data and draw them."""

import numpy as np
import pytest
import torch
from PIL import Image
from skimage.data import astronaut

from training.__main__ import run as run_command
from training.data.lenses import BankLens
from training.data.pool import Pool
from training.data.renderer import Renderer, SceneOptions
from training.data.rng import SampleRNG
from training.errors import TrainingError

from ..data.lens_files import write_doublet

SMALL = ("--count", "2", "--size", "32", "--max-radius", "4")


def run(*words):
    run_command([str(word) for word in words])


def test_rendering_is_reproducible(photo_folder, tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        run("render", photo_folder, tmp_path / f"{name}.npy", *SMALL, "--seed", seed)
    first, again, other = ((tmp_path / f"{name}.npy").read_bytes() for name in "abc")
    assert first == again
    assert first != other
    scenes = Pool(tmp_path / "a.npy").scenes(0, 2)
    assert scenes.sharp.shape == (2, 3, 32, 32)
    assert scenes.radius.abs().max() <= 4


def test_a_reference_lens_can_be_rendered_with(photo_folder, corpus, tmp_path):
    lens = tmp_path / "lenses" / "reference.safetensors"
    run("reference-lens", lens, "--seed", 3)
    run("render", photo_folder, tmp_path / "reference.npy", *SMALL, "--lens", lens)
    options = SceneOptions(max_radius=4.0)
    expected = Renderer(corpus, options, BankLens.read(lens)).draw(
        SampleRNG.from_key(0, samples=[0, 1]), 32
    )
    kept = Pool(tmp_path / "reference.npy").scenes(0, 2)
    torch.testing.assert_close(kept.left, expected.left, atol=2e-3, rtol=2e-3)


def test_real_lenses_can_be_rendered_with(photo_folder, tmp_path):
    write_doublet(tmp_path)
    traced = ("--prescriptions", tmp_path, "--traced-share", 1)
    pools = {"plain": (), "traced": traced, "again": traced}
    for name, options in pools.items():
        run("render", photo_folder, tmp_path / f"{name}.npy", *SMALL, *options)
    plain, by_lens, again = (Pool(tmp_path / f"{name}.npy").scenes(0, 2) for name in pools)
    assert by_lens.left.equal(again.left)
    torch.testing.assert_close(by_lens.sharp.mean((2, 3)), plain.sharp.mean((2, 3)))
    assert not by_lens.left.equal(plain.left)


def test_a_share_beyond_1_is_an_error(photo_folder, tmp_path):
    options = ("--prescriptions", tmp_path, "--traced-share", 2)
    with pytest.raises(TrainingError, match=r"--traced-share is 2\.0"):
        run("render", photo_folder, tmp_path / "pool.npy", *options)


def test_batches_of_scenes_photographs_and_pairs_are_drawn(photo_folder, pool_file, tmp_path):
    for folder in ("blurred", "sharp"):
        (tmp_path / folder).mkdir()
        Image.fromarray(astronaut()[:64, :64]).save(tmp_path / folder / "a.png")
    sources = [(pool_file,), (photo_folder,), (tmp_path, "--pairs")]
    for number, (source, *options) in enumerate(sources):
        picture = tmp_path / "shown" / f"{number}.png"
        run("show-batch", source, picture, "--count", 2, "--crop", 32, *options)
        assert np.asarray(Image.open(picture)).std() > 20
