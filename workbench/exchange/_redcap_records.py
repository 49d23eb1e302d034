"""The entries of a study as REDCap records, and back as changes of the record."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from workbench import delimited, messages
from workbench.errors import BadValue, RecordFault, Refused
from workbench.exchange._form_items import items_of, text_value, value_text
from workbench.exchange._redcap_names import (
    EVENT,
    GROUP,
    INSTANCE,
    INSTRUMENT,
    KEYS,
    MISSING,
    MISSING_PREFIX,
    RECORD,
    STATES,
    Names,
    event_names,
    names_of,
    table,
)
from workbench.messages import Message
from workbench.study.changes.entering import ADJUDICATED, SaveForm
from workbench.study.forms import Form, Item
from workbench.study.nouns import told
from workbench.study.protocol import Protocol

if TYPE_CHECKING:
    from workbench.study import Study
    from workbench.study.people import Signer

Row = Mapping[str, Any]
What = Literal["new", "changed", "same", "refused"]
_ENTRY = re.compile(r"(.+)--([12])")
"""A record of one of two people, as REDCap's double data entry names it."""


@dataclass(frozen=True, slots=True)
class Records:
    """Records of a study.

    Attributes
    ----------
    text : of the CSV file.
    rows : that it has, one a form.
    read : forms that the record has.
    """

    text: str
    rows: int
    read: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What comes of one form of a row.

    Attributes
    ----------
    line : of the file.
    key : participant, visit, form and instance, as they are read.
    what : is entered.
    changes : for each item its value before and after, as text.
    why : it is refused; ``""`` where it is not.
    """

    line: int
    key: str
    what: What
    changes: tuple[str, ...] = ()
    why: str = ""


# ------------------------------------------------------------------------------------ what a study has
@dataclass(frozen=True, slots=True)
class _Known:
    """The study as records are read against it."""

    names: Names
    events: Mapping[str, str]
    protocols: Mapping[str, Protocol]
    protocol_of: Mapping[str, Protocol]
    participants: Mapping[str, Row]
    visits: Mapping[tuple[str, str], Row]
    forms: Mapping[tuple[str, str, int, int], Row]


def _known(study: Study) -> _Known:
    versions = study.rows("protocol_version")
    if not versions:
        raise Refused(Message("exchange.no_protocol"))
    protocols = {row["sha256"]: Protocol.from_definition(row["definition"]) for row in versions}
    by_id = {row["id"]: protocols[row["sha256"]] for row in versions}
    visits = study.rows("visit")
    planned = [visit.name for protocol in protocols.values() for visit in protocol.visits]
    return _Known(
        names_of(list(protocols.values())), event_names([*planned, *(row["name"] for row in visits)]), protocols,
        {row["participant_id"]: by_id[row["protocol_version_id"]] for row in study.rows("enrolment")},
        {row["pseudonym"]: row for row in study.rows("participant")},
        {(row["participant_id"], row["name"]): row for row in visits},
        {(row["visit_id"], row["name"], row["instance"], row["entry"]): row for row in study.rows("form")},
    )  # fmt: skip


def names(study: Study) -> Names:
    """Names of REDCap for every version of the study's protocol. Raises Refused for a study without one."""
    return _known(study).names


# ------------------------------------------------------------------------------------ out
def records(study: Study, *, left_out: Collection[str] = ()) -> Records:
    """Every form that was entered, one a row, keyed by participant, event, form and instance.

    Of a form that two people enter, each entry is a record of its own, ``…--1`` and ``…--2``; what holds is the
    record without a number.

    Parameters
    ----------
    study : the open record.
    left_out : pseudonyms of participants who are left out.

    Raises
    ------
    Refused
        For a study without a protocol, or one that was written to meanwhile.
    BadValue
        For a text that REDCap would read as the code of a missing value.
    """
    head = study.head()
    known = _known(study)
    columns = [*KEYS, GROUP]
    for name, complete in known.names.complete.items():
        columns += [variable for (own, _), variable in known.names.variables.items() if own == name]
        columns.append(complete)
    visits = {row["id"]: row for row in known.visits.values()}
    people = {row["id"]: row["pseudonym"] for row in known.participants.values()}
    sites = {row["participant_id"]: row["site"] for row in study.rows("enrolment")}
    rows, gone = [], 0
    for form in known.forms.values():
        person = visits[form["visit_id"]]["participant_id"]
        if people[person] in left_out:
            gone += 1
            continue
        rows.append(_record(known, form, people[person], visits[form["visit_id"]]["name"], sites.get(person, "")))
    rows.sort(key=lambda row: [row[0][RECORD], row[1]])
    if study.head() != head:
        raise Refused(Message("exchange.moved"))
    read = study.count("form")
    if len(rows) + gone != read:
        raise RecordFault(Message("exchange.rows", table="form", n=len(rows), read=read, gone=gone))
    text = delimited.to_text(columns, ([row.get(name, "") for name in columns] for row, _ in rows))
    return Records(text, len(rows), read)


def _record(known: _Known, row: Row, pseudonym: str, visit: str, site: str) -> tuple[dict[str, str], int]:
    """``(cells, place)`` of one entry of a form."""
    form = known.protocols[row["protocol_sha256"]].form(row["name"])
    suffix = f"--{row['entry']}" if form.double_entry and row["entry"] else ""
    if suffix and pseudonym + suffix in known.participants:
        raise BadValue(Message("exchange.two_records", record=pseudonym + suffix))
    cells = {
        RECORD: pseudonym + suffix, EVENT: known.events[visit], INSTRUMENT: known.names.forms[form.name],
        INSTANCE: str(row["instance"]), GROUP: site, known.names.complete[form.name]: STATES[row["state"]],
    }  # fmt: skip
    for item in items_of(form):
        variable = known.names.variables[form.name, item.name]
        cells[variable] = _cell(known.names, form, item, row["values"].get(item.name), pseudonym)
    return cells, list(known.events).index(visit)


def _cell(names: Names, form: Form, item: Item, value: Any, pseudonym: str) -> str:
    text, code = value_text(value)
    if code:
        return f"{MISSING_PREFIX}{code}"
    if item.kind == "choice" and text:
        return names.codes[form.name, item.name][text]
    if item.kind == "yes_no" and text:
        return "1" if text == "true" else "0"
    if text in MISSING:
        raise BadValue(
            Message("exchange.text_is_code", item=item.name, form=form.name, participant=pseudonym, got=text)
        )
    return text


# ------------------------------------------------------------------------------------ in
@dataclass(frozen=True, slots=True)
class _Read:
    """One form of one row."""

    line: int
    key: str
    change: SaveForm | None = None
    before: Row | None = None
    why: Message | str = ""


class _Wrong(Exception):
    """A row that is not understood; the argument says why."""


def enter(
    study: Study, signer: Signer, text: str, where: str, *, reason: str, dry_run: bool
) -> tuple[Outcome, ...]:
    """Enter the records of a file as :class:`~workbench.study.changes.SaveForm` changes: all of them, or none.

    An empty cell, and a column that is not there, leave what the record has; nothing is erased.

    Parameters
    ----------
    study : the open record.
    signer : who enters them.
    text : of the CSV file.
    where : names it in a sentence.
    reason : kept with every form.
    dry_run : make every change, see what comes of it, and undo all of it.

    Returns
    -------
    tuple of Outcome
        One for each form of each row. Where any is refused, nothing was entered.

    Raises
    ------
    BadValue, Refused
        For a file that is no such table, or a person who may not enter forms.
    """
    known = _known(study)
    columns, rows = table(text, where)
    _check_columns(known, columns, rows, where)
    read = [one for line, cells in rows for one in _forms_of(known, line, dict(zip(columns, cells, strict=True)))]
    read = _without_repeats(read)
    wanted = [one for one in read if one.change is not None and not _is_same(one)]
    # Only what can be entered is tried; with anything refused, all of it is undone.
    refused_already = any(one.why for one in read)
    changes = [one.change for one in wanted if one.change is not None]
    said = study.apply_all(changes, signer, reason, dry_run=dry_run or refused_already)
    why = {id(one): refusal for one, refusal in zip(wanted, said, strict=True)}
    return tuple(_outcome(one, why.get(id(one), "")) for one in read)


def _check_columns(known: _Known, columns: list[str], rows: list[tuple[int, list[str]]], where: str) -> None:
    missing = [name for name in (RECORD, EVENT) if name not in columns]
    if missing:
        raise BadValue(Message("exchange.no_records", where=where, columns=missing))
    ours = {*KEYS, GROUP, *known.names.variables.values(), *known.names.complete.values()}
    filled = {n for _, cells in rows for n, cell in enumerate(cells) if cell.strip()}
    unknown = [name[:60] for n, name in enumerate(columns) if name not in ours and n in filled]
    if unknown:
        raise BadValue(Message("exchange.unknown_columns", where=where, columns=unknown[:10]))


def _forms_of(known: _Known, line: int, cells: Mapping[str, str]) -> list[_Read]:
    """Every form of a row."""
    record, event = cells[RECORD].strip(), cells[EVENT].strip()
    key = f"{record} / {event}"
    try:
        pseudonym, number = _participant(known, record)
        person = known.participants[pseudonym]["id"]
        visit = _visit(known, person, event)
        protocol = known.protocol_of.get(person)
        if protocol is None:
            raise _Wrong(Message("exchange.not_enrolled", column=RECORD, got=told(record)))
        instance = _instance(cells.get(INSTANCE, "").strip())
        forms = _asked(known, protocol, cells)
    except _Wrong as wrong:
        return [_Read(line, key, why=messages.of(wrong))]
    found = []
    for form in forms:
        name = f"{pseudonym} / {visit['name']} / {form.name} {instance}"
        name += f" (entry {number})" if number else ""
        try:
            place = (str(visit["id"]), form.name, instance, _entry(form, number))
            change, before = _change(known, form, place, cells)
            found.append(_Read(line, name, change, before))
        except _Wrong as wrong:
            found.append(_Read(line, name, why=messages.of(wrong)))
    return found


def _entry(form: Form, number: int) -> int:
    """The entry that a row is about, by the number behind its record."""
    if number and not form.double_entry:
        raise _Wrong(Message("exchange.one_entry", column=RECORD, form=form.name))
    return (number or ADJUDICATED) if form.double_entry else 1


def _participant(known: _Known, record: str) -> tuple[str, int]:
    """``(pseudonym, number)``; 0 for a record without a number."""
    if record in known.participants:
        return record, 0
    twice = _ENTRY.fullmatch(record)
    if twice and twice[1] in known.participants:
        return twice[1], int(twice[2])
    raise _Wrong(Message("exchange.no_participant", column=RECORD, got=told(record)))


def _visit(known: _Known, person: str, event: str) -> Row:
    """The visit of an event; the name of a visit is taken too."""
    named = {name: visit for visit, name in known.events.items()}
    visit = known.visits.get((person, named.get(event, event)))
    if visit is None:
        there = [known.events[name] for own, name in known.visits if own == person]
        raise _Wrong(Message("exchange.no_visit", column=EVENT, got=told(event), allowed=there[:20]))
    return visit


def _instance(text: str) -> int:
    if not re.fullmatch(r"|[1-9]\d{0,5}", text, re.ASCII):
        raise _Wrong(Message("exchange.instance", column=INSTANCE, got=told(text)))
    return int(text or 1)


def _asked(known: _Known, protocol: Protocol, cells: Mapping[str, str]) -> list[Form]:
    """The form that a row names, or those of which it has values."""
    filled = {name for name, cell in cells.items() if cell.strip()}
    by_name = {known.names.forms[form.name]: form for form in protocol.forms}
    own = {
        form.name: {known.names.complete[form.name]}
        | {variable for (name, _), variable in known.names.variables.items() if name == form.name}
        for form in protocol.forms
    }
    named = cells.get(INSTRUMENT, "").strip()
    if named and named not in by_name:
        raise _Wrong(Message("exchange.no_form", column=INSTRUMENT, got=told(named), allowed=list(by_name)))
    forms = [by_name[named]] if named else [form for form in protocol.forms if own[form.name] & filled]
    if not forms:
        raise _Wrong(Message("exchange.empty_row"))
    allowed = {*KEYS, GROUP}.union(*(own[form.name] for form in forms))
    if stray := sorted(filled - allowed):
        raise _Wrong(Message("exchange.stray", columns=stray[:10], forms=[form.name for form in forms]))
    return forms


def _change(
    known: _Known, form: Form, place: tuple[str, str, int, int], cells: Mapping[str, str]
) -> tuple[SaveForm, Row | None]:
    """The change that a row asks for, and the row that it changes."""
    visit, _, instance, entry = place
    before = known.forms.get(place)
    values = dict(before["values"]) if before else {}
    items = {item.name: item for item in items_of(form)}
    column_of = {item: known.names.variables[form.name, item] for item in items}
    for name, item in items.items():
        if (text := cells.get(column_of[name], "")).strip():
            value = _value(known.names, form, item, text, column_of[name])
            # The same text is the same value, also where the record names its unit.
            if value_text(value) != value_text(values.get(name)):
                values[name] = value
    state = _state(known.names.complete[form.name], cells, before)
    # What holds is adjudicated in the record: a row that says the same is as good as none.
    if entry == ADJUDICATED and not _is_held(before, values, state):
        raise _Wrong(Message("exchange.which_entry", column=RECORD, form=form.name))
    errors, _ = form.check(values)
    # As SaveForm has it: what a draft lacks is entered later. Checked here too, so that the column is named.
    wrong = [one for one in errors if state == "complete" or values.get(one.item) is not None]
    if wrong:
        texts = [Message("exchange.cell", column=column_of.get(one.item, one.item), why=one.text) for one in wrong]
        raise _Wrong(Message("exchange.cells", errors=texts[:20]))
    version = before["row_version"] if before else 0
    change = SaveForm(visit, form.name, values, "draft", instance, entry, version)
    return (replace(change, state="complete") if state == "complete" else change), before


def _value(names: Names, form: Form, item: Item, text: str, column: str) -> Any:
    if text.strip() in MISSING:
        return {"missing": MISSING[text.strip()]}
    if item.kind == "choice":
        choices = {code: choice for choice, code in names.codes[form.name, item.name].items()}
        choices = {code: choice for code, choice in choices.items() if choice in item.choices}
        if text.strip() not in choices:
            allowed = [*choices, *MISSING]
            raise _Wrong(Message("exchange.code", column=column, allowed=allowed, got=told(text)))
        text = choices[text.strip()]
    try:
        return text_value(form, item, text if item.kind == "text" else text.strip())
    except BadValue as error:
        raise _Wrong(Message("exchange.cell", column=column, why=messages.of(error))) from error


def _state(column: str, cells: Mapping[str, str], before: Row | None) -> str:
    text = cells.get(column, "").strip()
    if text not in ("", "0", "1", "2"):
        raise _Wrong(Message("exchange.state", column=column, got=told(text)))
    if not text:
        return str(before["state"]) if before else "complete"
    return "complete" if text == "2" else "draft"


def _without_repeats(read: list[_Read]) -> list[_Read]:
    """Two rows about the same form are refused both: which of them holds is not for the file's order to say."""
    lines: dict[tuple[str, str, int, int], list[int]] = {}
    for one in read:
        if one.change is not None:
            lines.setdefault(_place(one.change), []).append(one.line)
    return [
        replace(one, change=None, why=Message("exchange.repeated", lines=[str(n) for n in lines[place]]))
        if one.change is not None and len(lines[place := _place(one.change)]) > 1
        else one
        for one in read
    ]


def _place(change: SaveForm) -> tuple[str, str, int, int]:
    return change.visit_id, change.form, change.instance, change.entry


def _is_same(one: _Read) -> bool:
    return one.change is not None and _is_held(one.before, one.change.values, one.change.state)


def _is_held(before: Row | None, values: Mapping[str, Any], state: str) -> bool:
    """Whether the record has these values already."""
    return before is not None and before["values"] == values and before["state"] == state


def _outcome(one: _Read, refusal: str) -> Outcome:
    why = one.why or refusal
    if why or one.change is None:
        return Outcome(one.line, one.key, "refused", why=str(why))
    if _is_same(one):
        return Outcome(one.line, one.key, "same")
    before = one.before["values"] if one.before else {}
    changed = tuple(
        f"{name} {_shown(before.get(name))} → {_shown(value)}"
        for name, value in one.change.values.items()
        if before.get(name) != value
    )
    if one.before and one.before["state"] != one.change.state:
        changed = (*changed, f"{one.before['state']} → {one.change.state}")
    return Outcome(one.line, one.key, "changed" if one.before else "new", changed)


def _shown(value: Any) -> str:
    text, code = value_text(value)
    return code or (told(text) if not re.fullmatch(r"[\w.-]{1,40}", text) else text) if text or code else "—"
