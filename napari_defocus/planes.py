"""The work on one plane of an image: its defocus map, deblurred, refocused."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from .arrays import Array, FloatArray, Layout, Range, add_change, to_display
from .inference import pyramid
from .inference.alignment import leveled
from .inference.calibration import calibrate, most_pixels
from .inference.device import Compute
from .inference.engine import Progress, ready_copy
from .inference.pyramid import Meter, colored, trust
from .inference.room import Planes, Room, Store, room_for, room_in_memory
from .inference.scaling import level_shape
from .maps import check_values
from .models import ModelCard, load_network, scale_model

if TYPE_CHECKING:
    from torch import nn

R = TypeVar("R")
Steps = Generator[Progress, None, R]


@dataclass(frozen=True)
class Work:
    """What all planes of an image have in common."""

    layout: Layout
    compute: Compute
    scale: int | str

    def meter(self, stages: int) -> Meter:
        """Return a meter for `stages` passes over every plane."""
        level = 1 if self.scale == "auto" else int(self.scale)
        rows, columns = level_shape(self.layout.map_shape, level)
        return Meter(stages * int(np.prod(self.layout.leading)) * rows * columns)

    def room(self, out: Any) -> AbstractContextManager[Room]:
        """Make room for a plane: files for a large one whose result goes to `out`."""
        return (
            room_in_memory() if out is None else room_for(self.layout.map_shape, self.compute.tile)
        )

    def to_display(self, plane: Planes, value_range: Range, room: Room) -> Planes:
        """Bring a plane (C, Y, X) to the networks' form; black where none of it is finite."""
        shape = (min(plane.shape[0], 3), *plane.shape[1:])

        def window(rows: slice, columns: slice) -> FloatArray:
            part = plane[:, rows, columns]
            display = to_display(part, self.layout.encoding, value_range)
            return np.zeros((shape[0], *part.shape[1:]), np.float32) if display is None else display

        return room.view(shape, window)

    def add_change(
        self, plane: Array, before: FloatArray, change: FloatArray, value_range: Range
    ) -> Array:
        """Return the plane with a change of the networks' form added."""
        return add_change(
            plane,
            before,
            change,
            encoding=self.layout.encoding,
            value_range=value_range,
            bounded=self.layout.display_bounded,
        )


@dataclass(frozen=True)
class Estimate:
    """The estimation of one plane."""

    work: Work
    model: ModelCard | nn.Module

    @property
    def reference(self) -> nn.Module | None:
        """What sets the scale of the radii, if the model says that another one does."""
        card = scale_model(self.model) if isinstance(self.model, ModelCard) else None
        return None if card is None else load_network(card)

    def meter(self) -> Meter:
        """Count the progress of all planes."""
        layout, meter = self.work.layout, self.work.meter(stages=1)
        if self.reference is not None:
            meter.plan(int(np.prod(layout.leading)) * most_pixels(layout.map_shape))
        return meter

    def steps(self, *planes: Planes, value_range: Range, meter: Meter, room: Room) -> Steps[Store]:
        """Return radius and confidence (2, Y, X) of one view or two, (C, Y, X) each."""
        work, reference = self.work, self.reference
        view, *others = (work.to_display(plane, value_range, room) for plane in planes)
        if others:
            whole = colored(view[:, :, :])
            level = (leveled(whole, colored(other[:, :, :])) for other in others)
            view = np.concatenate([whole, *level])
        found = yield from pyramid.estimate(
            _network(self.model), view, work.compute, work.scale, meter, room
        )
        if reference is not None:
            yield from calibrate(found, view, reference, work.compute, meter, room)
        if work.layout.dtype.kind == "f":
            _forget_unseen(found, planes, room)
        return found


def _forget_unseen(found: Store, planes: Sequence[Planes], room: Room) -> None:
    """Set confidence to zero where a view is not finite, and radius too if nothing of it is."""
    for block in room.blocks(found.shape, 1):
        for plane in planes:
            seen = np.isfinite(plane[:, *block.slices][:3])
            if not seen.all():
                part = found[:, *block.slices]
                part[1][~seen.all(axis=0)] = 0
                part[0] *= seen.any()
                found[:, *block.slices] = part


@dataclass(frozen=True)
class Deblur:
    """The deblurring of one plane."""

    work: Work
    signed: bool
    model: ModelCard | nn.Module
    estimate: Estimate | None
    strength: float
    protect: float

    def steps(
        self,
        plane: Planes,
        *maps: Planes,
        value_range: Range,
        meter: Meter,
        room: Room,
    ) -> Steps[Store]:
        """Return the plane (C, Y, X) deblurred; `maps` are radius and confidence (1, Y, X)."""
        work, shape = self.work, plane.shape[1:]
        before = work.to_display(plane, value_range, room)
        if self.estimate is None:
            found = self._known(maps, room)
        else:
            found = yield from self.estimate.steps(
                plane, value_range=value_range, meter=meter, room=room
            )
        needed = room.view(shape, lambda *part: self._weight(found[:, *part][0]) > 0)
        change = yield from pyramid.deblur(
            _network(self.model), before, found, work.compute, work.scale, needed, meter, room
        )
        result = room.array(plane.shape, work.layout.dtype)
        for block in room.blocks(shape, 1):
            seen, display, step, radius = (
                part[:, *block.slices] for part in (plane, before, change, found)
            )
            step = self._weight(radius[0]) * step
            result[:, *block.slices] = work.add_change(seen, display, step, value_range)
        return result

    def _known(self, maps: Sequence[Planes], room: Room) -> Store:
        """Unsigned radius and confidence (2, Y, X) of a given map, which is checked."""
        found = room.array((2, *maps[0].shape[1:]))
        for block in room.blocks(found.shape, 1):
            radius, confidence = (part[:, *block.slices] for part in maps)
            check_values(radius, confidence, signed=self.signed)
            found[:, *block.slices] = np.concatenate([np.abs(radius), confidence])
        return found

    def _weight(self, radius: FloatArray) -> FloatArray:
        return np.float32(self.strength) * _ramp(radius, self.protect)


@dataclass(frozen=True)
class Refocus:
    """The refocusing of one plane; the confidence of its map does not matter."""

    work: Work
    signed: bool
    focus: float
    aperture: float

    def steps(
        self,
        plane: Planes,
        *maps: Planes,
        value_range: Range,
        meter: Meter,
        room: Room,
    ) -> Steps[Store]:
        """Return the plane (C, Y, X) refocused; `maps` are radius and confidence (1, Y, X)."""
        from .inference.lens import Lens

        work = self.work
        original, *known = (part[:, :, :] for part in (plane, *maps))
        before = work.to_display(plane, value_range, room)[:, :, :]
        check_values(*known, signed=self.signed)
        behind = -self.aperture if self.signed else self.aperture
        radius = behind * (known[0].astype(np.float32) - self.focus)
        lens = Lens(float(radius.min()), float(radius.max()))
        seen = np.concatenate([colored(before), radius.astype(np.float32)])
        after = yield from pyramid.render(lens, seen, work.compute, work.scale, meter)
        return work.add_change(original, before, after - before, value_range)


def _ramp(radius: FloatArray, protect: float) -> FloatArray:
    """0 up to `protect` pixels, 1 from twice that on, smooth between; 1 if it is switched off."""
    return 1 - trust(radius, protect, 2 * protect) if protect else np.ones_like(radius)


def _network(model: ModelCard | nn.Module) -> nn.Module:
    """Return a model's network, ready to run; of the caller's own, which may change, a copy."""
    return load_network(model) if isinstance(model, ModelCard) else ready_copy(model)
