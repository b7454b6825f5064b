"""Random images, options and chunks: they give a result of the right form, or a DefocusError."""

import dask.array
import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from torch import nn

from napari_defocus import DefocusError, deblur, estimate_defocus, reblur
from napari_defocus.networks import build
from napari_defocus.networks.preparation import prepare_for_inference

DTYPES = ["uint8", "uint16", "uint32", "int8", "int16", "int32", "float16", "float32", "float64"]
OTHER_DTYPES = ["bool", "complex64", "uint64", "int64", "object", "U3", "M8[s]"]
FLOATS = [np.nan, np.inf, -np.inf, -1.0, 0.0, 1e-300, 0.5, 1.0, 1e4, 1e38, 1e300]


def network(architecture, **arguments):
    torch.manual_seed(0)
    module = build(architecture, arguments)
    for weights in module.parameters():
        nn.init.normal_(weights, std=0.05)
    return prepare_for_inference(module)  # or each call would copy it


SINGLE = network("single-estimator", widths=(4, 4, 4), blocks=(1, 1, 1, 1))
GENERATOR = network("generator", width=8, blocks=(1, 1, 1, 1, 1), radii=(2.0, 6.0))


@st.composite
def images(draw):
    """An array and a channel axis, which mostly fit."""
    side = st.integers(1, 40) | st.integers(8, 24)
    leading = draw(st.lists(st.integers(0, 3) | st.just(2), max_size=2))
    shape = [*leading, draw(side), draw(side)][-draw(st.sampled_from([4, 4, 4, 1])) :]
    axis = draw(st.none() | st.integers(-len(shape) - 2, len(shape) + 1))
    if axis is not None and draw(st.integers(0, 9)):
        axis = draw(st.integers(-len(shape) - 1, len(shape)))
        samples = draw(st.sampled_from([1, 3, 3, 4, 2, 5]))
        shape.insert(axis if axis >= 0 else len(shape) + 1 + axis, samples)
    kind = draw(st.sampled_from(DTYPES) | st.sampled_from(DTYPES * 2 + OTHER_DTYPES))
    return draw(filled(tuple(shape), np.dtype(kind))), axis


@st.composite
def filled(draw, shape, dtype):
    """Noise over some range of the type, with spots of values that floats can have."""
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    unit = rng.random(shape)
    if dtype.kind in "iu":
        low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
        most = draw(st.sampled_from([0, 1, 255, 4095, high]))
        return np.clip(unit * min(most, high), low, high).astype(dtype)
    if dtype.kind not in "f":
        return np.full(shape, None) if dtype.kind == "O" else (unit * 99).astype("i8").astype(dtype)
    with np.errstate(over="ignore"):
        image = (unit * draw(st.sampled_from([1.0, 1e-3, 255.0, 1e6, 0.0]))).astype(dtype)
        for value in draw(st.lists(st.sampled_from(FLOATS), max_size=2)):
            image[rng.random(shape) < draw(st.sampled_from([0.02, 0.5, 1.0]))] = value
    return image


@st.composite
def options(draw):
    """Options, most of which are valid."""
    bounds = st.floats(-10, 1000, width=32)
    choices = {
        "encoding": draw(st.sampled_from(["auto", "srgb", "linear"])),
        "value_range": draw(st.none() | st.tuples(bounds, bounds).map(sorted).map(tuple)),
        "downscale": draw(st.sampled_from(["auto", 1, 1, 1, 2, 3, 0, 0.5])),
    }
    return {
        name: value for name, value in choices.items() if draw(st.booleans()) or name == "downscale"
    }


def attempt(function, *arguments, **keywords):
    """Return the result, or None if the input is refused."""
    try:
        return function(*arguments, **keywords)
    except DefocusError:
        return None


def planes_of(shape, axis):
    return shape if axis is None else tuple(np.delete(shape, axis))


def chunked(draw, image):
    """Return the image as a dask array of random chunks."""
    sides = tuple(draw(st.integers(1, max(1, side))) for side in image.shape)
    return dask.array.from_array(image, chunks=sides)


def computed(lazy, function, *arguments, **keywords):
    return attempt(lambda: np.asarray(function(lazy, *arguments, **keywords)))


def lazy_radius(image, **keywords):
    return estimate_defocus(image, model=SINGLE, **keywords).radius


# what random values are taken for is another test's matter
pytestmark = pytest.mark.filterwarnings("ignore::napari_defocus.ValuesWarning")

ANY = {"colored": images(), "keywords": options(), "data": st.data()}
UNHURRIED = [HealthCheck.too_slow, HealthCheck.data_too_large]


@settings(max_examples=25, derandomize=True, suppress_health_check=UNHURRIED)
@given(**ANY)
def test_any_array_gives_a_result_of_its_form_or_a_defocus_error(colored, keywords, data):
    check_any_array(*colored, keywords, data)


@pytest.mark.slow
@settings(max_examples=1000, suppress_health_check=UNHURRIED)
@given(**ANY)
def test_a_thousand_arrays_give_results_of_their_form_or_a_defocus_error(colored, keywords, data):
    check_any_array(*colored, keywords, data)


def check_any_array(image, axis, keywords, data):
    """Check that whole, tiled and lazy results are equal, or that the image is refused."""
    keywords = {**keywords, "channel_axis": axis}
    tile = data.draw(st.sampled_from([16, 24, 40]))
    before = image.copy()
    defocus = attempt(estimate_defocus, image, model=SINGLE, tile=None, **keywords)
    event("refused" if defocus is None else "done")
    if defocus is None:
        check_refused(image, keywords, tile)
        return
    for part in defocus:
        assert part.shape == planes_of(image.shape, axis)
        assert part.dtype == np.float32
        assert np.isfinite(part).all()
    tiled = estimate_defocus(image, model=SINGLE, tile=tile, **keywords)
    np.testing.assert_allclose(tiled.radius, defocus.radius, atol=1e-3)
    lazy = chunked(data.draw, image)
    same = keywords.get("value_range") is not None or image.dtype.kind in "iu"
    radius = computed(lazy, lazy_radius, tile=None, **keywords)
    assert radius.dtype == np.float32
    assert radius.shape == defocus.radius.shape
    if same:
        np.testing.assert_array_equal(radius, defocus.radius)
    check_deblurred(image, lazy, defocus, keywords, tile, same=same)
    np.testing.assert_array_equal(image, before)


def check_refused(image, keywords, tile):
    """Check that the image is refused in tiles too."""
    assert attempt(estimate_defocus, image, model=SINGLE, tile=tile, **keywords) is None


def check_deblurred(image, lazy, defocus, keywords, tile, *, same):
    sharp = deblur(image, defocus, model=GENERATOR, tile=None, protect_radius=0, **keywords)
    blurred = reblur(image, defocus, tile=None, **keywords)
    for result in (sharp, blurred):
        assert (result.shape, result.dtype) == (image.shape, image.dtype)
    span = float(np.ptp(keywords["value_range"])) if keywords.get("value_range") else 0.0
    check_close(
        deblur(image, defocus, model=GENERATOR, tile=tile, protect_radius=0, **keywords),
        sharp,
        span,
    )
    check_close(reblur(image, defocus, tile=tile, **keywords), blurred, span)
    later = computed(
        lazy, deblur, defocus, model=GENERATOR, tile=None, protect_radius=0, **keywords
    )
    assert (later.shape, later.dtype) == (image.shape, image.dtype)
    if same:
        np.testing.assert_array_equal(later, sharp)


def check_close(one, other, span):
    """Check that results are equal to 2 % of the largest value or the range."""
    one, other = one.astype(float), other.astype(float)
    np.testing.assert_array_equal(np.isfinite(one), np.isfinite(other))
    finite = np.isfinite(one)
    if finite.any():
        largest = max(np.abs(other[finite]).max(), span, 1e-6)
        np.testing.assert_allclose(one[finite] / largest, other[finite] / largest, atol=2e-2)
