"""Example script that drives the widgets from Python."""

import runpy
from pathlib import Path

import numpy as np

SCRIPT = Path(__file__).resolve().parents[2] / "examples" / "scripted_viewer.py"


def test_script_estimates_from_two_views_and_deblurs(window_viewer, until, photo):
    window_viewer.add_image(np.roll(photo, 2, axis=1), rgb=True, name="right")
    window_viewer.add_image(photo, rgb=True, name="left")
    runpy.run_path(str(SCRIPT))["estimate_and_deblur"](window_viewer, "left", "right")
    until(lambda: "left deblurred" in window_viewer.layers)
    widgets = window_viewer.window.dock_widgets.values()
    until(lambda: not any(widget.busy for widget in widgets))
    assert window_viewer.layers["left defocus"].data.min() < 0
    assert window_viewer.layers["left deblurred"].data.shape == photo.shape
