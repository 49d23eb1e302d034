"""Names and codes of REDCap for the forms of a study: fixed by the protocol, the same for every export.

A variable is named after its form and item; a choice keeps its own text as code where REDCap takes it, and else
gets its number. What an amendment adds is named behind what was there, so that a code never changes its meaning.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from workbench import delimited
from workbench.errors import BadValue
from workbench.exchange._form_items import items_of
from workbench.exchange._imported import different
from workbench.messages import Message
from workbench.study.forms import MISSING_CODES
from workbench.study.protocol import Protocol

RECORD, EVENT, INSTRUMENT, INSTANCE = (
    "record_id", "redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance",
)  # fmt: skip
GROUP = "redcap_data_access_group"
KEYS = (RECORD, EVENT, INSTRUMENT, INSTANCE)
MISSING_PREFIX = "md_"
MISSING: Mapping[str, str] = {f"{MISSING_PREFIX}{code}": code for code in MISSING_CODES}
"""Code of REDCap for a missing value → that of the record; the prefix keeps apart from texts such as "unknown"."""
COMPLETE = "_complete"
STATES: Mapping[str, str] = {"draft": "0", "complete": "2"}
"""State of a form as REDCap's ``…_complete`` has it: 0 incomplete, 1 unverified, 2 complete."""
LONGEST_VARIABLE = 100
LARGEST, MOST_ROWS, MOST_COLUMNS = 64 * 2**20, 500_000, 20_000
_CODE = re.compile(r"[A-Za-z0-9_]{1,50}|-\d{1,9}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Names:
    """Names of REDCap for all versions of a protocol.

    Attributes
    ----------
    forms : name in REDCap by name of the form.
    variables : name in REDCap by form and item.
    codes : code by choice, by form and item.
    """

    forms: Mapping[str, str]
    variables: Mapping[tuple[str, str], str]
    codes: Mapping[tuple[str, str], Mapping[str, str]] = field(default_factory=dict)

    @property
    def complete(self) -> dict[str, str]:
        """Variable of the state by name of the form."""
        return {form: f"{name}{COMPLETE}" for form, name in self.forms.items()}


def names_of(protocols: Sequence[Protocol]) -> Names:
    """Names of the forms, items and choices of every version.

    Parameters
    ----------
    protocols : oldest first.

    Raises
    ------
    UnknownName
        For an outcome measure that is not installed here.
    """
    forms: dict[str, str] = {}
    taken: dict[str, int] = dict.fromkeys((RECORD, EVENT, INSTRUMENT, INSTANCE, GROUP), 1)
    choices: dict[tuple[str, str], dict[str, None]] = {}
    all_forms = [form for protocol in protocols for form in protocol.forms]
    form_names: dict[str, int] = {}
    for form in all_forms:
        if form.name not in forms:
            forms[form.name] = different(_lower(form.name), form_names, LONGEST_VARIABLE - len(COMPLETE))
            taken[f"{forms[form.name]}{COMPLETE}"] = 1
    variables: dict[tuple[str, str], str] = {}
    for form in all_forms:
        for item in items_of(form):
            key = form.name, item.name
            if key not in variables:
                variables[key] = different(_lower(f"{forms[form.name]}_{item.name}"), taken, LONGEST_VARIABLE)
            if item.choices:
                choices.setdefault(key, {}).update(dict.fromkeys(item.choices))
    return Names(forms, variables, {key: _codes(list(found)) for key, found in choices.items()})


def _lower(name: str) -> str:
    lower = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    return lower if lower[:1].isalpha() else f"f_{lower}".rstrip("_")


def _codes(choices: Sequence[str]) -> dict[str, str]:
    """Codes of choices: one by one, so that those of an older version stay when choices are added."""
    codes: dict[str, str] = {}
    for n, choice in enumerate(choices, start=1):
        own = _CODE.fullmatch(choice) and choice not in MISSING
        code = choice if own else f"c{n}"
        while code in codes.values():
            code += "_"
        codes[choice] = code
    return codes


def event_names(visits: Iterable[str]) -> dict[str, str]:
    """Name of the event by name of the visit.

    Parameters
    ----------
    visits : those of the protocol first, then those of the record in order of entry; each counts once.
    """
    taken: dict[str, int] = {}
    return {name: f"{different(_event(name), taken, 50)}_arm_1" for name in dict.fromkeys(visits)}


def _event(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") or "event"


def table(text: str, where: str) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """``(columns, rows)`` of a CSV file, each row with its line; cells as they were before they were written.

    Parameters
    ----------
    text : of the file.
    where : names it in a sentence.

    Raises
    ------
    BadValue
        For text that is not CSV, no or repeated names of columns, too many rows or columns, or a row of another
        length.
    """
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[tuple[int, list[str]]] = []
    columns: list[str] = []
    line = 1
    try:
        for cells in reader:
            if not columns:
                columns = _columns(cells, where)
            elif any(cells):
                if len(cells) != len(columns) or len(rows) >= MOST_ROWS:
                    raise BadValue(
                        Message("exchange.row_length", where=where, line=line, n=len(cells), wanted=len(columns),
                                most=f"{MOST_ROWS:,}")
                    )  # fmt: skip
                rows.append((line, [delimited.original(cell) for cell in cells]))
            line = reader.line_num + 1
    except csv.Error as error:
        raise BadValue(Message("exchange.no_csv", where=where, line=line, why=str(error))) from error
    if not columns:
        raise BadValue(Message("exchange.no_columns", where=where, n=0, got=[]))
    return columns, rows


def _columns(cells: Sequence[str], where: str) -> list[str]:
    columns = [cell.strip().removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}") for cell in cells]
    twice = [name[:60] for name, n in Counter(columns).items() if n > 1]
    if twice or not all(columns) or len(columns) > MOST_COLUMNS:
        raise BadValue(Message("exchange.no_columns", where=where, n=len(columns), got=twice[:5]))
    return columns
