"""ISNCSCI exams from a REDCap export (CSV, raw codes) with the column names of a public instrument.

The names are facts of the external module ``fom-ds-redcap/isncsci`` (its file ``saveToRedcap.php``); nothing else
of it is used:

* cells ``{right|left}_{light_touch|pinprick|motor}_{segment}_value`` with ``0`` … ``5``, ``nt``, and ``ab-``
  before a score that is tagged as not caused by the injury alone, such as ``ab-3`` and ``ab-nt``;
* of a tagged cell ``…_considernormal``: 1 = to be taken as normal (``**``), 2 = as not normal (``*``), and
  ``…_impairment``: 1 plexopathy, 2 peripheral neuropathy, 3 pre-existing myoneuronal disease, 6 other;
* ``voluntary_anal_contraction``, ``deep_anal_pressure`` and ``lowest_non_key_muscle_with_motor_function_{side}``;
* ``neurological_level_of_injury`` and ``asia_impairment_scale``: the result that the site reported.

Nothing is filled in: an empty cell is a missing one, and a tag without its reading is an error.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from workbench.errors import BadValue
from workbench.outcomes._lines import encode
from workbench.outcomes.isncsci.classify import DEFAULT, Options, classify
from workbench.outcomes.isncsci.exam import REASONS, read_exam
from workbench.outcomes.isncsci.tables import (
    DAP,
    DERMATOMES,
    LIGHT,
    MOTOR,
    MUSCLES,
    NON_KEY,
    PIN,
    SIDES,
    VAC,
    same_result,
)

COLUMNS = {MOTOR: ("motor", MUSCLES), LIGHT: ("light_touch", DERMATOMES), PIN: ("pinprick", DERMATOMES)}
"""Grid → its name in the columns, and its segments."""
ANAL = {VAC: "voluntary_anal_contraction", DAP: "deep_anal_pressure"}
REPORTED = {"nli": "neurological_level_of_injury", "ais": "asia_impairment_scale"}
DELIMITERS = (",", ";", "\t")
"""Separators of cells: REDCap and spreadsheets of other locales write all three. The first wins a tie."""
TAG = "ab-"
STARS = {"1": "**", "2": "*"}
CAUSES = {"1": REASONS[0], "2": REASONS[1], "3": REASONS[2], "6": REASONS[-1]}
EVENT, INSTANCE = "redcap_event_name", "redcap_repeat_instance"
ALIKE = {"yes": "Yes", "no": "No", "nt": "NT"}


@dataclass(frozen=True, slots=True)
class RedcapExam:
    """One row of the export.

    Attributes
    ----------
    id : record, event and repeat of the row, joined by ``/``.
    exam : as :func:`workbench.outcomes.isncsci.classify` takes it; None when it cannot be read.
    error : why it cannot be read, else ``""``.
    reasons : tagged cell → cause, where the export states a known one.
    reported : ``"nli"`` and ``"ais"`` as exported, where they are filled.
    """

    id: str
    exam: Mapping[str, Any] | None
    error: str = ""
    reasons: Mapping[str, str] = field(default_factory=dict)
    reported: Mapping[str, str] = field(default_factory=dict)


def from_redcap(row: Mapping[str, str]) -> dict[str, Any]:
    """The exam of one row of the export, by column name, as ``classify`` takes it.

    Raises
    ------
    BadValue
        A column of the exam is absent, a cell is empty or has an unknown code, or a tag has no reading.
    """
    absent = [name for name in _needed() if name not in row]
    if absent:
        others = f" and {len(absent) - 5} more" if len(absent) > 5 else ""
        raise BadValue(f"REDCap row has no column {', '.join(absent[:5])}{others}; export the whole instrument")
    exam: dict[str, Any] = {cell: _answer(row[name]) for cell, name in ANAL.items() if row[name].strip()}
    for side in SIDES:
        exam[side] = {grid: {} for grid in COLUMNS}
        for grid, segment, column in _cells(side):
            code = _code(row, column)
            if code:
                exam[side][grid][segment] = code
        muscle = row.get(f"lowest_non_key_muscle_with_motor_function_{side}", "").strip().upper()
        if muscle:
            exam[side][NON_KEY] = muscle
    # Checks grids and segments as a whole; cells were checked one by one.
    read_exam(exam)
    return exam


def read_redcap(lines: Iterable[str]) -> Iterator[RedcapExam]:
    """The exams of an export, one per row, in order. Its first column is that of the record, as REDCap writes it.

    Parameters
    ----------
    lines : text of the export with its line ends; cells separated by commas, semicolons or tabs.

    Raises
    ------
    BadValue
        No column names, a repeated name, a table without a column of the instrument, no row, or text that is not
        CSV.
    """
    # All of it: the separator is found from the first line, which the reader then needs again.
    all_lines = list(lines)
    reader = csv.DictReader(all_lines, strict=True, restval="", delimiter=_delimiter(all_lines))
    try:
        names = reader.fieldnames or []
        twice = sorted({name for name in names if names.count(name) > 1})
        if not names or twice:
            raise BadValue(
                f"a REDCap export needs a line of column names, each once; got {', '.join(twice) or 'none'}"
            )
        if not set(names) & set(_needed()):
            examples = ", ".join(name[:40] for name in names[:5])
            raise BadValue(
                f"this table is not a REDCap export of the ISNCSCI instrument: of its {len(names)} columns "
                f"({examples}) none is of an examination, such as {next(_needed())}; export the instrument "
                "with raw codes"
            )
        row = None
        for row in reader:
            yield _read(row, names[0], reader.line_num)
        if row is None:
            raise BadValue("the REDCap export has column names and no row; export the records too")
    except csv.Error as error:
        raise BadValue(f"line {reader.line_num} of the REDCap export is not CSV: {error}") from error


def redcap_lines(lines: Iterable[str], *, options: Options = DEFAULT) -> Iterator[str]:
    """Classify the exams of an export, one JSON answer per row, in order.

    Yields
    ------
    ``{"id", "result", "steps", "warnings"}``, with ``"reasons"`` of tagged cells, ``"site_reported"`` and
    ``"differs"`` (field → [reported, computed]) where there are any; ``{"id", "error"}`` where the row cannot be
    read.
    """
    for row in read_redcap(lines):
        answer: dict[str, Any] = {"id": row.id}
        if row.exam is None:
            answer["error"] = row.error
        else:
            classification = classify(row.exam, options=options)
            differs = {name: (value, classification.result[name]) for name, value in row.reported.items()}
            differs = {name: pair for name, pair in differs.items() if not same_result(*pair)}
            extras = {"reasons": row.reasons, "site_reported": row.reported, "differs": differs}
            answer |= classification.to_json() | {name: value for name, value in extras.items() if value}
        yield encode(answer)


def _delimiter(lines: Sequence[str]) -> str:
    """The separator with which the line of column names has most columns of the instrument."""
    needed = set(_needed())
    head = lines[0] if lines else ""
    return max(DELIMITERS, key=lambda mark: len(needed & {cell.strip('" \r\n') for cell in head.split(mark)}))


def _read(row: Mapping[Any, Any], record: str, line: int) -> RedcapExam:
    # The csv module files surplus cells under None.
    if None in row:
        return RedcapExam(str(row[record]), None, f"line {line} has more cells than there are column names")
    parts = (row[record], row.get(EVENT, ""), row.get(INSTANCE, ""))
    # A record has several rows where the instrument repeats, so its id alone is not unique.
    identity = "/".join(part for part in parts if part)
    # Other events of the record export their rows with empty cells.
    if not any(row.get(column, "").strip() for side in SIDES for _, _, column in _cells(side)):
        return RedcapExam(identity, None, "contains no ISNCSCI exam: every cell of it is empty")
    reported = {name: row[column].strip() for name, column in REPORTED.items() if row.get(column, "").strip()}
    try:
        return RedcapExam(identity, from_redcap(row), reasons=_reasons(row), reported=reported)
    except BadValue as error:
        return RedcapExam(identity, None, str(error), reported=reported)


def _cells(side: str) -> Iterator[tuple[str, str, str]]:
    """``(grid, segment, column of the value)`` of every cell of a side."""
    for grid, (name, segments) in COLUMNS.items():
        for segment in segments:
            yield grid, segment, f"{side}_{name}_{segment.lower()}_value"


def _needed() -> Iterator[str]:
    for side in SIDES:
        yield from (column for _, _, column in _cells(side))
    yield from ANAL.values()


def _code(row: Mapping[str, str], column: str) -> str:
    """The code of one cell as the exam spells it, ``""`` when it is empty."""
    text = row[column].strip().lower()
    reading_name = f"{column.removesuffix('_value')}_considernormal"
    reading = row.get(reading_name, "").strip()
    score = text.removeprefix(TAG)
    code = "NT" if score == "nt" else score
    if not text.startswith(TAG):
        if reading:
            raise BadValue(f"{column} is {text!r} and carries no tag, got {reading_name} {reading!r}; correct one")
        if not code.isdigit() and code not in ("", "NT"):
            raise BadValue(f"{column} must be 0 to 5, nt, or one of them after {TAG}, got {row[column]!r}")
        return code
    if reading not in STARS:
        raise BadValue(
            f"{column} is {text!r}: a tagged score needs {reading_name} 1 (normal) or 2 (not normal), "
            f"got {reading!r}"
        )
    return code + STARS[reading]


def _answer(text: str) -> str:
    return ALIKE.get(text.strip().lower(), text)


def _reasons(row: Mapping[str, str]) -> dict[str, str]:
    causes: dict[str, str] = {}
    for side in SIDES:
        for grid, segment, column in _cells(side):
            cause = row.get(f"{column.removesuffix('_value')}_impairment", "").strip()
            if row[column].strip().lower().startswith(TAG) and cause in CAUSES:
                causes[f"{side}.{grid}.{segment}"] = CAUSES[cause]
    return causes
