"""Number, seed and models of an evaluation on simulated fields."""

from dataclasses import dataclass

from napari_defocus import DefocusMap
from training.evaluation.microscopy.fields import Field, Image, to_electrons
from training.evaluation.microscopy.restoration import Plugin


@dataclass(frozen=True)
class Trial:
    """Models on some fields.

    Attributes
    ----------
    plugin : Plugin
        The models.
    count : int
        Number of fields of the largest table; others take as many or fewer.
    seed : int
        Seed of the fields.
    """

    plugin: Plugin
    count: int
    seed: int = 0

    def restore(self, scene: Field, defocus: DefocusMap | float | None = None) -> Image:
        """Return the electrons of a field deblurred by the estimated map or by another."""
        return to_electrons(self.plugin.restore(scene.counts, defocus))
