"""The house as its imports draw it: ``python -m tests.house`` prints and draws it.

A room is a folder or file of the package. An arrow says that some file of a room imports another room. A floor is
the longest way down: a room stands one above the highest room that it imports. A circle is a set of rooms that
import one another. ``docs/house.svg`` is the picture.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "workbench"
PICTURE = ROOT / "docs" / "house.svg"
NOT_ROOMS = {"__init__", "__main__", "notebooks", "data_samples"}
BOX, GAP, STOREY = (118, 30), 14, 84


@cache
def syntax(path: Path) -> ast.Module:
    """The syntax tree of a module, which is read once."""
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def nodes(tree: ast.AST) -> tuple[ast.AST, ...]:
    """All nodes of a tree, which is walked once, however many rules are read from it."""
    return tuple(ast.walk(tree))


def modules() -> Iterator[tuple[str, Path, ast.Module]]:
    """Room, path and syntax tree of every module of the package."""
    for path in sorted(PACKAGE.rglob("*.py")):
        room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if room not in NOT_ROOMS:
            yield room, path, syntax(path)


def imported(tree: ast.AST) -> Iterator[str]:
    """Dotted names of ours that a module imports anywhere, for type checking too."""
    for node in nodes(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            if node.module == "workbench":
                yield from (f"workbench.{alias.name}" for alias in node.names)
            else:
                yield node.module


@cache
def arrows() -> Mapping[str, frozenset[str]]:
    """Room → rooms that it imports."""
    found: dict[str, set[str]] = {}
    trees = list(modules())
    rooms = {room for room, *_ in trees}
    for room, _, tree in trees:
        below = {name.split(".")[1] for name in imported(tree) if name.startswith("workbench.")}
        found.setdefault(room, set()).update((below & rooms) - {room})
    return {room: frozenset(below) for room, below in found.items()}


def circles() -> list[tuple[str, ...]]:
    """Sets of rooms that import one another, by Tarjan's algorithm."""
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[tuple[str, ...]] = []

    def visit(room: str) -> None:
        order[room] = low[room] = len(order)
        stack.append(room)
        for below in sorted(arrows()[room]):
            if below not in order:
                visit(below)
                low[room] = min(low[room], low[below])
            elif below in stack:
                low[room] = min(low[room], order[below])
        if low[room] == order[room]:
            cut = stack.index(room)
            if len(stack) - cut > 1:
                found.append(tuple(sorted(stack[cut:])))
            del stack[cut:]

    for room in sorted(arrows()):
        if room not in order:
            visit(room)
    return found


def floors() -> Mapping[str, int]:
    """Room → its floor, 1 at the bottom; there must be no circle."""
    known: dict[str, int] = {}

    def of(room: str) -> int:
        if room not in known:
            known[room] = 1 + max((of(below) for below in arrows()[room]), default=0)
        return known[room]

    return {room: of(room) for room in arrows()}


def picture() -> str:
    """The house as SVG: a storey a floor, an arrow for every import that no longer way explains."""
    level = floors()
    storeys = [sorted(r for r in level if level[r] == n) for n in range(max(level.values()), 0, -1)]
    width = max(len(rooms) for rooms in storeys) * (BOX[0] + GAP) + GAP
    place: dict[str, tuple[float, float]] = {}
    for row, rooms in enumerate(storeys):
        left = (width - len(rooms) * (BOX[0] + GAP) + GAP) / 2
        place |= {room: (left + k * (BOX[0] + GAP), 12 + row * STOREY) for k, room in enumerate(rooms)}
    height = len(storeys) * STOREY - STOREY + BOX[1] + 24
    lines = []
    for room, below in sorted(arrows().items()):
        for other in sorted(_needed(below)):
            (x1, y1), (x2, y2) = place[room], place[other]
            a, b = (x1 + BOX[0] / 2, y1 + BOX[1]), (x2 + BOX[0] / 2, y2)
            bend = (a[1] + b[1]) / 2
            (ax, ay), (bx, by) = a, b
            lines.append(
                f'<path d="M{ax:.0f},{ay:.0f} C{ax:.0f},{bend:.0f} {bx:.0f},{bend:.0f} {bx:.0f},{by:.0f}"/>'
            )
    boxes = [
        f'<rect x="{x:.0f}" y="{y:.0f}" width="{BOX[0]}" height="{BOX[1]}" rx="4"/>'
        f'<text x="{x + BOX[0] / 2:.0f}" y="{y + 20:.0f}">{room}</text>'
        for room, (x, y) in sorted(place.items())
    ]
    style = (
        "path{fill:none;stroke:#8a94a6;stroke-width:1}rect{fill:#eef2f7;stroke:#44546a}"
        "text{font:13px sans-serif;text-anchor:middle;fill:#1b2430}"
    )
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}"><title>Rooms of workbench and what they import</title>'
        f"<style>{style}</style>",
        f'<rect x="0" y="0" width="{width}" height="{height}" style="fill:#fff;stroke:none"/>',
        *lines,
        *boxes,
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _needed(below: frozenset[str]) -> set[str]:
    """Of the rooms below, those that no other of them leads to."""
    reached: set[str] = set()
    for room in below:
        reached |= _under(room)
    return set(below) - reached


@cache
def _under(room: str) -> frozenset[str]:
    """Every room that a room leads to."""
    return frozenset().union(*({below} | _under(below) for below in arrows()[room]))


def summary() -> str:
    """Rooms, arrows, floors and circles in a line."""
    found = circles()
    n = sum(len(below) for below in arrows().values())
    high = "" if found else f", {max(floors().values())} floors"
    return f"{len(arrows())} rooms, {n} arrows{high}, {len(found)} circles" + "".join(
        f"\n  circle: {' ↔ '.join(rooms)}" for rooms in found
    )


if __name__ == "__main__":
    print(summary())
    if not circles():
        PICTURE.write_text(picture(), encoding="utf-8")
