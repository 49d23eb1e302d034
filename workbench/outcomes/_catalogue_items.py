"""Items of a definition in few lines: both sides together, series from first to last, equal values on one line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from workbench.outcomes._contract import Item

SIDED = re.compile(r"(right|left)([._])(.+)")
COUNTED = re.compile(r"\b[A-Z]?\d[\d\-–_]*\b")
"""A number or a segment within words, such as in ``task 3`` or ``dorsal sensation C6``."""
LEAST = 3
"""Shorter series are written out."""
BREAK = "<br>"


@dataclass
class _Line:
    """One item, or the same item of both sides."""

    code: str
    label: str
    values: str
    sides: list[str]

    def text(self) -> str:
        both = f" ({', '.join(self.sides)})" if self.sides else ""
        return f"`{self.code}` {self.label}{both}"


def item_lines(items: Iterable[Item]) -> Iterator[tuple[str, str]]:
    """``(items, values)`` as text, one for each run of items with equal values."""
    for values, run in groupby(_paired(items), key=lambda line: line.values):
        yield BREAK.join(_series(list(run))), values


def values_of(item: Item) -> str:
    """The allowed values of an item as text."""
    values = (
        _runs(item.allowed) if item.allowed else f"{_plain(item.low)} to {_plain(item.high)} {item.unit}".strip()
    )
    return f"{values} or {', '.join(f'`{code}`' for code in item.codes)}" if item.codes else values


def shown(value: Any) -> str:
    """A value as it is typed."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _plain(value: float) -> str:
    return f"{value:,g}" if abs(value) < 1e6 else f"{value:,.0f}"


def _runs(values: tuple[Any, ...]) -> str:
    """``0–5`` for integers in a row, else each value."""
    integers = [value for value in values if isinstance(value, int)]
    # At least three: "0–1" would hide that there are two choices.
    if len(integers) == len(values) > 2 and integers == list(range(integers[0], integers[-1] + 1)):
        return f"{integers[0]}–{integers[-1]}"
    return ", ".join(f"`{value}`" if isinstance(value, str) else f"{value:g}" for value in values)


def _paired(items: Iterable[Item]) -> list[_Line]:
    """Lines in the order of their first item; right and left share one when their values are equal."""
    lines: dict[tuple[str, str], _Line] = {}
    for item in items:
        values, match = values_of(item), SIDED.fullmatch(item.code)
        if match is None:
            lines[item.code, values] = _Line(item.code, _lower(item.label), values, [])
            continue
        side, mark, rest = match.groups()
        label = re.sub(rf"^(?:the )?{side}\b[ ,:]*", "", item.label, flags=re.IGNORECASE)
        line = lines.setdefault((rest, values), _Line(f"*{mark}{rest}", _lower(label), values, []))
        line.sides.append(side)
    return list(lines.values())


def _lower(label: str) -> str:
    return label[:1].lower() + label[1:] if label[1:2].islower() else label


def _series(lines: list[_Line]) -> Iterator[str]:
    """Texts of the lines; three or more that differ in one number only become one."""
    for (stem, sides), run in groupby(lines, key=lambda line: (COUNTED.sub("#", line.label), tuple(line.sides))):
        series = list(run)
        if stem.count("#") != 1 or len(series) < LEAST:
            yield from (line.text() for line in series)
            continue
        first, last = (COUNTED.findall(line.label)[0] for line in (series[0], series[-1]))
        both = f" ({', '.join(sides)})" if sides else ""
        label = stem.replace("#", f"{first} … {last}")
        yield f"`{series[0].code}` … `{series[-1].code}` {label}{both}"
