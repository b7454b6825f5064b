"""Phases of a run, and the time that is left of them."""

import pytest

from napari_defocus.inference.engine import Progress
from napari_defocus.viewer.threads.phases import PhaseProgress, TimeLeft, in_phase


def test_steps_are_named_after_their_phase_and_the_result_is_passed_on():
    def inner():
        yield Progress(1, 4)
        yield PhaseProgress(2, 4, "1/2 map")
        yield Progress(0, 0)
        return "done"

    steps = in_phase(inner(), "GFP (1/3)")
    assert next(steps) == PhaseProgress(1, 4, "GFP (1/3)")
    assert next(steps) == PhaseProgress(2, 4, "GFP (1/3): 1/2 map")
    assert next(steps) == PhaseProgress(0, 0, "GFP (1/3): reading")
    with pytest.raises(StopIteration) as end:
        next(steps)
    assert end.value.value == "done"


def test_the_time_left_follows_from_the_speed_of_the_phase():
    now = [0.0]
    left = TimeLeft(clock=lambda: now[0])
    assert left.describe(Progress(0, 0)) == "reading…"
    assert left.describe(PhaseProgress(0, 100, "1/2 map")) == "1/2 map…"
    now[0] = 4.0
    assert left.describe(PhaseProgress(40, 100, "1/2 map")) == "1/2 map · about 6 s left…"
    now[0] = 10.0
    assert left.describe(PhaseProgress(50, 300, "2/2 deblur")) == "2/2 deblur…"
    now[0] = 20.0
    assert left.describe(PhaseProgress(100, 300, "2/2 deblur")) == "2/2 deblur · about 40 s left…"
    now[0] = 29.9
    assert left.describe(PhaseProgress(299, 300, "2/2 deblur")) == "2/2 deblur · finishing…"
    assert left.describe(PhaseProgress(300, 300, "2/2 deblur")) == "2/2 deblur · finishing…"
    assert left.describe(PhaseProgress(0, 0, "2/2 deblur: preparing")) == "2/2 deblur: preparing…"
    assert left.describe(Progress(1, 300)) == "computing…"


def test_steps_without_a_name_are_timed_from_the_first_of_them():
    now = [6000.0]
    left = TimeLeft(clock=lambda: now[0])
    assert left.describe(Progress(10, 100)) == "computing…"
    now[0] = 6010.0
    assert left.describe(Progress(40, 100)) == "computing · about 20 s left…"
