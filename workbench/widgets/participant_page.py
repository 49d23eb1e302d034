"""The page of a participant: identity, one time axis, visits and forms, outcomes, consent, queries, deviations.

Everything on it is read from the record or asked for there. A change is made by the record, in the name of who
signs in the dialog; the password comes by POST and is no trait (:mod:`workbench.widgets._tickets`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import traitlets

from workbench.errors import Refused
from workbench.messages import Message
from workbench.widgets._base import compose, styles
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
        """All of an adverse event or a device deficiency.

        Parameters
        ----------
        participant_id : whose page asks.
        table, row_id : which row.
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

    Traits
    ------
    look : ``{"read_at", "fault"}``; page : ``{"person", "enrolment", "consents", "document", "today", "visits",
    "next", "sessions", "queries", "deviations", "events", "safety", "country", "steps", "treatments", "core",
    "measures", "concealed", "other_session", "signing", "roles"}``, empty before the first reading. ``person``
    has ``id, pseudonym, simulated, injury_level, ais, injured_on, trained_side, hold``; a consent ``purpose,
    required, state, version, on, given_by, witness, by, newer``; a visit ``id, name, planned, earliest, latest,
    held, state, anchor, forms``; a query ``id, text, by, days, where, answer``; a deviation ``id, category,
    text, state, by, day, days``; ``events`` are adverse events ``{"day", "until", "text", "serious"}``;
    ``safety`` are these and device deficiencies as ``id, table, what, onset, state, facts``; ``steps`` are those
    of ``dashboard.participant_steps``, ``treatments`` those of :mod:`workbench.study.treatments`, ``core`` the
    values of the core data set; ``signing`` is ``{"how", "login"}``.
    """

    _service: ParticipantRequests

    _esm = compose(
        "parts/dom", "parts/icons", "parts/entry", "parts/signin", "parts/timeline", "parts/multiples",
        "parts/signed", "parts/safety_forms", "parts/steps", "participant_page",
    )  # fmt: skip
    _css = styles("panels", "entry", "participant", "safety")

    can_go_back = traitlets.Bool().tag(sync=True)

    def __init__(
        self,
        service: ParticipantRequests,
        participant_id: str,
        *,
        back: Callable[[], None] | None = None,
        **traits: Any,
    ) -> None:
        super().__init__(service, participant_id, can_go_back=back is not None, **traits)
        self._participant, self._back = participant_id, back
        self.read()

    def describe(self) -> tuple[str, list[tuple[str, object]]]:
        """Who it is, and what is open."""
        person = self.page.get("person", {})
        counted = ("visits", "queries", "deviations")
        return str(person.get("pseudonym", "")), [(name, len(self.page.get(name, ()))) for name in counted]

    def requests(self) -> Mapping[str, Callable[..., Any]]:
        """Read again, go back, values, history, hash or all of a row, and a change."""
        return {
            "read": self.read, "back": self.back, "values": self.values, "history": self.history, "row": self.row,
            "bound": self.bound, "make": self.make,
        }  # fmt: skip

    def back(self) -> None:
        """Go back to the worklist. Raises Refused where there is none."""
        if self._back is None:
            raise Refused(Message("participant.no_worklist"))
        self._back()

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
