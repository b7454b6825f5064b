"""The error for mistakes that the user of a training can correct."""


class TrainingError(Exception):
    """A mistake that whoever started the training can correct, described in one sentence."""
