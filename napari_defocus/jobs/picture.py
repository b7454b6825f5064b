"""Jobs whose result is a picture like the image, made by a defocus map."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..defocus_map import DefocusMap
from ..image.layout import from_planes, is_dask, write_window
from ..pipeline.channelwise import ChannelwisePicture
from ..pipeline.plane import Steps
from ..pipeline.planes import Inputs, WriteWindow, map_planes, process_planes
from .arguments import check_out, refuse_shared_memory
from .job import Job


@dataclass(frozen=True, eq=False)
class PictureJob(Job[Any]):
    """A job whose result is a picture like its source."""

    def _make_picture(self, task: Any, image: Any, maps: list[Any], out: Any) -> Steps[Any]:
        """Process every plane by its radius and confidence; return the new picture."""
        inputs, layout = Inputs([image], maps), self.layout
        if layout.channelwise:
            task = ChannelwisePicture(layout, task)
        refuse_shared_memory(out, (image, *maps))
        if is_dask(image) and out is None:
            planes = map_planes(
                task, inputs, self.options, channels=layout.channels, dtype=layout.dtype
            )
            return from_planes(planes, layout)
        result, write = self._result_and_write(out)
        yield from process_planes(task, inputs, self.value_range, self.options, write, out)
        return result

    def _result_and_write(self, out: Any) -> tuple[Any, WriteWindow]:
        """Return `out` or a new array, and what writes windows of planes into it."""
        layout = self.layout
        result = np.empty(layout.shape, layout.dtype) if out is None else out

        def write(index: tuple[int, ...], window: tuple[slice, slice], values: Any) -> None:
            write_window(result, layout, index, window, values)

        return result, write

    def _check_out(self, out: Any) -> None:
        if out is not None:
            check_out(out, self.layout.shape, self.layout.dtype)


def match_laziness(defocus: Any, image: Any) -> Any:
    """Compute a lazy map if the image is not lazy."""
    parts = tuple(defocus) if isinstance(defocus, DefocusMap) else (defocus,)
    if is_dask(image) or not any(map(is_dask, parts)):
        return defocus
    import dask

    computed = dask.compute(*parts)
    if not isinstance(defocus, DefocusMap):
        return computed[0]
    return replace(defocus, radius=computed[0], confidence=computed[1])
