"""What trainings draw scenes from."""

from typing import Protocol

from training.data.chance import Chance
from training.data.scene import Scenes


class Source(Protocol):
    """A place that random scenes come from: kept in a file, or rendered on the spot."""

    def draw(self, chance: Chance, crop: int) -> Scenes:
        """Draw one scene for each stream of chance.

        Parameters
        ----------
        chance : Chance
            Decides everything; a scene depends on its own stream alone.
        crop : int
            Side of the scenes in pixels.

        Returns
        -------
        Scenes
            On the device of `chance`, mirrored at random.
        """
        ...
