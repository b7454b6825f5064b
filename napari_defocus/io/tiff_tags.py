"""Tags of TIFF files that results keep as they are, and names of those that are left out.

Numbers of tags: TIFF 6.0.
"""

from collections.abc import Iterator
from typing import Any

from tifffile import TIFF

from .limits import LARGEST_METADATA
from .picture import GEOMETRY_TAGS, GEOREFERENCE

#: Number, type, number of values, and values of a tag.
Tag = tuple[int, int, int, Any]
#: Names, and what colors and values mean.
_DESCRIPTIVE = (269, 285, 301, 318, 319, 42112)
_COLOR_MAP, _SUB_DIRECTORIES = 320, 330
_DIRECTORY_TYPES = (13, 18)  # of tags that hold the places of directories
# Tags that say how pixels are stored, or that are read into fields of their own.
# fmt: off
_READ = frozenset(
    (
        *range(254, 285), *range(288, 294), 296, 297, 317, _COLOR_MAP, *range(321, 326), 332, 334,
        *range(338, 344), 347, *range(512, 522), *range(529, 533), 32995, 32996, 32997, 32998,
        271, 272, 305, 306, 315, 316, 700, 18246, 18249, 33432, 33723, 34665, 34675, 34853,
        *range(40091, 40096), 40965, 42113, 50838, 50839,
    )
)
# fmt: on
_NAMES = {34377: "resources of Photoshop", 37724: "layers of Photoshop"}


def kept_tags(page: Any, *, turned: bool) -> tuple[Tag, ...]:
    """Return the tags that a result of the same size keeps.

    Parameters
    ----------
    page : tifffile.TiffPage
        The page.
    turned : bool
        The image was turned upright, so that its place on earth no longer holds.
    """
    codes = _DESCRIPTIVE if turned else (*GEOMETRY_TAGS, *_DESCRIPTIVE)
    tags = (page.tags.get(code) for code in codes)
    return tuple(
        (tag.code, int(tag.dtype), tag.count, tag.value)
        for tag in tags
        if tag is not None
        and tag.valuebytecount <= LARGEST_METADATA
        and int(tag.dtype) not in _DIRECTORY_TYPES
        and tag.value is not None
    )


def name_ignored_tags(page: Any, kept: tuple[Tag, ...]) -> Iterator[str]:
    """Yield in words what the tags of a page hold that is neither read nor kept."""
    codes = {int(tag.code) for tag in page.tags} - _READ - {tag[0] for tag in kept}
    if codes.intersection(GEOREFERENCE):
        yield "the georeference, as the image was turned upright"
    codes -= set(GEOMETRY_TAGS)
    if _SUB_DIRECTORIES in codes:
        yield "images below its page (SubIFDs)"
    for code in sorted(codes - {_SUB_DIRECTORIES}):
        yield _NAMES.get(code) or f"the tag {code}{_brackets(TIFF.TAGS.get(code, ''))}"


def _brackets(name: str) -> str:
    return f" ({name})" if name else ""
