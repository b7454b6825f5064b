"""Pairs of blurred and sharp photographs in all their layouts."""

import logging

import imagecodecs
import numpy as np
import pytest
import torch
from PIL import Image
from scipy.ndimage import gaussian_filter
from skimage.data import astronaut, coffee

from training.data import held_out
from training.data.images import read_colors
from training.data.pair_scenes import PairScenes
from training.data.pairs import find_pairs
from training.data.rng import SampleRNG
from training.errors import TrainingError

SHARP = [astronaut()[:96, 150:278], coffee()[100:196, 200:328]]


def blurred(image):
    return gaussian_filter(image, (2, 2, 0))


def write(path, image, *, bits=8):
    path.parent.mkdir(parents=True, exist_ok=True)
    if bits == 16:
        deep = image.astype(np.uint16) * 257
        path.write_bytes(imagecodecs.png_encode(np.ascontiguousarray(deep)))
    else:
        Image.fromarray(image).save(path)


@pytest.fixture
def dpdd_folder(tmp_path):
    for number, sharp in enumerate(SHARP):
        for part in ("c", "l", "r"):
            name = f"train_{part}/source/1P0A{number:04}.png"
            write(tmp_path / name, blurred(sharp), bits=16)
        write(tmp_path / f"train_c/target/1P0A9{number:03}.png", sharp, bits=16)
    return tmp_path


@pytest.fixture
def pairs_folder(tmp_path):
    for number, sharp in enumerate(SHARP):
        write(tmp_path / f"blurred/{number}.png", blurred(sharp))
        write(tmp_path / f"sharp/{number}.jpg", sharp)
    return tmp_path


def rng(*samples):
    return SampleRNG.from_key(0, samples=samples)


def test_deep_pictures_keep_their_depth(dpdd_folder):
    picture = read_colors(dpdd_folder / "train_c/target/1P0A9000.png")
    assert picture.dtype == np.uint16
    assert np.array_equal(picture, SHARP[0].astype(np.uint16) * 257)


@pytest.mark.parametrize("parent", [".", "dd_dp_dataset_png"])
def test_dpdd_as_published(dpdd_folder, parent, tmp_path_factory):
    root = tmp_path_factory.mktemp("root")
    (root / parent).parent.mkdir(exist_ok=True)
    if parent == ".":
        root = dpdd_folder
    else:
        dpdd_folder.rename(root / parent)
    pairs = find_pairs(root)
    assert [(p.blurred.name, p.sharp.name) for p in pairs] == [
        ("1P0A0000.png", "1P0A9000.png"),
        ("1P0A0001.png", "1P0A9001.png"),
    ]
    assert "train_l" in str(pairs[0].left)
    assert "train_r" in str(pairs[0].right)


def test_splits_are_apart(dpdd_folder):
    with pytest.raises(TrainingError, match="test_c"):
        find_pairs(dpdd_folder, "test")


def test_a_dpdd_of_unequal_counts_is_refused(dpdd_folder):
    (dpdd_folder / "train_l/source/1P0A0001.png").unlink()
    with pytest.raises(TrainingError, match=r"1 in train_l/source"):
        find_pairs(dpdd_folder)


def test_a_dpdd_without_views_is_refused(dpdd_folder):
    (dpdd_folder / "train_r").rename(dpdd_folder / "elsewhere")
    with pytest.raises(TrainingError, match=r"lacks .*train_r"):
        find_pairs(dpdd_folder)


def test_pairs_by_name(pairs_folder, caplog):
    write(pairs_folder / "blurred/alone.png", SHARP[0])
    with caplog.at_level(logging.WARNING):
        pairs = find_pairs(pairs_folder)
    assert [pair.name for pair in pairs] == ["0", "1"]
    assert "skipped alone" in caplog.text


def test_input_and_target_are_pairs_too(pairs_folder):
    (pairs_folder / "blurred").rename(pairs_folder / "input")
    (pairs_folder / "sharp").rename(pairs_folder / "target")
    assert len(find_pairs(pairs_folder)) == 2


def test_a_folder_of_another_layout_is_refused(tmp_path):
    with pytest.raises(TrainingError, match="neither train_c"):
        find_pairs(tmp_path)


def test_folders_without_a_common_name_are_refused(tmp_path):
    write(tmp_path / "blurred/a.png", SHARP[0])
    write(tmp_path / "sharp/b.png", SHARP[0])
    with pytest.raises(TrainingError, match="share no file name"):
        find_pairs(tmp_path)


def test_crops_belong_together(pairs_folder):
    photos = PairScenes(find_pairs(pairs_folder), views=False).draw(rng(*range(6)), 48)
    assert photos.sharp.shape == (6, 3, 48, 48)
    assert photos.radius.isnan().all()
    assert torch.equal(photos.left, photos.center)
    for sharp, center in zip(photos.sharp, photos.center, strict=True):
        again = gaussian_filter(sharp.numpy(), (0, 2, 2))
        assert np.abs(again - center.numpy())[:, 8:-8, 8:-8].mean() < 0.02


def test_views_are_drawn_from_their_files(dpdd_folder):
    write(dpdd_folder / "train_l/source/1P0A0000.png", 0 * SHARP[0], bits=16)
    write(dpdd_folder / "train_l/source/1P0A0001.png", 0 * SHARP[0], bits=16)
    photos = PairScenes(find_pairs(dpdd_folder), views=True).draw(rng(0, 1), 32)
    assert photos.left.max() == 0
    assert torch.equal(photos.right, photos.center)


def test_a_draw_does_not_depend_on_its_batch(pairs_folder):
    scenes = PairScenes(find_pairs(pairs_folder), views=False)
    whole = scenes.draw(rng(0, 1, 2), 32)
    assert torch.equal(whole.sharp[2:], scenes.draw(rng(2), 32).sharp)


def test_broken_pairs_are_named_and_skipped(pairs_folder, caplog):
    (pairs_folder / "blurred/0.png").write_bytes(b"nothing")
    with caplog.at_level(logging.WARNING):
        scenes = PairScenes(find_pairs(pairs_folder), views=False)
    assert [pair.name for pair in scenes.broken] == ["0"]
    assert "0.png" in caplog.text
    assert len(scenes) == 1


def test_pairs_of_different_sizes_are_skipped(pairs_folder):
    write(pairs_folder / "sharp/1.jpg", SHARP[1][:64])
    assert len(PairScenes(find_pairs(pairs_folder), views=False)) == 1


def test_pairs_without_views_cannot_give_them(pairs_folder, caplog):
    with pytest.raises(TrainingError, match="no pair"):
        PairScenes(find_pairs(pairs_folder), views=True)
    assert "no dual-pixel views" in caplog.text


def test_too_large_a_crop_is_an_error(pairs_folder):
    with pytest.raises(TrainingError, match="96 x 128 px"):
        PairScenes(find_pairs(pairs_folder), views=False).draw(rng(0), 97)


def test_evaluation_pairs_are_refused_unless_asked_for(pairs_folder, monkeypatch):
    pairs = find_pairs(pairs_folder)
    kept = frozenset({held_out.digest(pairs[1].sharp)})
    monkeypatch.setattr(held_out, "held_out_hashes", lambda: kept)
    with pytest.raises(TrainingError, match=r"1\.jpg is kept for evaluation"):
        PairScenes(pairs, views=False)
    assert len(PairScenes(pairs, views=False, evaluation=True)) == 2


def test_the_half_size_scenes_of_dpdd(data_folder):
    pairs = find_pairs(data_folder / "dpdd")
    assert len(pairs) == 7
    photos = PairScenes(pairs[:1], views=True, evaluation=True).draw(rng(0), 256)
    for name in ("center", "left", "right"):
        assert (getattr(photos, name) - photos.sharp).abs().mean() < 0.15
    assert not torch.equal(photos.left, photos.right)
