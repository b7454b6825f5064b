"""Program that moves the handle of a split view, and reports where image and result meet.

``python scaled_split.py`` prints a JSON object with the ratio of pixels and, for each place of the
handle, the place of the edge, both as shares of the canvas's width. ``QT_SCALE_FACTOR`` scales it.
"""

import json

import napari
import numpy as np
from qtpy.QtCore import QEventLoop, QTimer

from napari_defocus.viewer.comparing.split import SplitView
from napari_defocus.viewer.layers.origin import origin, origin_entry

SHARES = (0.3, 0.5, 0.7)


def let_draw() -> None:
    """Let the window lay itself out and draw."""
    loop = QEventLoop()
    QTimer.singleShot(300, loop.quit)
    loop.exec()


def main() -> None:
    """Move the handle and print what is drawn."""
    viewer = napari.Viewer()
    viewer.window.resize(600, 400)
    dark = viewer.add_image(np.full((400, 600, 3), 20, np.uint8), rgb=True)
    bright = np.full((400, 600, 3), 230, np.uint8)
    result = viewer.add_image(bright, rgb=True, metadata=origin_entry(origin(dark)))
    let_draw()
    split = SplitView(viewer, result)
    edges = []
    for share in SHARES:
        split.handle.move_to(share)
        let_draw()
        picture = viewer.screenshot(canvas_only=True, flash=False)
        row = picture[picture.shape[0] // 2, :, 0].astype(int)
        steps = np.flatnonzero((row[1:] > 200) & (row[:-1] < 60))
        edges.append([float(step + 1) / len(row) for step in steps])
    print(json.dumps({"ratio": split.handle.devicePixelRatioF(), "edges": edges}))
    split.close()
    viewer.close()


if __name__ == "__main__":
    main()
