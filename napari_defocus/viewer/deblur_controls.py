"""Controls for the strength of deblurring, shared by the Deblur and the Batch widget."""

from magicgui.widgets import ComboBox, FloatSlider

from ..jobs import DeblurJob
from ..models.registry import DETAILS


class DeblurControls:
    """Controls for detail, strength and protect radius."""

    def __init__(self) -> None:
        self.detail = ComboBox(
            name="detail",
            value=DeblurJob.detail,
            choices=DETAILS,
            tooltip="faithful: only what the image shows, for measuring; natural: adds fine detail "
            'that is likely rather than certain. Only the model "auto" heeds it',
        )
        self.strength = FloatSlider(
            name="strength",
            value=DeblurJob.strength,
            min=0.0,
            max=2.0,
            tooltip="0 leaves the image unchanged, 1 is the full result, more exaggerates it",
        )
        self.protect_radius = FloatSlider(
            name="protect_radius",
            label="protect below (px)",
            value=DeblurJob.protect_radius,
            min=0.0,
            max=4.0,
            tooltip="Pixels with a smaller blur radius stay unchanged; 0 deblurs all pixels",
        )

    @property
    def widgets(self) -> list[ComboBox | FloatSlider]:
        """The controls, from top to bottom."""
        return [self.detail, self.strength, self.protect_radius]

    def follow_model(self, model: str) -> None:
        """Enable the choice of detail only for the model "auto", the only one that heeds it."""
        if model != "auto":
            self.detail.value = DeblurJob.detail
        self.detail.enabled = model == "auto"
