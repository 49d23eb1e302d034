"""The body chart of an ISNCSCI exam: each dermatome shows its own score; nothing is smoothed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from workbench.figures.interactive._body_regions import BACK, FRONT, RINGS
from workbench.figures.interactive._style import style
from workbench.figures.palette import COLOURS

GRIDS = (("lightTouch", "light touch"), ("pinPrick", "pin prick"))
_LOOK = {
    "2": ("normal, 2", COLOURS["surface"]),
    "1": ("altered, 1", COLOURS["seq-2"]),
    "0": ("absent, 0", COLOURS["seq-5"]),
    "NT": ("not testable", COLOURS["line-strong"]),
    "": ("not entered", COLOURS["rest-soft"]),
}
"""Score → label and fill; darker as sensation is lost, so that a grey print keeps the order."""
_WIDE, _APART = 190.0, 205.0


def body_chart(
    scores: Mapping[str, str], *, title: str, notes: tuple[str, ...] = (), simulated: bool = False
) -> Any:
    """Light touch and pin prick, front and back, right and left as the examiner faces the participant.

    Parameters
    ----------
    scores : ``"right.lightTouch.C5"`` → score of the cell as text, such as ``"1"`` or ``"NT"``; cells with a tag
        (``*``) are counted below the title.
    title, notes : what it shows, and lines below.
    simulated : whether the exam is.
    """
    from plotly import graph_objects as go

    # Added one by one, each would have plotly check all those before it again.
    shapes: list[dict[str, Any]] = []
    labels: list[dict[str, Any]] = []
    panel = 0
    for grid, name in GRIDS:
        for view, regions in (("front", FRONT), ("back", BACK)):
            middle = 105 + panel * _APART
            for side in ("right", "left"):
                # The examiner sees the participant's right on the left from the front, on the right from behind.
                mirrored = -1.0 if (side == "right") == (view == "front") else 1.0
                shapes += _half(scores, grid, side, regions, middle=middle, mirrored=mirrored)
            sides = ("R", "L") if view == "front" else ("L", "R")
            small = {"size": 13, "color": COLOURS["ink-2"]}
            labels += [
                {"x": middle, "y": -16, "text": f"<b>{name}</b>, {view}", "font": {"size": 13}},
                {"x": middle - 78, "y": 40, "text": sides[0], "font": small},
                {"x": middle + 78, "y": 40, "text": sides[1], "font": small},
            ]
            panel += 1
    figure = go.Figure()
    figure.update_layout(shapes=shapes, annotations=[{**label, "showarrow": False} for label in labels])
    for label, fill in _LOOK.values():
        marker = {"symbol": "square", "size": 13, "color": fill, "line": {"color": COLOURS["ink-2"], "width": 1}}
        # Shapes have no legend in plotly, so each look gets an empty trace.
        figure.add_scatter(x=[None], y=[None], mode="markers", marker=marker, name=label)
    tagged = sum(text.endswith("*") for text in scores.values())
    all_notes = (
        *notes,
        f"{tagged} cells are tagged (*), for a cause other than the injury of the cord" if tagged else "",
        "the half rings below are S2, S3 and S4-5, from the outside",
    )
    style(figure, title=title, notes=all_notes, height=640, simulated=simulated)
    figure.update_layout(margin={"l": 16, "r": 16, "b": 44})
    figure.update_xaxes(visible=False, range=[0, 4 * _APART + 10])
    figure.update_yaxes(visible=False, range=[508, -32], scaleanchor="x")
    return figure


def _half(
    scores: Mapping[str, str],
    grid: str,
    side: str,
    regions: tuple[tuple[str, str], ...],
    *,
    middle: float,
    mirrored: float,
) -> Iterator[dict[str, Any]]:
    """Shapes of one half of one figure, for an axis y that runs downwards.

    Parameters
    ----------
    scores, grid, side : as in the codes of the cells.
    regions : segment and path of each.
    middle : x of the midline.
    mirrored : 1, or -1 to the left of the midline.
    """
    origin = middle + 0.9 * mirrored
    for segment, path in (*regions, *((name, _ring(radius)) for name, radius in RINGS)):
        text = scores.get(f"{side}.{grid}.{segment}", "")
        label, fill = _LOOK.get(text.rstrip("*"), _LOOK[""])
        yield {
            "type": "path",
            "path": _placed(path, origin=origin, mirrored=mirrored),
            "fillcolor": fill,
            "line": {"color": COLOURS["ink-2"], "width": 0.8},
            "name": f"{side} {segment.replace('_', '-')}: {label}",
        }


def _ring(radius: float) -> str:
    """Half a disc from cubic curves, as plotly draws no arcs."""
    # The usual constant 4 (√2 - 1) / 3, with which a cubic curve follows a quarter circle.
    handle = 0.5523 * radius
    top, bottom = 470 - radius, 470 + radius
    return (
        f"M0 {top}C{handle:.2f} {top} {radius} {470 - handle:.2f} {radius} 470"
        f"C{radius} {470 + handle:.2f} {handle:.2f} {bottom} 0 {bottom}Z"
    )


def _placed(path: str, *, origin: float, mirrored: float) -> str:
    """A path mirrored at the midline and moved, in plotly's syntax."""
    parts = []
    for command, numbers in re.findall(r"([MLCZ])([^MLCZ]*)", path):
        values = [float(number) for number in numbers.split()]
        moved = [f"{origin + mirrored * value if i % 2 == 0 else value:.2f}" for i, value in enumerate(values)]
        # SVG lets a command be repeated without its letter, plotly does not.
        step = {"M": 2, "L": 2, "C": 6, "Z": 1}[command]
        parts += [" ".join([command, *moved[at : at + step]]) for at in range(0, max(1, len(moved)), step)]
    return " ".join(parts)
