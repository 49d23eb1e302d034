"""The circumstances of an assessment beside its condition, and their allowed values."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import fields
from datetime import datetime
from typing import Any

from workbench.errors import BadValue
from workbench.messages import Message
from workbench.vocabulary import Condition

CONDITIONS = tuple(field.name for field in fields(Condition))
BLINDED = ("yes", "no", "unknown")


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise BadValue(Message("form.text", name=name, value=repr(value)))
    return value.strip()


def _rater(name: str, value: Any) -> str:
    if not _text(name, value):
        raise BadValue(Message("form.rater"))
    return _text(name, value)


def _blinded(name: str, value: Any) -> str:
    if value not in BLINDED:
        raise BadValue(Message("form.one_of", name=name, allowed=BLINDED, value=repr(value)))
    return str(value)


def _hours(name: str, value: Any) -> float | None:
    if value in (None, ""):
        return None
    # In Python a bool is a number; as a duration it is a mistake of the page.
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not (number and math.isfinite(value) and value >= 0):
        raise BadValue(Message("form.hours", name=name, value=repr(value)))
    return float(value)


def _count(name: str, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise BadValue(Message("form.repeat", name=name, value=repr(value)))
    return value


def _utc(name: str, value: Any) -> str:
    text = _text(name, value)
    try:
        # UTC only: a local time would change its meaning with the computer's time zone.
        sound = not text or (text.endswith("Z") and datetime.fromisoformat(text))
    except ValueError:
        sound = False
    if not sound:
        raise BadValue(Message("form.utc", name=name, value=repr(value)))
    return text


CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "orthosis": _text,
    "mode": _text,
    "rater": _rater,
    "blinded": _blinded,
    "since_session_h": _hours,
    "washout_h": _hours,
    "administered_at": _utc,
    "repeat": _count,
}
"""Field of the assessment → its check."""


def field_names() -> tuple[str, ...]:
    """Names of the circumstances that every form asks for."""
    return tuple(CHECKS)


def defaults(definition: Any, *, rater: str) -> dict[str, Any]:
    """Every circumstance before anything is entered; a measure's only mode counts as chosen."""
    mode = definition.modes[0] if len(definition.modes) == 1 else ""
    times = {"since_session_h": None, "washout_h": None, "administered_at": "", "repeat": 1}
    return {"orthosis": "", "mode": mode, "rater": rater, "blinded": "unknown", **times}


def check_field(definition: Any, name: str, value: Any) -> Any:
    """The value of one circumstance. Raises BadValue with what is allowed.

    Parameters
    ----------
    definition : of the measure.
    name : of the circumstance.
    value : as entered.
    """
    if name not in CHECKS:
        raise BadValue(Message("form.no_field", name=repr(name), allowed=list(CHECKS)))
    checked = CHECKS[name](name, value)
    if name == "mode" and checked and checked not in definition.modes:
        allowed = definition.modes or Message("word.none")
        raise BadValue(Message("form.one_of", name="mode", allowed=allowed, value=repr(value)))
    return checked
