"""Script that drives the widgets: a signed defocus map from two views, then a sharper picture.

Run it where the extra ``all`` is installed: ``python examples/scripted_viewer.py``. The same works
in napari's console, on any layer.
"""

import napari


def estimate_and_deblur(viewer: napari.Viewer, left: str, right: str) -> None:
    """Estimate the defocus of layer `left` with the help of layer `right`, then deblur it.

    Each widget's ``run`` returns at once and works in a thread; the next step is connected to the
    worker. Results are new layers.
    """
    _, estimate = viewer.window.add_plugin_dock_widget("napari-defocus", "Defocus Map")
    _, restore = viewer.window.add_plugin_dock_widget("napari-defocus", "Deblur", tabify=True)

    def deblur() -> None:
        restore.image.value = viewer.layers[left]
        restore.defocus.value = viewer.layers[f"{left} defocus"]
        restore.strength.value = 1.0
        restore.run()

    estimate.image.value = viewer.layers[left]
    estimate.right.value = viewer.layers[right]
    worker = estimate.run()
    worker.returned.connect(deblur)


def main() -> None:
    viewer = napari.Viewer(title="napari-defocus")
    viewer.open_sample("napari-defocus", "dual_pixel")
    estimate_and_deblur(viewer, "stairwell, left view", "stairwell, right view")
    napari.run()


if __name__ == "__main__":
    main()
