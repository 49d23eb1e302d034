"""The forms of a protocol as REDCap's data dictionary, and back."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from workbench import delimited, reading
from workbench.errors import BadValue
from workbench.exchange._form_items import items_of, number_text
from workbench.exchange._imported import Imported, as_code, as_name, as_text, choices_of, completed
from workbench.exchange._redcap_names import RECORD, Names, names_of, table
from workbench.messages import Message
from workbench.study.forms import Form, Item
from workbench.study.nouns import told
from workbench.study.protocol import Protocol

VARIABLE, FORM, TYPE, LABEL = "Variable / Field Name", "Form Name", "Field Type", "Field Label"
CHOICES, NOTE = "Choices, Calculations, OR Slider Labels", "Field Note"
VALIDATION, LEAST, GREATEST = (
    "Text Validation Type OR Show Slider Number", "Text Validation Min", "Text Validation Max",
)  # fmt: skip
IDENTIFIER, BRANCHING, REQUIRED = (
    "Identifier?", "Branching Logic (Show field only if...)", "Required Field?",
)  # fmt: skip
ANNOTATION = "Field Annotation"
COLUMNS = (
    VARIABLE, FORM, "Section Header", TYPE, LABEL, CHOICES, NOTE, VALIDATION, LEAST, GREATEST, IDENTIFIER,
    BRANCHING, REQUIRED, "Custom Alignment", "Question Number (surveys only)", "Matrix Group Name",
    "Matrix Ranking?", ANNOTATION,
)  # fmt: skip
OWN = "workbench: "
"""Before what the other columns have no place for, in the column of annotations, as JSON."""
MOST_BUTTONS = 10
"""Choices that are shown as buttons; more of them are a list that drops down."""
MOST_MADE = 400_000
KINDS = {
    "integer": ("text", "integer"), "number": ("text", "number"), "date": ("text", "date_ymd"),
    "text": ("notes", ""), "yes_no": ("yesno", ""),
}  # fmt: skip
"""Field type and validation by kind of item; a choice is a radio button or drops down."""
VALIDATIONS = {validation for _, validation in KINDS.values()}


# ------------------------------------------------------------------------------------ out
def to_dictionary(protocol: Protocol, names: Names | None = None) -> str:
    """The forms of a protocol as REDCap's data dictionary, CSV with its usual columns.

    Parameters
    ----------
    protocol : whose forms are written.
    names : of a study with several versions; None takes those of this one.

    Raises
    ------
    BadValue
        For a protocol without forms.
    UnknownName
        For an outcome measure that is not installed here.
    """
    if not protocol.forms:
        raise BadValue(Message("exchange.no_forms"))
    names = names or names_of([protocol])
    first = {VARIABLE: RECORD, FORM: names.forms[protocol.forms[0].name], TYPE: "text", LABEL: "Participant"}
    forms = zip(protocol.forms, protocol.definition()["form"], strict=True)
    rows = [first, *(row for form, stated in forms for row in _rows(form, stated, names))]
    return delimited.to_text(COLUMNS, ([row.get(name, "") for name in COLUMNS] for row in rows))


def _rows(form: Form, stated: Mapping[str, Any], names: Names) -> list[dict[str, str]]:
    """Rows of a form, with what only its definition (``stated``) says beside them."""
    rows = []
    for n, item in enumerate(items_of(form)):
        row = _row(form, item, names)
        own: dict[str, Any] = {} if form.measure else _differing(stated["items"][n], _item(row)[0])
        annotation = {"item": own} if own else {}
        if n == 0:
            annotation["form"] = {"name": form.name, "title": form.title, "double_entry": form.double_entry}
            annotation["form"] |= {"measure": form.measure} if form.measure else {}
            annotation["form"] |= {"state": form.state} if form.state else {}
        if annotation:
            row[ANNOTATION] = OWN + json.dumps(annotation, sort_keys=True)
        rows.append(row)
    return rows


def _row(form: Form, item: Item, names: Names) -> dict[str, str]:
    key = form.name, item.name
    kind, validation = KINDS.get(item.kind, ("radio" if len(item.choices) <= MOST_BUTTONS else "dropdown", ""))
    codes = names.codes.get(key, {})
    return {
        VARIABLE: names.variables[key], FORM: names.forms[form.name], TYPE: kind, LABEL: item.label,
        CHOICES: " | ".join(f"{codes[choice]}, {choice.replace('|', '/')}" for choice in item.choices),
        NOTE: item.unit, VALIDATION: validation, LEAST: _bound(item, item.least),
        GREATEST: _bound(item, item.greatest), REQUIRED: "y" if item.required else "",
    }  # fmt: skip


def _bound(item: Item, end: float | None) -> str:
    if end is None:
        return ""
    return str(int(end)) if item.kind == "integer" and end.is_integer() else number_text(end)


def _differing(wanted: Mapping[str, Any], read: Mapping[str, Any]) -> dict[str, Any]:
    """What has to be said beside the columns, so that they are read back as the item; None takes a key away."""
    # By their text: in Python -0.0 == 0.0, and the hash of a protocol tells them apart.
    said = {key: value for key, value in wanted.items() if json.dumps(read.get(key)) != json.dumps(value)}
    return said | {key: None for key in read if key not in wanted}


# ------------------------------------------------------------------------------------ in
def from_dictionary(text: str, where: str) -> Imported:
    """The forms of a data dictionary as part of a protocol; of one of ours the forms as they were.

    Parameters
    ----------
    text : of the CSV file.
    where : names it in a sentence.

    Raises
    ------
    BadValue
        For a file that is not such a table.
    """
    columns, rows = table(text, where)
    missing = [name for name in (VARIABLE, FORM, TYPE, LABEL) if name not in columns]
    if missing:
        raise BadValue(Message("exchange.no_dictionary", where=where, columns=missing))
    forms: dict[str, dict[str, Any]] = {}
    taken: dict[str, dict[str, int]] = {}
    notes: list[Message] = []
    names: dict[str, int] = {}
    for line, cells in rows:
        row = dict(zip(columns, cells, strict=True))
        if row[VARIABLE] == RECORD and line == rows[0][0]:
            continue
        if row[FORM] not in forms:
            name = as_code(row[FORM], names)
            forms[row[FORM]] = {"name": name, "title": as_name(row[FORM].replace("_", " ")) or name, "items": []}
        form = forms[row[FORM]]
        own = _own(row.get(ANNOTATION, ""), where, line)
        form |= own.get("form", {})
        if "measure" not in form:
            made = _with_own(row, own.get("item", {}), notes, taken.setdefault(row[FORM], {}))
            form["items"] += made
        if len(form["items"]) > MOST_MADE:
            raise BadValue(Message("exchange.xml_many", where=where, most=f"{MOST_MADE:,}"))
    return completed({"form": [_whole(form) for form in forms.values()]}, tuple(notes), where)


def _whole(form: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in form.items() if value and not (key == "items" and form.get("measure"))}


def _own(text: str, where: str, line: int) -> dict[str, Any]:
    """What stands behind :data:`OWN` in an annotation."""
    if not text.startswith(OWN):
        return {}
    content = reading.parse_json(text.removeprefix(OWN), f"{where}, line {line}")
    if not isinstance(content, dict) or not all(isinstance(part, dict) for part in content.values()):
        raise BadValue(Message("exchange.own_part", where=f"{where}, line {line}"))
    return content


def _with_own(
    row: Mapping[str, str], own: Mapping[str, Any], notes: list[Message], taken: dict[str, int]
) -> list[dict[str, Any]]:
    """The items of one row: none, one, or several for boxes that are ticked."""
    if row[TYPE] == "checkbox":
        return _boxes(row, taken)
    item, said = _item(row)
    notes += said
    if not item:
        return []
    item = {key: value for key, value in {**item, **own}.items() if value is not None}
    if "name" not in own:
        item["name"] = as_code(row[VARIABLE], taken)
    return [item]


def _boxes(row: Mapping[str, str], taken: dict[str, int]) -> list[dict[str, Any]]:
    """Boxes as questions of their own, so that not ticked and not asked stay apart."""
    return [
        {
            "name": as_code(f"{row[VARIABLE]}___{code}", taken),
            "label": as_text(f"{row[LABEL]}: {word}") or code,
            "kind": "yes_no",
        }
        for code, word in _choices(row.get(CHOICES, ""))
    ]


def _item(row: Mapping[str, str]) -> tuple[dict[str, Any], list[Message]]:
    """What the columns of a row say: an item, none for what is no question, and what was left behind."""
    notes: list[Message] = []
    variable, kind, validation = row[VARIABLE], row[TYPE].strip(), row.get(VALIDATION, "").strip()
    item: dict[str, Any] = {"name": variable, "label": row[LABEL] or variable, "kind": _kind(kind, validation)}
    if not item["kind"]:
        return {}, [Message("exchange.field_type", variable=told(variable), got=told(kind))]
    if kind == "text" and validation not in VALIDATIONS:
        notes.append(_other_validation(variable, validation, item["kind"]))
    if item["kind"] == "choice":
        item["choices"] = choices_of(_choices(row.get(CHOICES, "")))
    for name, column in (("least", LEAST), ("greatest", GREATEST)):
        text = row.get(column, "").strip()
        if item["kind"] in ("integer", "number") and re.fullmatch(r"-?\d{1,400}(\.\d{1,400})?", text, re.ASCII):
            item[name] = float(text)
        elif text:
            notes.append(Message("exchange.range", variable=told(variable), got=told(text)))
    if item["kind"] in ("integer", "number") and (unit := as_name(row.get(NOTE, ""))):
        item["unit"] = unit
    if row.get(REQUIRED, "").strip().lower() == "y":
        item["required"] = True
    if row.get(BRANCHING, "").strip():
        notes.append(Message("exchange.branching", variable=told(variable)))
    return item, notes


def _other_validation(variable: str, validation: str, kind: str) -> Message:
    """Note on a validation that asks for more than the kind of item that it became."""
    if kind == "text":
        return Message("exchange.validation", variable=told(variable), got=told(validation))
    return Message("exchange.validation_kind", variable=told(variable), got=told(validation), kind=kind)


def _kind(kind: str, validation: str) -> str:
    """Kind of item of a field type, ``""`` for what is no question."""
    if kind == "text":
        return {"integer": "integer"}.get(validation) or (
            "number" if validation.startswith("number") else "date" if validation.startswith("date_") else "text"
        )
    return {
        "notes": "text", "radio": "choice", "dropdown": "choice", "yesno": "yes_no", "truefalse": "yes_no",
        "slider": "integer",
    }.get(kind, "")  # fmt: skip


def _choices(text: str) -> Sequence[tuple[str, str]]:
    """``(code, word)`` of every choice."""
    pairs = [part.partition(",") for part in text.split("|") if part.strip()]
    return [(code.strip(), word.strip() or code.strip()) for code, _, word in pairs]
