"""Napari with a photograph and the Defocus panel.

Run it from a checkout with ``make app``, or with ``python examples/app.py`` where the extra ``all``
is installed. ``napari-defocus app FILES`` does the same with files of your own.
"""

import napari


def main() -> None:
    viewer = napari.Viewer(title="napari-defocus")
    viewer.open_sample("napari-defocus", "photograph")
    viewer.window.add_plugin_dock_widget("napari-defocus", "Defocus")
    napari.run()


if __name__ == "__main__":
    main()
