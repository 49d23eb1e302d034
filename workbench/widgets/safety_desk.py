"""The safety desk: the verdict, reports by urgency, who was told, events, stopping rules and implants.

Everything on it is read from the record or asked for there. It sends nothing by itself: it keeps what somebody
sent, told or judged, in the name of who is signed in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import traitlets

from workbench.errors import Refused
from workbench.messages import Message
from workbench.widgets._base import compose, styles
from workbench.widgets._record_page import RecordPage


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


class SafetyDesk(RecordPage):
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

    _service: DeskRequests

    _esm = compose(
        "parts/dom", "parts/icons", "parts/entry", "parts/signin", "parts/timeline", "parts/signed",
        "parts/safety_forms", "parts/clocks", "parts/surveillance", "safety_desk",
    )  # fmt: skip
    _css = styles("panels", "entry", "safety")

    opens = traitlets.Bool().tag(sync=True)

    def __init__(
        self, service: DeskRequests, *, open_participant: Callable[[str], None] | None = None, **traits: Any
    ) -> None:
        super().__init__(service, opens=open_participant is not None, **traits)
        # Read when a browser shows it and asks: the frame stands there at once, and a widget that the browser has
        # not made within 2 s, as one that is given much meanwhile, is given up.
        self._open_participant = open_participant

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

    def participant(self, participant: str) -> None:
        """Open the page of a participant. Raises Refused where there is none."""
        if self._open_participant is None or participant not in self.page.get("participants", ()):
            raise Refused(Message("desk.no_participant_page"))
        self._open_participant(participant)
