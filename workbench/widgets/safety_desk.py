"""The safety desk: the verdict, reports by urgency, who was told, events, stopping rules and implants.

Everything on it is read from the record or asked for there. It sends nothing by itself: it keeps what somebody
sent, told or judged, in the name of who is signed in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import traitlets

from workbench import messages
from workbench.errors import Refused
from workbench.messages import Message
from workbench.widgets._base import SAYABLE, SYNCED, Panel, compose, styles


class DeskRequests(Protocol):
    """The functions of the record that the desk uses (``dashboard.DeskService`` has them)."""

    def page(self) -> Mapping[str, Any]:
        """What the desk shows; see :class:`SafetyDesk`."""

    def row(self, table: str, row_id: str) -> Mapping[str, Any]:
        """All of an adverse event or a device deficiency.

        Parameters
        ----------
        table, row_id : which row.
        """

    def make(
        self, change: str, fields: Mapping[str, str], *, reason: str = "", login: str = "", password: str = ""
    ) -> None:
        """Make one change.

        Parameters
        ----------
        change, fields : what is changed.
        reason : why.
        login, password : of who makes it, while nobody is signed in.
        """


class SafetyDesk(Panel):
    """The safety desk of a study.

    Parameters
    ----------
    service : reads the record and makes the changes.
    open_participant : called with a pseudonym; None where no page shows one.

    Traits
    ------
    look : ``{"read_at", "fault"}``; page : ``title, verdict, now, today, concealed, reports, laws, n_waiting,
    n_sent, off, events, deficiencies, n_events, n_serious, n_deficiencies, stopping, implants, quiet, n_implants,
    implant_days, country, participants, signing, roles``, empty before the first reading. A report has what
    ``study.obligations.OpenObligation`` has; ``laws`` are the rules by id, and its ``days`` are
    ``{"first", "counts", "today", "why"}`` (see ``dashboard.safety_desk``). opens : whether
    participants have a page.
    """

    _esm = compose(
        "parts/dom", "parts/icons", "parts/entry", "parts/signin", "parts/timeline", "parts/signed",
        "parts/safety_forms", "parts/clocks", "parts/surveillance", "safety_desk",
    )  # fmt: skip
    _css = styles("panels", "entry", "safety")

    look = traitlets.Dict().tag(**SYNCED)
    page = traitlets.Dict().tag(**SYNCED)
    opens = traitlets.Bool().tag(sync=True)

    def __init__(
        self, service: DeskRequests, *, open_participant: Callable[[str], None] | None = None, **traits: Any
    ) -> None:
        super().__init__(opens=open_participant is not None, **traits)
        # Read when a browser shows it and asks: the frame stands there at once, and a widget that the browser has
        # not made within 2 s, as one that is given much meanwhile, is given up.
        self._service, self._open_participant = service, open_participant

    def describe(self) -> tuple[str, list[tuple[str, object]]]:
        """The verdict, and how much there is of what."""
        facts: list[tuple[str, object]] = [
            ("reports to send", self.page.get("n_waiting", 0)),
            ("adverse events", self.page.get("n_events", 0)),
            ("device deficiencies", self.page.get("n_deficiencies", 0)),
        ]
        return str(self.page.get("title", "")), facts

    def requests(self) -> Mapping[str, Callable[..., Any]]:
        """Read again, all of a row, a change, open a participant."""
        return {"read": self.read, "row": self.row, "make": self.make, "participant": self.participant}

    def read(self) -> None:
        """Read the record. When it cannot be read, the desk stays as it was, with the fault beside it."""
        try:
            found = dict(self._service.page())
        except SAYABLE as error:
            self.look = {**self.look, "fault": messages.of(error)}
            return
        with self.hold_sync():
            self.look = {"read_at": found.pop("read_at"), "fault": ""}
            self.page = found

    def row(self, table: str, row: str) -> dict[str, Any]:
        """All of an adverse event or a device deficiency."""
        return dict(self._service.row(table, row))

    def make(
        self, change: str, fields: Mapping[str, str], reason: str = "", login: str = "", password: str = ""
    ) -> None:
        """Make a change, then read the record again.

        Parameters
        ----------
        change : its name.
        fields : of it, as text.
        reason : why.
        login, password : of who makes it; passed on and forgotten.
        """
        self._service.make(change, fields, reason=reason, login=login, password=password)
        self.read()

    def participant(self, participant: str) -> None:
        """Open the page of a participant. Raises Refused where there is none."""
        if self._open_participant is None or participant not in self.page.get("participants", ()):
            raise Refused(Message("desk.no_participant_page"))
        self._open_participant(participant)
