"""Model cards: what is accepted, what is refused, and how often a file is read."""

import json
import subprocess
import sys
from dataclasses import replace
from typing import get_args

import pytest

from napari_defocus.errors import ModelError
from napari_defocus.models import list_models, verify
from napari_defocus.models.cards import TASKS, card_from, read_card
from napari_defocus.networks.descriptor import Task

COUNT_READS = """
import sys
from collections import Counter
from pathlib import Path

import numpy as np

import napari_defocus
from napari_defocus import DefocusMap, deblur, estimate_defocus

folder = Path(napari_defocus.__file__).parent / "models"
reads = Counter()

def count(event, arguments):
    if event == "open" and Path(str(arguments[0])).parent == folder:
        reads[Path(arguments[0]).name] += 1

sys.addaudithook(count)
image = np.random.default_rng(0).random((64, 64, 3), dtype=np.float32)
for _ in range(2):
    defocus = estimate_defocus(image, right=image, channel_axis=-1)
    deblur(image, defocus, channel_axis=-1)
cards = {name: count for name, count in reads.items() if name.endswith(".json")}
assert len(cards) == 6, cards
assert set(cards.values()) == {1}, cards
"""


def test_written_card_is_read_back(card):
    assert read_card(card.path.with_suffix(".json")) == card
    verify(card)


def test_each_card_is_read_from_disk_once_per_process():
    subprocess.run([sys.executable, "-c", COUNT_READS], check=True)


def test_a_changed_card_is_read_again(card):
    path = card.path.with_suffix(".json")
    assert read_card(path).description == "a test"
    changed = replace(card, description="another test")
    path.write_text(changed.to_json(), encoding="utf-8")
    assert read_card(path) == changed


def test_tasks_of_cards_are_those_of_networks():
    assert get_args(Task) == TASKS


def test_the_scale_model_is_optional(card):
    fields = json.loads(card.to_json())
    del fields["scale_from"]
    assert card_from(fields, card.path, "a card") == card


def test_only_a_model_of_two_views_may_have_a_scale_model(card):
    fields = {**json.loads(card.to_json()), "scale_from": "single"}
    with pytest.raises(ModelError, match="scale_from.*'dual'"):
        card_from(fields, card.path, "a card")


@pytest.mark.parametrize("field", ["name", "task", "arguments", "sha256", "license", "figures"])
def test_a_card_without_a_field_is_an_error(card, field):
    fields = json.loads(card.to_json())
    del fields[field]
    with pytest.raises(ModelError, match=f"lacks.*'{field}'"):
        card_from(fields, card.path, "a card")


@pytest.mark.parametrize("content", ["", "{", "[]", '"x"', "\xff", '{"name": "mine"}'])
def test_a_damaged_card_is_an_error(card, content):
    path = card.path.with_suffix(".json")
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(ModelError, match=r"mine\.json"):
        read_card(path)


def test_a_missing_card_is_an_error(tmp_path):
    with pytest.raises(ModelError, match=r"none\.json cannot be read"):
        read_card(tmp_path / "none.json")


def test_a_card_of_another_name_is_an_error(card):
    other = card.path.with_name("other.json")
    card.path.with_suffix(".json").rename(other)
    with pytest.raises(ModelError, match="'mine'.*'other'"):
        read_card(other)


def test_the_path_in_a_card_is_ignored(card):
    fields = {**json.loads(card.to_json()), "path": "/etc/passwd"}
    assert card_from(fields, card.path, "a card").path == card.path


@pytest.mark.parametrize("model", list_models(), ids=lambda card: card.name)
def test_cards_of_shipped_models_are_complete(model):
    for field in ("version", "license", "description", "data", "recipe", "figures"):
        assert getattr(model, field), f"{model.name} lacks {field}"
