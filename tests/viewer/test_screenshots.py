"""Screenshots of the documentation, which show the words that the widgets show now."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parents[2] / "docs"))

import picture_sources

WIDGETS = sorted({each.widget for each in picture_sources.PICTURES.values()} - {None})


@pytest.mark.parametrize("widget", WIDGETS)
def test_screenshots_show_the_words_of_the_widget(open_widget, widget):
    words = picture_sources.widget_words(open_widget(widget))
    assert len(words) > 20
    for name, sources in picture_sources.PICTURES.items():
        if sources.widget == widget:
            assert not picture_sources.outdated(name, words), f"run: {sources.command}"


def test_another_word_makes_a_screenshot_outdated(open_widget):
    widget = open_widget("Batch")
    words = picture_sources.widget_words(widget)
    assert picture_sources.outdated("widget-batch.jpg", [*words, "Another button"])
