"""The circumstances of an assessment beside its condition, and what each may hold."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import fields
from datetime import datetime
from typing import Any

from workbench.errors import BadValue
from workbench.vocabulary import Condition

CONDITIONS = tuple(one.name for one in fields(Condition))
BLINDED = ("yes", "no", "unknown")


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise BadValue(f"{name} must be a text, got {value!r}")
    return value.strip()


def _rater(name: str, value: Any) -> str:
    if not _text(name, value):
        raise BadValue("rater must be the name of who examined, got an empty text")
    return _text(name, value)


def _blinded(name: str, value: Any) -> str:
    if value not in BLINDED:
        raise BadValue(f"{name} must be one of {', '.join(BLINDED)}, got {value!r}")
    return str(value)


def _hours(name: str, value: Any) -> float | None:
    if value in (None, ""):
        return None
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not (number and math.isfinite(value) and value >= 0):
        raise BadValue(f"{name} must be hours from 0 on, or empty when not known; got {value!r}")
    return float(value)


def _count(name: str, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise BadValue(f"{name} counts administrations within the visit from 1, got {value!r}")
    return value


def _utc(name: str, value: Any) -> str:
    text = _text(name, value)
    try:
        sound = not text or (text.endswith("Z") and datetime.fromisoformat(text))
    except ValueError:
        sound = False
    if not sound:
        raise BadValue(f"{name} must be UTC such as 2026-03-01T09:30:00Z, or empty; got {value!r}")
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
    """Names of the circumstances that a form of this measure states."""
    return tuple(CHECKS)


def defaults(definition: Any, *, rater: str) -> dict[str, Any]:
    """Every circumstance before anything is stated; the only mode there is counts as chosen."""
    mode = definition.modes[0] if len(definition.modes) == 1 else ""
    times = {"since_session_h": None, "washout_h": None, "administered_at": "", "repeat": 1}
    return {"orthosis": "", "mode": mode, "rater": rater, "blinded": "unknown", **times}


def check_field(definition: Any, name: str, value: Any) -> Any:
    """The value of one circumstance. Raises BadValue with what is allowed.

    Parameters
    ----------
    definition : of the measure.
    name : of the circumstance.
    value : what was stated.
    """
    if name not in CHECKS:
        raise BadValue(f"an assessment has no field {name!r}; it has {', '.join(CHECKS)}")
    checked = CHECKS[name](name, value)
    if name == "mode" and checked and checked not in definition.modes:
        allowed = ", ".join(definition.modes) or "none"
        raise BadValue(f"mode must be one of {allowed}, got {value!r}")
    return checked
