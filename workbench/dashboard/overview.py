"""The study overview of a page: the record read for it, verified and exported on request."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from workbench import world
from workbench.clinic.pages.overview import OverviewPage, verification
from workbench.dashboard.access import RecordAccess
from workbench.errors import Refused
from workbench.messages import Message
from workbench.study.verified import LastVerification


class StudyService:
    """What the overview of a study may ask.

    Parameters
    ----------
    record : as the page has it.
    """

    def __init__(self, record: RecordAccess) -> None:
        self._record = record
        self._read: tuple[Any, dict[str, Any]] = (None, {})
        self._unkept: LastVerification | None = None

    def overview(self) -> dict[str, Any]:
        """Everything that the page shows (see ``widgets.StudyPage``); read again when the record has changed."""
        # By the minute: queries age, and drafts are kept outside the record.
        now, known = world.clock.local(), self._record.state()
        state = (known, now.strftime("%Y-%m-%d %H:%M"), self._unkept)
        if known is None or self._read[0] != state:
            self._read = (state, self._told(self._record.ask(OverviewPage())))
        return {**self._read[1], "read_at": now.strftime("%H:%M")}

    def verify(self, progress: Callable[[float], None]) -> str:
        """Verify chain and tables and enter the result in the name of who asks.

        Parameters
        ----------
        progress : told the share that is done, 0 to 1.
        """
        result = self._record.verify(progress)
        self._unkept = None if result.kept else result
        return ""

    def export(self, progress: Callable[[float], None]) -> str:
        """Keep the audit trail as a CSV file beside the record. Returns the sentence that names it.

        Parameters
        ----------
        progress : told the share that is done, 0 to 1.

        Raises
        ------
        Refused
            While the newest verification says that the record does not hold, or where this account may not write
            beside the record.
        """
        newest = self._told(self._record.ask(OverviewPage()))["verification"]
        if newest and not newest["ok"]:
            raise Refused(Message("overview.export_broken", why=newest["first"]))
        return self._record.export(progress)

    def _told(self, page: dict[str, Any]) -> dict[str, Any]:
        """The page with the newest verification: that of the record, or one that it could not take in."""
        kept = page["verification"]
        if self._unkept is None or (kept and kept["utc"] >= self._unkept.utc):
            return page
        told = verification(self._unkept, date.fromisoformat(page["date"]), page["head"]["seq"])
        return {**page, "verification": told}
