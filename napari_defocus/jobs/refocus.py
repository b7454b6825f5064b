"""Blurring by a defocus map, for another plane of focus."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from ..defocus_map import DefocusMap, check_map
from ..image.layout import as_array, is_dask
from ..inference.engine import Progress
from ..io.pupil_file import find_pupil
from ..models import ModelCard
from ..optics.pupil import DISK
from ..options import Options, check_number
from ..pipeline.plane import Steps
from ..pipeline.render import PlaneRenderer
from ..steps import convert_steps
from .arguments import PictureOf, check_out, refuse_shared_memory
from .deblur import DeblurJob
from .picture import PictureJob, match_laziness


@dataclass(frozen=True, eq=False)
class RefocusJob(PictureJob):
    """Rendering of a sharp image with another focus and aperture, or blurring it again.

    See :func:`napari_defocus.refocus` and :func:`napari_defocus.reblur`.

    Parameters
    ----------
    sharp : (..., Y, X) array
        The sharp image.
    defocus : DefocusMap or array
        Its map.
    focus : float or sequence of float
        Radius in pixels, signed, of what is to be in focus. Several make a focal stack.
    aperture : float
        Diameter of the new aperture, in units of the one that the map was taken with.
    options : Options
        How values are read and how to compute.
    out : array, optional
        Where the result is written.
    deblurring : DeblurJob, optional
        The job that made the sharp image. Provenance then names the image that it was made from.
    pupil : str, path or array
        Shape of the blur, as for :func:`napari_defocus.refocus`.

    Raises
    ------
    OptionError
        If `focus` is not a finite number, `aperture` is not one of 0 or more, or `pupil` is not
        accepted.
    FileError
        If `pupil` is a file that holds no kernels.

    See Also
    --------
    refocus, reblur : build the job and run it
    DeblurJob : deblurring, which makes the sharp image
    provenance : describe the result

    Notes
    -----
    Other errors in the arguments are raised when the job is run: ImageError, MapError, OptionError
    and DeviceError, as by the functions.

    Layers of one pixel of radius cover those behind them (`napari_defocus.optics.reblur`). What an
    object hides in the sharp image is unknown: behind the blurred edge of a near object, the light
    of its visible surroundings is used.

    Examples
    --------
    >>> import numpy as np
    >>> job = RefocusJob(np.zeros((8, 8), np.uint8), np.ones((8, 8)), aperture=0.5)
    >>> job.function, job.models
    ('refocus', ())
    >>> job.run().shape
    (8, 8)
    """

    sharp: Any
    defocus: Any
    focus: Any = 0.0
    aperture: float = 1.0
    options: Options = field(default_factory=Options)
    out: Any = None
    deblurring: DeblurJob | None = None
    pupil: Any = DISK.record

    def __post_init__(self) -> None:
        checked = {
            "pupil": find_pupil(self.pupil),
            "sharp": as_array(self.sharp),
            "focus": _check_focus(self.focus),
            "aperture": check_number("aperture", self.aperture, "a finite number of 0 or more", 0),
        }
        for name, value in checked.items():
            object.__setattr__(self, name, value)

    @property
    def function(self) -> str:  # type: ignore[override]
        """The public function: reblurring keeps focus and aperture."""
        return "reblur" if (self.focus, self.aperture) == (0, 1) else "refocus"

    @property
    def source(self) -> Any:
        """The sharp image, or the image that it was made from."""
        return self.sharp if self.deblurring is None else self.deblurring.image

    @property
    def models(self) -> tuple[ModelCard, ...]:
        """Cards of the models that made the sharp image, if a job made it."""
        return () if self.deblurring is None else self.deblurring.models

    @property
    def own_parameters(self) -> dict[str, Any]:
        """The map, focus, aperture, pupil, and how the sharp image was made, if a job made it."""
        deblurring = None if self.deblurring is None else self.deblurring.own_parameters
        return {
            "defocus": self.defocus,
            "focus": self.focus,
            "aperture": self.aperture,
            "deblurring": deblurring,
            "pupil": self.pupil.record,
        }

    def _steps(self) -> Steps[Any]:
        if isinstance(self.focus, tuple):
            return (yield from self._focal_stack(self.focus))
        self._check_out(self.out)
        matched = match_laziness(self.defocus, self.sharp)
        defocus = check_map(matched, self.layout, lazy=self.out is None)
        task = PlaneRenderer(
            self.plane_layout, defocus.signed, self.focus, self.aperture, self.pupil
        )
        return (yield from self._make_picture(task, self.sharp, list(defocus), self.out))

    def _focal_stack(self, focuses: tuple[float, ...]) -> Steps[Any]:
        """Render a picture for each focus, along a new first axis."""
        shape = len(focuses), *self.layout.shape
        if self.out is not None:
            check_out(self.out, shape, self.layout.dtype)
            is_map = isinstance(self.defocus, DefocusMap)
            maps = tuple(self.defocus) if is_map else (self.defocus,)
            refuse_shared_memory(self.out, (self.sharp, *maps))
        elif is_dask(self.sharp):
            import dask.array

            return dask.array.stack([replace(self, focus=focus).run() for focus in focuses])
        in_memory = self.out is None or isinstance(self.out, np.ndarray)
        stack = np.empty(shape, self.layout.dtype) if self.out is None else self.out
        for number, focus in enumerate(focuses):
            target = None if in_memory else PictureOf(stack, number)
            steps = replace(self, focus=focus, out=target).steps()
            picture = yield from convert_steps(steps, partial(_within, number, len(focuses)))
            if in_memory:
                stack[number] = picture
        return stack


def _check_focus(focus: Any) -> float | tuple[float, ...]:
    """Return one focus, or those of a focal stack as a tuple."""
    if np.ndim(focus) == 1 and len(focus) > 0:
        return tuple(check_number("focus", each, "a finite number") for each in focus)
    return check_number("focus", focus, "a finite number, or a sequence of them")


def _within(number: int, count: int, step: Progress) -> Progress:
    """Return the progress of all pictures of a stack, of which one is worked on."""
    return Progress(number * step.total + step.done, count * step.total)
