"""The history of one field of a row of the record: of a column, or of an item of an assessment or a form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

TYPED = "typed"
"""Among the options of an assessment: field → UTC time at which it was typed. Scoring ignores it."""


def field_history(entries: Iterable[Mapping[str, Any]], field: str) -> list[dict[str, Any]]:
    """Changes of one field, oldest first.

    Parameters
    ----------
    entries : of the row, as ``Study.history`` returns them.
    field : column, or name of an item; of a form that of an item, which may be called as a column is.
    """
    changes: list[dict[str, Any]] = []
    earlier = None
    for entry in entries:
        if entry.get("redacted") or entry.get("new") is None:
            changes.append({**_who(entry), "from": earlier, "to": None, "redacted": True})
            continue
        row = entry["new"]
        now = _value(row, field)
        if now != earlier:
            typed = (row.get("options") or {}).get(TYPED, {}).get(field, entry["utc"])
            changes.append({**_who(entry), "utc": typed, "entered": entry["utc"], "from": earlier, "to": now})
        earlier = now
    return changes


def _value(row: Mapping[str, Any], field: str) -> Any:
    # A finding at an implant has values too, and columns that are shown beside them.
    if "instance" in row:
        return row["values"].get(field)
    return row[field] if field in row else (row.get("items") or {}).get(field)


def listed(value: Any) -> Any:
    """A tuple as a list, as JSON returns it; anything else as it is."""
    return list(value) if isinstance(value, tuple) else value


def _who(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: entry[name] for name in ("utc", "actor", "action", "reason")}
