"""Measure how far out of focus every pixel of an image is, and restore the image.

The names below are loaded when first used: importing the package imports neither torch nor Qt. It
lets torch's threads sleep while they wait; see `napari_defocus.torch_threads`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .torch_threads import let_waiting_threads_sleep
from .version import __version__

let_waiting_threads_sleep()

if TYPE_CHECKING:
    from .api import check, deblur, estimate_defocus, measure_range, reblur, refocus
    from .deblur_settings import DeblurSettings
    from .defocus_map import DefocusMap
    from .errors import (
        Canceled,
        DefocusError,
        DeviceError,
        FileError,
        ImageError,
        MapError,
        ModelError,
        OptionError,
        ValuesWarning,
    )
    from .evidence.check_result import Check
    from .jobs import CheckJob, DeblurJob, EstimateJob, RefocusJob
    from .models import list_models
    from .objective import Objective
    from .options import Options
    from .provenance_record import provenance
    from .stacks.fusion_job import AllInFocusJob, all_in_focus
    from .stacks.fusion_result import AllInFocus
    from .stacks.job import FocusJob, focus_profile
    from .stacks.profile import FocusProfile
    from .stacks.rank import RankedImage, rank_focus
    from .views import Views

_MODULES = {
    "api": ["check", "deblur", "estimate_defocus", "measure_range", "reblur", "refocus"],
    "defocus_map": ["DefocusMap"],
    "errors": [
        "Canceled",
        "DefocusError",
        "DeviceError",
        "FileError",
        "ImageError",
        "MapError",
        "ModelError",
        "OptionError",
        "ValuesWarning",
    ],
    "evidence.check_result": ["Check"],
    "jobs": ["CheckJob", "DeblurJob", "EstimateJob", "RefocusJob"],
    "models": ["list_models"],
    "deblur_settings": ["DeblurSettings"],
    "objective": ["Objective"],
    "options": ["Options"],
    "provenance_record": ["provenance"],
    "stacks.fusion_job": ["AllInFocusJob", "all_in_focus"],
    "stacks.fusion_result": ["AllInFocus"],
    "stacks.job": ["FocusJob", "focus_profile"],
    "stacks.profile": ["FocusProfile"],
    "stacks.rank": ["RankedImage", "rank_focus"],
    "views": ["Views"],
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    "AllInFocus",
    "AllInFocusJob",
    "Canceled",
    "Check",
    "CheckJob",
    "DeblurJob",
    "DeblurSettings",
    "DefocusError",
    "DefocusMap",
    "DeviceError",
    "EstimateJob",
    "FileError",
    "FocusJob",
    "FocusProfile",
    "ImageError",
    "MapError",
    "ModelError",
    "Objective",
    "OptionError",
    "Options",
    "RankedImage",
    "RefocusJob",
    "ValuesWarning",
    "Views",
    "__version__",
    "all_in_focus",
    "check",
    "deblur",
    "estimate_defocus",
    "focus_profile",
    "list_models",
    "measure_range",
    "provenance",
    "rank_focus",
    "reblur",
    "refocus",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_MODULE_OF[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
