"""Lines of Python that confine a run to drawn shapes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...image.layout import read_layout
from ...options import Options
from ..layers.image_source import ImageSource
from ..layers.region_mask import RegionMask


@dataclass(frozen=True)
class Masking:
    """Lines before and after a call that make it act inside of drawn shapes only.

    Parameters
    ----------
    function : str
        Name of the function in the API.
    image : ImageSource
        Its image.
    mask : RegionMask
        The shapes.
    part : str
        Expression for the part of the image.
    arguments : mapping
        Further arguments of the call.
    """

    function: str
    image: ImageSource
    mask: RegionMask
    part: str
    arguments: Mapping[str, Any]

    @property
    def replaces_image(self) -> bool:
        """Whether the call takes an image without the pixels outside, named ``inside``."""
        return self.function == "focus_profile"

    @property
    def needs_numpy(self) -> bool:
        """Whether a line uses NumPy."""
        return self.function in ("focus_profile", "all_in_focus", "check")

    def reading(self, options: Options, keywords: Mapping[str, str]) -> dict[str, str]:
        """Return keywords by which an image without pixels outside is read as before."""
        layout = read_layout(self.image.blank(), **options.reading())
        reading = {"encoding": repr(layout.encoding), "imaging": repr(layout.imaging)}
        others = ("channel_axis", "range_axis", "nodata")
        further = {name: keywords[name] for name in others if name in keywords}
        words = ", ".join(f"{name}={text}" for name, text in (further | reading).items())
        return reading | {
            "value_range": keywords.get("value_range", f"measure_range({self.part}, {words})")
        }

    def before(self) -> list[str]:
        """Return lines that make the mask, and the image without the pixels outside."""
        source, shapes = self.image, self.mask.shapes
        region = "" if source.is_whole else f", {tuple((p.start, p.stop) for p in source.slices)!r}"
        layers = f"viewer.layers[{source.name!r}], viewer.layers[{shapes!r}]"
        lines = [
            f"# the shapes of layer {shapes!r}: run this in napari's console",
            f"mask = shapes_mask({layers}{region})",
        ]
        if self.replaces_image:
            mask = "mask[..., None]" if source.channel_axis == -1 else "mask"
            lines.append(f"inside = np.where({mask}, {self.part}, np.float32(np.nan))")
        return lines

    def after(self, result: str) -> list[str]:
        """Return lines that put back what lies outside."""
        color = ", :" if self.image.channel_axis == -1 else ""
        here, outside = "[..., ~mask]", f"[..., ~mask{color}]"
        if self.function in ("deblur", "refocus"):
            return [f"{result}{outside} = {self.part}{outside}"]
        if self.function == "estimate_defocus":
            return [f"{result}.{part}{here} = 0" for part in ("radius", "confidence")]
        if self.function == "check":
            return [f"{result}.unexplained{here} = np.nan"]
        if self.function == "all_in_focus":
            plane = f"{self.part}.take(round(float(np.nanmedian({result}.depth))), {self._axis})"
            return [
                f"{result}.depth{here}, {result}.confidence{here} = np.nan, 0",
                f"{result}.image{outside} = {plane}{outside}",
            ]
        return []

    @property
    def _axis(self) -> int:
        return int(self.arguments["axis"])
