"""Detail of a sharp picture that its image supports."""

import dask.array
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import maximum_filter

import napari_defocus
from napari_defocus import (
    Check,
    CheckJob,
    DeblurJob,
    DefocusMap,
    ImageError,
    MapError,
    OptionError,
    Options,
    check,
    deblur,
    provenance,
)

from .scenes import DISPLAY, MAP, PATCH, SIDE, photograph_of, plant, sharp_picture


@pytest.fixture(scope="module")
def scene():
    sharp = sharp_picture()
    return photograph_of(sharp), sharp


@pytest.fixture(scope="module")
def fraud(scene):
    image, sharp = scene
    return check(image, plant(sharp), MAP, **DISPLAY)


def test_the_truth_is_supported(scene):
    image, sharp = scene
    result = check(image, sharp, MAP, **DISPLAY)
    assert result.score.flagged < 0.08
    assert abs(result.score.consistency) < 3  # differs by the noise alone
    assert result.clear_regions == ()
    assert result.verdict.startswith("the image supports the picture")


def test_planted_detail_is_flagged_where_it_is(fraud):
    assert fraud.invented[PATCH].mean() > 0.5
    outside = fraud.invented.copy()
    outside[40:84, 32:80] = False
    assert outside.mean() < 0.05
    first = fraud.regions[0]
    rows, columns = PATCH
    assert first.top <= rows.start + 4
    assert first.bottom >= rows.stop - 4
    assert first.left <= columns.start + 4
    assert first.right >= columns.stop - 4
    assert first.area == fraud.invented[first.top : first.bottom, first.left : first.right].sum()
    assert first.strength == fraud.unexplained[PATCH].max()
    assert "not supported by the image" in fraud.verdict


def test_detail_that_blur_hides_is_inferred_and_not_flagged(scene):
    image, sharp = scene
    hidden = sharp + 0.05 * (-1) ** np.add.outer(np.arange(SIDE), np.arange(SIDE))
    result = check(image, hidden.astype(np.float32), MAP, **DISPLAY)
    assert result.clear_regions == ()
    assert result.score.inferred > check(image, sharp, MAP, **DISPLAY).score.inferred + 0.1


def test_what_is_flagged_follows_from_the_rate_alone(fraud):
    shares = [fraud.with_false_alarms(rate).score.flagged for rate in (0.01, 0.05, 0.2)]
    assert shares == sorted(shares)
    assert shares[0] < shares[2]
    again = fraud.with_false_alarms(0.2)
    assert again.unexplained is fraud.unexplained


def test_a_picture_that_is_wrong_everywhere_is_flagged(scene):
    image, _ = scene
    other = check(image, sharp_picture(seed=5), MAP, **DISPLAY)
    assert other.score.flagged > 0.3
    assert other.score.consistency < -6
    assert "of the picture is not supported" in other.verdict


def test_worse_pictures_agree_less(scene):
    image, sharp = scene
    blurred_away, exaggerated = image, sharp + 0.5 * (sharp - image)
    scores = [
        check(image, picture, MAP, **DISPLAY).score.consistency
        for picture in (sharp, exaggerated.astype(np.float32), blurred_away)
    ]
    assert scores[0] == max(scores)


def test_what_was_left_as_it_is_is_not_flagged_and_what_changed_still_is(scene):
    image, sharp = scene
    changed = np.zeros(image.shape, bool)
    changed[:, :100] = True
    image = image.copy()
    image[100:110, 110:120] = np.nan
    result = check(image, np.where(changed, plant(sharp), image), MAP, **DISPLAY)
    scores = result.unexplained
    assert np.isnan(scores[105, 115])
    assert "nan" not in result.verdict
    near = maximum_filter(changed, 9)
    assert (scores[~near & np.isfinite(scores)] == 0).all()
    inner = scores[8:-8, 8:84]
    assert scores[PATCH].max() == inner.max() > 2


def test_an_uncertain_radius_explains_more(scene):
    image, sharp = scene
    place, wrong, doubt = np.s_[40:88, 40:88], MAP.copy(), np.full_like(MAP, 0.999)
    wrong[place] += 1
    sure = check(image, sharp, DefocusMap(wrong, doubt.copy()), **DISPLAY)
    doubt[place] = 0.5
    unsure = check(image, sharp, DefocusMap(wrong, doubt), **DISPLAY)
    assert unsure.unexplained[place].mean() < sure.unexplained[place].mean()


def test_tiles_agree_with_the_whole(scene):
    image, sharp = scene
    tiled, whole = (check(image, sharp, MAP, tile=tile, **DISPLAY) for tile in (48, None))
    for name in ("unexplained", "inferred"):
        difference = getattr(tiled, name) - getattr(whole, name)
        assert np.nanmax(np.abs(difference)) < 1e-3


def test_missing_values_are_not_judged_and_do_not_spread(scene):
    image, sharp = (part.copy() for part in scene)
    image[100:104, 100:104] = np.nan
    sharp[20:22, 90:94] = np.inf
    result = check(image, sharp, MAP, **DISPLAY)
    missing = ~(np.isfinite(image) & np.isfinite(sharp))
    inner = np.s_[4:-4, 4:-4]  # corners are not judged either
    assert (np.isnan(result.unexplained) == missing)[inner].all()
    assert not result.invented[missing].any()
    assert result.score.flagged < 0.08


def test_clipped_highlights_are_no_invention():
    sharp = sharp_picture()
    sharp[60:66, 60:66] = 4.0  # a lamp, whose blur is brighter than what a file holds of it
    image = photograph_of(sharp).clip(0, 1)
    result = check(image, sharp.clip(0, 1), MAP, **DISPLAY)
    assert result.clear_regions == ()


@settings(max_examples=6, deadline=None)
@given(
    shape=st.tuples(st.integers(4, 40), st.integers(4, 40)),
    dtype=st.sampled_from([np.uint8, np.uint16, np.int32, np.float32, np.float64]),
    color=st.booleans(),
    planes=st.integers(0, 2),
)
def test_any_size_and_data_type(shape, dtype, color, planes):
    rng = np.random.default_rng(0)
    full = (*([planes] if planes else []), *shape, *([3] if color else []))
    scale = 1 if np.dtype(dtype).kind == "f" else np.iinfo(dtype).max
    image, sharp = (scale * rng.random((2, *full))).astype(dtype)
    axis = -1 if color else "none"
    result = check(image, sharp, np.full(shape, 1.5), channel_axis=axis)
    assert result.unexplained.shape == result.inferred.shape == full[: len(full) - color]
    assert result.unexplained.dtype == result.inferred.dtype == np.float32
    judged = np.isfinite(result.unexplained)
    assert ((result.inferred[judged] >= 0) & (result.inferred[judged] <= 1)).all()
    assert result.verdict


def test_pictures_of_another_data_type_are_compared_in_their_own_range(scene):
    image, sharp = (np.repeat(part[..., None], 3, -1).clip(0, 1) for part in scene)
    deep = (image * 65535).round().astype(np.uint16)
    shallow = (sharp * 255).round().astype(np.uint8)
    result = check(deep, shallow, MAP, channel_axis=-1)
    assert result.score.flagged < 0.08
    assert result.clear_regions == ()


def test_lazy_pictures_give_lazy_results_and_the_same_values(scene):
    image, sharp = scene
    lazy = check(dask.array.from_array(image), dask.array.from_array(sharp), MAP, **DISPLAY)
    assert isinstance(lazy.unexplained, dask.array.Array)
    assert isinstance(lazy.invented, dask.array.Array)
    eager = check(image, sharp, MAP, **DISPLAY)
    np.testing.assert_array_equal(lazy.unexplained.compute(), eager.unexplained)
    assert lazy.regions == eager.regions
    assert lazy.verdict == eager.verdict


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"sharp": np.zeros((8, 9), np.uint8)}, ImageError, r"\(8, 9\) and the image \(8, 8\)"),
        ({"false_alarms": 0}, OptionError, "false_alarms is 0; a share of honest pixels"),
        ({"false_alarms": "few"}, OptionError, "false_alarms is 'few'"),
        ({"defocus": np.zeros((3, 3))}, MapError, "the map has shape"),
        ({"sharp": [1]}, ImageError, "the image is a list"),
    ],
)
def test_mistakes_are_named(change, error, words):
    arguments = {"image": np.zeros((8, 8), np.uint8), "sharp": np.zeros((8, 8), np.uint8)}
    with pytest.raises(error, match=words):
        check(**{"defocus": np.ones((8, 8)), **arguments, **change})


def test_progress_reaches_the_end(scene):
    steps = []
    check(*scene, MAP, progress=lambda done, total: steps.append((done, total)), **DISPLAY)
    assert steps[-1][0] == steps[-1][1] > 0


def test_a_map_is_estimated_where_none_is_given():
    image = np.random.default_rng(0).integers(0, 256, (64, 64), np.uint8)
    job = CheckJob(image, image)
    assert [card.task for card in job.models] == ["single"]
    defocus = job.estimate.run()
    np.testing.assert_array_equal(
        job.run().unexplained, CheckJob(image, image, defocus).run().unexplained
    )


def test_deblurring_hands_over_its_check():
    image = np.random.default_rng(0).integers(0, 256, (64, 64), np.uint8)
    sharp, result = deblur(image, check=True)
    assert isinstance(result, Check)
    np.testing.assert_array_equal(sharp, deblur(image))
    job = DeblurJob(image)
    defocus = job.estimate.run()
    expected = job.with_map(defocus).check(sharp).run()
    np.testing.assert_array_equal(result.unexplained, expected.unexplained)


def test_provenance_names_both_pictures(scene):
    image, sharp = scene
    record = provenance(CheckJob(image, sharp, MAP, 0.1, options=Options(**DISPLAY)))
    assert record["function"] == "check"
    assert record["parameters"]["false_alarms"] == 0.1
    assert record["parameters"]["sharp"] != record["input"]["hash"]
    assert napari_defocus.check.__name__ == record["function"]
