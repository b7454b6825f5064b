"""Work in steps: results, conversion, progress, and steps that are closed."""

import pytest

from napari_defocus.inference.engine import Progress
from napari_defocus.steps import convert_steps, run_to_end


def count(closed):
    try:
        for done in (1, 2, 3):
            yield Progress(done, 3)
        return "result"
    finally:
        closed.append(True)


def test_steps_are_converted_and_the_result_is_kept():
    converted, closed = [], []

    def work():
        result = yield from convert_steps(count(closed), lambda step: step.done)
        converted.append(result)

    assert list(work()) == [1, 2, 3]
    assert converted == ["result"]
    assert closed == [True]


def test_run_to_end_tells_progress_and_returns_the_result():
    reported = []
    assert run_to_end(count([]), lambda *step: reported.append(step)) == "result"
    assert reported == [(1, 3), (2, 3), (3, 3)]
    assert run_to_end(count([])) == "result"


def test_an_error_while_progress_is_told_closes_the_steps():
    closed = []

    def refuse(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_to_end(count(closed), refuse)
    assert closed == [True]


def test_closing_the_converted_steps_closes_the_steps():
    closed = []
    converted = convert_steps(count(closed), lambda step: step)
    next(converted)
    converted.close()
    assert closed == [True]
