"""Licensed tables, which the user supplies as a CSV file and which the product never contains.

A file is UTF-8. Lines that start with ``#`` may come first, and the first of them is the label. Then come
one line of column names and one row per entry: the last column is the number, the ones before it are the key,
joined by ``:`` when there is more than one. So ``state,index`` has keys such as ``"11111"``, and
``bank,raw,t`` such as ``"anxiety:17"``.

A score keeps label and SHA-256 of the table it was formed with, never its rows.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from types import MappingProxyType
from typing import Any

from workbench import reading
from workbench.errors import BadValue
from workbench.messages import Message
from workbench.outcomes._contract import Definition, Option

BETWEEN = ":"
"""Separator between the cells of a key."""


@dataclass(frozen=True, slots=True)
class Table:
    """A licensed table as it was read.

    Attributes
    ----------
    values : key → number; never empty, read-only.
    sha256 : of the bytes of the file, lower-case hexadecimal.
    label : the first ``#`` line of the file, its file name where it has none.
    """

    values: Mapping[str, float] = field(repr=False)
    sha256: str
    label: str

    def __getitem__(self, key: str) -> float:
        """The number of that key. Raises BadValue with the table and some of its keys."""
        if key not in self.values:
            some = ", ".join(repr(known) for known in list(self.values)[:3])
            raise BadValue(
                f"table {self.label!r} has no row {key!r}; its {len(self.values)} rows begin with {some}; "
                "supply the table of this measure and version"
            )
        return self.values[key]

    def to_json(self) -> dict[str, str]:
        """Label and hash, by which a number can be traced to its table."""
        return {"label": self.label, "sha256": self.sha256}


def table_option(words: str = "licensed table that the user supplies", *, parts: tuple[str, ...] = ()) -> Option:
    """The option ``table`` of a measure that needs one, for ``parts`` of its scores (empty = all)."""
    return Option("table", words, agree=True, parts=parts)


def given_table(definition: Definition, options: Mapping[str, Any]) -> Table | None:
    """The table among the options, None when none is given. Raises BadValue for anything but a :class:`Table`."""
    table = options["table"]
    if table is None or isinstance(table, Table):
        return table
    raise BadValue(
        f"{definition.name} option table must be a table that was read from a file, got {type(table).__name__}; "
        "use read_table(path), on the command line --table FILE"
    )


def table_needed(definition: Definition) -> Message:
    """The sentence for a score without its table."""
    return Message(
        "outcome.table_needed",
        measure=definition.name,
        version=definition.version,
        table=repr(definition.table),
    )


def read_table(path: str | Path) -> Table:
    """Read a table that the user supplies.

    Parameters
    ----------
    path : of the CSV file, as the module describes it.

    Raises
    ------
    BadValue
        A file that cannot be read, that is not UTF-8 text, that has no column names or no rows; a row with
        another number of cells, with an empty cell, with a last cell that is not a finite number, or with the
        key of another row. The text names the line.
    """
    path = Path(path)
    content = reading.read_bytes(path, "table", largest=reading.LARGEST_TEXT)
    lines = reading.decoded(content, f"table {reading.shown(path)}", signed=True).splitlines()
    comments = 0
    while comments < len(lines) and lines[comments].startswith("#"):
        comments += 1
    label = lines[0].lstrip("#").strip() if comments else ""
    values = _read_rows(path, lines[comments:], first=comments + 1)
    # The hash is of the file's bytes: a table that was edited is another table, even with the same label.
    return Table(MappingProxyType(values), hashlib.sha256(content).hexdigest(), label or path.name)


def _read_rows(path: Path, lines: list[str], *, first: int) -> dict[str, float]:
    values: dict[str, float] = {}
    width = 0
    reader = csv.reader(io.StringIO("\n".join(lines)), strict=True)
    try:
        for cells in ([cell.strip() for cell in row] for row in reader):
            where = f"table {path} line {first + reader.line_num - 1}"
            # Blank lines and lines of commas only, as spreadsheets write them at the end.
            if not any(cells):
                continue
            if not width:
                width = _check_header(where, cells)
                continue
            key, value = _read_row(where, cells, width=width)
            if key in values:
                raise BadValue(f"{where}: {key!r} stands twice; remove one")
            values[key] = value
    except csv.Error as error:
        raise BadValue(f"table {path} line {first + reader.line_num - 1} is no CSV: {error}") from error
    if not values:
        raise BadValue(f"table {path} has no rows; give one line of column names and a row for each entry")
    return values


def _check_header(where: str, cells: list[str]) -> int:
    if len(cells) < 2:
        raise BadValue(
            f"{where}: the column names must be two or more, separated by commas, as in 'state,index'; "
            f"got {cells[0]!r}"
        )
    # A number where a name belongs: the header is missing, and the first row would be lost unnoticed.
    if _number(cells[-1]) is not None:
        raise BadValue(f"{where} must hold the column names, got numbers: {', '.join(cells)}")
    return len(cells)


def _read_row(where: str, cells: list[str], *, width: int) -> tuple[str, float]:
    if len(cells) != width:
        raise BadValue(f"{where} has {len(cells)} cells, the column names are {width}; use a decimal point")
    if "" in cells:
        raise BadValue(f"{where} has an empty cell; remove the row or fill it")
    value = _number(cells[-1])
    if value is None:
        raise BadValue(f"{where}: the last cell must be a finite number, got {cells[-1]!r}")
    return BETWEEN.join(cells[:-1]), value


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if isfinite(value) else None
