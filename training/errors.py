"""What can go wrong in a training, told in one sentence."""


class TrainingError(Exception):
    """Something the person who started the training can mend."""
