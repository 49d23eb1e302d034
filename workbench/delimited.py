"""Tables as CSV or TSV text. The only place that writes delimited text, so that no cell becomes a formula.

A spreadsheet takes a cell that begins with ``=``, ``+``, ``-``, ``@``, a tab or a line break for a formula, and a
formula can call programs or send the sheet elsewhere (CWE-1236; OWASP, "CSV Injection"). Such a text is written
with an apostrophe before it, which spreadsheets show as text. Numbers stay numbers.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

APOSTROPHE = "'"

# The wide forms are taken for the narrow ones by spreadsheets with an East Asian keyboard.
_FORMULA = re.compile("'*[=+\\-@\t\r\n＝＋－＠]")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def cell(value: Any) -> Any:
    """One value as it may stand in a cell.

    A text that a spreadsheet would take for a formula gets an apostrophe before it; so does one that already has
    apostrophes there, so that taking one away gives back the original. Numbers, and texts that are numbers such as
    ``"-1.5"``, stay as they are.
    """
    if not isinstance(value, str) or _NUMBER.fullmatch(value) or not _FORMULA.match(value):
        return value
    return APOSTROPHE + value


def original(text: str) -> str:
    """What :func:`cell` was given, from what it wrote."""
    return text[1:] if text.startswith(APOSTROPHE) and _FORMULA.match(text) else text


def to_text(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, delimiter: str = ",") -> str:
    """A table as delimited text: a line of column names, then one line for each row, ended by ``\\n``.

    Parameters
    ----------
    columns : names, in order.
    rows : values in the order of ``columns``; None is written as an empty cell.
    delimiter : ``","`` or, for TSV, ``"\\t"``.

    Returns
    -------
    str
        Cells with the delimiter, a quote or a line break are quoted (RFC 4180).
    """
    return "".join(lines(columns, rows, delimiter=delimiter))


def lines(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, delimiter: str = ",") -> Iterator[str]:
    """The lines of :func:`to_text` one after another, for a table that is too long for one text.

    Parameters
    ----------
    columns, rows, delimiter : as :func:`to_text` takes them.
    """
    yield _line(columns, delimiter)
    for row in rows:
        yield _line(row, delimiter)


def _line(row: Iterable[Any], delimiter: str) -> str:
    # Python before 3.13 quotes a carriage return only where it is part of the line's end. A bare one inside a cell
    # would start a row of its own in a spreadsheet, and its first cell could be a formula.
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\r\n").writerow([cell(value) for value in row])
    return text.getvalue().removesuffix("\r\n") + "\n"
