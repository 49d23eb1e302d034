"""Sign-in, worklist and changes of a page in Clinic mode, where its account cannot open the record.

A :class:`ClinicVisits` stands where a :class:`workbench.dashboard.visits.VisitService` stands in Desk mode, for
what is written here; ``docs/clinic_mode.md`` names the screens that still need Desk mode.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workbench import world
from workbench.clinic import Client, questions
from workbench.dashboard.worklist_rows import row_of
from workbench.study.applying import Change
from workbench.study.worklist import WorklistRow
from workbench.systems import BoundSystem


class ClinicVisits:
    """What a page may ask of the service.

    Parameters
    ----------
    client : of the service; the page's own, so that two pages are two people.
    system : what the study's sessions run.
    """

    def __init__(self, client: Client, system: BoundSystem) -> None:
        self._client, self._system = client, system

    # ------------------------------------------------------------------------------ people
    @property
    def signed_in(self) -> str:
        """Name of who is signed in, ``""`` for nobody."""
        return str(self._client.person.get("name", ""))

    who = signed_in

    @property
    def login(self) -> str:
        """Sign-in name of who is signed in, ``""`` for nobody."""
        return str(self._client.person.get("login", ""))

    @property
    def person_id(self) -> str:
        """Id of who is signed in, ``""`` for nobody."""
        return str(self._client.person.get("person_id", ""))

    def takes_sign_in(self) -> bool:
        """Always: the service answers nobody who has not signed in."""
        return True

    def sign_in(self, *, login: str, password: str) -> None:
        """Sign a person in for this page. Raises Refused; the password is sent to the service and forgotten."""
        self._client.sign_in(login, password)

    def sign_out(self) -> None:
        """Nobody is signed in any more, here and in the service."""
        self._client.sign_out()

    # ------------------------------------------------------------------------------ the record
    def worklist(self) -> dict[str, Any]:
        """The day's visits as rows of the page (see ``widgets.Worklist``). Raises Refused for nobody."""
        now = world.clock.local()
        told = self._client.ask(questions.Worklist())
        about = self._client.ask(questions.WhoAmI())
        rows = [row_of(_entry(row), None, now.date(), self._system) for row in told]
        hints = [] if rows else [{"key": "worklist.hint.no_visit", "args": {}}]
        read = {"date": now.date().isoformat(), "read_at": now.strftime("%H:%M:%S")}
        return {**read, "study": about["study"], "hints": hints, "rows": rows}

    def apply(self, change: Change, reason: str = "", *, signers: Sequence[tuple[str, str]] = ()) -> str:
        """Make a change in the name of who is signed in. Returns the row's id; raises as ``Client.apply``.

        Parameters
        ----------
        change, reason, signers : as of :meth:`workbench.clinic.Client.apply`.
        """
        return self._client.apply(change, reason, signers=signers)


def _entry(row: Mapping[str, Any]) -> WorklistRow:
    """A row as the worklist of the record gives it."""
    return WorklistRow(**{**row, **{name: tuple(row[name]) for name in ("drafts", "awaiting", "reasons")}})
