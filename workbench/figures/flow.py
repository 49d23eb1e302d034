"""Flow of participants after CONSORT: boxes with numbers and reasons, one column for each arm, and arrows between.

The boxes say what they are handed; nothing is counted here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

from workbench.errors import BadValue
from workbench.figures._fonts import holds_chinese
from workbench.figures._sheet import Sheet

WIDTH, GAP, LINE, PAD = 674.0, 20.0, 17.0, 9.0
"""Width of the sheet, room between columns, height of a line of text, room inside a box, px."""
DOWN = 26.0
"""Room between two boxes for the arrow, px."""


@dataclass(frozen=True, slots=True)
class FlowBox:
    """A box: its heading with the number, and lines below it such as reasons with theirs."""

    title: str
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FlowSteps:
    """The whole flow.

    Attributes
    ----------
    trunk : boxes in the middle, from the first to the one that is divided.
    aside : for each box of the trunk but the last who left below it; None where nobody could.
    columns : for each arm its boxes from top to bottom, equally many in each.
    stages : name of each row of boxes in the columns.
    """

    trunk: tuple[FlowBox, ...]
    aside: tuple[FlowBox | None, ...]
    columns: tuple[tuple[FlowBox, ...], ...]
    stages: tuple[str, ...]


def wrapped(text: str, width: float, *, size: float = 12) -> list[str]:
    """A text in lines of at most ``width`` px, as DejaVu Sans runs; a Chinese character is as wide as high.

    Parameters
    ----------
    text : words, or Chinese, which may be broken anywhere.
    width : px.
    size : of the type, px.
    """
    lines, line, used = list[str](), "", 0.0
    for piece in _pieces(text):
        wide = sum(size if holds_chinese(letter) else 0.61 * size for letter in piece)
        if line.strip() and used + wide > width:
            lines.append(line.strip())
            line, used = "", 0.0
            if piece == " ":
                continue
        line, used = line + piece, used + wide
    return [*lines, line.strip()] if line.strip() else lines


def _pieces(text: str) -> list[str]:
    """What a line may be broken between: words, spaces, and each Chinese character; long words are cut."""
    found, word = list[str](), ""
    for letter in text:
        if letter == " " or holds_chinese(letter):
            found += [word, letter] if word else [letter]
            word = ""
        else:
            word += letter
            if len(word) == 24:
                found.append(word)
                word = ""
    return [*found, word] if word else found


def flow_of_participants(flow: FlowSteps) -> Figure:
    """The flow of participants through a trial.

    Parameters
    ----------
    flow : boxes in their places.

    Raises
    ------
    BadValue
        Without a box in the middle, or with columns of unequal length.
    """
    if not flow.trunk or len(flow.aside) != len(flow.trunk) - 1:
        raise BadValue("a flow needs a box in the middle, and what leaves below each of them but the last")
    if any(len(column) != len(flow.stages) for column in flow.columns):
        raise BadValue("every column of a flow needs one box for each of its stages")
    n = max(1, len(flow.columns))
    wide = (WIDTH - GAP * (n - 1)) / n
    rows = [
        max(_tall(column[row], wide, stage=stage) for column in flow.columns)
        for row, stage in enumerate(flow.stages)
    ] if flow.columns else []  # fmt: skip
    trunk = [_tall(box, _TRUNK) for box in flow.trunk]
    sides = [0.0 if box is None else _tall(box, _TRUNK) for box in flow.aside]
    steps = [max(DOWN, side + 2 * 10) if side else DOWN for side in sides]
    branch = 2 * DOWN if rows else 0.0
    sheet = Sheet(WIDTH, sum(trunk) + sum(steps) + branch + sum(rows) + DOWN * max(0, len(rows) - 1) + 4)
    y = _draw_trunk(sheet, flow, trunk, steps, sides)
    if rows:
        _draw_columns(sheet, flow, wide, rows, y)
    return sheet.figure


_TRUNK = 316.0
"""Width of a box in the middle or aside, px."""
_MIDDLE = 178.0
"""Where the middle of the trunk is: left of the sheet's, so that what leaves has room at the right."""


def _draw_trunk(
    sheet: Sheet, flow: FlowSteps, tall: Sequence[float], steps: Sequence[float], sides: Sequence[float]
) -> float:
    """The boxes in the middle and those aside; the lower end of the last one."""
    y = 2.0
    for k, box in enumerate(flow.trunk):
        _box(sheet, box, _MIDDLE - _TRUNK / 2 + 2, y, _TRUNK, tall[k])
        y += tall[k]
        if k == len(flow.aside):
            break
        _arrow(sheet, _MIDDLE, y, y + steps[k])
        left = flow.aside[k]
        if left is not None:
            middle = y + steps[k] / 2
            x = WIDTH - _TRUNK - 2
            sheet.line((_MIDDLE, x - 7), (middle, middle), colour="ink-2")
            _head(sheet, x, middle, down=False)
            _box(sheet, left, x, middle - sides[k] / 2, _TRUNK, sides[k])
        y += steps[k]
    return y


def _draw_columns(sheet: Sheet, flow: FlowSteps, wide: float, rows: Sequence[float], y: float) -> None:
    """One column for each arm below a line that divides the last box of the trunk."""
    middles = [wide / 2 + (wide + GAP) * k for k in range(len(flow.columns))]
    sheet.line((_MIDDLE, _MIDDLE), (y, y + DOWN), colour="ink-2")
    sheet.line(
        (min(_MIDDLE, *middles), max(_MIDDLE, *middles)) if len(middles) > 1 else (_MIDDLE, middles[0]),
        (y + DOWN, y + DOWN), colour="ink-2",
    )  # fmt: skip
    for middle, column in zip(middles, flow.columns, strict=True):
        top = y + DOWN
        for stage, box, tall in zip(flow.stages, column, rows, strict=True):
            _arrow(sheet, middle, top, top + DOWN)
            top += DOWN
            _box(sheet, box, middle - wide / 2 + 2, top, wide - 4, tall, stage=stage)
            top += tall


def _tall(box: FlowBox, width: float, *, stage: str = "") -> float:
    lines = len(_lines(box, width)) + (1 if stage else 0)
    return 2 * PAD + LINE * lines - 3


def _lines(box: FlowBox, width: float) -> list[tuple[str, bool]]:
    """Lines of a box with whether each is bold."""
    inside = width - 2 * PAD - 8
    title = [(line, True) for line in wrapped(box.title, inside / 1.1)]
    below = [
        (("" if k == 0 else "  ") + part, False)
        for line in box.lines
        for k, part in enumerate(wrapped(line, inside))
    ]
    return title + below


def _box(sheet: Sheet, box: FlowBox, x: float, y: float, width: float, tall: float, *, stage: str = "") -> None:
    sheet.box(x, y, width, tall, fill="surface", edge="line-strong")
    at = y + PAD + 10
    if stage:
        sheet.text(x + PAD, at, stage, colour="ink-3")
        at += LINE
    for text, bold in _lines(box, width):
        sheet.text(x + PAD, at, text, colour="ink" if bold else "ink-2", bold=bold)
        at += LINE


def _arrow(sheet: Sheet, x: float, top: float, bottom: float) -> None:
    sheet.line((x, x), (top, bottom - 6), colour="ink-2")
    _head(sheet, x, bottom, down=True)


def _head(sheet: Sheet, x: float, y: float, *, down: bool) -> None:
    """The head of an arrow with its point at ``(x, y)``."""
    for side in (-4, 4):
        xs, ys = ((x + side, x), (y - 7, y)) if down else ((x - 7, x), (y + side, y))
        sheet.line(xs, ys, colour="ink-2")
    if down:
        sheet.line((x, x), (y - 7, y), colour="ink-2")
    else:
        sheet.line((x - 7, x), (y, y), colour="ink-2")
