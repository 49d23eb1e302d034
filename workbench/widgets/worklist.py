"""The worklist: which visits are due, and the confirmation of the participant before anything starts.

Choosing a row starts nothing. The code of the wristband, or of the participant where there is none, is read or
typed; only when code and row agree does *Start session* become possible, once, for that visit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import traitlets

from workbench import messages
from workbench.errors import BadValue, Refused, WorkbenchError
from workbench.messages import Message
from workbench.widgets._base import SYNCED, Panel, compose, styles

STATES = ("ready", "check", "hold", "session", "done", "not_due")
"""States of a row: ready to start, check first, on hold, in session, done, not due."""
LONGEST_CODE = 64


class VisitRequests(Protocol):
    """The functions of record and engine that the worklist uses (``dashboard.VisitService`` has them)."""

    def worklist(self) -> Mapping[str, Any]:
        """``{"date", "read_at", "study", "hints", "rows": [row, …]}``; see :class:`Worklist` for a row."""

    def chosen(self) -> str:
        """Id of the visit that the page is about, ``""`` for none; it may be chosen elsewhere on the page."""

    def details(self, visit_id: str) -> Mapping[str, Any]:
        """Consent, decoder, effector and plan of one visit, for the panel beside the list."""

    def confirm(self, visit_id: str, code: str) -> Mapping[str, Any]:
        """Compare the code with the visit's participant: ``{"clock", "by"}``; raises Refused for another."""

    def choose_system(self, key: str) -> None:
        """Choose what the next session runs, by a key of ``details["systems"]``."""

    def screen(self, visit_id: str, answer: str) -> None:
        """Enter the answer to the question about seizures, before light flickers."""

    def start(self, visit_id: str) -> None:
        """Start the session of a visit that was confirmed; the confirmation is used up."""

    def forget(self) -> None:
        """Withdraw a confirmation."""


class Worklist(Panel):
    """Participants and visits of the day, with confirmation of one before its session.

    Parameters
    ----------
    service : reads the record, confirms and starts.
    choose : called with the chosen visit, so that other panels can follow; None for nothing.
    open_page : called with a visit to show the page of its participant; None where there is no such page.
    study, safety : called to show the overview of the study, and its safety desk; None where no page does.

    Traits
    ------
    day : ``{"date", "read_at", "study", "fault", "hints"}``, where ``hints`` is a list of ``{"key", "args"}`` with
    what the study still needs, the command that does it under ``args["command"]``; rows :
    ``{"visit", "time", "participant", "about", "visit_name", "window", "device", "last", "open", "state"}`` each,
    where ``open`` is a list of ``{"state", "key", "args"}`` and ``window`` is ``{"part", "key", "args"}``;
    chosen : id of the visit that the page is about; opens : whether participants have a page; focus : visit whose
    row is gone back to; details : of the chosen visit; confirmed : ``{"visit", "clock", "by"}`` while a
    confirmation holds;
    leads, leads_safety : whether the overview of the study, and its safety desk, are one step away.
    """

    _esm = compose("parts/dom", "parts/icons", "worklist")
    _css = styles("panels", "worklist")

    day = traitlets.Dict().tag(**SYNCED)
    rows: traitlets.List[Any] = traitlets.List().tag(**SYNCED)
    chosen = traitlets.Unicode("").tag(sync=True)
    opens = traitlets.Bool().tag(sync=True)
    focus = traitlets.Unicode("").tag(sync=True)
    details = traitlets.Dict().tag(**SYNCED)
    confirmed = traitlets.Dict().tag(sync=True)
    leads = traitlets.Bool(default_value=False).tag(sync=True)
    leads_safety = traitlets.Bool(default_value=False).tag(sync=True)

    def __init__(
        self,
        service: VisitRequests,
        *,
        choose: Callable[[str], None] | None = None,
        open_page: Callable[[str], None] | None = None,
        study: Callable[[], None] | None = None,
        safety: Callable[[], None] | None = None,
        **traits: Any,
    ) -> None:
        leads = {"leads": study is not None, "leads_safety": safety is not None}
        super().__init__(opens=open_page is not None, **leads, **traits)
        self._service, self._study, self._safety = service, study, safety
        self._on_choose, self._open_page = choose, open_page
        self._chosen = ""
        self._known: dict[str, str] = {}
        self.look()

    def describe(self) -> tuple[str, list[tuple[str, object]]]:
        """How many visits the day has, and which is chosen."""
        return "", [("visits", len(self.rows)), ("chosen", self.chosen)]

    def requests(self) -> Mapping[str, Callable[..., Any]]:
        """Look again, choose a row, confirm its participant, withdraw that, start."""
        return {
            "look": self.look,
            "choose": self.choose,
            "open_participant": self.open_participant,
            "confirm": self.confirm,
            "choose_system": self.choose_system,
            "screen": self.screen,
            "somebody_else": self.somebody_else,
            "start": self.start,
            "study": self.study,
            "safety": self.safety,
        }

    def look(self) -> None:
        """Read the record. When it cannot be read, the rows stay as they were, with the fault beside them."""
        try:
            read = dict(self._service.worklist())
        except WorkbenchError as error:
            self.day = {**self.day, "fault": messages.of(error)}
            return
        rows = list(read.pop("rows"))
        self._known = {row["visit"]: row["participant"] for row in rows}
        with self.hold_sync():
            self.day, self.rows = {**read, "fault": ""}, rows
            if self._chosen != self._service.chosen():
                self.confirmed = {}
            self._chosen = self.chosen = self._service.chosen()
            self.details = dict(self._service.details(self._chosen)) if self._chosen in self._known else {}

    def choose(self, visit: str) -> None:
        """Choose a row; nothing starts, and a confirmation of another visit is withdrawn."""
        if visit not in self._known:
            raise BadValue(Message("worklist.unknown_visit", visit=repr(visit)))
        if visit != self._chosen:
            self.somebody_else()
        self._chosen = self.chosen = visit
        self.details = dict(self._service.details(visit))
        if self._on_choose is not None:
            self._on_choose(visit)

    def open_participant(self, visit: str) -> None:
        """Show the page of a row's participant; the row is chosen, so that the bar names the same person.

        Raises
        ------
        Refused
            Where participants have no page.
        """
        if self._open_page is None:
            raise Refused(Message("participant.no_page"))
        self.choose(visit)
        self.focus = visit
        self._open_page(visit)

    def take(self, visit: str) -> None:
        """Choose a visit from another page, which leads to its row.

        Raises
        ------
        Refused
            For a visit that is not on the list of the day.
        """
        self.look()
        if visit not in [row["visit"] for row in self.rows]:
            raise Refused(Message("worklist.not_today"))
        self.choose(visit)
        self.focus = visit

    def choose_system(self, key: str) -> None:
        """Choose what the next session runs; a confirmation is withdrawn, and the rows are read again."""
        self._service.choose_system(key)
        self.confirmed = {}
        self.look()

    def screen(self, visit: str, answer: str) -> None:
        """Enter what the participant of the chosen row answered to the question about seizures."""
        if visit != self._chosen or not visit:
            raise Refused(Message("worklist.other_row"))
        self._service.screen(visit, str(answer))
        self.details = dict(self._service.details(visit))

    def confirm(self, visit: str, code: str) -> None:
        """Compare the code that was read with the participant of the chosen row.

        Raises
        ------
        Refused
            The code belongs to somebody else, to nobody, or not to the chosen row.
        """
        self.confirmed = {}
        if visit != self._chosen or not visit:
            raise Refused(Message("worklist.other_row"))
        # Bounded: a scanner that reads the wrong label must not send a page of text to the record.
        if not isinstance(code, str) or not 0 < len(code.strip()) <= LONGEST_CODE:
            raise BadValue(Message("worklist.code_length", n=LONGEST_CODE))
        self.confirmed = {"visit": visit, **self._service.confirm(visit, code.strip())}

    def study(self) -> None:
        """Show the overview of the study."""
        if self._study is not None:
            self._study()

    def safety(self) -> None:
        """Show the safety desk."""
        if self._safety is not None:
            self._safety()

    def somebody_else(self) -> None:
        """Withdraw the confirmation; the row stays chosen."""
        self._service.forget()
        self.confirmed = {}

    def start(self, visit: str) -> None:
        """Start the session of the confirmed visit; refused for any other, whatever the page sends."""
        # Used up before the session starts: one confirmation never starts two sessions.
        if not visit or visit != self.confirmed.get("visit") or visit != self._chosen:
            raise Refused(Message("visit.this_not_confirmed"))
        self.confirmed = {}
        self._service.start(visit)
