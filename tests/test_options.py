"""Options: accepted values, defaults, and words of the command line."""

import numpy as np
import pytest

from napari_defocus import DefocusError, OptionError, Options
from napari_defocus.inference.device import choose_device


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("downscale", value) for value in (0, -1, 1.5, "half", None, True, np.arange(2))),
        *(("tile", value) for value in (0, -8, 1.5, "large", True, np.arange(2))),
        *(("device", value) for value in ("", 0, None)),
        *(("precision", value) for value in ("half", None, 16)),
        *(("encoding", value) for value in ("sRGB", "", None, 1)),
        *(("channel_axis", value) for value in ("last", 1.0, True, "auto")),
        *(("imaging", value) for value in ("photo", "", None, 1)),
        *(("nodata", value) for value in ("nan?", None, True, 10**400, [0])),
        *(("range_axis", value) for value in ("C", 1.0, True)),
    ],
)
def test_impossible_values_are_refused(name, value):
    with pytest.raises(OptionError, match=f"{name} is"):
        Options(**{name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("downscale", value) for value in (1, np.int64(4), "auto")),
        *(("tile", value) for value in ("auto", None, 1, np.int64(64))),
        *(("channel_axis", value) for value in (None, "none", -1, np.int8(2))),
        ("encoding", "linear"),
        ("imaging", "microscopy"),
        *(("nodata", value) for value in ("auto", "none", 0, np.float32(-9999), -3.4e38)),
        *(("range_axis", value) for value in (None, -3, np.int64(0))),
        ("precision", "bfloat16"),
        ("device", "cuda:1"),
    ],
)
def test_possible_values_are_kept_as_plain_python(name, value):
    kept = getattr(Options(**{name: value}), name)
    assert kept == value
    assert isinstance(kept, int | float | str | None)
    assert not isinstance(kept, np.generic)


def test_changed_options_alone_are_listed():
    assert Options().changed() == {}
    options = Options(tile=None, downscale=2, value_range=(0, 4095), channel_axis="none")
    assert options.changed() == {
        "channel_axis": "none",
        "value_range": (0, 4095),
        "downscale": 2,
        "tile": None,
    }


@pytest.mark.parametrize(
    "value_range",
    [[[0, 1], [2, 3.5]], np.float64([[0, 1], [2, 3.5]]), ([0, 1], np.array([2, 3.5]))],
)
def test_ranges_of_planes_are_kept_as_tuples(value_range):
    options = Options(value_range=value_range)
    assert options.value_range == ((0, 1), (2, 3.5))
    assert options == Options(value_range=((0, 1), (2, 3.5)))
    with pytest.raises(OptionError, match="value_range is"):
        options.to_text()


@pytest.mark.parametrize(
    "options",
    [
        Options(),
        Options(tile=None, downscale=4, channel_axis="none", device="cpu"),
        Options(tile=256, channel_axis=-1, encoding="linear", precision="bfloat16"),
        Options(imaging="microscopy", nodata=-3.4028234663852886e38, range_axis=0),
        Options(nodata="none"),
    ],
)
def test_words_of_the_command_line_give_the_same_options(options):
    assert Options.from_text(options.to_text()) == options


def test_words_for_defaults():
    texts = {"channel_axis": "auto", "tile": "auto", "downscale": "auto", "device": "auto"}
    assert Options.from_text(texts) == Options()


def test_long_values_are_shortened_in_messages():
    for name in ("tile", "downscale", "device", "encoding"):
        with pytest.raises(DefocusError) as error:
            choose_device(Options.from_text({name: "a" * 9999}).device)
        assert len(str(error.value)) < 400


@pytest.mark.parametrize(
    ("name", "text"),
    [("tile", "big"), ("downscale", "1.5"), ("channel_axis", "rgb"), ("nodata", "no")],
)
def test_unknown_words_are_refused_with_those_accepted(name, text):
    with pytest.raises(OptionError, match=f"{name} is '{text}'.*auto"):
        Options.from_text({name: text})
