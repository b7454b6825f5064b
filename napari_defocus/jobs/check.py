"""Check of a sharp picture against its image."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from ..errors import ImageError
from ..evidence.check_result import FALSE_ALARMS, Check, check_false_alarms
from ..image.layout import as_array, is_dask
from ..io.pupil_file import find_pupil
from ..models import ModelCard
from ..optics.pupil import DISK
from ..options import Options
from ..pipeline.channelwise import ChannelwiseCheck
from ..pipeline.check import PlaneChecker
from ..pipeline.plane import Steps
from ..pipeline.planes import Inputs, PlaneProcess, map_planes, process_planes
from .arguments import model_name
from .estimate import EstimateJob
from .guide import estimating_job, guide_steps
from .job import Job


@dataclass(frozen=True, eq=False)
class CheckJob(Job[Check]):
    """Check of a sharp picture against the image that it claims to show; see :func:`check`.

    Parameters
    ----------
    image : (..., Y, X) array
        The image.
    sharp : (..., Y, X) array
        Its sharp version, whoever made it: of the same shape.
    defocus : DefocusMap, array, EstimateJob or None
        The map; or the job that estimates it. None: `model` estimates it from the image.
    false_alarms : float
        Share of honest pixels that may be flagged.
    model : str, path or torch.nn.Module
        Model that estimates the map.
    options : Options
        How values are read and how to compute.
    pupil : str, path or array
        Shape of the blur, as for :func:`napari_defocus.check`; "auto": what explains most.

    Raises
    ------
    ImageError
        If the two differ in shape.
    OptionError
        If `false_alarms` or `pupil` is not accepted.
    FileError
        If `pupil` is a file that holds no kernels.

    See Also
    --------
    check : build the job and run it
    DeblurJob : deblurring, whose `check` makes such a job
    provenance : describe the result

    Notes
    -----
    Other errors in the arguments are raised when the job is run or its models are asked for.

    The picture is blurred again by the map, in linear light. With the pupil "auto", some shapes are
    mixed so that they explain most of some blocks of the picture, 128 pixels wide, which takes a
    second more. What then differs from the image is compared, in octave bands and windows of about
    16 pixels, with the noise, as the image's own flat places show it, and with what errors of the
    radius within its confidence, of contrast and of clipped highlights would explain. Brightness is
    compared, not color: a change of hue alone is not noticed. Photographs are compared in display
    values, others in linear ones.

    No model of blur is exact, so the bulk of a picture tells how large honest scores are in it,
    within limits: a picture that is wrong everywhere is flagged everywhere.

    Examples
    --------
    >>> image = np.random.default_rng(0).integers(0, 256, (64, 48), np.uint8)
    >>> CheckJob(image, image, np.zeros((64, 48))).run().regions
    ()
    """

    function: ClassVar[str] = "check"

    image: Any
    sharp: Any
    defocus: Any = None
    false_alarms: float = FALSE_ALARMS
    model: Any = "auto"
    options: Options = field(default_factory=Options)
    pupil: Any = DISK.record

    def __post_init__(self) -> None:
        checked = {
            "image": as_array(self.image),
            "sharp": as_array(self.sharp),
            "false_alarms": check_false_alarms(self.false_alarms),
            "pupil": self.pupil if self._fits_pupil else find_pupil(self.pupil, "'auto', "),
        }
        for name, value in checked.items():
            object.__setattr__(self, name, value)
        if self.sharp.shape != self.image.shape:
            raise ImageError(
                f"the sharp picture has shape {self.sharp.shape} and the image "
                f"{self.image.shape}; they must be equal, so resize or crop one of them"
            )

    @property
    def source(self) -> Any:
        """The image."""
        return self.image

    @cached_property
    def estimate(self) -> EstimateJob | None:
        """The job that estimates the map; None if the map is given."""
        return estimating_job(self.defocus, self.image, self.model, self.options)

    @property
    def models(self) -> tuple[ModelCard, ...]:
        """Cards of the models that estimate the map."""
        return () if self.estimate is None else self.estimate.models

    @property
    def own_parameters(self) -> dict[str, Any]:
        """The sharp picture, the map, the rate of false alarms and the map's model."""
        defocus = None if self.estimate is not None else self.defocus
        model = self.model if self.estimate is None else self.estimate.model
        return {
            "sharp": self.sharp,
            "defocus": defocus,
            "false_alarms": self.false_alarms,
            "model": model_name(model),
            "pupil": self.pupil if self._fits_pupil else self.pupil.record,
        }

    def _steps(self) -> Steps[Check]:
        maps, map_source = yield from guide_steps(
            self.defocus, self.estimate, self.image, self.layout, lazy=False
        )
        layout = replace(self.plane_layout, dtype=np.dtype(self.sharp.dtype))
        task: PlaneProcess = PlaneChecker(
            self.plane_layout,
            layout,
            self.sharp_range,
            map_source,
            None if self._fits_pupil else self.pupil,
        )
        if self.layout.channelwise:
            task = ChannelwiseCheck(self.layout, task)
        inputs = Inputs([self.image, _match(self.sharp, self.image)], maps)
        if is_dask(self.image):
            planes = map_planes(task, inputs, self.options, channels=3, dtype=np.float32)
            results = [planes[..., i, :, :] for i in range(3)]
        else:
            results = list(np.empty((3, *self.layout.map_shape), np.float32))

            def write(index: tuple[int, ...], window: tuple[slice, slice], values: Any) -> None:
                for result, part in zip(results, values, strict=True):
                    result[(*index, *window)] = part

            yield from process_planes(task, inputs, self.value_range, self.options, write)
        unexplained, inferred, residual = results
        return Check(unexplained, inferred, residual, self.false_alarms)

    @property
    def _fits_pupil(self) -> bool:
        return isinstance(self.pupil, str) and self.pupil == "auto"

    @property
    def sharp_range(self) -> tuple[float, float] | None:
        """Black and white of the sharp picture, if its data type says them; None: the image's."""
        dtype = np.dtype(self.sharp.dtype)
        if dtype == self.layout.dtype or not self.layout.display_bounded:
            return None
        return 0.0, float(np.iinfo(dtype).max) if dtype.kind in "iu" else 1.0


def _match(sharp: Any, image: Any) -> Any:
    """Return the sharp picture as lazy as the image."""
    if is_dask(image) == is_dask(sharp):
        return sharp
    if is_dask(sharp):
        return sharp.compute()
    import dask.array

    return dask.array.asarray(sharp)
