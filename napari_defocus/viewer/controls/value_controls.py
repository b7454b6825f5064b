"""Controls for what the values of an image mean: kind of image, encoding, black and white."""

from collections.abc import Callable
from typing import Any

from magicgui.widgets import ComboBox, LineEdit, PushButton, Widget

from ...errors import OptionError
from ...options import IMAGINGS

_ENCODINGS = [("auto", "auto"), ("display values (sRGB)", "srgb"), ("linear in light", "linear")]
_CHANNEL_AXES = [("auto", None), *((f"axis {axis}", axis) for axis in range(3))]
_RANGES = [("auto", "auto"), ("own values", "own")]

#: Returns the contrast limits of the chosen layer, None if there is none.
ContrastLimits = Callable[[], tuple[float, float] | None]


class ValueControls:
    """Controls for how values are read.

    The kind of image is always visible, the others with "More options".

    Parameters
    ----------
    contrast_limits : callable, optional
        Source of the button "from contrast limits"; without it, there is no such button.
    """

    def __init__(self, contrast_limits: ContrastLimits | None = None) -> None:
        self._contrast_limits = contrast_limits
        self._auto = "auto"
        self._shown = False
        self._hides_optics = False
        self.imaging = ComboBox(
            name="imaging",
            label="kind of image",
            choices=self._imagings,
            tooltip="A photograph has display values. In microscopy values are proportional to "
            "light, black and white are measured, and channels are worked on one by one. It "
            "decides which models auto stands for",
        )
        self.encoding = ComboBox(
            name="encoding",
            label="values are",
            choices=_ENCODINGS,
            tooltip="Display values, as in photographs, or proportional to light, as from a "
            "scientific camera. auto: as the kind of image says",
        )
        self.value_range = ComboBox(
            name="value_range",
            label="black and white",
            choices=_RANGES,
            tooltip="Values that count as black and white. auto: by the data type, or measured on "
            "the whole image",
        )
        self.black = LineEdit(name="black", tooltip="Value of black, such as 0")
        self.white = LineEdit(name="white", tooltip="Value of white, such as 255 or 4095")
        self.fill_button = PushButton(
            name="from_contrast_limits",
            text="From contrast limits",
            tooltip="Take black and white from the contrast limits of the layer",
        )
        self.range_axis = ComboBox(
            name="range_axis",
            label="channels along",
            choices=_CHANNEL_AXES,
            tooltip="Axis of fluorescence channels, which get a black and white of their own. "
            "auto: as the axis labels of the layer, or the file, say",
        )
        self.nodata = ComboBox(
            name="nodata",
            label="pixels without data",
            choices=[("auto", "auto"), ("there are none", "none")],
            tooltip="auto: values far from all others, and those that a file declares, hold no "
            "data and come back unchanged",
        )
        self.optics = LineEdit(
            name="optics",
            value="auto",
            tooltip="Microscope: na=1.4,wavelength_um=0.52,pixel_size_um=0.1,index=1.515; what its "
            "spot in focus explains is left as it is. auto: as the layer's file says; none: not "
            "used",
        )
        self.fill_button.changed.connect(self.fill)
        self.value_range.changed.connect(self._follow_choice)
        self.show(False)

    @property
    def hidden(self) -> list[Widget]:
        """The controls under "More options", from top to bottom."""
        return [
            self.encoding,
            self.value_range,
            *self._entries,
            self.range_axis,
            self.nodata,
            self.optics,
        ]

    @property
    def settings(self) -> list[ComboBox | LineEdit]:
        """The controls whose value matters to the result."""
        entries = [self.black, self.white]
        return [
            self.imaging,
            self.encoding,
            self.value_range,
            *entries,
            self.range_axis,
            self.nodata,
            self.optics,
        ]

    @property
    def options(self) -> dict[str, Any]:
        """Options as chosen, by name.

        Raises
        ------
        OptionError
            If black or white is no number.
        """
        own = self.value_range.value == "own"
        return {
            "imaging": self.imaging.value,
            "encoding": self.encoding.value,
            "value_range": (_number(self.black), _number(self.white)) if own else None,
            "range_axis": self.range_axis.value,
            "nodata": self.nodata.value,
            "optics": str(self.optics.value).strip() or "auto",
        }

    def hide_optics(self) -> None:
        """Hide the optics for good, which a dock lets choose for several widgets."""
        self._hides_optics = True
        self.optics.visible = False

    def show(self, shown: bool) -> None:
        """Show or hide the controls under "More options"."""
        self._shown = shown
        for control in (self.encoding, self.value_range, self.range_axis, self.nodata):
            control.visible = shown
        self.optics.visible = shown and not self._hides_optics
        for widget in self._entries:
            widget.visible = shown and self.value_range.value == "own"

    def show_auto(self, imaging: str) -> None:
        """Show which kind of image "auto" stands for; an empty word shows none."""
        self._auto = f"auto: {imaging}" if imaging else "auto"
        self.imaging.reset_choices()

    def fill(self, *_: Any) -> None:
        """Take black and white from the contrast limits of the chosen layer."""
        limits = None if self._contrast_limits is None else self._contrast_limits()
        if limits is not None:
            self.black.value, self.white.value = (
                repr(float(limit)).removesuffix(".0") for limit in limits
            )

    @property
    def _entries(self) -> list[Widget]:
        button = [] if self._contrast_limits is None else [self.fill_button]
        return [self.black, self.white, *button]

    def _imagings(self, _: Any) -> list[tuple[str, str]]:
        return [(self._auto, "auto"), *((kind, kind) for kind in IMAGINGS)]

    def _follow_choice(self, *_: Any) -> None:
        if not (self.black.value or self.white.value):
            self.fill()
        self.show(self._shown)


def _number(entry: LineEdit) -> float:
    text = str(entry.value).strip()
    try:
        return float(text)
    except ValueError:
        raise OptionError(
            f"{entry.name} is {text!r}; a number is expected, or 'auto' for black and white"
        ) from None
