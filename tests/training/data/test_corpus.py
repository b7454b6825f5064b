"""Sharp crops, and what may not be trained on."""

import hashlib
import logging

import pytest
import torch

from training.data import corpus as corpus_module
from training.data.chance import Chance
from training.data.corpus import Corpus, held_out_hashes, photographs


def test_crops_are_linear_light_of_the_wanted_size(corpus):
    crops = corpus.crops(Chance.of(0, samples=range(2)), 3, 48)
    assert crops.shape == (2, 3, 3, 48, 48)
    assert crops.min() >= 0
    assert crops.max() <= 1


def test_crops_depend_on_their_sample_alone(corpus):
    whole = corpus.crops(Chance.of(5, samples=range(3)), 2, 32)
    alone = corpus.crops(Chance.of(5, samples=[2]), 2, 32)
    torch.testing.assert_close(whole[2:], alone)


def test_a_broken_image_is_named_and_skipped(photo_folder, tmp_path, caplog):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff this is no picture")
    with caplog.at_level(logging.WARNING):
        corpus = Corpus([broken, photo_folder / "a.png"])
    assert corpus.broken == [broken]
    assert "broken.jpg" in caplog.text
    assert len(corpus.images) == 1


def test_a_corpus_without_images_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="no readable image"):
        Corpus([])


def test_held_out_photographs_are_kept_apart(photo_folder, tmp_path, monkeypatch):
    kept = photo_folder / "b.png"
    manifest = tmp_path / "held_out.txt"
    manifest.write_text(hashlib.sha256(kept.read_bytes()).hexdigest() + "\n", encoding="utf-8")
    monkeypatch.setattr(corpus_module, "_HELD_OUT", manifest)
    assert photographs(photo_folder, held_out=True) == [kept]
    assert [p.name for p in photographs(photo_folder, held_out=False)] == ["a.png", "c.png"]


def test_the_manifest_holds_hashes():
    assert all(len(h) == 64 and int(h, 16) >= 0 for h in held_out_hashes())
    assert len(held_out_hashes()) > 20


def test_demo_photographs_are_held_out(data_folder):
    for path in (data_folder / "real").glob("*.jpg"):
        assert hashlib.sha256(path.read_bytes()).hexdigest() in held_out_hashes()
