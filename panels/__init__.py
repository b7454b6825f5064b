"""Panels for README, demo and training: pictures side by side, each under its title.

Not part of the wheel. It imports only what the plugin itself needs.
"""

from .panel import (
    Column,
    busiest_square,
    compose,
    compose_result,
    map_columns,
    paint_unit,
    save_panel,
    to_picture,
)

__all__ = [
    "Column",
    "busiest_square",
    "compose",
    "compose_result",
    "map_columns",
    "paint_unit",
    "save_panel",
    "to_picture",
]
