"""The part of the widgets that most users never open: scale, encoding, device, precision, tiles."""

from typing import Any

from magicgui.widgets import CheckBox, ComboBox, LineEdit, Widget

from ..options import Options
from .preferences import compute_preferences

_TILES: list[tuple[str, int | str]] = [
    ("auto", "auto"),
    ("whole picture", "whole"),
    *((f"{side} px", side) for side in (256, 512, 768, 1024)),
]


class ComputeControls:
    """How to compute; starts from the preferences, hidden until asked for."""

    def __init__(self) -> None:
        preferred = compute_preferences()
        self.more = CheckBox(
            name="more", label="", text="More options", tooltip="How to read and compute"
        )
        self.scale = ComboBox(
            name="scale",
            choices=["auto", 1, 2, 4, 8],
            tooltip="Work at 1/scale of the size: radii above 24 px need it. auto: as the map asks",
        )
        self.encoding = ComboBox(
            name="encoding",
            choices=["auto", "srgb", "linear"],
            tooltip="srgb: display values; linear: proportional to light. "
            "auto: srgb for color and 8 bit",
        )
        self.device = LineEdit(
            name="device",
            value=preferred.device,
            tooltip="auto, cpu, cuda, cuda:1 or mps. The default is under Preferences",
        )
        self.precision = ComboBox(
            name="precision",
            choices=["auto", "float32", "bfloat16"],
            value=preferred.precision,
            tooltip="bfloat16 is faster on some hardware and a little less exact",
        )
        self.tile = ComboBox(
            name="tile",
            choices=_tile_choices(preferred.tile),
            value="whole" if preferred.tile is None else preferred.tile,
            tooltip="Side of a tile; smaller ones need less memory",
        )
        self.more.changed.connect(self._show)
        self._show()

    @property
    def widgets(self) -> list[Widget]:
        """The controls, from top to bottom."""
        return [self.more, *self._hidden]

    @property
    def compute(self) -> Options:
        """Device, precision and tiles as chosen.

        Raises
        ------
        OptionError
            If the device is no name at all.
        """
        tile = None if self.tile.value == "whole" else self.tile.value
        return Options(self.device.value.strip(), self.precision.value, tile)

    @property
    def _hidden(self) -> list[Widget]:
        return [self.scale, self.encoding, self.device, self.precision, self.tile]

    def _show(self, *_: Any) -> None:
        for widget in self._hidden:
            widget.visible = self.more.value


def _tile_choices(preferred: int | str | None) -> list[tuple[str, int | str]]:
    if isinstance(preferred, int) and preferred not in (side for _, side in _TILES):
        return [*_TILES, (f"{preferred} px", preferred)]
    return _TILES
