"""Work on one image, described before it is done."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from os import PathLike
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

import numpy as np

from ..deblur_settings import DETAILS
from ..errors import ModelError, OptionError, quote
from ..image.channels import find_independent_channels
from ..image.layout import Layout, is_dask, read_layout
from ..image.value_range import Ranges, check_range, scan_range, warn
from ..models import ModelCard, find_model
from ..models.registry import check_detail
from ..options import Options
from ..pipeline.plane import Steps, translate_errors
from ..steps import run_to_end
from .arguments import check_complete

if TYPE_CHECKING:
    from torch import nn

    from ..networks.descriptor import Task


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
        check_complete(self.options.optics)
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
        return run_to_end(self.steps(), progress)

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
