"""Time for which the viewer's callbacks hold the event loop, beside what napari takes by itself.

``python benchmarks/callbacks.py`` drives the dock through its steps with a photograph of 24
megapixels and a stack of (5, 3, 20, 1024, 1024). It prints each event that took longer than 20 ms
of the GUI thread, and whose code took how much of it. Needs a display, real or virtual, 8 GB of
memory, and a system with clocks of threads, such as Linux.
"""

import argparse
import faulthandler
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import QEventLoop, QTimer
from qtpy.QtWidgets import QApplication, QTabBar

#: Shortest event that is printed, and the limit for our own code, in seconds.
_SHORTEST, _LIMIT = 0.02, 0.05
#: Seconds between two looks at what the GUI thread does.
_INTERVAL = 0.002
_OURS, _THEIRS = "napari_defocus/viewer/", ("/napari/", "/vispy/")
#: Networks work on small copies, for the viewer does the same whatever they do.
_DOWNSCALE = 8
#: Seconds in which the code of the dock is loaded, or the controls of a step are made.
_LOADING = 3.0


@dataclass
class Event:
    """One event of the GUI thread.

    Parameters
    ----------
    action : str
        What was being done.
    seconds : float
        Time of the processor that the thread took.
    samples : Counter
        Looks at the thread, by whose code ran: "ours", "napari", "other".
    places : Counter
        Our functions that were on the stack.
    """

    action: str
    seconds: float = 0.0
    samples: Counter[str] = field(default_factory=Counter)
    places: Counter[str] = field(default_factory=Counter)

    def share(self, whose: str) -> float:
        """Return the seconds that someone's code took."""
        total = self.samples.total()
        return self.seconds * self.samples[whose] / total if total else 0.0


class Watch:
    """Thread that looks at what the GUI thread does, and times its events.

    It counts the processor's time of the GUI thread, not the clock's: other programs of the
    machine, and waits for the interpreter while networks compute, do not count.
    """

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.action = "start"
        self._thread = threading.get_ident()
        self._clock = time.pthread_getcpuclockid(self._thread)
        self._callback: int | None = None  # no reference, which would keep painters alive
        self._start = 0.0
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        while True:
            time.sleep(_INTERVAL)
            frame = sys._current_frames().get(self._thread)
            callback, whose, place = _attribute(frame)
            del frame  # which would keep what a function holds alive, such as a painter
            now = time.clock_gettime(self._clock)
            if callback != self._callback:
                self._callback, self._start = callback, now
                if callback is not None:
                    self.events.append(Event(self.action))
            if callback is not None:
                event = self.events[-1]
                event.seconds = now - self._start + _INTERVAL
                event.samples[whose] += 1
                event.places[place] += bool(place)


def _attribute(frame: FrameType | None) -> tuple[int | None, str, str]:
    """Return a number for what Qt called in a thread, whose code runs there, and our function.

    Code of others that ours calls, such as NumPy's, is ours; what napari does for us is napari's.
    The number is None if Qt's event loop is idle, or draws without Python. The function is the
    innermost one.
    """
    callback: int | None = None
    whose = place = ""
    while frame is not None and frame.f_code is not wait.__code__:
        name = frame.f_code.co_filename.replace("\\", "/")
        if _OURS in name:
            whose = whose or "ours"
            place = place or f"{Path(name).stem}.{frame.f_code.co_name}"
        elif any(each in name for each in _THEIRS):
            whose = whose or "napari"
        callback, frame = id(frame), frame.f_back
    return (callback if frame is not None else None), whose or "other", place


class Drive:
    """Actions in a window, one after another.

    Parameters
    ----------
    watch : Watch
        What is told of each action.
    """

    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    def act(self, name: str, action: Callable[[], Any]) -> Any:
        """Do something within an event of its own, and let the window draw."""
        results: list[Any] = []
        self._watch.action = name
        QTimer.singleShot(0, lambda: results.append(action()))
        wait(0.3)
        return results[0] if results else None

    def open_step(self, dock: Any, name: str) -> Any:
        """Click the tab of a step; return its widget when its controls are made."""
        bar = dock.native.findChild(QTabBar)
        index = next(i for i in range(bar.count()) if bar.tabText(i) == name)
        self.act(f"step {name}", lambda: bar.setCurrentIndex(index))
        wait(_LOADING)
        return dock.step(name)

    def run(self, name: str, action: Callable[[], Any]) -> None:
        """Start a worker, and let the window live until it has ended."""
        worker = self.act(f"{name}: start", action)
        self._watch.action = f"{name}: run and end"
        if worker is not None:
            from superqt.utils._qthreading import WorkerBase

            while worker in WorkerBase._worker_set:
                wait(0.05)
        wait(0.5)


def wait(seconds: float) -> None:
    """Let the window live."""
    loop = QEventLoop()
    QTimer.singleShot(round(1000 * seconds), loop.quit)
    loop.exec()


def photograph() -> npt.NDArray[np.uint8]:
    """Return a color picture of 24 megapixels."""
    rng = np.random.default_rng(1)
    coarse = rng.integers(0, 255, (250, 375, 3), np.uint8)
    picture = coarse.repeat(16, axis=0).repeat(16, axis=1)
    picture[:, 3000:] = (picture[:, 3000:] // 4) * 4
    return picture


def fluorescence() -> npt.NDArray[np.uint8]:
    """Return a picture of that size whose colors have nothing to do with each other."""
    rng = np.random.default_rng(3)
    spots = np.where(rng.random((1000, 1500, 3)) > 0.99, 200, 5).astype(np.uint8)
    return spots.repeat(4, axis=0).repeat(4, axis=1)


def stack() -> npt.NDArray[np.uint16]:
    """Return time points, channels and planes of 1024 x 1024, half of a gigabyte."""
    rng = np.random.default_rng(2)
    plane = rng.integers(100, 4000, (64, 64), np.uint16).repeat(16, axis=0).repeat(16, axis=1)
    gains = rng.integers(1, 9, (5, 3, 20, 1, 1), np.uint16)
    return plane * gains


def drive_photograph(drive: Drive) -> None:
    """Map, edit, deblur, compare and refocus a photograph."""
    import napari

    viewer = drive.act("open a window", lambda: napari.Viewer(title="callbacks"))
    data = photograph()
    drive.act("napari: add the photograph by hand", lambda: viewer.add_image(data, name="photo"))
    drive.act(
        "napari: add a map of its size by hand",
        lambda: viewer.add_image(np.ones(data.shape[:2], np.float32), name="by hand"),
    )
    drive.act("napari: remove it", lambda: viewer.layers.remove("by hand"))
    viewer.layers.selection.active = viewer.layers["photo"]
    _, dock = drive.act(
        "open the dock",
        lambda: viewer.window.add_plugin_dock_widget("napari-defocus", "Defocus"),
    )
    wait(_LOADING)
    step = drive.open_step(dock, "Map")
    step.downscale.value = _DOWNSCALE
    drive.run("Map", step.run)
    view = next(layer for layer in viewer.layers if "(sure)" in layer.name)
    drive.act("hover", lambda: view.get_status((2000, 3000), world=True))
    edit = drive.open_step(dock, "Edit")
    edits = drive.act("Edit: make the layer", edit.paint)
    for column in (1000, 1040, 1080):
        drive.act("Edit: a stroke", lambda x=column: edits.paint((800, x), edits.selected_label))
    drive.run("Edit: use edits", edit.run)
    step = drive.open_step(dock, "Deblur")
    step.downscale.value = _DOWNSCALE
    drive.run("Deblur", step.run)
    for percent in (80, 40):
        drive.act("Deblur: amount", lambda p=percent: setattr(step.amount, "value", p / 100))
    drive.act("Deblur: split", lambda: setattr(step.compare.split, "value", True))
    drive.act("Deblur: no split", lambda: setattr(step.compare.split, "value", False))
    drive.act("Deblur: side by side", lambda: setattr(step.compare.side_by_side, "value", True))
    drive.act("Deblur: one picture", lambda: setattr(step.compare.side_by_side, "value", False))
    drive.act("Deblur: protect", lambda: setattr(step.protect_radius, "value", 1.5))
    drive.act("Deblur: preview on", lambda: setattr(step.preview, "value", True))
    wait(8)
    drive.act("Deblur: preview off", lambda: setattr(step.preview, "value", False))
    drive.open_step(dock, "Refocus")
    drive.open_step(dock, "Check")
    specimens = fluorescence()
    drive.act("napari: add color fluorescence", lambda: viewer.add_image(specimens, name="cells"))
    drive.act("choose it", lambda: setattr(dock.image, "value", viewer.layers["cells"]))
    wait(1)
    drive.act("close", viewer.close)


def drive_stack(drive: Drive) -> None:
    """Map and deblur a plane of a stack, and show a map of all of it."""
    import napari

    data = stack()
    viewer = drive.act("stack: open a window", lambda: napari.Viewer(title="callbacks"))
    arguments = {"axis_labels": ("t", "c", "z", "y", "x"), "name": "stack"}
    drive.act("napari: add the stack by hand", lambda: viewer.add_image(data, **arguments))
    drive.act(
        "napari: add a map of its size by hand",
        lambda: viewer.add_image(np.ones(data.shape, np.float32), name="by hand"),
    )
    drive.act("napari: remove it", lambda: viewer.layers.remove("by hand"))
    viewer.layers.selection.active = viewer.layers["stack"]
    _, dock = drive.act(
        "stack: open the dock",
        lambda: viewer.window.add_plugin_dock_widget("napari-defocus", "Defocus"),
    )
    wait(_LOADING)
    for name in ("Map", "Edit", "Deblur", "Check", "Refocus", "Stack"):
        drive.open_step(dock, name)
    drive.act("stack: go to another plane", lambda: viewer.dims.set_current_step(2, 7))
    for name in ("Map", "Deblur"):
        step = dock.open_step(name)
        step.downscale.value, step.planes.value = _DOWNSCALE, "current"
        drive.run(f"stack: {name} of a plane", step.run)
    drive.act("stack: show a map of all planes", lambda: _add_whole_map(viewer))
    drive.act("stack: go to another plane", lambda: viewer.dims.set_current_step(2, 3))
    drive.act("stack: close", viewer.close)


def _add_whole_map(viewer: Any) -> None:
    """Add a map of a whole stack as a run does when it has ended."""
    from napari_defocus.viewer.layers.regions import whole_layer
    from napari_defocus.viewer.layers.results import layer_template
    from napari_defocus.viewer.maps.map_layers import add_map

    image = viewer.layers["stack"]
    add_map(viewer, _WHOLE[0], layer_template(image, whole_layer(image)))


#: Result of a run on a whole stack.
_WHOLE: list[Any] = []


def make_whole_result() -> None:
    """Make what a run on the whole stack hands to the GUI thread."""
    from napari_defocus import DefocusMap, Options
    from napari_defocus.viewer.maps.map_result import map_result

    radius = np.ones((5, 3, 20, 1024, 1024), np.float32)
    confidence = np.full(radius.shape, 0.5, np.float32)
    record = {"input": {"hash": ""}}
    _WHOLE.append(map_result(DefocusMap(radius, confidence), record, Options(), "auto"))


def report(events: list[Event]) -> None:
    """Print the longest events, and those in which our own code took too long."""
    print(f"{'ms':>6} {'ours':>6} {'napari':>6}  action")
    for event in (each for each in events if each.seconds >= _SHORTEST):
        ours, napari = event.share("ours"), event.share("napari")
        mark = " <-- " if ours > _LIMIT else ""
        places = ", ".join(place for place, _ in event.places.most_common(3))
        print(
            f"{1000 * event.seconds:6.0f} {1000 * ours:6.0f} {1000 * napari:6.0f}  "
            f"{event.action}{mark}  {places}"
        )
    worst = max((event.share("ours") for event in events), default=0.0)
    print(f"longest hold by our own code: {1000 * worst:.0f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="*", default=["photograph", "stack"])
    arguments = parser.parse_args()
    faulthandler.enable()
    app = QApplication(sys.argv[:1])
    watch = Watch()
    drive = Drive(watch)
    if "photograph" in arguments.what:
        drive_photograph(drive)
    if "stack" in arguments.what:
        make_whole_result()
        drive_stack(drive)
    report(watch.events)
    app.quit()


if __name__ == "__main__":
    main()
