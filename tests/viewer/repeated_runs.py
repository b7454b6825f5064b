"""Program that runs a widget again and again in one viewer, and reports what grows.

``python repeated_runs.py WIDGET FIRST LAST FOLDER`` prints a JSON object with what there is after
run FIRST and after run LAST. A fault of the canvas would end the process.
"""

import faulthandler
import gc
import json
import sys
import tempfile
import threading
from pathlib import Path

import napari
import numpy as np
from napari.layers import Layer
from napari.utils.events import EmitterGroup
from qtpy.QtCore import QObject, QThreadPool, QTimer
from qtpy.QtWidgets import QApplication

NAME = "napari-defocus"
_POLL = 20  # milliseconds


class Repetition:
    """Runs a widget `last` times, with its results removed in between.

    Parameters
    ----------
    name : str
        Name of the widget, or "preview".
    first, last : int
        Numbers of runs after which there is a census.
    """

    def __init__(self, name: str, first: int, last: int) -> None:
        self.viewer = napari.Viewer()
        self.source = self.viewer.add_image(picture(), rgb=True, name="photo")
        panel = "Deblur" if name == "preview" else name
        _, self.widget = self.viewer.window.add_plugin_dock_widget(NAME, panel)
        self.start = {"preview": self.switch_preview, "Batch": self.run_batch}.get(
            name, self.widget.run
        )
        self.count, self.first, self.last = 0, first, last
        self.results = 0
        self.census: list[dict[str, int]] = []

    def begin(self) -> None:
        """Start a run."""
        self.start()
        QTimer.singleShot(_POLL, self.wait)

    def wait(self) -> None:
        """Wait for the end of the run."""
        busy = self.widget.busy or self.preview_is_busy()
        QTimer.singleShot(_POLL, self.wait if busy else self.clear)

    def clear(self) -> None:
        """Remove the results, and go on while the canvas still has to be drawn again."""
        self.count += 1
        self.results += len(self.viewer.layers) - 1
        if hasattr(self.widget, "preview"):
            self.widget.preview.value = False
        for layer in [layer for layer in self.viewer.layers if layer is not self.source]:
            self.viewer.layers.remove(layer)
        if self.count in (self.first, self.last):
            QTimer.singleShot(20 * _POLL, self.take_census)
        else:
            self.begin()

    def take_census(self) -> None:
        """Count, and go on or close the viewer."""
        self.census.append(census(self.viewer))
        if self.count == self.last:
            self.viewer.close()
        else:
            self.begin()

    def switch_preview(self) -> None:
        """Switch the preview on."""
        self.widget.preview.value = True

    def preview_is_busy(self) -> bool:
        """Return whether a preview is being computed."""
        preview = getattr(self.widget, "_preview", None)
        return preview is not None and preview.busy

    def run_batch(self) -> None:
        """Start a batch of one file."""
        folder = Path(tempfile.mkdtemp(dir=sys.argv[4]))
        self.widget.inputs.value = [folder.parent / "photo.png"]
        self.widget.out.value = folder
        self.widget.run()


def picture() -> np.ndarray:
    """Return a small color picture with some structure."""
    coarse = np.random.default_rng(3).integers(0, 255, (6, 8, 3), dtype=np.uint8)
    return coarse.repeat(8, axis=0).repeat(8, axis=1)


def census(viewer: napari.Viewer) -> dict[str, int]:
    """Return numbers of things that must not grow."""
    gc.collect()
    kinds = [type(thing) for thing in gc.get_objects()]  # isinstance() would ask the things
    groups = (
        viewer.events,
        viewer.layers.events,
        viewer.dims.events,
        viewer.scene.camera.events,
        viewer.layers.selection.events,
        *(layer.events for layer in viewer.layers),
    )
    status = dict(
        line.split(":", 1) for line in Path("/proc/self/status").read_text("ascii").splitlines()
    )
    return {
        "callbacks": sum(count_callbacks(group) for group in groups),
        "Qt objects": sum(issubclass(kind, QObject) for kind in kinds),
        "Qt widgets": len(QApplication.allWidgets()),
        "layers": sum(issubclass(kind, Layer) for kind in kinds),
        "objects of the plugin": sum("napari_defocus" in str(kind.__module__) for kind in kinds),
        "Python threads": threading.active_count(),
        "threads of Qt's pool": QThreadPool.globalInstance().activeThreadCount(),
        "threads": int(status["Threads"]),
        "kilobytes": int(status["VmRSS"].split()[0]),
    }


def count_callbacks(group: EmitterGroup) -> int:
    """Return the number of callbacks of all events of a group."""
    return sum(len(emitter.callbacks) for emitter in group.emitters.values())


if __name__ == "__main__":
    faulthandler.enable()
    repetition = Repetition(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
    QTimer.singleShot(0, repetition.begin)
    napari.run()
    print(json.dumps({"results": repetition.results, "census": repetition.census}))
