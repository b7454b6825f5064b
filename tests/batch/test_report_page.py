"""Page that reports on a batch: pictures, links, order, settings, plot of series."""

import re
from html.parser import HTMLParser
from urllib.parse import unquote

import numpy as np
import pytest
from PIL import Image

from napari_defocus.batch import make_plan, run_plan
from napari_defocus.batch.process import Outcome
from napari_defocus.batch.records import Measures
from napari_defocus.batch.report import write_report
from napari_defocus.batch.report_page import is_series
from napari_defocus.version import __version__

from .conftest import picture


class Page(HTMLParser):
    """What of a page matters: cards with their attributes, links, and all text."""

    def __init__(self, text):
        super().__init__()
        self.cards, self.links, self.titles, self.text = [], [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "section":
            self.cards.append(attributes)
        if tag == "a":
            self.links.append(unquote(attributes["href"]))
        if tag == "img":
            self.titles.append(attributes["alt"])

    def handle_data(self, text):
        self.text += text


def read_page(folder):
    return Page((folder / "report.html").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def finished(small_models, tmp_path_factory):
    """A folder with a batch of maps and pictures, one of whose files failed."""
    from napari_defocus.batch.settings import Settings
    from napari_defocus.deblur_settings import DeblurSettings

    folder = tmp_path_factory.mktemp("batch")
    (folder / "in").mkdir()
    for seed, name in enumerate(("a.png", "ü & b.tif")):
        Image.fromarray(picture(seed)).save(folder / "in" / name)
    (folder / "in" / "z.png").write_bytes(b"nothing")
    deblurring = DeblurSettings(**small_models, strength=0.5)
    settings = Settings(task="both", deblurring=deblurring)
    for _ in run_plan(make_plan([folder / "in"], folder / "out", settings)):
        pass
    return folder / "out"


def test_a_card_shows_image_result_and_map(finished):
    titles = read_page(finished).titles
    assert [title.split(",")[0] for title in titles] == ["before", "after", "blur radius"] * 2
    assert re.fullmatch(r"blur radius, 0 to [\d.]+ px", titles[2])


def test_links_are_relative_and_lead_to_files(finished):
    links = read_page(finished).links
    assert "../in/ü & b.tif" in links
    assert "ü & b-defocus.tif" in links
    assert all((finished / link).exists() for link in links)


def test_failed_files_come_first_and_say_why(finished):
    page = read_page(finished)
    assert [card["data-name"] for card in page.cards] == ["z.png", "a.png", "ü & b.tif"]
    assert page.cards[0]["class"] == "card failed"
    assert "z.png is not an image of a known kind" in page.text


def test_the_header_says_when_how_and_by_which_version(finished):
    text = read_page(finished).text
    assert re.search(rf"\d{{4}}-\d\d-\d\d \d\d:\d\d by napari-defocus {__version__}", text)
    assert "strength = 0.5" in text


def write(folder, names, radii, sure, settings):
    """Write the report of a batch with given measures; return its page."""
    for name in names:
        Image.fromarray(np.zeros((24, 32), np.uint8)).save(folder / name)
    plan = make_plan([folder / name for name in names], folder / "out", settings(task="map"))
    plan.folder.mkdir()
    measures = (
        Measures(radius, 0.5, sure=share) for radius, share in zip(radii, sure, strict=True)
    )
    write_report(plan, {i: Outcome("done", 1.0, each) for i, each in enumerate(measures)})
    return (plan.folder / "report.html").read_text(encoding="utf-8")


def test_only_a_series_is_plotted(tmp_path, settings):
    for name in ("series", "mixture"):
        (tmp_path / name).mkdir()
    series = [f"z{number}.png" for number in range(3)]
    page = write(tmp_path / "series", series, (3, 1, 2), (1, 1, 1), settings)
    assert page.count("<circle") == 3
    page = write(
        tmp_path / "mixture", ["cat.png", "cow.png", "dog.png"], (3, 1, 2), (1,) * 3, settings
    )
    assert "<circle" not in page


def test_the_sharpest_is_one_whose_pixels_tell(tmp_path, settings):
    page = write(tmp_path, ["a.png", "noise.png", "b.png"], (3, 0, 2), (0.5, 0.01, 0.5), settings)
    assert "sharpest: b.png, 2.00 px" in page


def test_a_series_differs_in_its_numbers_alone():
    assert is_series(["plate/B02", "plate/B03", "plate/C01"]) is False
    assert is_series(["plate.zarr/1/0", "plate.zarr/2/0", "plate.zarr/3/0"])
