"""Controls of options: kind of image, meaning of the values, working size, device, tiles."""

from typing import Any

from magicgui.widgets import CheckBox, ComboBox, LineEdit, Widget

from ...options import Options
from .preferences import compute_preferences
from .value_controls import ContrastLimits, ValueControls

_DOWNSCALES: list[tuple[str, int | str]] = [
    ("auto", "auto"),
    ("full size", 1),
    *((f"1/{factor} of the size", factor) for factor in (2, 4, 8)),
]
_TILES: list[tuple[str, int | str]] = [
    ("auto", "auto"),
    ("whole picture", "whole"),
    *((f"{side} px", side) for side in (256, 512, 768, 1024)),
]


class ComputeControls:
    """Controls for how values are read and results computed.

    They start from the preferences. All but the kind of image are hidden until "More options" is
    checked.

    Parameters
    ----------
    contrast_limits : callable, optional
        Returns the contrast limits of the chosen layer, for black and white.
    """

    def __init__(self, contrast_limits: ContrastLimits | None = None) -> None:
        self.values = ValueControls(contrast_limits)
        preferred = compute_preferences()
        self.more = CheckBox(
            name="more",
            label="",
            text="More options",
            tooltip="Model, meaning of the values, working size and device",
        )
        self.downscale = ComboBox(
            name="downscale",
            label="work at",
            choices=_DOWNSCALES,
            tooltip="Work on a smaller copy of the image, which blur radii above 24 px need. "
            "auto: the size that suits the blur radii",
        )
        self.device = LineEdit(
            name="device",
            value=preferred.device,
            tooltip="auto, cpu, cuda, cuda:1 or mps; the default is set under Preferences",
        )
        self.precision = ComboBox(
            name="precision",
            choices=["auto", "float32", "bfloat16"],
            value=preferred.precision,
            tooltip="bfloat16 is faster on some hardware and slightly less exact",
        )
        self.tile = ComboBox(
            name="tile",
            choices=_tile_choices(preferred.tile),
            value="whole" if preferred.tile is None else preferred.tile,
            tooltip="The image is processed tile by tile; smaller tiles need less memory",
        )
        self.more.changed.connect(self._show)
        self._show()

    @property
    def widgets(self) -> list[Widget]:
        """The controls from "More options" on, from top to bottom."""
        return [self.more, *self.values.hidden, *self._hidden]

    @property
    def settings(self) -> list[ComboBox | LineEdit]:
        """The controls that change the result on one device."""
        return [*self.values.settings, self.downscale]

    @property
    def options(self) -> Options:
        """Options as chosen; the channel axis comes from the image.

        Raises
        ------
        OptionError
            If no device is entered, or black or white is no number.
        """
        return Options(
            **self.values.options,
            downscale=self.downscale.value,
            device=self.device.value.strip(),
            precision=self.precision.value,
            tile=None if self.tile.value == "whole" else self.tile.value,
        )

    @property
    def _hidden(self) -> list[Widget]:
        return [self.downscale, self.device, self.precision, self.tile]

    def _show(self, *_: Any) -> None:
        self.values.show(self.more.value)
        for widget in self._hidden:
            widget.visible = self.more.value


def _tile_choices(preferred: int | str | None) -> list[tuple[str, int | str]]:
    if isinstance(preferred, int) and preferred not in (side for _, side in _TILES):
        return [*_TILES, (f"{preferred} px", preferred)]
    return _TILES
