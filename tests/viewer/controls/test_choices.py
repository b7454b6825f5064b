"""Drop-down lists of layers: names that are long, and tooltips."""

from qtpy.QtCore import Qt

LONG = "plate 7, well B03, field 12, channel 2, deconvolved"


def test_long_names_are_cut_in_the_middle_and_told_in_full_by_the_tooltip(
    viewer, open_widget, photo
):
    image = viewer.add_image(photo, rgb=True, name=LONG)
    viewer.add_image(photo, rgb=True, name="flower")
    widget = open_widget("Deblur")
    widget.image.value = image
    assert widget.image.current_choice == "plate 7, …onvolved"
    assert widget.image.tooltip.startswith(LONG)
    native = widget.image.native
    assert native.itemData(native.currentIndex(), Qt.ItemDataRole.ToolTipRole) == LONG
    widget.image.value = viewer.layers["flower"]
    assert widget.image.tooltip.startswith("flower")
    image.name = "short"
    assert native.itemData(native.findText("short"), Qt.ItemDataRole.ToolTipRole) == "short"
