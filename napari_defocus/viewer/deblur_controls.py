"""Controls for the settings of deblurring, shared by the Deblur and the Batch widget."""

from dataclasses import fields
from typing import Any

from magicgui.widgets import ComboBox, FloatSlider

from ..deblur_settings import DeblurSettings, NumberRange
from .bokeh_choice import BokehChoice


class DeblurControls:
    """One control for each setting of deblurring that is a number or a choice; models are not."""

    def __init__(self) -> None:
        self._controls = {
            each.name: _control(each)
            for each in fields(DeblurSettings)
            if each.metadata["accepted"] is not None
        }

    def __getitem__(self, name: str) -> ComboBox | FloatSlider | BokehChoice:
        return self._controls[name]

    @property
    def bokeh(self) -> BokehChoice:
        """The choice of what is deblurred."""
        control = self._controls["bokeh_radius"]
        assert isinstance(control, BokehChoice)
        return control

    @property
    def widgets(self) -> list[ComboBox | FloatSlider | BokehChoice]:
        """The controls, from top to bottom."""
        return list(self._controls.values())

    def settings(self, **models: str) -> DeblurSettings:
        """Return the settings as chosen here, with models chosen elsewhere."""
        values: dict[str, Any] = {name: each.value for name, each in self._controls.items()}
        return DeblurSettings(**values | models)

    def follow_model(self, model: str) -> None:
        """Enable the choice of detail only for the model "auto", the only one that uses it."""
        if model != "auto":
            self["detail"].value = DeblurSettings.detail
        self["detail"].enabled = model == "auto"


def _control(setting: Any) -> ComboBox | FloatSlider | BokehChoice:
    accepted = setting.metadata["accepted"]
    arguments: dict[str, Any] = {
        "label": setting.metadata["label"],
        "tooltip": setting.metadata["help"],
    }
    if isinstance(accepted, NumberRange) and accepted.automatic:
        return BokehChoice(accepted.slider_maximum, name=setting.name, **arguments)
    if isinstance(accepted, NumberRange):
        arguments |= {"min": accepted.minimum, "max": accepted.slider_maximum}
        return FloatSlider(name=setting.name, value=setting.default, **arguments)
    return ComboBox(name=setting.name, value=setting.default, choices=accepted, **arguments)
