"""Runs of a widget again and again in one viewer, with its results removed in between."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from napari_defocus.io import write_picture

PROGRAM = Path(__file__).with_name("repeated_runs.py")

pytestmark = [
    pytest.mark.window,
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
    pytest.mark.skipif(
        os.environ.get("QT_QPA_PLATFORM") == "offscreen", reason="there is no screen"
    ),
]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["Defocus Map", "Deblur", "preview", "Batch"])
def test_nothing_crashes_and_nothing_grows_in_150_runs(name, tmp_path):
    write_picture(tmp_path / "photo.png", np.zeros((32, 48), np.uint8))
    environment = os.environ | {
        "LIBGL_ALWAYS_SOFTWARE": "1",
        "NAPARI_CONFIG": str(tmp_path / "settings.yaml"),
    }
    done = subprocess.run(
        [sys.executable, PROGRAM, name, "20", "150", tmp_path],
        env=environment,
        capture_output=True,
        text=True,
        timeout=3600,
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    early, late = report["census"]
    kilobytes = late.pop("kilobytes") - early.pop("kilobytes")
    assert report["results"] == {"Defocus Map": 450, "Batch": 0}.get(name, 150)
    assert late == early
    assert kilobytes < 40_000
