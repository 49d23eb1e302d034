"""Scoring line by line: records in, answers out, one JSON object per line and in the same order.

Pure functions over iterables of text, so that a command, a test and a notebook use the same code. A record
that cannot be scored becomes an answer with its error; the lines after it are scored nevertheless.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from workbench.errors import BadValue, WorkbenchError
from workbench.outcomes._contract import OutcomeMeasure

RESPONSES = "responses"
encode = json.JSONEncoder(separators=(",", ":")).encode
"""Characters beyond ASCII are escaped, so that no terminal or locale can refuse an answer."""


def answer_lines(
    lines: Iterable[str], answer: Callable[[Mapping[str, Any]], Mapping[str, Any]], *, holds: str
) -> Iterator[str]:
    """Answer each record.

    Parameters
    ----------
    lines : JSON objects ``{"id", holds: {…}}``, one per line; empty lines are skipped.
    answer : content of ``holds`` → fields of the answer; raises a WorkbenchError when it cannot be scored.
    holds : name of the field with the data, such as ``"exam"``.

    Yields
    ------
    ``{"id", **answer}`` or ``{"id", "error"}``, without a line end. The id is None where a line has none.
    """
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield encode(_answer(line, number, answer, holds=holds))


def _answer(
    line: str, number: int, answer: Callable[[Mapping[str, Any]], Mapping[str, Any]], *, holds: str
) -> dict[str, Any]:
    # Read separately, so that an answer with an error still has the id of its record.
    identity = _identity(line)
    try:
        record = _read(line, number)
        if holds not in record:
            raise BadValue(f"line {number} has no {holds!r}; give one {{'id', {holds!r}}} a line")
        return {"id": identity, **answer(record[holds])}
    except WorkbenchError as error:
        return {"id": identity, "error": str(error)}


def _identity(line: str) -> Any:
    """The id of a line, even of one that cannot be scored; None where it has none."""
    try:
        record = json.loads(line, parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        return None
    return record.get("id") if isinstance(record, dict) else None


def _read(line: str, number: int) -> dict[str, Any]:
    try:
        record = json.loads(line, object_pairs_hook=_once, parse_constant=_no_constant)
    except BadValue as error:
        raise BadValue(f"line {number}: {error}") from error
    except ValueError as error:
        raise BadValue(f"line {number} is no JSON: {error}; write one object {{'id', …}} a line") from error
    except RecursionError as error:
        raise BadValue(
            f"line {number} is nested too deeply to be a record; a cell holds a value or one list of values, "
            "take the brackets around it away"
        ) from error
    if not isinstance(record, dict):
        raise BadValue(
            f"line {number} must be an object {{'id', …}}, got {type(record).__name__}; write one object a line"
        )
    return record


def _no_constant(name: str) -> Any:
    raise BadValue(f"{name} is no JSON number; enter null or text")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object without repeated names: a doubled cell would hide one of its values."""
    record = dict(pairs)
    if len(record) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise BadValue(f"{twice} stands twice in one object; remove one")
    return record


def score_lines(
    measure: OutcomeMeasure, lines: Iterable[str], *, version: str = "", **options: Any
) -> Iterator[str]:
    """Score responses of any measure.

    Parameters
    ----------
    measure : an entry of the register.
    lines : ``{"id", "responses": {item code: value}}`` each.
    version, options : of :func:`workbench.outcomes.score`, the same for every line.

    Yields
    ------
    ``{"id", "result", "steps", "warnings"}``, or ``{"id", "error"}``; with ``"alerts"`` where there are any, in
    either case: a faulty item does not hide what another one reports.
    """

    def answer(responses: Mapping[str, Any]) -> Mapping[str, Any]:
        if not isinstance(responses, Mapping):
            raise BadValue(f"{RESPONSES} must be an object of item codes, got {type(responses).__name__}")
        try:
            stored = measure.score(responses, version=version, **options).to_json()
        except BadValue as error:
            # A typing error in one item must not hide the alert of another (item 9 of the PHQ-9).
            alerts = _alerts_of_each(measure, responses, version=version, **options)
            if not alerts:
                raise
            return {"error": str(error), "alerts": alerts}
        messages: dict[str, Any] = {
            name: stored.pop(name) for name in ("steps", "warnings", "alerts") if name in stored
        }
        return {"result": stored, **messages}

    return answer_lines(lines, answer, holds=RESPONSES)


def _alerts_of_each(
    measure: OutcomeMeasure, responses: Mapping[str, Any], *, version: str, **options: Any
) -> list[str]:
    """Alerts that the items raise one by one, for responses that cannot be scored together."""
    alerts: list[str] = []
    for code, value in responses.items():
        with suppress(BadValue):
            alerts += measure.score({code: value}, version=version, **options).alerts
    return alerts
