"""Batches of many files: planned before work begins, resumed where an earlier run ended.

Examples
--------
>>> from napari_defocus.batch import Settings, make_plan, run_plan
>>> plan = make_plan(["scans"], "results", Settings(task="both"))  # doctest: +SKIP
>>> for event in run_plan(plan):  # doctest: +SKIP
...     if event.outcome is not None:
...         print(plan.items[event.index].source, event.outcome)
"""

from .plan import Plan, make_plan
from .run import Event, run_plan
from .settings import Settings

__all__ = ["Event", "Plan", "Settings", "make_plan", "run_plan"]
