"""Plot of focus profiles as SVG."""

from html import escape

import numpy as np

from ..stacks.profile import FocusProfile

_WIDTH, _HEIGHT, _MARGIN = 640, 320, 48
_STYLE = "text { font: 12px system-ui, sans-serif; fill: #444 }"
#: Curves of a profile: attribute, label and color.
_CURVES = (
    ("radius", "median radius", "#9aa5b1"),
    ("sharpest", "radius of the sharpest parts", "#21639a"),
)


def draw_profile(profile: FocusProfile, index: tuple[int, ...], title: str) -> str:
    """Return a plot of the radii over the planes of one stack, its best plane marked.

    Parameters
    ----------
    profile : FocusProfile
        The profile.
    index : tuple of int
        Index of the stack.
    title : str
        Text above the plot.
    """
    curves = [np.asarray(getattr(profile, name)[index], float) for name, _, _ in _CURVES]
    finite = np.concatenate([curve[np.isfinite(curve)] for curve in curves])
    top = float(finite.max(initial=1.0)) * 1.05
    planes = profile.radius.shape[-1]

    def place(plane: float, radius: float) -> tuple[float, float]:
        share = plane / max(planes - 1, 1)
        across = _MARGIN + share * (_WIDTH - 2 * _MARGIN)
        return across, _HEIGHT - _MARGIN - radius / top * (_HEIGHT - 2 * _MARGIN)

    parts = [f'<text x="{_MARGIN}" y="20">{escape(title)}</text>', *_axes(planes, top)]
    for number, (curve, (_, label, color)) in enumerate(zip(curves, _CURVES, strict=True)):
        points = [place(p, r) for p, r in enumerate(curve.tolist()) if np.isfinite(r)]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{color}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{color}"/>' for x, y in points]
        left = _MARGIN + 220 * number
        parts.append(f'<text x="{left}" y="38" style="fill: {color}">{label} (px)</text>')
    best = float(np.asarray(profile.best)[index])
    if np.isfinite(best):
        x, bottom = place(best, 0)
        mark = f'x1="{x:.1f}" x2="{x:.1f}" y1="{_MARGIN}" y2="{bottom:.1f}"'
        parts.append(f'<line {mark} stroke="#b00020" stroke-dasharray="4 3"/>')
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'width="{_WIDTH}" height="{_HEIGHT}">\n<style>{_STYLE}</style>\n'
        f'<rect width="100%" height="100%" fill="#fff"/>\n{body}\n</svg>\n'
    )


def _axes(planes: int, top: float) -> list[str]:
    bottom, right = _HEIGHT - _MARGIN, _WIDTH - _MARGIN
    lines = [(_MARGIN, bottom, right, bottom), (_MARGIN, _MARGIN, _MARGIN, bottom)]
    parts = [
        f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="#888"/>' for x1, y1, x2, y2 in lines
    ]
    for text, x, y, anchor in (
        ("0", _MARGIN, bottom + 16, "middle"),
        (str(planes - 1), right, bottom + 16, "middle"),
        ("plane", (_MARGIN + right) // 2, bottom + 30, "middle"),
        ("0", _MARGIN - 6, bottom, "end"),
        (f"{top:.1f}", _MARGIN - 6, _MARGIN + 4, "end"),
    ):
        parts.append(f'<text x="{x}" y="{y}" text-anchor="{anchor}">{text}</text>')
    return parts
