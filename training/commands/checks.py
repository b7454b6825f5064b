"""Checks of the values of options."""

from training.errors import TrainingError


def check_at_least_one(name: str, value: int | None) -> None:
    """Raise a TrainingError that names the option if its value is less than 1."""
    if value is not None and value < 1:
        raise TrainingError(f"--{name} is {value}; at least 1 is expected")
