"""Picture of the packages and their imports: ``python docs/draw_architecture.py``.

The picture is drawn from the imports that stand in the code. An arrow that follows from others is
left out: where A imports B and C, and B imports C, there is none from A to C. Nor are there arrows
to the lowest layer, which everything may import.
"""

import ast
from collections.abc import Iterator
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "napari_defocus"
PICTURE = ROOT / "docs" / "architecture.svg"

# Lowest first: a package, or a module beside the packages, imports from the layers below it only.
LAYERS = [
    ["array_types", "errors", "steps", "torch_threads", "version"],
    ["objective", "map_statistics"],
    ["options"],
    ["image", "deblur_settings"],
    ["optics", "defocus_map"],
    ["networks", "io", "map_edits"],
    ["inference", "models", "evidence"],
    ["pipeline", "views"],
    ["jobs"],
    ["provenance_record", "map_colors", "physical_size", "spread"],
    ["api", "map_units", "stacks"],
    ["batch"],
    ["viewer"],
    ["cli"],
]
CAPTIONS = {
    "api": "public functions",
    "array_types": "NumPy or dask",
    "batch": "folders, workers, report",
    "cli": "commands",
    "deblur_settings": "strength, models, help",
    "defocus_map": "radius, confidence",
    "errors": "what users see",
    "evidence": "what an image supports",
    "image": "layout, range, encoding",
    "inference": "tiles, devices, storage",
    "io": "files and metadata",
    "jobs": "one task, in steps",
    "map_colors": "colors of radii",
    "map_units": "unit of a map in a file",
    "map_statistics": "of what is sure",
    "models": "cards and weights",
    "networks": "architectures",
    "objective": "of a microscope",
    "optics": "kernels, light, reblurring",
    "options": "the only defaults",
    "physical_size": "radii in micrometers",
    "pipeline": "estimate, deblur one plane",
    "provenance_record": "how a result was made",
    "spread": "of repeated runs",
    "stacks": "focus through planes",
    "steps": "work that tells progress",
    "viewer": "napari: widgets, layers",
    "views": "one image or two views",
}

_WIDTH, _BOX, _HEIGHT, _ROW = 760, 190, 44, 84
_STYLE = """
text { font: 12px system-ui, sans-serif; text-anchor: middle; fill: #444 }
.name { font-weight: 600; font-size: 14px; fill: #111 }
rect { fill: #f4f7fb; stroke: #5b7aa5 }
path { fill: none; stroke: #8797ab; stroke-width: 1.3; marker-end: url(#tip) }
"""


def modules(folder: Path) -> dict[str, Path]:
    """Return the Python files in a folder, by their absolute module names."""
    files = {}
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        files[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return files


def imports(path: Path) -> Iterator[str]:
    """Yield the absolute name of all that a file imports, wherever in the file.

    For ``from a import b`` this is ``a.b``, be ``b`` a module or not.
    """
    folder = path.relative_to(ROOT).parts[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = folder[: len(folder) - node.level + 1] if node.level else ()
            module = [*base, *filter(None, [node.module])]
            yield from (".".join([*module, alias.name]) for alias in node.names)


def module_imports(folder: Path = PACKAGE) -> dict[str, set[str]]:
    """Return which modules of a folder each of its modules imports."""
    files = modules(folder)
    graph = {}
    for name, path in files.items():
        targets = {full if full in files else full.rpartition(".")[0] for full in imports(path)}
        graph[name] = (targets & files.keys()) - {name}
    return graph


def package_imports() -> dict[str, set[str]]:
    """Return which packages, or modules beside them, each of them imports."""
    packages: dict[str, set[str]] = {}
    for name, targets in module_imports().items():
        if name != PACKAGE.name:  # what it offers by name is loaded when first used
            own = name.split(".")[1]
            others = {target.split(".")[1] for target in targets if target != PACKAGE.name}
            packages.setdefault(own, set()).update(others - {own})
    return packages


def reduce(graph: dict[str, set[str]]) -> set[tuple[str, str]]:
    """Return the edges of a graph without circles that do not follow from others."""

    def reachable(start: str) -> set[str]:
        return {start}.union(*(reachable(target) for target in graph[start]))

    return {
        (start, end)
        for start, ends in graph.items()
        for end in ends
        if not any(end in reachable(other) for other in ends - {end})
    }


def draw() -> str:
    """Return the picture as SVG."""
    heights = {name: height for height, layer in enumerate(LAYERS) for name in layer}
    graph = {
        name: {target for target in targets if 0 < heights[target] < heights[name]}
        for name, targets in package_imports().items()
    }
    rows = [[name for name in layer if name in graph] for layer in reversed(LAYERS)]
    rows = [row for row in rows if row]
    centers = {
        name: (_WIDTH * (2 * column + 1) / (2 * len(row)), _HEIGHT / 2 + 10 + _ROW * index)
        for index, row in enumerate(rows)
        for column, name in enumerate(row)
    }
    height = _ROW * (len(rows) - 1) + _HEIGHT + 20
    arrows = [_arrow(centers[a], centers[b]) for a, b in sorted(reduce(graph))]
    boxes = [_box(name, *centers[name]) for row in rows for name in row]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}"'
            f' width="{_WIDTH}" height="{height}">',
            "<title>Packages of napari_defocus; arrows point at what is imported</title>",
            f"<style>{_STYLE}</style>",
            '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7"'
            ' markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" style="fill:#8797ab;'
            'stroke:none;marker-end:none"/></marker></defs>',
            f'<rect width="{_WIDTH}" height="{height}" style="fill:white;stroke:none"/>',
            *arrows,
            *boxes,
            "</svg>",
            "",
        ]
    )


def _arrow(start: tuple[float, float], end: tuple[float, float]) -> str:
    (x0, y0), (x1, y1) = start, end
    y0, y1 = y0 + _HEIGHT / 2, y1 - _HEIGHT / 2
    bend = (y1 - y0) / 2
    return f'<path d="M{x0:g} {y0:g}C{x0:g} {y0 + bend:g} {x1:g} {y1 - bend:g} {x1:g} {y1:g}"/>'


def _box(name: str, x: float, y: float) -> str:
    left, top = x - _BOX / 2, y - _HEIGHT / 2
    rect = f'<rect x="{left:g}" y="{top:g}" width="{_BOX}" height="{_HEIGHT}" rx="6"/>'
    caption = CAPTIONS.get(name, "")
    title = f'<text class="name" x="{x:g}" y="{y - 2 if caption else y + 5:g}">{name}</text>'
    return rect + title + f'<text x="{x:g}" y="{y + 14:g}">{escape(caption)}</text>'


def main() -> None:
    PICTURE.write_text(draw(), encoding="utf-8")
    print(PICTURE)


if __name__ == "__main__":
    main()
