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
    _, map_widget = viewer.window.add_plugin_dock_widget("napari-defocus", "Defocus Map")
    _, deblur_widget = viewer.window.add_plugin_dock_widget("napari-defocus", "Deblur", tabify=True)

    def deblur() -> None:
        deblur_widget.image.value = viewer.layers[left]
        deblur_widget.defocus.value = viewer.layers[f"{left} defocus"]
        deblur_widget.strength.value = 1.0
        deblur_widget.run()

    map_widget.image.value = viewer.layers[left]
    map_widget.right.value = viewer.layers[right]
    worker = map_widget.run()
    worker.returned.connect(deblur)


def main() -> None:
    viewer = napari.Viewer(title="napari-defocus")
    viewer.open_sample("napari-defocus", "dual_pixel")
    estimate_and_deblur(viewer, "stairwell, left view", "stairwell, right view")
    napari.run()


if __name__ == "__main__":
    main()
