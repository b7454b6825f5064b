"""Tiles: cores that cover the plane once, at multiples, and blending weights."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from napari_defocus.inference import tiles
from napari_defocus.inference.tiles import Box

multiples = st.sampled_from([1, 2, 8, 16])


@given(st.integers(1, 60), st.integers(1, 60), st.integers(1, 300), multiples)
def test_cores_cover_the_plane_once(rows, columns, side, multiple):
    whole = Box(0, 0, rows * multiple, columns * multiple)
    covered = np.zeros((whole.height, whole.width), int)
    for core in tiles.plan_tiles(whole, side, multiple):
        assert max(core.height, core.width) <= tiles.round_up(side, multiple)
        assert core.top % multiple == core.left % multiple == 0
        assert core.height % multiple == core.width % multiple == 0
        covered[core.slices] += 1
    assert (covered == 1).all()


@given(st.integers(1, 60), st.integers(1, 60), st.integers(1, 300), multiples, st.integers(0, 99))
def test_oblong_cores_cover_the_plane_once_and_read_no_more_than_squares(
    rows, columns, side, multiple, margin
):
    whole = Box(0, 0, rows * multiple, columns * multiple)

    def pixels_read(cores):
        boxes = [core.expand(margin, whole) for core in cores]
        return sum(box.height * box.width for box in boxes)

    cores = tiles.plan_oblong_tiles(whole, side, multiple, margin)
    assert pixels_read(cores) <= pixels_read(tiles.plan_tiles(whole, side, multiple))
    covered = np.zeros((whole.height, whole.width), int)
    for core in cores:
        assert core.height * core.width <= tiles.round_up(side, multiple) ** 2
        assert core.top % multiple == core.left % multiple == 0
        assert core.height % multiple == core.width % multiple == 0
        covered[core.slices] += 1
    assert (covered == 1).all()


def test_one_oblong_core_is_enough_where_it_is_no_larger_than_the_square():
    whole = Box(0, 0, 1120, 1680)
    assert tiles.plan_oblong_tiles(whole, 1408, 8, 72) == [whole]


@given(st.integers(1, 40), st.integers(1, 40), multiples)
def test_halves_cover_the_core_once(rows, columns, multiple):
    core = Box(3 * multiple, multiple, (3 + rows) * multiple, (1 + columns) * multiple)
    parts = tiles.halves(core, multiple)
    covered = np.zeros((50 * multiple, 50 * multiple), int)
    for part in parts:
        covered[part.slices] += 1
    assert (covered[core.slices] == 1).all()
    assert covered.sum() == core.height * core.width
    assert (len(parts) > 1) == (max(rows, columns) > 1)


@given(st.integers(1, 40), st.integers(1, 40), multiples, st.integers(0, 3), st.integers(0, 99))
def test_bounding_box_holds_the_mask_of_a_core(rows, columns, multiple, count, seed):
    rng, mask = np.random.default_rng(seed), np.zeros((rows, columns), bool)
    mask[rng.integers(rows, size=count), rng.integers(columns, size=count)] = True
    core = Box(0, columns // 2 // multiple * multiple, 48, 48)
    box = tiles.bounding_box(mask, core, multiple)
    inside = mask[core.slices]
    if not inside.any():
        assert box is None
        return
    assert box.expand(0, core) == box
    assert mask[box.slices].sum() == inside.sum()
    assert box.top % multiple == box.left % multiple == 0
    y, x = np.nonzero(inside)
    assert box.height < np.ptp(y) + 1 + 2 * multiple
    assert box.width < np.ptp(x) + 1 + 2 * multiple


@given(st.integers(1, 200), st.integers(1, 200), multiples, st.integers(0, 4), st.integers(0, 99))
def test_boxes_cut_to_a_mask_hold_it_once_and_read_less(rows, columns, multiple, count, seed):
    rng, mask = np.random.default_rng(seed), np.zeros((rows, columns), bool)
    mask[rng.integers(rows, size=count), rng.integers(columns, size=count)] = True
    core = Box(0, 0, 208, 208)
    boxes = tiles.cut_to_mask(mask, core, multiple, margin=10)
    covered = np.zeros((208, 208), int)
    for box in boxes:
        assert mask[box.slices].any()
        assert box.top % multiple == box.left % multiple == 0
        covered[box.slices] += 1
    assert covered.max() <= 1
    assert (covered[:rows, :columns][mask] == 1).all()
    if len(boxes) > 1:
        whole = tiles.bounding_box(mask, core, multiple).expand(10, core)
        assert sum((b.height + 20) * (b.width + 20) for b in boxes) < 1.1 * (
            (whole.height + 20) * (whole.width + 20)
        )


@given(st.integers(1, 40), st.integers(1, 40), st.tuples(*[st.integers(0, tiles.OVERLAP)] * 4))
def test_weights_are_positive_and_one_inside(height, width, margins):
    top, left, bottom, right = margins
    core = Box(top, left, top + height, left + width)
    kept = Box(0, 0, core.bottom + bottom, core.right + right)
    weights = tiles.blending_weights(core, kept)
    assert weights.shape == (kept.height, kept.width)
    assert (weights > 0).all()
    assert (weights <= 1).all()
    inside = Box(2 * top, 2 * left, kept.height - 2 * bottom, kept.width - 2 * right)
    if inside.height > 0 and inside.width > 0:
        assert (weights[inside.slices] == 1).all()


def test_weights_do_not_fade_at_the_edge_of_the_image():
    box = Box(0, 0, 16, 16)
    assert (tiles.blending_weights(box, box) == 1).all()


def test_halo_covers_overlap_and_receptive_radius():
    assert tiles.halo(64, 8) == 72
    assert tiles.halo(1, 8) == 16
    assert tiles.halo(3, 1) == 3 + tiles.OVERLAP
