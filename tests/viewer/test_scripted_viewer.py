import runpy
from pathlib import Path

import numpy as np

SCRIPT = Path(__file__).resolve().parents[2] / "examples" / "scripted_viewer.py"


def test_script_estimates_from_two_views_and_deblurs(viewer, until, photo):
    viewer.add_image(np.roll(photo, 2, axis=1), rgb=True, name="right")
    viewer.add_image(photo, rgb=True, name="left")
    runpy.run_path(str(SCRIPT))["estimate_and_deblur"](viewer, "left", "right")
    until(lambda: "left deblurred" in viewer.layers)
    widgets = viewer.window.dock_widgets.values()
    until(lambda: not any(widget.busy for widget in widgets))
    assert viewer.layers["left defocus"].data.min() < 0
    assert viewer.layers["left deblurred"].data.shape == photo.shape
