"""Protocol of the sources from which trainings draw scenes."""

from typing import Protocol

from training.data.rng import SampleRNG
from training.data.scene import Scenes


class Source(Protocol):
    """A place that random scenes come from: kept in a file, or rendered on the spot."""

    def draw(self, rng: SampleRNG, crop: int) -> Scenes:
        """Draw one scene for each stream of rng.

        Parameters
        ----------
        rng : SampleRNG
            Decides everything; a scene depends on its own stream alone.
        crop : int
            Side of the scenes in pixels.

        Returns
        -------
        Scenes
            On the device of `rng`, mirrored at random.
        """
        ...
