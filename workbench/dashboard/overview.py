"""The study overview of a page: the record read for it, verified and exported on request."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from workbench import world
from workbench.clinic.pages.overview import OverviewPage, verification
from workbench.clinic.pages.study_lock import LockConditions, LockSnapshot
from workbench.dashboard.access import RecordAccess
from workbench.errors import BadValue, Refused, UnknownName
from workbench.messages import Message
from workbench.study.applying import Change
from workbench.study.changes.locking import LockStudy, UnlockStudy
from workbench.study.verified import LastVerification

OFFERED: Mapping[str, type[Change]] = {kind.__name__: kind for kind in (LockStudy, UnlockStudy)}
LONGEST_TEXT = 4000
"""Characters of a reason."""


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

    def conditions(self) -> list[dict[str, Any]]:
        """What must hold before the study is locked (see ``LockConditions``); read when it is asked."""
        found: list[dict[str, Any]] = self._record.ask(LockConditions())
        return found

    def lock(self, change: str, reason: str, signers: Sequence[Mapping[str, str]]) -> str:
        """Lock or unlock the study; the passwords are checked and forgotten. Returns the sentence for the page.

        Parameters
        ----------
        change : ``"LockStudy"`` or ``"UnlockStudy"``.
        reason : why.
        signers : ``login`` and ``password`` of each who signs.

        Raises
        ------
        Refused
            A password is not accepted, a role is missing, a condition or the record does not hold.
        BadValue, UnknownName
            No reason, or another change. Nothing is written.
        """
        if change not in OFFERED:
            raise UnknownName(Message("participant.change", got=f"{change!r:.60}", known=list(OFFERED)))
        if not isinstance(signers, Sequence) or not all(_is_signer(one) for one in signers):
            raise BadValue(Message("participant.fields"))
        who = [(one["login"], one["password"]) for one in signers]
        row = self._record.apply_long(OFFERED[change](), str(reason)[:LONGEST_TEXT], signers=who)
        if change == UnlockStudy.__name__:
            return Message("overview.unlocked")
        return Message("overview.locked", name=self._record.ask(LockSnapshot(row)))

    def _told(self, page: dict[str, Any]) -> dict[str, Any]:
        """The page with the newest verification: that of the record, or one that it could not take in."""
        kept = page["verification"]
        if self._unkept is None or (kept and kept["utc"] >= self._unkept.utc):
            return page
        told = verification(self._unkept, date.fromisoformat(page["date"]), page["head"]["seq"])
        return {**page, "verification": told}


def _is_signer(one: Any) -> bool:
    wanted = {"login", "password"}
    return isinstance(one, Mapping) and set(one) == wanted and all(isinstance(text, str) for text in one.values())
