"""Fields for the objective of the microscope that an image was taken with."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from magicgui.widgets import Container, Label, LineEdit, Widget

from ...errors import OptionError, quote
from ...io.lengths import micrometers
from ...objective import Objective
from ..layers.layer_optics import complete, file_optics, file_values, scale_values
from .run_controls import ERROR_COLOR, WrappedLabel, row

if TYPE_CHECKING:
    from napari.layers import Image

#: Wavelengths without a unit: at least so many are nanometers, at most so many micrometers.
_LEAST_NM, _MOST_UM = 100.0, 10.0
#: Numbers of an objective in words.
_WORDS = {"na": "NA", "wavelength_um": "λ", "pixel_size_um": "pixel size", "index": "index"}
_UNKNOWN = (
    "Optics unknown: judged by what is usual among microscopes. Fill in NA and λ to change that."
)


class ObjectiveControls:
    """Fields for aperture, wavelength, size of a pixel and index, filled in as far as is known.

    Parameters
    ----------
    on_change : callable
        Called with the option `optics` whenever it changes.
    """

    def __init__(self, on_change: Callable[[str], object]) -> None:
        self._on_change = on_change
        self._image: Image | None = None
        self._known: dict[str, float] = {}
        self._entries: WeakKeyDictionary[Image, dict[str, str]] = WeakKeyDictionary()
        self.na = _field("na", "NA", "Numerical aperture of the objective, such as 0.75")
        self.wavelength = _field(
            "wavelength",
            "λ (nm)",
            "Wavelength of the light that was recorded, of fluorescence the emission: nanometers, "
            "such as 520, or micrometers, such as 0.52 um",
        )
        self.pixel_size = _field(
            "pixel_size", "px (µm)", "Side of a pixel in the specimen, in micrometers"
        )
        self.index = _field(
            "index",
            "index",
            "Refractive index between objective and specimen: 1 of air, 1.33 of water, 1.515 of "
            "oil. Empty: the smallest of them that the aperture allows",
        )
        self._fields = {
            "na": self.na,
            "wavelength_um": self.wavelength,
            "pixel_size_um": self.pixel_size,
            "index": self.index,
        }
        self.note = WrappedLabel()
        labeled = [(Label(value=field.label), field) for field in self._fields.values()]
        fields = row(*(widget for pair in labeled for widget in pair))
        fields.native.layout().setSpacing(4)
        self.container: Container[Widget] = Container(widgets=[fields, self.note], labels=False)
        self.container.margins = (0, 0, 0, 0)
        for field in self._fields.values():
            field.changed.connect(self._take_entry)

    @property
    def text(self) -> str:
        """The option `optics`: "auto" where it is what the file says; a text if it is refused."""
        try:
            optics = self._optics()
        except OptionError:
            entries = {name: field.value for name, field in self._fields.items() if field.value}
            return ", ".join(f"{self._fields[name].name}={entries[name]}" for name in entries)
        of_file = "auto" if self._image is None else file_optics(self._image)
        if optics is None:
            return of_file if of_file == "auto" else "none"
        return "auto" if optics.to_text() == of_file else optics.to_text()

    def follow(self, image: "Image | None") -> None:
        """Show what is known of an image's microscope, and what was entered for it before."""
        self.leave()
        self._image = image
        if image is not None:
            image.events.scale.connect(self._refill)
            image.events.units.connect(self._refill)
        self._refill()

    def leave(self) -> None:
        """Follow no image any more."""
        if self._image is not None:
            self._image.events.scale.disconnect(self._refill)
            self._image.events.units.disconnect(self._refill)
            self._image = None

    def _refill(self, *_: Any) -> None:
        image = self._image
        self._known = {} if image is None else scale_values(image) | file_values(image)
        entries = {} if image is None else self._entries.get(image, {})
        shown = {name: _shown(name, value) for name, value in self._known.items()} | entries
        for name, field in self._fields.items():
            with field.changed.blocked():
                field.value = shown.get(name, "")
        self._tell()

    def _take_entry(self, *_: Any) -> None:
        """Remember what was entered for the image, and pass it on."""
        if self._image is not None:
            self._entries[self._image] = {
                name: field.value
                for name, field in self._fields.items()
                if field.value != _shown(name, self._known.get(name))
            }
        self._tell()

    def _tell(self) -> None:
        try:
            optics = self._optics()
        except OptionError as error:
            self.note.native.setStyleSheet(f"color: {ERROR_COLOR}")
            self.note.set_text(str(error))
        else:
            self.note.native.setStyleSheet("")
            self.note.set_text(_UNKNOWN if optics is None else self._describe(optics))
        self._on_change(self.text)

    def _describe(self, optics: Objective) -> str:
        """Return how sharp an image can be, and where the numbers are from."""
        of_file = {} if self._image is None else file_values(self._image)
        sources: dict[str, list[str]] = {
            "entered here": [],
            "from the file": [],
            "from the layer's scale": [],
        }
        for name, field in self._fields.items():
            if not field.value:
                continue
            if field.value != _shown(name, self._known.get(name)):
                source = "entered here"
            else:
                source = "from the file" if name in of_file else "from the layer's scale"
            sources[source].append(_WORDS[name])
        origins = "; ".join(f"{', '.join(w)} {source}" for source, w in sources.items() if w)
        return (
            f"In focus, a point is {optics.spot_px:.3g} px ({optics.spot_um:.2g} µm) wide: "
            f"{origins}."
        )

    def _optics(self) -> Objective | None:
        """Return the objective, None if too little is known.

        Raises
        ------
        OptionError
            If an entry is not accepted.
        """
        values = {
            name: self._value(name, str(field.value).strip())
            for name, field in self._fields.items()
            if str(field.value).strip()
        }
        return complete(values)

    def _value(self, name: str, text: str) -> float:
        known = self._known.get(name)
        if known is not None and text == _shown(name, known):
            return known  # with all its digits
        return parse_wavelength(text) if name == "wavelength_um" else _number(_WORDS[name], text)


def parse_wavelength(text: str) -> float:
    """Return a wavelength in micrometers.

    Parameters
    ----------
    text : str
        A number with a unit of length; without one, numbers from 100 on are nanometers, and those
        up to 10 are micrometers.

    Raises
    ------
    OptionError
        If it is something else.

    Examples
    --------
    >>> parse_wavelength("520"), parse_wavelength("0.52"), parse_wavelength("520nm")
    (0.52, 0.52, 0.52)
    """
    digits = text.rstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZµμ ")
    unit = text[len(digits) :].strip()
    try:
        number = float(digits)
    except ValueError:
        number = 0.0
    if not unit:
        unit = "nm" if number >= _LEAST_NM else "um" if number <= _MOST_UM else ""
    wavelength = micrometers(number, unit) if number > 0 else None
    if wavelength is None:
        raise OptionError(
            f"λ is {quote(text)}; nanometers, such as 520, or micrometers, such as 0.52 um, are "
            "expected"
        )
    return wavelength


def _number(what: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise OptionError(f"{what} is {quote(text)}; a number is expected") from None


def _shown(name: str, value: float | None) -> str:
    """Return a number as its field shows it: wavelengths in nanometers."""
    if value is None:
        return ""
    return f"{value * 1000:.4g}" if name == "wavelength_um" else f"{value:.4g}"


def _field(name: str, label: str, tooltip: str) -> LineEdit:
    field = LineEdit(name=name, label=label, tooltip=tooltip)
    field.native.setPlaceholderText("?")
    field.native.setMinimumWidth(30)
    return field
