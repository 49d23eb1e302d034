"""The page of a participant: what the record holds of one person, and the changes that are made from there.

A :class:`ParticipantService` reads for ``widgets.ParticipantPage`` and makes its changes with ``study.apply`` in
the name of who signs there and then, which need not be who is signed in to the page: a therapist runs the session,
an investigator records the consent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Protocol

from workbench import world
from workbench.clinic.pages.participant import PersonHistory, PersonPage, PersonRow, PersonValues
from workbench.clinic.questions import Bound
from workbench.dashboard.access import Names, RecordAccess
from workbench.dashboard.entries import typed
from workbench.errors import Refused, UnknownName
from workbench.messages import Message
from workbench.study.applying import Change
from workbench.study.changes import from_text
from workbench.study.changes.consents import GiveConsent, WithdrawConsent
from workbench.study.changes.deviations import CloseDeviation, RecordDeviation
from workbench.study.changes.entering import Adjudicate, SaveForm
from workbench.study.changes.implants import Explant, Implant, RecordFinding, ReviseFinding, VoidFinding
from workbench.study.changes.locking import Freeze, Unfreeze
from workbench.study.changes.protocols import AnswerCriterion, Enrol, SetStatus
from workbench.study.changes.queries import AnswerQuery, CloseQuery, OpenQuery
from workbench.study.changes.randomising import Randomise
from workbench.study.changes.safety_events import (
    CodeEvent,
    ReportDeficiency,
    ReportEvent,
    ReviseDeficiency,
    ReviseEvent,
)
from workbench.study.changes.signing import Sign
from workbench.study.changes.treating import (
    EndTreatment,
    RecordAssistiveDevice,
    RecordRehabilitation,
    RecordTreatment,
    ReviseTreatment,
    VoidTreatment,
)
from workbench.study.changes.visits import HoldVisit, MissVisit, SetAnchor
from workbench.study.concealment import SAFETY

Signing = Literal["password", "script", "nobody"]
"""How a change is signed: by a person with a password, by a script where the participant is simulated and the
study has no people, or not at all while nobody can sign in."""
OFFERED: dict[str, type[Change]] = {
    kind.__name__: kind
    for kind in (
        GiveConsent, WithdrawConsent, AnswerQuery, CloseQuery, CloseDeviation, ReportEvent, ReviseEvent,
        ReportDeficiency, ReviseDeficiency, Enrol, AnswerCriterion, SetStatus, SetAnchor, Randomise, HoldVisit,
        MissVisit, SaveForm, Adjudicate, OpenQuery, Sign, Freeze, Unfreeze, CodeEvent, RecordTreatment,
        RecordRehabilitation, RecordAssistiveDevice, ReviseTreatment, EndTreatment, VoidTreatment, Implant,
        RecordFinding, ReviseFinding, VoidFinding, Explant, RecordDeviation,
    )
}  # fmt: skip
"""Changes that the page makes, by name; every other one is made by its command."""
ABOUT = {
    "query_id": "query", "deviation_id": "deviation", "event_id": "adverse_event",
    "deficiency_id": "device_deficiency", "visit_id": "visit", "treatment_id": "treatment",
    "implant_id": "implant", "finding_id": "implant_finding",
}  # fmt: skip
"""Field of a change → table of the row that it names, which must be this participant's."""
OF_PARTICIPANT = (
    "GiveConsent", "WithdrawConsent", "ReportEvent", "ReportDeficiency", "Enrol", "AnswerCriterion", "SetStatus",
    "SetAnchor", "Randomise", "RecordTreatment", "RecordRehabilitation", "RecordAssistiveDevice", "Implant",
    "RecordDeviation",
)  # fmt: skip
"""Changes that name the participant themselves."""
ABOUT_SAFETY = tuple(kind.__name__ for kind in (ReportEvent, ReviseEvent, ReportDeficiency, ReviseDeficiency))
REVISED = (*SAFETY, "form", "treatment", "implant_finding")
"""Tables whose rows are read whole, by a dialog that revises one."""
LONGEST_TEXT, LONGEST_NARRATIVE = 4000, 20_000
"""Characters of what is typed into one field, and into one about a safety event."""


class Visited(Protocol):
    """What this needs of the visits of the same page."""

    access: RecordAccess

    def session(self) -> dict[str, str] | None:
        """The session that runs on this computer."""


class ParticipantService:
    """What the page of a participant may ask of the record.

    Parameters
    ----------
    visits : of the same page: reaches the record, and knows which session runs.
    """

    def __init__(self, visits: Visited) -> None:
        self._visits, self._record = visits, visits.access
        self._shown: tuple[Any, ...] = ()
        self._page: dict[str, Any] = {}

    # ------------------------------------------------------------------------------ reading
    def page(self, participant_id: str) -> dict[str, Any]:
        """What the page shows (see ``widgets.ParticipantPage``); read again when the record changed.

        Raises
        ------
        UnknownName
            No such participant.
        """
        state = self._record.state()
        if state is None or (participant_id, state) != self._shown:
            self._page = self._read(participant_id)
            self._shown = (participant_id, state)
        return {**self._page, "read_at": world.clock.local().strftime("%H:%M:%S")}

    def _read(self, participant_id: str) -> dict[str, Any]:
        page: dict[str, Any] = self._record.ask(PersonPage(participant_id))
        running = self._visits.session()
        return {
            **page,
            "other_session": running["participant"] if running and running["person"] != participant_id else "",
            "signing": {"how": self._how(page["person"]), "login": self._record.login},
            "roles": {name: list(kind.ROLES or kind.SIGNED_BY[0]) for name, kind in OFFERED.items()},
        }

    def history(self, participant_id: str, table: str, row_id: str) -> list[dict[str, Any]]:
        """What happened to one row of the participant, oldest first (``Study.history``).

        Parameters
        ----------
        participant_id : whose page asks.
        table, row_id : which row.

        Raises
        ------
        Refused
            The row is somebody else's, of a table that is no part of the page, or kept from who looks.
        """
        events: list[dict[str, Any]] = self._record.ask(PersonHistory(participant_id, str(table), str(row_id)))
        return events

    def values(self, participant_id: str, table: str, row_id: str) -> list[dict[str, Any]]:
        """Values of a form or an assessment, ``{"field", "label", "value", "unit"}`` each.

        Parameters
        ----------
        participant_id : whose page asks.
        table, row_id : which row.

        Raises
        ------
        Refused
            As :meth:`history` does.
        """
        values: list[dict[str, Any]] = self._record.ask(PersonValues(participant_id, str(table), str(row_id)))
        return values

    def row(self, participant_id: str, table: str, row_id: str) -> dict[str, Any]:
        """All of an event, a deficiency, a form, a treatment or a finding, for a dialog that revises it.

        Parameters
        ----------
        participant_id : whose page asks.
        table, row_id : which row.

        Raises
        ------
        Refused
            As :meth:`history` does.
        """
        if table not in REVISED:
            raise Refused(Message("participant.table", table=f"{table!r:.60}", allowed=list(REVISED)))
        return self._own(participant_id, table, row_id)

    def report(self, participant_id: str, session_id: str, *, language: str) -> dict[str, str]:
        """Make the report of one of the participant's sessions: its two files, and the text of the first.

        Parameters
        ----------
        participant_id : whose page asks.
        session_id : which session.
        language : ``"en"`` or ``"zh-CN"``.

        Raises
        ------
        Refused
            The session is not on the page, the arm, which a report may reveal, is kept from who looks, or this
            account may not write beside the record.
        UnknownName
            Another language.
        """
        page = self._record.ask(PersonPage(participant_id))
        if page["concealed"]:
            raise Refused(Message("participant.report_concealed"))
        if session_id not in [session["id"] for session in page["sessions"]]:
            raise Refused(Message("participant.other", table="session"))
        return self._record.report(session_id, language=language)

    def bound(self, participant_id: str, targets: str) -> str:
        """Hash of rows as they are now: what is shown to who signs them.

        Parameters
        ----------
        participant_id : whose page asks.
        targets : ``TABLE:ID`` of each row, separated by commas.

        Raises
        ------
        Refused
            As :meth:`history` does.
        """
        return str(self._record.ask(Bound(tuple(self._targets(participant_id, targets))))["sha256"])

    def _targets(self, participant_id: str, text: str) -> list[tuple[str, str]]:
        """Rows of this participant, as a page names several of them."""
        found = []
        for one in str(text)[:LONGEST_TEXT].split(","):
            table, _, row_id = one.strip().partition(":")
            self._own(participant_id, table, row_id)
            found.append((table, row_id))
        return found

    def _own(self, participant_id: str, table: str, row_id: str) -> dict[str, Any]:
        """A row of this participant; a page asks for whatever it likes."""
        row: dict[str, Any] = self._record.ask(PersonRow(participant_id, str(table), str(row_id)))
        return row

    # ------------------------------------------------------------------------------ changing
    def make(
        self,
        participant_id: str,
        change: str,
        fields: Mapping[str, str],
        *,
        reason: str = "",
        login: str = "",
        password: str = "",
    ) -> None:
        """Make one change of this participant's data in the name of who signs it.

        Parameters
        ----------
        participant_id : whose.
        change : name of one of :data:`OFFERED`.
        fields : of the change but for the participant, as text; several values are separated by commas.
        reason : for a change that needs one.
        login, password : of who makes it; the password is checked and forgotten.

        Raises
        ------
        Refused
            The password is not accepted, a role is missing, the row is somebody else's, or the change refuses.
        BadValue, UnknownName
            A change or a field that there is not, or a value that is not right. Nothing is written.
        """
        if change not in OFFERED:
            raise UnknownName(Message("participant.change", got=f"{change!r:.60}", known=list(OFFERED)))
        given = typed(fields, longest=LONGEST_NARRATIVE if change in ABOUT_SAFETY else LONGEST_TEXT)
        person = self._own(participant_id, "participant", participant_id)
        self._check_rows(participant_id, given)
        if change in OF_PARTICIPANT:
            given["participant_id"] = participant_id
        made = from_text(Names(self._record), OFFERED[change], given)
        why = Message("participant.judged") if isinstance(made, CloseDeviation) else str(reason)[:LONGEST_TEXT]
        how = self._how(person)
        if how == "nobody":
            raise Refused(Message("visit.nobody_can_sign_in"))
        self._record.apply(made, why, signers=[(str(login), str(password))] if how == "password" else ())

    def _check_rows(self, participant_id: str, given: Mapping[str, str]) -> None:
        """Refuse a change of a row that is somebody else's or kept from who looks."""
        for name, table in ABOUT.items():
            if name in given:
                self._own(participant_id, table, given[name])
        if "table" in given:
            self._own(participant_id, given["table"], given.get("row_id", ""))
        if "targets" in given:
            self._targets(participant_id, given["targets"])

    def _how(self, person: Mapping[str, Any]) -> Signing:
        if self._record.takes_sign_in():
            return "password"
        return "script" if person["simulated"] else "nobody"
