"""Correcting what was saved: one field at a time, each with a reason, and the history of every field."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from workbench.errors import BadValue, Refused, WorkbenchError
from workbench.widgets._circumstances import CONDITIONS, check_field, field_names
from workbench.widgets._entry import TYPED, Entering


class EntryForm(Entering):
    """A form whose saved assessments can be opened, read, and corrected with a reason."""

    def requests(self) -> Mapping[str, Callable[..., Any]]:
        """What a form takes, and correcting and telling the history of a field."""
        return {**super().requests(), "correct": self.correct, "history": self.history}

    def correct(self, field: str, value: Any, *, reason: str, cause: str = "") -> None:
        """Correct one field of a saved assessment, with a reason. ``cause`` is that of a tagged score.

        Raises
        ------
        Refused
            When nothing saved is open. BadValue for an empty reason or an impossible value.
        """
        self._same_visit()
        if self._row is None or not self._row.get("id") or self._row["state"] == "draft":
            raise Refused("no saved assessment is open; a draft is changed without a reason")
        if not isinstance(reason, str) or not reason.strip():
            raise BadValue(f"a correction of {field} needs a reason, got an empty text")
        before = self._entered, self._condition, self._side, self._fields, self._options
        typed, shown = self._typed, self._seen_last
        try:
            self._apply(field, value, cause)
            self._stamp()
            assessment = self._assessment(self._missing())
            names = ("items", "score", "options", "alerts", "implied", "state", "side", *CONDITIONS, *self._fields)
            row = asdict(assessment) | asdict(assessment.condition)
            new = {name: _listed(row[name]) for name in names}
            changed = {name: one for name, one in new.items() if one != self._row.get(name)}
            if not changed:
                raise BadValue(f"{field} is {value!r} already; there is nothing to correct")
            self._row = self._keeper.amend(self._row, changed, reason=reason.strip())
        except WorkbenchError:
            self._entered, self._condition, self._side, self._fields, self._options = before
            self._typed, self._seen_last = typed, shown
            raise
        finally:
            self._look()
            self._tell()

    def history(self, field: str) -> list[dict[str, Any]]:
        """Who changed one field, when, from what to what, and why; oldest first.

        ``utc`` is when it was typed, where the record knows, and ``entered`` when the record took it.
        """
        found, earlier = [], None
        for entry in self._keeper.history(self._row) if self._row else []:
            if entry.get("redacted") or entry.get("new") is None:
                found.append({**_who(entry), "from": earlier, "to": None, "redacted": True})
                continue
            now = self._seen(entry["new"], field)
            if now != earlier:
                typed = (entry["new"].get("options") or {}).get(TYPED, {}).get(field, entry["utc"])
                found.append({**_who(entry), "utc": typed, "entered": entry["utc"], "from": earlier, "to": now})
            earlier = now
        return found

    def _apply(self, field: str, value: Any, cause: str) -> None:
        """One field takes a value, entries and circumstances alike."""
        if field in CONDITIONS:
            if not isinstance(value, bool):
                raise BadValue(f"{field} must be true or false, got {value!r}")
            self._condition = {**self._condition, field: value}
        elif field == "side":
            if value not in self._definition.sides:
                raise BadValue(f"side must be one of {', '.join(self._definition.sides)}, got {value!r}")
            self._side = value
        elif field in field_names():
            self._fields = {**self._fields, field: check_field(self._definition, field, value)}
        else:
            self._entered = {**self._entered, field: self._checked(field, value)}

    def _seen(self, row: Mapping[str, Any], field: str) -> Any:
        return row[field] if field in row else (row.get("items") or {}).get(field)


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _who(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: entry[name] for name in ("utc", "actor", "action", "reason")}
