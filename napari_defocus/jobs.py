"""Jobs that the public functions, the command line, the widgets and the batch run.

A job says which models take part (:attr:`Job.models`), does its work step by step
(:meth:`Job.steps`, for worker threads) or at once (:meth:`Job.run`), and describes itself for
provenance (:attr:`Job.parameters`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from os import PathLike, fspath
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

import numpy as np

from .deblur_settings import DETAILS, DeblurSettings
from .defocus_map import DefocusMap, check_map
from .errors import ImageError, ModelError, OptionError, quote
from .evidence.check_result import FALSE_ALARMS, Check, check_false_alarms
from .image.channels import find_independent_channels
from .image.layout import Layout, as_array, from_planes, is_dask, read_layout, write_window
from .image.value_range import Ranges, check_range, scan_range, warn
from .io.pupil_file import find_pupil
from .models import ModelCard, describe_network, find_model, with_scale_models
from .models.registry import check_detail
from .optics.pupil import DISK
from .options import Options, check_number
from .pipeline.channelwise import ChannelwiseCheck, ChannelwiseMap, ChannelwisePicture
from .pipeline.check import PlaneChecker
from .pipeline.deblur import PlaneDeblurrer
from .pipeline.estimate import PlaneEstimator
from .pipeline.plane import Steps, drain, translate_errors
from .pipeline.planes import Inputs, PlaneProcess, map_planes, process_planes
from .pipeline.render import PlaneRenderer
from .views import Views

if TYPE_CHECKING:
    from torch import nn

    from .networks.descriptor import Task

R = TypeVar("R")


class Job(ABC, Generic[R]):
    """Work on one image, described before it is done.

    Subclasses are frozen dataclasses; their fields are the arguments of a public function.
    """

    #: Name of the public function.
    function: ClassVar[str]
    options: Options

    @property
    @abstractmethod
    def source(self) -> Any:
        """The image that the job is about."""

    @property
    @abstractmethod
    def models(self) -> tuple[ModelCard, ...]:
        """Cards of the models that take part, the one that makes the result first."""

    @property
    @abstractmethod
    def own_parameters(self) -> dict[str, Any]:
        """Arguments of the public function other than the image and the options."""

    @abstractmethod
    def _steps(self) -> Steps[R]:
        """Do the work."""

    @cached_property
    def layout(self) -> Layout:
        """Layout of the image."""
        layout = read_layout(self.source, **self.options.reading())
        if find_independent_channels(self.source, layout, self.options, warn):
            options = replace(self.options, imaging="microscopy")
            layout = read_layout(self.source, **options.reading())
        check_range(self.options.value_range, layout.range_shape, layout.dtype)
        _check_complete(self.options.optics)
        downscale, size = self.options.downscale, layout.map_shape[-2:]
        if isinstance(downscale, int) and downscale > min(size):
            raise OptionError(
                f"downscale is {downscale}, and the image has {size[0]} x {size[1]} pixels; a "
                f"number up to {min(size)} is expected"
            )
        return layout

    @property
    def plane_layout(self) -> Layout:
        """Layout of what networks take: of each channel where channels are worked on one by one."""
        return self.layout.channel() if self.layout.channelwise else self.layout

    @cached_property
    def value_range(self) -> Ranges:
        """Values of black and white, measured once if they are not an option."""
        return scan_range(self.source, self.layout, self.options.value_range)

    @property
    def parameters(self) -> dict[str, Any]:
        """Arguments that make the same result again, with what "auto" and None stand for.

        The value range of a lazy image is None unless it is an option: it is not measured yet.
        """
        ranges = self._recorded_range
        return {
            **self.own_parameters,
            "channel_axis": self.layout.channel_axis,
            "encoding": self.layout.encoding,
            "value_range": None if ranges is None else np.asarray(ranges, float).tolist(),
            "downscale": self.options.downscale,
            "device": self.options.device,
            "precision": self.options.precision,
            "tile": self.options.tile,
            "imaging": self.layout.imaging,
            "nodata": self.options.nodata,
            "range_axis": self.options.range_axis,
            "optics": self._optics_record,
        }

    @property
    def _optics_record(self) -> str:
        optics = self.options.optics
        return optics if isinstance(optics, str) else optics.to_text()

    @property
    def _recorded_range(self) -> Ranges | None:
        """Values of black and white as far as they are measured or follow without reading."""
        lazy = is_dask(self.source) and "value_range" not in self.__dict__
        return self.options.value_range if lazy else self.value_range

    def steps(self) -> Steps[R]:
        """Do the work, yielding after every tile.

        Yields
        ------
        Progress

        Returns
        -------
        object
            The result.

        Raises
        ------
        DefocusError
            If an input cannot be used or the computation fails, and never a RuntimeError.
        """
        return translate_errors(self._steps())

    def run(self, progress: Callable[[int, int], object] | None = None) -> R:
        """Do the work at once.

        Parameters
        ----------
        progress : callable, optional
            Called as ``progress(done, total)`` after every tile, in pixels of work. Whatever it
            raises, such as :class:`napari_defocus.Canceled`, ends the work.

        Returns
        -------
        object
            The result.

        Raises
        ------
        DefocusError
            As `steps` raises it; or if `progress` is no function.
        """
        if progress is not None and not callable(progress):
            raise OptionError(
                f"progress is {quote(progress)}; a function of (done, total) is expected"
            )
        return drain(self.steps(), progress)

    def _resolve(self, model: Any, task: Task, detail: str = DETAILS[0]) -> ModelCard | nn.Module:
        """Return the card of a model, or a network of the caller's own."""
        if isinstance(model, str | PathLike):
            return find_model(model, task, detail, self.layout.imaging)
        check_detail(detail, type(model).__name__)
        descriptor = getattr(model, "descriptor", None)
        if getattr(descriptor, "task", None) != task:
            raise ModelError(
                f"model is a {type(model).__name__}; a name, a path, or a network with a "
                f"descriptor of task {task!r} is expected"
            )
        network: nn.Module = model
        return network


@dataclass(frozen=True, eq=False)
class EstimateJob(Job[DefocusMap]):
    """Estimation of a defocus map; see :func:`napari_defocus.estimate_defocus`.

    Parameters
    ----------
    views : Views
        The image, or both dual-pixel views.
    model : str, path or torch.nn.Module
        The estimator.
    options : Options
        How values are read and how to compute.
    out : (float32 array, float32 array), optional
        Where radius and confidence, (..., Y, X), are written.

    See Also
    --------
    estimate_defocus : build the job and run it
    DeblurJob : deblurring, which may hold this job
    provenance : describe the result

    Notes
    -----
    Nothing is read or computed before an attribute asks for it, and errors in the arguments are
    raised then: ImageError, ModelError, OptionError and DeviceError, as by the function.

    On 64 rendered scenes of radii up to 12 pixels, the mean error is 0.50 px from one image and
    0.39 px from two views; 0.25 and 0.19 px for the half of the pixels with the higher confidence.
    The sign of two views is right on 97 % of the pixels beyond 1.5 px. Their disparity gives the
    radius up to a factor of the lens; the shipped model for one image sets that factor, once for
    each plane. A network of your own is left as it is.

    One image shows all blur, so its radius is that of the disk as wide, in mean square: a
    photograph whose colors were interpolated from the sensor's mosaic has some 1.1 px in focus. Two
    views show defocus alone. Where nothing has texture, the radius is that of the surroundings and
    the confidence low; where the image is not finite, the confidence is 0. Motion blur is not
    modeled.

    With `out`, planes of a single view above 4.2 megapixels are processed block by block: memory
    does not grow with them. Some 57 bytes a pixel of one plane are kept in files meanwhile, in the
    folder of `out` or in ``TMPDIR``. So it is for the other jobs.

    Examples
    --------
    >>> job = EstimateJob(Views(np.zeros((64, 48), np.uint8)))
    >>> [card.name for card in job.models]
    ['single']
    >>> radius, confidence = job.run()
    >>> radius.shape
    (64, 48)
    """

    function: ClassVar[str] = "estimate_defocus"

    views: Views
    model: Any = "auto"
    options: Options = field(default_factory=Options)
    out: tuple[Any, Any] | None = None

    @property
    def source(self) -> Any:
        """The image, or the left view."""
        return self.views.image

    @cached_property
    def plane_task(self) -> PlaneEstimator:
        """The estimation of one plane."""
        return PlaneEstimator(self.plane_layout, self._resolve(self.model, self.views.task))

    @property
    def models(self) -> tuple[ModelCard, ...]:
        """Cards of the estimator and of the model that sets its scale."""
        return tuple(with_scale_models([_card(self.plane_task.model)]))

    @property
    def own_parameters(self) -> dict[str, Any]:
        """The right view and the model."""
        return {"right": self.views.right, "model": _name(self.model)}

    def _steps(self) -> Steps[DefocusMap]:
        estimator, inputs = self.plane_task, Inputs(self.views.arrays)
        task: PlaneProcess = estimator
        if self.layout.channelwise:
            task = ChannelwiseMap(self.layout, estimator)
        if is_dask(self.source) and self.out is None:
            both = map_planes(task, inputs, self.options, channels=2, dtype=np.float32)
            radius, confidence = both[..., 0, :, :], both[..., 1, :, :]
        else:
            radius, confidence = self._outputs()

            def write(index: tuple[int, ...], window: tuple[slice, slice], values: Any) -> None:
                place: Any = (*index, *window)
                radius[place], confidence[place] = values

            # two views are rectified as a whole, never block by block
            out = None if self.out is None or self.views.right is not None else radius
            yield from process_planes(task, inputs, self.value_range, self.options, write, out)
        signed = self.views.task == "dual"
        is_micrograph = self.layout.imaging == "microscopy" and not signed
        estimate = DefocusMap(
            radius,
            confidence,
            signed=signed,
            model=_name(estimator.model),
            reference="in-focus spot" if is_micrograph else "all blur",
        )
        return self.views.turn_upright(estimate)

    def _outputs(self) -> tuple[Any, Any]:
        shape = self.layout.map_shape
        if self.out is None:
            both = np.empty((2, *shape), np.float32)
            return both[0], both[1]
        try:
            radius, confidence = self.out
        except (TypeError, ValueError):
            raise OptionError("out should be two arrays, for radius and confidence") from None
        for part in (radius, confidence):
            _check_out(part, shape, np.dtype(np.float32))
        _refuse_shared_memory(radius, (self.views.image, self.views.right, confidence))
        _refuse_shared_memory(confidence, (self.views.image, self.views.right))
        return radius, confidence


@dataclass(frozen=True, eq=False)
class _PictureJob(Job[Any]):
    """A job whose result is a picture like its source."""

    def _make_picture(self, task: Any, image: Any, maps: list[Any], out: Any) -> Steps[Any]:
        """Process every plane by its radius and confidence; return the new picture."""
        if self.layout.channelwise:
            task = ChannelwisePicture(self.layout, task)
        _refuse_shared_memory(out, (image, *maps))
        inputs, layout = Inputs([image], maps), self.layout
        if is_dask(image) and out is None:
            planes = map_planes(
                task, inputs, self.options, channels=layout.channels, dtype=layout.dtype
            )
            return from_planes(planes, layout)
        result = np.empty(layout.shape, layout.dtype) if out is None else out

        def write(index: tuple[int, ...], window: tuple[slice, slice], values: Any) -> None:
            write_window(result, layout, index, window, values)

        yield from process_planes(task, inputs, self.value_range, self.options, write, out)
        return result

    def _check_out(self, out: Any) -> None:
        if out is not None:
            _check_out(out, self.layout.shape, self.layout.dtype)


@dataclass(frozen=True, eq=False)
class DeblurJob(_PictureJob):
    """Deblurring of an image; see :func:`napari_defocus.deblur`.

    Parameters
    ----------
    image : (..., Y, X) array
        The image.
    defocus : DefocusMap, array, EstimateJob or None
        The map; or the job that estimates it, which is run first. None: the settings' `map_model`
        estimates it from the image.
    settings : DeblurSettings
        How much is changed, and by which models.
    options : Options
        How values are read and how to compute.
    out : array, optional
        Where the result is written.
    estimated_map : DefocusMap, optional
        Result of the job that estimates the map, if it was run before; see `with_map`.

    Raises
    ------
    OptionError
        If the settings name a `map_model` beside a map.

    See Also
    --------
    deblur : build the job and run it
    EstimateJob : estimation of the map, from two views for instance
    provenance : describe the result

    Notes
    -----
    Other errors in the arguments are raised when the job is run or its models are asked for:
    ImageError, MapError, ModelError, OptionError and DeviceError, as by the function.

    On seven photographs of a Canon camera, "faithful" gains 0.94 dB of PSNR on its input and lowers
    LPIPS from 0.334 to 0.244; "natural" gains 0.43 dB and lowers it to 0.185. Blurred again, both
    agree with the input to 38 dB. On 20 simulated micrographs the gain is 3.8 dB.

    Detail beyond the first null of the blur's transfer function, at 0.61 / radius cycles a pixel,
    is inferred, not restored: do not count or measure it. Deblurring follows the map: a radius that
    is wrong but confident leaves blur or causes rings. Motion blur is not modeled.

    Examples
    --------
    >>> job = DeblurJob(np.zeros((64, 48), np.uint8))
    >>> [card.name for card in job.models]
    ['photo-faithful', 'single']
    >>> defocus = job.estimate.run()  # the map and the deblurring one after the other
    >>> job.with_map(defocus).run().shape
    (64, 48)
    """

    function: ClassVar[str] = "deblur"

    image: Any
    defocus: Any = None
    settings: DeblurSettings = field(default_factory=DeblurSettings)
    options: Options = field(default_factory=Options)
    out: Any = None
    estimated_map: DefocusMap | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "image", as_array(self.image))
        map_model = self.settings.map_model
        if self.defocus is not None and map_model != DeblurSettings.map_model:
            raise OptionError(
                f"map_model is {quote(_name(map_model))} and a map is given too, which needs no "
                "model; give one of them"
            )

    @property
    def source(self) -> Any:
        """The image."""
        return self.image

    @cached_property
    def estimate(self) -> EstimateJob | None:
        """The job that estimates the map; None if the map is given."""
        if self.defocus is None:
            options = self.options
            if self.layout.channelwise:
                options = replace(options, imaging="microscopy")  # not to be found out again
            return EstimateJob(Views(self.image), self.settings.map_model, options)
        return self.defocus if isinstance(self.defocus, EstimateJob) else None

    def with_map(self, defocus: DefocusMap) -> DeblurJob:
        """Return the same job with the map that `estimate` gave, so that it is not run again.

        Channels that are worked on one by one estimate maps of their own all the same.
        """
        if self.defocus is None and self.layout.channelwise:
            return self
        return replace(self, estimated_map=defocus)

    def check(self, sharp: Any, false_alarms: float = FALSE_ALARMS) -> CheckJob:
        """Return the job that checks this one's result, by the same map and options."""
        defocus = self.defocus if self.estimated_map is None else self.estimated_map
        model = self.settings.map_model
        return CheckJob(self.image, sharp, defocus, false_alarms, model, self.options)

    @cached_property
    def network(self) -> ModelCard | nn.Module:
        """The deblurring model."""
        return self._resolve(self.settings.model, "deblur", self.settings.detail)

    @property
    def models(self) -> tuple[ModelCard, ...]:
        """Cards of the deblurring model and of those that estimate the map."""
        estimators = () if self.estimate is None else self.estimate.models
        return tuple(with_scale_models([_card(self.network), *estimators]))

    @property
    def own_parameters(self) -> dict[str, Any]:
        """The map and the settings."""
        estimate = self.estimate
        defocus: Any = self.defocus
        if estimate is not None:
            right = estimate.views.right
            defocus = None if right is None else {"right": right}
        parameters = {
            each.name: getattr(self.settings, each.name) for each in fields(self.settings)
        }
        map_model = self.settings.map_model if estimate is None else estimate.model
        models = {"model": _name(self.settings.model), "map_model": _name(map_model)}
        return {"defocus": defocus, **parameters, **models}

    def _steps(self) -> Steps[Any]:
        self._check_out(self.out)
        network = self.network
        if not self.settings.changes:
            return self._unchanged()
        defocus = self.estimated_map if self.estimated_map is not None else self.defocus
        if isinstance(defocus, EstimateJob):
            defocus = yield from defocus.steps()
        if defocus is None:
            assert self.estimate is not None
            maps: list[Any] = []
            map_source: PlaneEstimator | bool = self.estimate.plane_task
        else:
            checked_map = check_map(_match_laziness(defocus, self.image), self.layout, lazy=True)
            # the sign does not matter here, so a delayed one is not waited for
            maps, map_source = list(checked_map), is_dask(checked_map.signed) or checked_map.signed
        task = PlaneDeblurrer(self.plane_layout, network, map_source, self.settings)
        return (yield from self._make_picture(task, self.image, maps, self.out))

    def _unchanged(self) -> Any:
        if self.out is not None:
            self.out[...] = self.image
            return self.out
        return self.image.copy() if hasattr(self.image, "copy") else np.asarray(self.image)


@dataclass(frozen=True, eq=False)
class RefocusJob(_PictureJob):
    """Rendering of a sharp image with another focus and aperture, or blurring it again.

    See :func:`napari_defocus.refocus` and :func:`napari_defocus.reblur`.

    Parameters
    ----------
    sharp : (..., Y, X) array
        The sharp image.
    defocus : DefocusMap or array
        Its map.
    focus : float
        Radius in pixels, signed, of what is to be in focus.
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
    >>> job = RefocusJob(np.zeros((8, 8), np.uint8), np.ones((8, 8)), aperture=0.5)
    >>> job.function, job.models
    ('refocus', ())
    >>> job.run().shape
    (8, 8)
    """

    sharp: Any
    defocus: Any
    focus: float = 0.0
    aperture: float = 1.0
    options: Options = field(default_factory=Options)
    out: Any = None
    deblurring: DeblurJob | None = None
    pupil: Any = DISK.record

    def __post_init__(self) -> None:
        checked = {
            "pupil": find_pupil(self.pupil),
            "sharp": as_array(self.sharp),
            "focus": check_number("focus", self.focus, "a finite number"),
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
        self._check_out(self.out)
        matched = _match_laziness(self.defocus, self.sharp)
        defocus = check_map(matched, self.layout, lazy=self.out is None)
        task = PlaneRenderer(
            self.plane_layout, defocus.signed, self.focus, self.aperture, self.pupil
        )
        return (yield from self._make_picture(task, self.sharp, list(defocus), self.out))


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
        if self.defocus is None:
            return EstimateJob(Views(self.image), self.model, self.options)
        return self.defocus if isinstance(self.defocus, EstimateJob) else None

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
            "model": _name(model),
            "pupil": self.pupil if self._fits_pupil else self.pupil.record,
        }

    def _steps(self) -> Steps[Check]:
        defocus = self.defocus
        if isinstance(defocus, EstimateJob):
            defocus = yield from defocus.steps()
        if defocus is None:
            assert self.estimate is not None
            maps: list[Any] = []
            map_source: PlaneEstimator | bool = self.estimate.plane_task
        else:
            checked_map = check_map(_match_laziness(defocus, self.image), self.layout, lazy=False)
            maps, map_source = list(checked_map), checked_map.signed
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


def _check_complete(optics: Any) -> None:
    """Raise an OptionError for optics in words that lack a number, which no file has added."""
    if isinstance(optics, str) and optics not in ("auto", "none"):
        raise OptionError(
            f"optics is {quote(optics)}, and the image does not say the rest; give all of na, "
            "wavelength_um and pixel_size_um"
        )


def _match(sharp: Any, image: Any) -> Any:
    """Return the sharp picture as lazy as the image."""
    if is_dask(image) == is_dask(sharp):
        return sharp
    if is_dask(sharp):
        return sharp.compute()
    import dask.array

    return dask.array.asarray(sharp)


def _check_out(out: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    actual = getattr(out, "shape", None), getattr(out, "dtype", None)
    if actual != (shape, dtype):
        raise OptionError(f"out has {actual[1]} {actual[0]}; {dtype} {shape} is expected")
    if isinstance(out, np.ndarray) and not out.flags.writeable:
        raise OptionError("out is a read-only array; give one that can be written")


def _refuse_shared_memory(out: Any, others: Iterable[Any]) -> None:
    """Raise an OptionError if a result would be written over what is still to be read."""
    for other in others:
        if (
            isinstance(out, np.ndarray)
            and isinstance(other, np.ndarray)
            and np.shares_memory(out, other)
        ):
            raise OptionError(
                "out shares memory with an array that is read, or with the other out; give a new "
                "array"
            )


def _match_laziness(defocus: Any, image: Any) -> Any:
    """Compute a lazy map if the image is not lazy."""
    parts = tuple(defocus) if isinstance(defocus, DefocusMap) else (defocus,)
    if is_dask(image) or not any(map(is_dask, parts)):
        return defocus
    import dask

    computed = dask.compute(*parts)
    if not isinstance(defocus, DefocusMap):
        return computed[0]
    return replace(defocus, radius=computed[0], confidence=computed[1])


def _card(model: ModelCard | nn.Module) -> ModelCard:
    return model if isinstance(model, ModelCard) else describe_network(model)


def _name(model: Any) -> str:
    if isinstance(model, str | PathLike):
        return fspath(model)
    return str(getattr(model, "name", type(model).__name__))
