"""The worklist: whose visits are due, and the confirmation of one person before anything starts.

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
"""What a row can be in: ready to start, look first, on hold, in session, done, not due."""
LONGEST_CODE = 64


class VisitRequests(Protocol):
    """What the worklist needs of the record and the engine (``dashboard.VisitService`` has it)."""

    def worklist(self) -> Mapping[str, Any]:
        """``{"date", "read_at", "study", "hints", "rows": [row, …]}``; see :class:`Worklist` for a row."""

    def details(self, visit_id: str) -> Mapping[str, Any]:
        """Consent, decoder, effector and plan of one visit, for the panel beside the list."""

    def confirm(self, visit_id: str, code: str) -> Mapping[str, Any]:
        """Hold the code against the participant of the visit: ``{"clock", "by"}``; raises Refused for another."""

    def start(self, visit_id: str) -> None:
        """Start the session of a visit that was confirmed; the confirmation is used up."""

    def forget(self) -> None:
        """Take a confirmation back."""


class Worklist(Panel):
    """Participants and visits of the day, and one confirmed before a session.

    Parameters
    ----------
    service : reads the record, confirms and starts.
    choose : called with the visit that was chosen, so that other panels can follow; None for nothing.

    Traits
    ------
    day : ``{"date", "read_at", "study", "fault", "hints"}``, where ``hints`` is a list of ``{"key", "args"}`` with
    what the study still needs, the command that does it under ``args["command"]``; rows :
    ``{"visit", "time", "participant", "about", "visit_name", "window", "device", "last", "open", "state"}`` each,
    where ``open`` is a list of ``{"state", "key", "args"}`` and ``window`` is ``{"part", "key", "args"}``;
    chosen : id of a visit;
    details : of that visit; confirmed : ``{"visit", "clock", "by"}`` while a confirmation holds.
    """

    _esm = compose("parts/dom", "parts/icons", "worklist")
    _css = styles("panels", "worklist")

    day = traitlets.Dict().tag(**SYNCED)
    rows: traitlets.List[Any] = traitlets.List().tag(**SYNCED)
    chosen = traitlets.Unicode("").tag(sync=True)
    details = traitlets.Dict().tag(**SYNCED)
    confirmed = traitlets.Dict().tag(sync=True)

    def __init__(
        self, service: VisitRequests, *, choose: Callable[[str], None] | None = None, **traits: Any
    ) -> None:
        super().__init__(**traits)
        self._service = service
        self._on_choose = choose
        self._chosen = ""
        self._known: dict[str, str] = {}
        self.look()

    def describe(self) -> tuple[str, list[tuple[str, object]]]:
        """How many visits the day has, and which is chosen."""
        return "", [("visits", len(self.rows)), ("chosen", self.chosen)]

    def requests(self) -> Mapping[str, Callable[..., Any]]:
        """Look again, choose a row, confirm its person, take that back, start."""
        return {
            "look": self.look,
            "choose": self.choose,
            "confirm": self.confirm,
            "somebody_else": self.somebody_else,
            "start": self.start,
        }

    def look(self) -> None:
        """Read the record. One that cannot be read leaves the rows as they were, and says since when."""
        try:
            read = dict(self._service.worklist())
        except WorkbenchError as error:
            self.day = {**self.day, "fault": messages.of(error)}
            return
        rows = list(read.pop("rows"))
        self._known = {row["visit"]: row["participant"] for row in rows}
        with self.hold_sync():
            self.day, self.rows = {**read, "fault": ""}, rows
            if self._chosen in self._known:
                self.details = dict(self._service.details(self._chosen))

    def choose(self, visit: str) -> None:
        """Choose a row; nothing starts, and a confirmation of another visit is taken back."""
        if visit not in self._known:
            raise BadValue(Message("worklist.unknown_visit", visit=repr(visit)))
        if visit != self._chosen:
            self.somebody_else()
        self._chosen = self.chosen = visit
        self.details = dict(self._service.details(visit))
        if self._on_choose is not None:
            self._on_choose(visit)

    def confirm(self, visit: str, code: str) -> None:
        """Hold the code that was read against the participant of the chosen row.

        Raises
        ------
        Refused
            The code is of somebody else, of nobody, or not for the row that is chosen.
        """
        self.confirmed = {}
        if visit != self._chosen or not visit:
            raise Refused(Message("worklist.other_row"))
        if not isinstance(code, str) or not 0 < len(code.strip()) <= LONGEST_CODE:
            raise BadValue(Message("worklist.code_length", n=LONGEST_CODE))
        self.confirmed = {"visit": visit, **self._service.confirm(visit, code.strip())}

    def somebody_else(self) -> None:
        """Take the confirmation back; the row stays chosen."""
        self._service.forget()
        self.confirmed = {}

    def start(self, visit: str) -> None:
        """Start the session of the confirmed visit. Refused for any other, whatever the page sends."""
        if not visit or visit != self.confirmed.get("visit") or visit != self._chosen:
            raise Refused(Message("visit.this_not_confirmed"))
        self.confirmed = {}
        self._service.start(visit)
