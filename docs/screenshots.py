"""Screenshots of all widgets with results, for the README.

Needs a display, real or virtual:
``xvfb-run -a -s "-screen 0 1600x1000x24" python docs/screenshots.py``
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import napari
from PIL import Image
from qtpy.QtCore import QEventLoop, QTimer

from napari_defocus.viewer.samples import FOLDER as SAMPLES

FOLDER = Path(__file__).resolve().parent / "pictures"
_SIZE = (1360, 740)
_PLUGIN = "napari-defocus"


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    shoot_defocus_map(FOLDER / "widget-defocus-map.jpg")
    shoot_deblur(FOLDER / "widget-deblur.jpg")
    shoot_focus_stack(FOLDER / "widget-focus-stack.jpg")
    shoot_batch(FOLDER / "widget-batch.jpg")


def shoot_defocus_map(path: Path) -> None:
    """Show the signed map of the dual-pixel sample over its left view."""
    viewer = open_sample("dual_pixel")
    widget = open_widget(viewer, "Defocus Map")
    widget.image.value = viewer.layers["stairwell, left view"]
    widget.right.value = viewer.layers["stairwell, right view"]
    wait_for(widget)
    shoot(viewer, path)


def shoot_deblur(path: Path) -> None:
    """Show the deblurred dual-pixel sample beside its left view, enlarged."""
    viewer = open_sample("dual_pixel")
    estimate = open_widget(viewer, "Defocus Map")
    left = estimate.image.value = viewer.layers["stairwell, left view"]
    estimate.right.value = viewer.layers["stairwell, right view"]
    wait_for(estimate)
    viewer.window.remove_dock_widget(estimate.native)
    widget = open_widget(viewer, "Deblur")
    widget.image.value, widget.defocus.value = left, viewer.layers[f"{left.name} defocus"]
    wait_for(widget)
    for layer in viewer.layers:
        layer.visible = layer.name in (left.name, f"{left.name} deblurred")
    viewer.canvas.grid.enabled = True
    viewer.scene.camera.zoom *= 1.6
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
    widget.go_to_best()
    shoot(viewer, path)


def shoot_batch(path: Path) -> None:
    """Show a batch of the samples at half size, and of a file that cannot be read."""
    viewer = napari.Viewer(title=_PLUGIN)
    viewer.window.resize(_SIZE[0], 900)
    widget = open_widget(viewer, "Batch")
    with TemporaryDirectory() as folder:
        photographs = Path(folder) / "photographs"
        photographs.mkdir()
        for sample in sorted(SAMPLES.glob("*.png")):
            with Image.open(sample) as image:
                image.convert("RGB").reduce(2).save(photographs / sample.name)
        (photographs / "notes.tif").write_bytes(b"no picture")
        widget.inputs.value = [photographs]
        widget.out.value = Path(folder) / "sharper"
        wait_for(widget)
        widget.open(1)
        shoot(viewer, path)


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
