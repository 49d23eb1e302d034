"""The page of a participant: identity, one time axis, visits and forms, outcomes, consent, queries, deviations.

Everything on it is read from the record or asked for there. A change is made by the record, in the name of who
signs in the dialog; the password comes by POST and is no trait (:mod:`workbench.widgets._tickets`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import traitlets

from workbench import messages
from workbench.errors import Refused
from workbench.messages import Message
from workbench.widgets._base import SAYABLE, SYNCED, compose, styles
from workbench.widgets._history import field_history
from workbench.widgets._record_page import RecordPage


class ParticipantRequests(Protocol):
    """The functions of the record that the page uses (``dashboard.ParticipantService`` has them)."""

    def page(self, participant_id: str) -> Mapping[str, Any]:
        """What the page shows; see :class:`ParticipantPage`."""

    def history(self, participant_id: str, table: str, row_id: str) -> Sequence[Mapping[str, Any]]:
        """What happened to one row of the participant, oldest first.

        Parameters
        ----------
        participant_id : whose page asks.
        table, row_id : which row.
        """

    def values(self, participant_id: str, table: str, row_id: str) -> list[dict[str, Any]]:
        """Values of a form or an assessment: ``{"field", "label", "value", "unit"}`` each.

        Parameters
        ----------
        participant_id : whose page asks.
        table, row_id : which row.
        """

    def row(self, participant_id: str, table: str, row_id: str) -> dict[str, Any]:
        """All of an adverse event, a device deficiency, a form, a treatment or a finding at an implant.

        Parameters
        ----------
        participant_id : whose page asks.
        table, row_id : which row.
        """

    def report(self, participant_id: str, session_id: str, *, language: str) -> dict[str, str]:
        """Make the report of a session: ``{"path", "pdf", "html"}``.

        Parameters
        ----------
        participant_id : whose page asks.
        session_id : which session.
        language : ``"en"`` or ``"zh-CN"``.
        """

    def bound(self, participant_id: str, targets: str) -> str:
        """Hash of rows as they are now.

        Parameters
        ----------
        participant_id : whose page asks.
        targets : ``TABLE:ID`` of each row, separated by commas.
        """

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
        """Make one change of the participant's data.

        Parameters
        ----------
        participant_id : whose.
        change, fields : what is changed.
        reason : why.
        login, password : of who makes it.
        """


class ParticipantPage(RecordPage):
    """One participant of the study.

    Parameters
    ----------
    service : reads the record and makes the changes.
    participant_id : whose page.
    back : called to go back to the worklist, None where there is none.
    start_session : called with a visit to lead to where its session starts; None where none does.
    show_result : called with a run to show what it came to; None where nothing does.

    Traits
    ------
    look : ``{"read_at", "fault"}``; page : ``{"person", "enrolment", "consents", "document", "today", "visits",
    "next", "sessions", "signatures", "locks", "queries", "deviations", "events", "safety", "implants",
    "intercurrent", "country", "steps", "treatments", "core", "measures", "concealed", "other_session",
    "signing", "roles"}``, empty before the first reading; leads : ``["session", "result"]``, what leads
    elsewhere from here; made : the report that is made or was made last, ``{"session", "busy", "path", "html",
    "fault"}``. ``sessions`` are those of ``dashboard.participant_sessions``, ``signatures`` and ``locks`` of
    ``dashboard.participant_forms``. ``person`` has ``id, pseudonym, simulated, injury_level, ais, injured_on,
    trained_side, hold``; a consent ``purpose, required, state, version, on, given_by, witness, by, newer``; a
    visit ``id, name, planned, earliest, latest, held, state, anchor, forms``; a query ``id, text, by, days,
    where, answer``; a deviation ``id, category, text, state, by, day, days, row_id``; ``events`` are adverse
    events ``{"day", "until", "text", "serious"}``; ``safety`` are these and device deficiencies as ``id, table,
    what, onset, state, facts``; ``implants`` have ``id, device, serial, location, implanted_on, explanted_on,
    intercurrent``, their ``findings`` and their planned ``checks``
    (:class:`workbench.study.implants.PlannedCheck`); ``intercurrent`` are the protocol's names for what ends
    one; ``steps`` are those of ``dashboard.participant_steps``, ``treatments`` those of
    :mod:`workbench.study.treatments`, ``core`` the values of the core data set; ``signing`` is ``{"how",
    "login"}``.
    """

    _service: ParticipantRequests

    _esm = compose(
        "parts/dom", "parts/icons", "parts/entry", "parts/signin", "parts/timeline", "parts/multiples",
        "parts/signed", "parts/safety_forms", "parts/steps", "parts/entered_forms", "parts/visit_sessions",
        "parts/treatments", "parts/implants", "participant_page",
    )  # fmt: skip
    _css = styles("panels", "entry", "participant", "safety", "forms")

    can_go_back = traitlets.Bool().tag(sync=True)
    leads: traitlets.List[Any] = traitlets.List().tag(sync=True)
    made = traitlets.Dict().tag(**SYNCED)

    def __init__(
        self,
        service: ParticipantRequests,
        participant_id: str,
        *,
        back: Callable[[], None] | None = None,
        start_session: Callable[[str], None] | None = None,
        show_result: Callable[[str], None] | None = None,
        **traits: Any,
    ) -> None:
        leads = [name for name, led in (("session", start_session), ("result", show_result)) if led is not None]
        super().__init__(service, participant_id, can_go_back=back is not None, leads=leads, **traits)
        self._participant, self._back = participant_id, back
        self._start_session, self._show_result = start_session, show_result
        self._thread: threading.Thread | None = None
        self.read()

    def describe(self) -> tuple[str, list[tuple[str, object]]]:
        """Who it is, and what is open."""
        person = self.page.get("person", {})
        counted = ("visits", "queries", "deviations")
        return str(person.get("pseudonym", "")), [(name, len(self.page.get(name, ()))) for name in counted]

    def requests(self) -> Mapping[str, Callable[..., Any]]:
        """Read again, go or lead on, values, history, hash or all of a row, a report, and a change."""
        return {
            "read": self.read, "back": self.back, "values": self.values, "history": self.history, "row": self.row,
            "bound": self.bound, "make": self.make, "report": self.report, "start_session": self.start_session,
            "show_result": self.show_result,
        }  # fmt: skip

    def back(self) -> None:
        """Go back to the worklist. Raises Refused where there is none."""
        if self._back is None:
            raise Refused(Message("participant.no_worklist"))
        self._back()

    def start_session(self, visit: str) -> None:
        """Lead to where the session of a visit of this participant starts. Raises Refused where none does."""
        if self._start_session is None or visit not in [one["id"] for one in self.page["visits"] if one["id"]]:
            raise Refused(Message("participant.no_session"))
        self._start_session(visit)

    def show_result(self, run: str) -> None:
        """Show what a run of this participant came to. Raises Refused for another one."""
        if self._show_result is None or run not in [
            one["id"] for session in self.page["sessions"] for one in session["runs"]
        ]:
            raise Refused(Message("participant.no_result"))
        self._show_result(run)

    def report(self, session: str) -> None:
        """Begin to make the report of a session of this participant, in the language of the page.

        It is made on a thread of its own: STOP of the same page must not wait for it.

        Raises
        ------
        Refused
            While another one is made.
        """
        if self._thread is not None and self._thread.is_alive():
            raise Refused(Message("participant.report_running"))
        language, started = str(self.language), {"session": str(session), "path": "", "html": "", "fault": ""}

        def body() -> None:
            # An error that nobody foresaw goes on to the terminal; the page must not say for ever that work runs.
            ended: dict[str, str] = {"fault": Message("overview.unforeseen")}
            try:
                try:
                    ended = dict(self._service.report(self._participant, str(session), language=language))
                except SAYABLE as error:
                    ended = {"fault": messages.of(error)}
            finally:
                self.made = {**started, **ended, "busy": False}

        self.made = {**started, "busy": True}
        self._thread = threading.Thread(target=body, name="workbench-report", daemon=True)
        self._thread.start()

    def wait(self, seconds: float = 60.0) -> None:
        """Wait until the report that is made is there, at most so long; for scripts."""
        if self._thread is not None:
            self._thread.join(seconds)

    def values(self, table: str, row: str) -> list[dict[str, Any]]:
        """Values of a form or an assessment of this participant."""
        return self._service.values(self._participant, table, row)

    def history(self, table: str, row: str, field: str) -> list[dict[str, Any]]:
        """What happened to one field of one row: ``{"utc", "actor", "reason", "from", "to", "redacted"}`` each.

        Parameters
        ----------
        table, row, field : what.
        """
        return field_history(self._service.history(self._participant, table, row), str(field))

    def bound(self, targets: str) -> str:
        """Hash of rows of this participant as they are now, which a signature binds."""
        return self._service.bound(self._participant, targets)
