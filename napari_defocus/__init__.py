"""How far out of focus every pixel of an image is, and the image restored.

The names below are loaded when first used: importing the package imports neither torch nor Qt.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .version import __version__

if TYPE_CHECKING:
    from .api import (
        deblur,
        deblur_steps,
        estimate_defocus,
        estimate_defocus_steps,
        reblur,
        reblur_steps,
        refocus,
        refocus_steps,
    )
    from .defocus_map import DefocusMap
    from .errors import (
        Cancelled,
        DefocusError,
        DeviceError,
        FileError,
        ImageError,
        MapError,
        ModelError,
        OptionError,
    )
    from .models import list_models
    from .provenance import provenance

__all__ = [
    "Cancelled",
    "DefocusError",
    "DefocusMap",
    "DeviceError",
    "FileError",
    "ImageError",
    "MapError",
    "ModelError",
    "OptionError",
    "__version__",
    "deblur",
    "deblur_steps",
    "estimate_defocus",
    "estimate_defocus_steps",
    "list_models",
    "provenance",
    "reblur",
    "reblur_steps",
    "refocus",
    "refocus_steps",
]

_ERRORS = {name for name in __all__ if name.endswith("Error")} | {"Cancelled"}
_HOMES = {"DefocusMap": "defocus_map", "list_models": "models", "provenance": "provenance"}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = "errors" if name in _ERRORS else _HOMES.get(name, "api")
    value = getattr(import_module(f".{home}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
