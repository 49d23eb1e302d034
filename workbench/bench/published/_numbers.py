"""A published number beside ours, and when they agree."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

from workbench import reading

FULL = 8
"""Significant digits from which a number is a dump of the machine's own, which no printed table holds."""
DUMP = 1e-6
"""Relative difference within which such a dump counts as reproduced."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number that somebody printed.

    Attributes
    ----------
    source, file, line : where. what : it is.
    printed : as it stands there. ours : what we get. why : for a difference that is known.
    """

    source: str
    file: str
    line: int
    what: str
    printed: str
    ours: float
    why: str = ""

    @property
    def agrees(self) -> bool:
        """To the printed digits; a dump of the machine's digits to six of them."""
        if self.printed.startswith("<"):
            return bool(self.ours < float(self.printed[1:]))
        value = float(self.printed)
        if not isfinite(self.ours):
            return False
        if self.is_dump:
            return bool(abs(self.ours - value) <= DUMP * abs(value))
        decimals = len(self.printed.partition(".")[2].split("e")[0])
        power = int(self.printed.partition("e")[2] or 0)
        # A last digit on the edge of rounding may fall either way.
        return bool(abs(self.ours - value) <= (0.5 + 1e-6) * 10.0 ** (power - decimals))

    @property
    def is_dump(self) -> bool:
        """Whether it is a number with all digits of the machine."""
        return len(re.sub(r"e.*|[-.]|^0+\.?0*", "", self.printed)) >= FULL

    @property
    def off(self) -> float:
        """Difference, ours less theirs."""
        return self.ours - float(self.printed.lstrip("<"))


def rows_of(path: Path) -> dict[str, list[str]]:
    """A CSV file as columns."""
    lines = reading.read_bytes(path, "published data", largest=reading.LARGEST_TEXT).decode("utf-8-sig")
    rows = list(csv.DictReader(lines.splitlines()))
    return {name: [row[name] for row in rows] for name in rows[0]}


def lines_of(path: Path) -> list[str]:
    """The lines of a text file."""
    return (
        reading.read_bytes(path, "published results", largest=reading.LARGEST_TEXT)
        .decode("utf-8", "replace")
        .splitlines()
    )


def summary(numbers: Sequence[Number]) -> str:
    """How many agree, by source."""
    parts = []
    for source in dict.fromkeys(one.source for one in numbers):
        own = [one for one in numbers if one.source == source]
        parts.append(f"{source} {sum(one.agrees for one in own)} of {len(own)}")
    return "; ".join(parts)


HEAD = "| source | file | line | what | printed | ours | agrees |\n|---|---|--:|---|--:|--:|---|"


def table(numbers: Iterable[Number]) -> str:
    """A Markdown table, a row a number."""
    lines = [HEAD]
    for one in numbers:
        verdict = "yes" if one.agrees else f"off by {one.off:.2g}{f': {one.why}' if one.why else ''}"
        what = one.what.replace("|", "/")
        lines.append(
            f"| {one.source} | {one.file} | {one.line} | {what} | {one.printed} | {one.ours:.9g} | {verdict} |"
        )
    return "\n".join(lines)


def records(numbers: Iterable[Number]) -> list[dict[str, object]]:
    """The same as plain data."""
    return [
        {
            "source": one.source, "file": one.file, "line": one.line, "what": one.what, "printed": one.printed,
            "ours": float(one.ours), "agrees": one.agrees, "why": one.why,
        }
        for one in numbers
    ]  # fmt: skip
