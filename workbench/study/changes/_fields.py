"""A change from what was typed: its fields as text, as a command line and an import have them."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any, Protocol

from workbench import reading
from workbench.errors import BadValue, UnknownName
from workbench.messages import Message
from workbench.study.applying import Change
from workbench.study.nouns import told

T = typing.TypeVar("T")
NAMED = {"participant_id": ("participant", "pseudonym"), "person_id": ("person", "login")}
"""Fields that take, beside an id, the name that people use for the row."""


class Named(Protocol):
    """What knows rows by the names that people use for them."""

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Rows of a table."""


TRUTH = {"true": True, "yes": True, "false": False, "no": False}


def from_text(study: Named, kind: type[Change], given: Mapping[str, str]) -> Change:
    """A change of a kind with the fields that were typed.

    Parameters
    ----------
    study : the open record, or what else knows participants and people by their names.
    kind : one of :data:`workbench.study.changes.ALL`.
    given : field → text; several values are separated by commas, mappings are JSON.

    Raises
    ------
    UnknownName
        A field that the change does not have, or a participant or login that the record does not know.
    BadValue
        A field that is missing, or a text that is no value of its field.
    """
    _wanted(kind, given)
    hints = typing.get_type_hints(kind)
    return kind(**{name: _value(study, name, hints[name], text) for name, text in given.items()})


def from_plain(kind: type[T], given: Mapping[str, Any]) -> T:
    """A change, or a question, from plain data, as :func:`plain` made it and another process sent it.

    Parameters
    ----------
    kind : its dataclass.
    given : field → value, lists for tuples.

    Raises
    ------
    UnknownName
        A field that the change does not have.
    BadValue
        A field that is missing, or a value of another type than its field.
    """
    made: T = _made(kind, given)
    return made


def plain(change: Any) -> dict[str, Any]:
    """The fields of a change, or of a question, as JSON has them."""
    return {field.name: _as_list(getattr(change, field.name)) for field in fields(change)}


def _made(kind: type[Any], given: Mapping[str, Any]) -> Any:
    wanted, hints = _wanted(kind, given), typing.get_type_hints(kind)
    return kind(**{name: _typed(name, hints[name], given[name]) for name in wanted if name in given})


def _as_list(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _as_list(getattr(value, field.name)) for field in fields(value)}
    return [_as_list(part) for part in value] if isinstance(value, tuple) else value


def _wanted(kind: type[Any], given: Mapping[str, Any]) -> dict[str, Field[Any]]:
    """Fields of a change or of a part of one; all that it needs are given, and no other."""
    wanted = {field.name: field for field in fields(kind)}
    for name in given:
        if name not in wanted:
            raise UnknownName(
                Message("change.no_field", change=kind.__name__, field=f"{name:.60}", known=list(wanted))
            )
    missing = [name for name, field in wanted.items() if required(field) and name not in given]
    if missing:
        raise BadValue(Message("change.missing", change=kind.__name__, fields=missing))
    return wanted


def _typed(name: str, hint: Any, value: Any) -> Any:
    """A value of the type that its field has."""
    origin = typing.get_origin(hint)
    if origin in (types.UnionType, typing.Union):
        return _any_of(name, typing.get_args(hint), value)
    if origin is tuple:
        return _sequence(name, typing.get_args(hint), value)
    if is_dataclass(hint) and isinstance(hint, type) and isinstance(value, dict):
        return _made(hint, value)
    if origin is typing.Literal:
        fits = isinstance(value, str) and value in typing.get_args(hint)
    elif origin is Mapping:
        fits = isinstance(value, dict)
    elif hint is float:
        fits = isinstance(value, int | float) and not isinstance(value, bool)
    elif hint is int:
        # More than that no column holds.
        fits = isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63
    else:
        fits = isinstance(value, hint)
    if not fits:
        raise BadValue(Message("clinic.type", field=name, got=f"{value!r:.60}"))
    return value


def _any_of(name: str, hints: Sequence[Any], value: Any) -> Any:
    for hint in hints:
        if hint is types.NoneType:
            if value is None:
                return None
            continue
        with suppress(BadValue):
            return _typed(name, hint, value)
    raise BadValue(Message("clinic.type", field=name, got=f"{value!r:.60}"))


def _sequence(name: str, parts: Sequence[Any], value: Any) -> tuple[Any, ...]:
    """A tuple, of which all have one type or each its own."""
    if isinstance(value, list) and parts[-1] is Ellipsis:
        return tuple(_typed(name, parts[0], part) for part in value)
    if isinstance(value, list) and len(value) == len(parts):
        return tuple(_typed(name, hint, part) for hint, part in zip(parts, value, strict=True))
    raise BadValue(Message("clinic.type", field=name, got=f"{value!r:.60}"))


def typed_fields(kind: type[Change]) -> tuple[Field[Any], ...]:
    """What a change is made of."""
    return fields(kind)  # type: ignore[arg-type]


def required(field: Field[Any]) -> bool:
    """Whether a field has no default."""
    return field.default is MISSING and field.default_factory is MISSING


def _value(study: Named, name: str, hint: Any, text: str) -> Any:
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


def _id_of(study: Named, table: str, column: str, text: str) -> str:
    for row in study.rows(table):
        if text in (row["id"], row[column]):
            return str(row["id"])
    known = [row[column] for row in study.rows(table)]
    raise UnknownName(Message("change.nobody", table=table, got=told(text), known=known[:20]))
