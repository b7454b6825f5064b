"""Names of the axes of layers."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari.layers import Image


def axis_name(layer: "Image", axis: int) -> str:
    """Return the label of an axis and its number, or the number alone."""
    label = str(layer.axis_labels[axis])
    return f"{label} ({axis})" if label.isalpha() else f"axis {axis}"
