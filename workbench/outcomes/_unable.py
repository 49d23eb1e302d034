"""The meaning of "unable": 0 for a speed, distance, force or count; a time censored at the protocol's cap."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from sys import float_info
from typing import Any

from workbench.errors import BadValue
from workbench.messages import Message
from workbench.outcomes._contract import Definition, Option

UNABLE = "unable"
CAP = "cap_s"
GREATEST = float_info.max
"""Upper bound of a valid number; a larger integer could not be converted to a float."""


def zero_when_unable(values: Mapping[str, Any], codes: Iterable[str]) -> dict[str, Any]:
    """The values with 0 in place of ``"unable"`` in those items."""
    marked = set(codes)
    return {code: 0 if code in marked and value == UNABLE else value for code, value in values.items()}


def cap_option(default: float | None = None, *, parts: tuple[str, ...] = ()) -> Option:
    """The option with the time at which the protocol ends an attempt; no default where none is published.

    ``parts`` are the scores that are computed with the cap, such as pegs over the cap: for these the caps of both
    assessments must agree. For the others a time below the cap is the time, whatever the cap.
    """
    return Option(CAP, "seconds at which an attempt ends", default=default, agree=bool(parts), parts=parts)


def cap_at(
    definition: Definition, values: Mapping[str, Any], codes: Iterable[str], options: Mapping[str, Any]
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Put the cap in place of ``"unable"``.

    Parameters
    ----------
    definition : of the measure, with the option ``cap_s``.
    values : seconds, ``"unable"`` or None, by code.
    codes : the items that are times.
    options : in force.

    Returns
    -------
    The values, and the codes of the censored ones.

    Raises
    ------
    BadValue
        ``"unable"`` without a cap, a cap that is not a number of seconds, a time beyond the cap.
    """
    cap = options[CAP]
    if cap is not None and not positive(cap):
        raise BadValue(Message("outcome.cap_number", measure=definition.name, name=CAP, value=repr(cap)))
    capped, censored = dict(values), []
    for code in codes:
        value = values[code]
        if value == UNABLE:
            # A guessed cap would be a result that nobody measured.
            if cap is None:
                raise BadValue(
                    Message("outcome.cap_needed", measure=definition.name, item=code, code=repr(UNABLE), name=CAP)
                )
            capped[code] = cap
            censored.append(code)
        elif value is not None and cap is not None and value > cap:
            raise BadValue(
                Message(
                    "outcome.beyond_cap",
                    measure=definition.name,
                    item=code,
                    cap=f"{cap:g}",
                    value=f"{value:g}",
                    code=repr(UNABLE),
                )
            )
    return capped, tuple(censored)


def positive(value: Any) -> bool:
    """Whether that is a finite number above 0 (True is not)."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= GREATEST
