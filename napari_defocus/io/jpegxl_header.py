"""Header of JPEG XL codestreams: size, depth, orientation and colors, read bit by bit.

Layout: ISO/IEC 18181-1, sections B.2 and B.3 (SizeHeader and ImageMetadata).
"""

from dataclasses import dataclass

_MOST_CHANNELS = 256
_RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
_ALPHA, _DEPTH = 0, 1  # kinds of extra channels
_SPOT_COLOR, _CFA = 2, 5
#: White point and primaries of JPEG XL by primaries of ITU-T H.273.
_PRIMARIES = {1: (1, 1), 9: (1, 9), 11: (11, 11), 12: (1, 11)}
_TRANSFERS = (1, 8, 13, 16, 17, 18)
_BITS_BEHIND = 3  # extensions and transforms, both as usual, before the frames begin at a byte
_EXTRA_KINDS = {1: "depth", 2: "spot color", 3: "selection mask", 4: "black", 6: "thermal"}


@dataclass(frozen=True)
class Header:
    """What a codestream says of its picture.

    Parameters
    ----------
    width, height : int
        Size as stored.
    orientation : int
        EXIF orientation of the stored pixels.
    bits : int
        Bits of a value.
    is_float : bool
        Whether values are real numbers.
    is_animated : bool
        Whether it holds several frames.
    extra : tuple of str
        Kinds of channels other than colors and alpha.
    associated : bool
        Whether colors are multiplied by alpha.
    is_lossy : bool
        Whether colors are coded as XYB, and decoded to those that `colors` or the profile name.
    has_profile : bool
        Whether its colors are those of a profile.
    colors : tuple of int
        Primaries and transfer function, as ITU-T H.273 numbers them.
    colors_at : tuple of int
        Where in the codestream the description of colors begins and ends, in bits; (0, 0) if
        everything is as usual.
    """

    width: int
    height: int
    orientation: int = 1
    bits: int = 8
    is_float: bool = False
    is_animated: bool = False
    extra: tuple[str, ...] = ()
    associated: bool = False
    is_lossy: bool = True
    has_profile: bool = False
    colors: tuple[int, int] = (1, 13)
    colors_at: tuple[int, int] = (0, 0)


def read_header(codestream: bytes) -> Header:
    """Read the header of a codestream.

    Raises
    ------
    ValueError
        If it is none, or too short.
    """
    if codestream[:2] != b"\xff\x0a":
        raise ValueError("it holds no JPEG XL codestream")
    bits = _Bits(codestream[2:])
    height, width = _size(bits)
    if bits.take(1):  # all as usual
        return Header(width, height)
    orientation, is_animated = 1, False
    if bits.take(1):
        orientation = bits.take(3) + 1
        if bits.take(1):
            _size(bits)
        if bits.take(1):
            _skip_preview(bits)
        is_animated = bool(bits.take(1))
        if is_animated:
            _skip_animation(bits)
    is_float, depth = _depth(bits)
    bits.take(1)
    extra, associated = _extra_channels(bits)
    is_lossy = bool(bits.take(1))
    start = bits.position
    has_profile, colors = _colors(bits)
    return Header(
        width,
        height,
        orientation,
        depth,
        is_float,
        is_animated,
        extra,
        associated,
        is_lossy,
        has_profile,
        colors,
        (start, bits.position),
    )


def can_name(colors: tuple[int, int]) -> bool:
    """Return whether JPEG XL has words for primaries and a transfer function."""
    return colors[0] in _PRIMARIES and colors[1] in _TRANSFERS


def with_colors(codestream: bytes, colors: tuple[int, int]) -> bytes:
    """Return a codestream whose header names other colors.

    Parameters
    ----------
    codestream : bytes
        Of a single frame, without orientation and profile, as imagecodecs writes it. Its values are
        not those of XYB, so that they stay as they are.
    colors : tuple of int
        Primaries and transfer function, as ITU-T H.273 numbers them, that `can_name` knows.
    """
    header = read_header(codestream)
    start, end = header.colors_at
    if header.colors == colors or not end or header.is_lossy:
        return codestream
    frames = -(-(end + _BITS_BEHIND) // 8)
    number = int.from_bytes(codestream[:frames], "little")
    is_gray = _space(codestream, start) == 1
    written, size = _describe(colors, is_gray=is_gray)
    behind = (number >> end) & ((1 << _BITS_BEHIND) - 1)
    number = number & ((1 << start) - 1) | written << start | behind << (start + size)
    length = -(-(start + size + _BITS_BEHIND) // 8)
    return number.to_bytes(length, "little") + codestream[frames:]


def _space(codestream: bytes, start: int) -> int:
    bits = _Bits(codestream[2:])
    bits.take(start - 16)
    return 0 if bits.take(1) else (bits.take(1), bits.enumerated())[1]


def _describe(colors: tuple[int, int], *, is_gray: bool) -> tuple[int, int]:
    """Return the bits that name colors, and how many there are."""
    white, primaries = _PRIMARIES[colors[0]]
    # neither as usual nor a profile, space, white, primaries, no gamma, transfer, relative intent
    parts = [(0, 2), _enumerate(1 if is_gray else 0), _enumerate(white)]
    parts += [] if is_gray else [_enumerate(primaries)]
    parts += [(0, 1), _enumerate(colors[1]), _enumerate(1)]
    number = size = 0
    for value, count in parts:
        number |= value << size
        size += count
    return number, size


def _enumerate(value: int) -> tuple[int, int]:
    """Return the bits of an enumerated value, and how many there are."""
    if value < 2:
        return value, 2
    return (2 | (value - 2) << 2, 6) if value < 18 else (3 | (value - 18) << 2, 8)


class _Bits:
    """Reader of bits, the lowest one of a byte first."""

    def __init__(self, content: bytes) -> None:
        self._number = int.from_bytes(content[:4096], "little")
        self._left = 8 * min(len(content), 4096)
        self.position = 16  # behind the signature

    def take(self, count: int) -> int:
        self._left -= count
        if self._left < 0:
            raise ValueError("its header is too short")
        value = self._number & ((1 << count) - 1)
        self._number >>= count
        self.position += count
        return value

    def number(self, *choices: tuple[int, int]) -> int:
        """Return one of four numbers: an offset and as many more bits."""
        offset, count = choices[self.take(2)]
        return offset + self.take(count)

    def enumerated(self) -> int:
        return self.number((0, 0), (1, 0), (2, 4), (18, 6))


def _size(bits: _Bits) -> tuple[int, int]:
    small = bits.take(1)
    sizes = ((1, 9), (1, 13), (1, 18), (1, 30))
    height = 8 * (bits.take(5) + 1) if small else bits.number(*sizes)
    ratio = bits.take(3)
    if ratio:
        over, under = _RATIOS[ratio - 1]
        return height, height * over // under
    return height, 8 * (bits.take(5) + 1) if small else bits.number(*sizes)


def _skip_preview(bits: _Bits) -> None:
    eighths = bits.take(1)
    in_eighths = ((16, 0), (32, 0), (1, 5), (33, 9))
    sizes = in_eighths if eighths else ((1, 6), (65, 8), (321, 10), (1345, 12))
    bits.number(*sizes)
    if not bits.take(3):
        bits.number(*sizes)


def _skip_animation(bits: _Bits) -> None:
    bits.number((100, 0), (1000, 0), (1, 10), (1, 30))
    bits.number((1, 0), (1001, 0), (1, 8), (1, 10))
    bits.number((0, 0), (0, 3), (0, 16), (0, 32))
    bits.take(1)


def _depth(bits: _Bits) -> tuple[bool, int]:
    if bits.take(1):
        depth = bits.number((32, 0), (16, 0), (24, 0), (1, 6))
        bits.take(4)
        return True, depth
    return False, bits.number((8, 0), (10, 0), (12, 0), (1, 6))


def _extra_channels(bits: _Bits) -> tuple[tuple[str, ...], bool]:
    """Return the kinds of channels other than alpha, and whether alpha is associated."""
    kinds, associated = [], False
    count = bits.number((0, 0), (1, 0), (2, 4), (1, 12))
    if count > _MOST_CHANNELS:
        raise ValueError(f"it holds {count} channels; up to {_MOST_CHANNELS} are read")
    for _ in range(count):
        if bits.take(1):
            continue  # a plain alpha channel
        kind = bits.enumerated()
        _depth(bits)
        bits.number((0, 0), (3, 0), (4, 0), (1, 3))
        bits.take(8 * bits.number((0, 0), (0, 4), (16, 5), (48, 10)))
        if kind == _ALPHA:
            associated |= bool(bits.take(1))
        else:
            kinds.append(_EXTRA_KINDS.get(kind, "another kind"))
        if kind == _SPOT_COLOR:
            bits.take(64)
        if kind == _CFA:
            bits.number((1, 0), (0, 2), (3, 4), (19, 8))
    return tuple(kinds), associated


def _colors(bits: _Bits) -> tuple[bool, tuple[int, int]]:
    """Return whether there is a profile, and primaries and transfer function if there is none."""
    if bits.take(1):
        return False, (1, 13)
    if bits.take(1):
        return True, (2, 2)
    space = bits.enumerated()
    white = 1
    if space != 2:  # XYB
        white = bits.enumerated()
        if white == 2:
            _skip_chromaticities(bits, 1)
    primaries = 1
    if space == 0:  # RGB
        primaries = bits.enumerated()
        if primaries == 2:
            _skip_chromaticities(bits, 3)
    if bits.take(1):
        bits.take(24)
        return False, (primaries, 2)
    transfer = bits.enumerated()
    bits.enumerated()  # how to map colors that cannot be shown
    return False, (12 if (white, primaries) == (1, 11) else primaries, transfer)


def _skip_chromaticities(bits: _Bits, count: int) -> None:
    for _ in range(2 * count):
        bits.number((0, 19), (1 << 19, 19), (1 << 20, 20), (1 << 21, 21))
