"""The safety desk of a page: it reads what :mod:`workbench.clinic.pages.safety` answers, and makes changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench import world
from workbench.clinic.pages.safety import SafetyPage, SafetyRow
from workbench.dashboard.access import Names, RecordAccess
from workbench.dashboard.entries import typed
from workbench.errors import Refused, UnknownName
from workbench.messages import Message
from workbench.study.applying import Change
from workbench.study.changes import from_text
from workbench.study.changes.reporting import (
    ConfirmRule,
    ExtendObligation,
    MarkSeen,
    MarkSent,
    RetractSent,
    TellSomebody,
)
from workbench.study.changes.safety_events import (
    JudgeEvent,
    ReportDeficiency,
    ReportEvent,
    ReviseDeficiency,
    ReviseEvent,
)
from workbench.study.concealment import SAFETY
from workbench.study.obligations import Source

OFFERED: dict[str, type[Change]] = {
    kind.__name__: kind
    for kind in (
        MarkSent, RetractSent, ExtendObligation, TellSomebody, MarkSeen, ConfirmRule, JudgeEvent, ReportEvent,
        ReviseEvent, ReportDeficiency, ReviseDeficiency,
    )
}  # fmt: skip
"""Changes that the page makes, by name."""
ANSWERING = (MarkSeen.__name__, RetractSent.__name__)
"""Changes whose ``event_id`` is a row about a report, and not an adverse event."""
LONGEST_TEXT = 20_000
"""Characters of what is typed into one field."""


class DeskService:
    """What the safety desk of a page may ask of the record.

    Parameters
    ----------
    record : as the page has it.
    """

    def __init__(self, record: RecordAccess) -> None:
        self._record = record
        self._read: tuple[Any, dict[str, Any]] = (None, {})

    # ------------------------------------------------------------------------------ reading
    def page(self) -> dict[str, Any]:
        """What the page shows (see ``widgets.SafetyDesk``); read again when the record changed, or the minute."""
        local, known = world.clock.local(), self._record.state()
        state = (known, local.strftime("%Y-%m-%d %H:%M"))
        if known is None or self._read[0] != state:
            page = self._record.ask(SafetyPage())
            roles = {name: list(kind.ROLES) for name, kind in OFFERED.items()}
            self._read = (state, {**page, "signing": self._signing(), "roles": roles})
        return {**self._read[1], "read_at": local.strftime("%H:%M")}

    def row(self, table: str, row_id: str) -> dict[str, Any]:
        """All of an adverse event or a device deficiency, for a form that revises it.

        Parameters
        ----------
        table, row_id : which row.

        Raises
        ------
        Refused
            It is of another table, or kept from who looks.
        UnknownName
            There is no such row.
        """
        if table not in SAFETY:
            raise Refused(Message("participant.table", table=f"{table!r:.60}", allowed=list(SAFETY)))
        row: dict[str, Any] = self._record.ask(SafetyRow(table, str(row_id)))
        return row

    def _signing(self) -> dict[str, str]:
        """How a change is signed, and the name and sign-in name of who is signed in."""
        how = "signed_in" if self._record.signed_in else "password" if self._record.takes_sign_in() else "script"
        return {"how": how, "login": self._record.login, "name": self._record.signed_in}

    # ------------------------------------------------------------------------------ changing
    def make(
        self, change: str, fields: Mapping[str, str], *, reason: str = "", login: str = "", password: str = ""
    ) -> None:
        """Make one change in the name of who is signed in, else of who signs it there and then.

        Parameters
        ----------
        change : name of one of :data:`OFFERED`.
        fields : of the change, as text.
        reason : for it, ``""`` for none.
        login, password : of who makes it while nobody is signed in; the password is checked and forgotten.

        Raises
        ------
        Refused, BadValue, UnknownName
            Whatever is not right, in one sentence. Nothing is written.
        """
        if change not in OFFERED:
            raise UnknownName(Message("participant.change", got=f"{change!r:.60}", known=list(OFFERED)))
        given = typed(fields, longest=LONGEST_TEXT)
        for table, row_id in _named(change, given):
            self._record.ask(SafetyRow(table, row_id))
        made = from_text(Names(self._record), OFFERED[change], given)
        # Where nobody can sign in a script does; the record takes it where all participants are simulated.
        signs = self._signing()["how"] == "password"
        signers = [(str(login), str(password))] if signs else ()
        self._record.apply(made, str(reason)[:LONGEST_TEXT], signers=signers)


def _named(change: str, given: Mapping[str, str]) -> list[Source]:
    """Rows that a change is about; a table that is none is refused by the change itself."""
    found = []
    if given.get("table") in SAFETY:
        found.append((given["table"], given.get("row_id", "")))
    if "event_id" in given:
        found.append(("obligation_event" if change in ANSWERING else "adverse_event", given["event_id"]))
    if "deficiency_id" in given:
        found.append(("device_deficiency", given["deficiency_id"]))
    return found
