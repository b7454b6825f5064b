"""Models under test, from the registry or from files."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from napari_defocus import DefocusMap, estimate_defocus
from napari_defocus.errors import ModelError
from napari_defocus.models import find_model, load_network
from napari_defocus.networks.descriptor import Task

Floats = NDArray[np.floating]


@dataclass(frozen=True)
class ModelUnderTest:
    """A model with the requested name."""

    name: str
    task: Task

    @property
    def label(self) -> str:
        """The name in tables; for a file, its folder and name."""
        return "/".join(Path(self.name).parts[-2:])


def find_models_under_test(
    names: Sequence[str], accepted: Collection[Task]
) -> list[ModelUnderTest]:
    """Find models by name or path.

    Parameters
    ----------
    names : sequence of str
        Names of the registry, or ``.safetensors`` or ``.pth`` files.
    accepted : collection of {"single", "dual", "deblur"}
        Tasks that they may be made for.

    Raises
    ------
    ModelError
        If one is missing, damaged, or made for something else.
    """
    return [ModelUnderTest(name, _task(name, accepted)) for name in names]


def _task(name: str, accepted: Collection[Task]) -> Task:
    for task in accepted:
        try:
            load_network(find_model(name, task))
        except ModelError as error:
            refused = error
        else:
            return task
    raise refused


class ValueOptions(TypedDict, total=False):
    """Keyword arguments of the plugin's functions that say how values are read."""

    channel_axis: int
    encoding: str
    value_range: tuple[float, float]


@dataclass(frozen=True)
class EstimatorInput:
    """Images of a scene that an estimator may use.

    Attributes
    ----------
    center : array
        (Y, X) or (Y, X, 3): the photograph.
    views : tuple of array, optional
        The left and the right dual-pixel view.
    options : ValueOptions
        Encoding and value range of the arrays.
    """

    center: Floats
    views: tuple[Floats, Floats] | None
    options: ValueOptions

    def suits(self, estimator: ModelUnderTest) -> bool:
        """Return whether the scene has the views that the estimator needs."""
        return estimator.task == "single" or self.views is not None

    def estimate(self, estimator: ModelUnderTest, downscale: int | str = "auto") -> DefocusMap:
        """Return the estimator's map, computed with the option `downscale`."""
        image, right = self.center, None
        if estimator.task == "dual":
            if self.views is None:
                raise ValueError(f"{estimator.label} needs two views")
            image, right = self.views
        return estimate_defocus(
            image, right=right, model=estimator.name, downscale=downscale, **self.options
        )
