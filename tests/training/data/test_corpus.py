"""Sharp crops, and photographs held out of training."""

import hashlib
import logging

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image
from skimage.data import astronaut

from training.data import held_out
from training.data.corpus import Corpus, photographs
from training.data.held_out import held_out_hashes, is_held_out
from training.data.rng import SampleRNG
from training.errors import TrainingError


def test_crops_are_linear_light_of_the_wanted_size(corpus):
    crops = corpus.crops(SampleRNG.from_key(0, samples=range(2)), 3, 48)
    assert crops.shape == (2, 3, 3, 48, 48)
    assert crops.min() >= 0
    assert crops.max() <= 1


def test_crops_depend_on_their_sample_alone(corpus):
    whole = corpus.crops(SampleRNG.from_key(5, samples=range(3)), 2, 32)
    alone = corpus.crops(SampleRNG.from_key(5, samples=[2]), 2, 32)
    torch.testing.assert_close(whole[2:], alone)


def jpeg_bytes(path):
    Image.fromarray(astronaut()).save(path, "JPEG")
    return path.read_bytes()


BROKEN = {
    "no picture": lambda path: b"\xff\xd8\xff this is no picture",
    "empty": lambda path: b"",
    "text": lambda path: b"a list of things to do\n",
    "truncated": lambda path: jpeg_bytes(path)[:20_000],
}


@pytest.mark.parametrize("kind", BROKEN)
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif"])
def test_a_broken_image_is_named_skipped_and_counted(kind, suffix, photo_folder, tmp_path, caplog):
    broken = tmp_path / f"broken{suffix}"
    broken.write_bytes(BROKEN[kind](broken))
    with caplog.at_level(logging.WARNING):
        corpus = Corpus([broken, photo_folder / "a.png"])
    assert corpus.broken == [broken]
    assert broken.name in caplog.text
    assert "skipped 1 in all" in caplog.text
    assert len(corpus.images) == 1


def test_an_image_that_claims_too_many_pixels_is_skipped(tmp_path, monkeypatch):
    bomb, fine = tmp_path / "bomb.jpg", tmp_path / "fine.jpg"
    Image.fromarray(astronaut()).save(bomb)
    Image.fromarray(astronaut()[:200, :200]).save(fine)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100_000)
    assert Corpus([bomb, fine]).broken == [bomb]


def test_a_tiny_image_is_skipped(photo_folder, tmp_path):
    tiny = tmp_path / "tiny.png"
    Image.fromarray(astronaut()[:8, :8]).save(tiny)
    assert Corpus([tiny, photo_folder / "a.png"]).broken == [tiny]


def test_a_corpus_without_images_is_an_error():
    with pytest.raises(TrainingError, match="no readable image"):
        Corpus([])


def test_photographs_too_small_for_a_crop_are_not_enlarged(photo_folder, tmp_path):
    small = tmp_path / "small.png"
    Image.new("RGB", (64, 64), "red").save(small)
    corpus = Corpus([small, photo_folder / "a.png"])
    crops = corpus.crops(SampleRNG.from_key(0, samples=range(8)), 1, 80, tries=1)
    assert (crops[:, 0, 1] > 0).flatten(1).any(1).all()
    with pytest.raises(TrainingError, match="no photograph is 600 px"):
        corpus.crops(SampleRNG.from_key(0, samples=[0]), 1, 600)


def test_sixteen_bits_become_eight(tmp_path):
    deep = astronaut().astype(np.uint16) * 257
    tifffile.imwrite(tmp_path / "deep.tif", deep, photometric="rgb")
    image = Corpus([tmp_path / "deep.tif"]).images[0]
    assert torch.equal(image, torch.from_numpy(astronaut()).permute(2, 0, 1))


def test_held_out_photographs_are_kept_apart(photo_folder, tmp_path, monkeypatch):
    kept = photo_folder / "b.png"
    manifest = tmp_path / "held_out.txt"
    manifest.write_text(hashlib.sha256(kept.read_bytes()).hexdigest() + "\n", encoding="utf-8")
    monkeypatch.setattr(held_out, "_MANIFEST", manifest)
    assert photographs(photo_folder, held_out=True) == [kept]
    assert [p.name for p in photographs(photo_folder, held_out=False)] == ["a.png", "c.png"]


def test_the_manifest_holds_hashes():
    assert all(len(h) == 64 and int(h, 16) >= 0 for h in held_out_hashes())


@pytest.mark.parametrize("pattern", ["real/*.jpg", "dpdd/*", "pixel4/*.png"])
def test_evaluation_photographs_are_held_out(pattern, data_folder):
    files = sorted(data_folder.glob(pattern))
    assert files
    assert all(is_held_out(path) for path in files)
