"""Screenshots of the dock, of widgets with results, and of a report, for README and documentation.

Needs a display, real or virtual:
``xvfb-run -a -s "-screen 0 1600x1000x24" python docs/screenshots.py``
The report of a batch is shown by Chromium, where that is installed. Names of functions, such as
``shoot_batch``, choose some of the screenshots.
"""

import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import napari
from napari.components import ViewerModel
from npe2 import PluginManager
from picture_sources import PICTURES, record, widget_words
from PIL import Image
from qtpy.QtCore import QEventLoop, QTimer

from napari_defocus.viewer.files.samples import FOLDER as SAMPLES

FOLDER = Path(__file__).resolve().parent / "pictures"
_SIZE = (1360, 740)
_PLUGIN = "napari-defocus"


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    screenshots = {
        shoot_map: "dock-map.jpg",
        shoot_edits: "dock-edit.jpg",
        shoot_comparison: "dock-compare.jpg",
        shoot_preview: "dock-preview.jpg",
        shoot_focus_stack: "widget-focus-stack.jpg",
        shoot_batch: "widget-batch.jpg",
    }
    for shoot_one, name in screenshots.items():
        if shoot_one.__name__ in sys.argv[1:] or not sys.argv[1:]:
            shoot_one(FOLDER / name)
            record(FOLDER / name, empty_widget_words(PICTURES[name].widget))


def shoot_map(path: Path) -> None:
    """Show the map of a photograph in the dock, over the photograph where it is sure."""
    viewer = open_sample("photograph")
    dock = open_widget(viewer, "Defocus")
    wait_for(dock.step("Map"))
    shoot(viewer, path)


def shoot_comparison(path: Path) -> None:
    """Show a deblurred bird to the right of the handle, and the photograph to its left."""
    viewer = open_sample("missed_focus")
    dock = open_widget(viewer, "Defocus")
    dock.image.value = viewer.layers["osprey, missed focus"]
    step = dock.open_step("Deblur")
    wait_for(step)
    viewer.scene.camera.zoom *= 2.6
    viewer.scene.camera.center = (150, 185)
    step.compare.split.value = True
    shoot(viewer, path)


def shoot_preview(path: Path) -> None:
    """Show the preview of a bird out of focus, in its frame, a little smaller than the canvas."""
    viewer = open_sample("missed_focus")
    dock = open_widget(viewer, "Defocus")
    dock.image.value = viewer.layers["osprey, missed focus"]
    step = dock.open_step("Deblur")
    viewer.scene.camera.zoom *= 1.6
    viewer.scene.camera.center = (330, 260)
    step.preview.value = True
    let_pass(1000)
    while step.previewing:
        let_pass(100)
    shoot(viewer, path)


def shoot_edits(path: Path) -> None:
    """Show strokes over a map that leave the bird alone and set the radius of the rock."""
    viewer = open_sample("photograph")
    dock = open_widget(viewer, "Defocus")
    wait_for(dock.step("Map"))
    step = dock.open_step("Edit")
    edits = step.paint()
    for row, column in zip(range(340, 540, 8), range(620, 420, -8), strict=True):
        edits.paint((row, column), edits.selected_label)
    step.tool.value, step.radius.value, step.brush.value = "set radius", 9.0, 120
    for column in range(300, 1200, 30):
        edits.paint((760, column), edits.selected_label)
    shoot(viewer, path)


def shoot_focus_stack(path: Path) -> None:
    """Show the profile, the picture and the depth of the generated fluorescence stack."""
    viewer = open_sample("fluorescence")
    widget = open_widget(viewer, "Focus Stack")
    widget.image.value = next(layer for layer in viewer.layers if layer.ndim == 3)
    wait_for(widget)
    wait_until_finished(widget.merge())
    for layer in viewer.layers:
        layer.visible = layer is widget.image.value or "all in focus" in layer.name
    viewer.canvas.grid.enabled = True
    widget.profile_view.go_to_best()
    shoot(viewer, path)


def shoot_batch(path: Path) -> None:
    """Show a batch of the samples at half size, and of a file that cannot be read; its report."""
    viewer = napari.Viewer(title=_PLUGIN)
    viewer.window.resize(*_SIZE)
    widget = open_widget(viewer, "Batch")
    with TemporaryDirectory() as folder:
        photographs = Path(folder) / "photographs"
        photographs.mkdir()
        for sample in (*SAMPLES.glob("stairwell-l*"), *SAMPLES.glob("*missed*")):
            with Image.open(sample) as image:
                image.convert("RGB").reduce(2).save(photographs / f"{sample.stem}.png")
        (photographs / "notes.tif").write_bytes(b"no picture")
        widget.inputs.value = [photographs]
        widget.task.value, widget.bokeh_radius.value = "both", "auto"
        wait_for(widget)
        wait_until_finished(widget.open(1))
        shoot(viewer, path)
        shoot_page(photographs / "deblurred" / "report.html", FOLDER / "batch-report.jpg")


def shoot_page(page: Path, path: Path) -> None:
    """Show a page as a browser does."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        print(f"{path}   is left as it is: no Chromium is installed")
        return
    with TemporaryDirectory() as folder:
        picture = Path(folder) / "page.png"
        options = ["--headless", "--no-sandbox", "--hide-scrollbars", "--window-size=1120,1180"]
        command = [browser, *options, f"--screenshot={picture}", page.as_uri()]
        subprocess.run(command, check=True, capture_output=True, timeout=120)
        with Image.open(picture) as shown:
            shown.convert("RGB").save(path, quality=88)
    record(path)
    print(path)


def open_sample(key: str) -> napari.Viewer:
    viewer = napari.Viewer(title=_PLUGIN)
    viewer.window.resize(*_SIZE)
    viewer.open_sample(_PLUGIN, key)
    return viewer


def open_widget(viewer: napari.Viewer, name: str) -> Any:
    _, widget = viewer.window.add_plugin_dock_widget(_PLUGIN, name)
    let_pass(500)
    viewer.reset_view(margin=0.02)
    return widget


def empty_widget_words(name: str | None) -> list[str]:
    """Return the words in a widget of the plugin that is opened without an image."""
    widgets = PluginManager.instance().get_manifest(_PLUGIN).contributions.widgets or []
    (contribution,) = (widget for widget in widgets if widget.display_name == name)
    return widget_words(contribution.get_callable()(ViewerModel()))


def wait_for(widget: Any) -> None:
    """Run the widget and let the window live until the worker has ended."""
    wait_until_finished(widget.run())


def wait_until_finished(worker: Any) -> None:
    """Let the window live until a worker has ended."""
    loop = QEventLoop()
    worker.finished.connect(loop.quit)
    loop.exec()


def shoot(viewer: napari.Viewer, path: Path) -> None:
    let_pass(500)
    pixels = viewer.screenshot(canvas_only=False, flash=False)
    Image.fromarray(pixels).convert("RGB").save(path, quality=90)
    print(path)
    viewer.close()


def let_pass(milliseconds: int) -> None:
    """Let the window lay itself out and draw."""
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


if __name__ == "__main__":
    main()
