"""Where a day lies in the window of a visit: the one home of it, for the schedule, the worklist and the page."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Literal, NamedTuple

Place = Literal["open", "before", "within", "after"]
"""``"open"`` is a visit without any day, at which a day is neither early nor late."""


class Window(NamedTuple):
    """First and last day on which a visit may be held, both included; None for an end that is not known."""

    earliest: date | None
    latest: date | None

    def place(self, day: date) -> Place:
        """Where a day lies."""
        if self.earliest is None and self.latest is None:
            return "open"
        if self.earliest is not None and day < self.earliest:
            return "before"
        return "after" if self.latest is not None and day > self.latest else "within"


def window_of(row: Mapping[str, Any]) -> Window:
    """The window of a visit's row; an end that it does not have is the planned day.

    Parameters
    ----------
    row : with ``planned, earliest, latest``, ISO dates or ``""``; a time of day after the planned one is left out.
    """
    return Window(*(_day(row[name]) or _day(row["planned"]) for name in ("earliest", "latest")))


def _day(text: str) -> date | None:
    return date.fromisoformat(text[:10]) if text else None
