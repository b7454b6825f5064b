"""Napari with a photograph and both widgets.

Run it from a checkout with ``make app``, or with ``python examples/app.py`` where the extra ``all``
is installed. Press *Estimate map* or *Deblur* in the widgets.
"""

import napari


def main() -> None:
    viewer = napari.Viewer(title="napari-defocus")
    viewer.open_sample("napari-defocus", "photograph")
    viewer.window.add_plugin_dock_widget("napari-defocus", "Defocus Map")
    viewer.window.add_plugin_dock_widget("napari-defocus", "Deblur", tabify=True)
    napari.run()


if __name__ == "__main__":
    main()
