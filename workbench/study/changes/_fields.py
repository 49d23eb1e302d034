"""A change from what was typed: its fields as text, as a command line and an import have them."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from typing import TYPE_CHECKING, Any

from workbench import reading
from workbench.errors import BadValue, UnknownName
from workbench.messages import Message
from workbench.study.applying import Change
from workbench.study.nouns import told

if TYPE_CHECKING:
    from workbench.study.record import Study

NAMED = {"participant_id": ("participant", "pseudonym"), "person_id": ("person", "login")}
"""Fields that take, beside an id, the name that people use for the row."""
TRUTH = {"true": True, "yes": True, "false": False, "no": False}


def from_text(study: Study, kind: type[Change], given: Mapping[str, str]) -> Change:
    """A change of a kind with the fields that were typed.

    Parameters
    ----------
    study : the open record, in which names are looked up.
    kind : one of :data:`workbench.study.changes.ALL`.
    given : field → text; several values are separated by commas, mappings are JSON.

    Raises
    ------
    UnknownName
        A field that the change does not have, or a participant or login that the record does not know.
    BadValue
        A field that is missing, or a text that is no value of its field.
    """
    wanted = {field.name: field for field in typed_fields(kind)}
    for name in given:
        if name not in wanted:
            raise UnknownName(Message("change.no_field", change=kind.__name__, field=name, known=list(wanted)))
    missing = [name for name, field in wanted.items() if required(field) and name not in given]
    if missing:
        raise BadValue(Message("change.missing", change=kind.__name__, fields=missing))
    hints = typing.get_type_hints(kind)
    return kind(**{name: _value(study, name, hints[name], text) for name, text in given.items()})


def typed_fields(kind: type[Change]) -> tuple[Field[Any], ...]:
    """What a change is made of."""
    return fields(kind)  # type: ignore[arg-type]


def required(field: Field[Any]) -> bool:
    """Whether a field has no default."""
    return field.default is MISSING and field.default_factory is MISSING


def _value(study: Study, name: str, hint: Any, text: str) -> Any:
    if name in NAMED:
        return _id_of(study, *NAMED[name], text)
    if isinstance(hint, types.UnionType):
        if not text:
            return None
        (hint,) = [kind for kind in typing.get_args(hint) if kind is not types.NoneType]
    if typing.get_origin(hint) is tuple:
        inner = typing.get_args(hint)[0]
        return tuple(_part(name, inner, part.strip()) for part in text.split(",") if part.strip())
    return _part(name, hint, text)


def _part(name: str, kind: Any, text: str) -> Any:
    if typing.get_origin(kind) is tuple:
        return tuple(text.split(":"))
    if kind is bool:
        if text.lower() not in TRUTH:
            raise BadValue(Message("change.truth", field=name, got=told(text)))
        return TRUTH[text.lower()]
    if kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            raise BadValue(Message("change.number", field=name, got=f"{text!r:.60}")) from None
    if typing.get_origin(kind) is Mapping:
        return reading.parse_json(text, Message("change.field", field=name))
    return text


def _id_of(study: Study, table: str, column: str, text: str) -> str:
    for row in study.rows(table):
        if text in (row["id"], row[column]):
            return str(row["id"])
    known = [row[column] for row in study.rows(table)]
    raise UnknownName(Message("change.nobody", table=table, got=told(text), known=known[:20]))
