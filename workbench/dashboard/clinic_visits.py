"""The visits of a page in Clinic mode, where its account cannot open the record.

A :class:`ClinicVisits` stands where a :class:`workbench.dashboard.visits.VisitService` stands in Desk mode. What
an engine does is refused there in one sentence: it writes recordings into the study folder, takes runs into the
record and reads decoders from files, all of which belong to the account of the service.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NoReturn

from workbench import world
from workbench.clinic import Client, questions
from workbench.dashboard.access import ServedRecord
from workbench.dashboard.at_hand import AtHand
from workbench.dashboard.confirming import confirmation, consent_fact
from workbench.dashboard.worklist_rows import row_of
from workbench.errors import Refused, UnknownName
from workbench.messages import Message
from workbench.study.applying import Change
from workbench.study.worklist import WorklistRow
from workbench.systems import BoundSystem


class ClinicVisits:
    """What a page may ask of the service.

    Parameters
    ----------
    client : of the service; the page's own, so that two pages are two people.
    system : what the study's sessions run, for the worklist; None where that is not known here.

    Attributes
    ----------
    access : the record as pages have it.
    """

    runs_sessions = False

    def __init__(self, client: Client, system: BoundSystem | None = None) -> None:
        self._client, self.system = client, system
        self.access = ServedRecord(client)
        self._at_hand = AtHand()
        self._confirmed: dict[str, str] = {}

    # ------------------------------------------------------------------------------ people
    @property
    def signed_in(self) -> str:
        """Name of who is signed in, ``""`` for nobody."""
        return self.access.signed_in

    who = signed_in

    @property
    def login(self) -> str:
        """Sign-in name of who is signed in, ``""`` for nobody."""
        return self.access.login

    def takes_sign_in(self) -> bool:
        """Always: the service answers nobody who has not signed in."""
        return True

    def sign_in(self, *, login: str, password: str) -> None:
        """Sign a person in for this page. Raises Refused; the password is sent to the service and forgotten."""
        self._forget_all()
        self._client.sign_in(login, password)

    def sign_out(self) -> None:
        """Nobody is signed in any more, here and in the service."""
        self._forget_all()
        self._client.sign_out()

    def _forget_all(self) -> None:
        self._at_hand.leave()
        self.forget()

    # ------------------------------------------------------------------------------ the record
    def reading(self) -> AbstractContextManager[None]:
        """What several requests of a page share: nothing, as each is answered by itself."""
        return nullcontext()

    def worklist(self) -> dict[str, Any]:
        """The day's visits as rows of the page (see ``widgets.Worklist``). Raises Refused for nobody."""
        now = world.clock.local()
        told = self.access.ask(questions.Worklist())
        about = self.access.ask(questions.WhoAmI())
        rows = [row_of(_entry(row), None, now.date(), self.system) for row in told]
        hints = [] if rows else [{"key": "worklist.hint.no_visit", "args": {}}]
        read = {"date": now.date().isoformat(), "read_at": now.strftime("%H:%M:%S")}
        return {**read, "study": about["study"], "hints": hints, "rows": rows}

    def apply(self, change: Change, reason: str = "", *, signers: Sequence[tuple[str, str]] = ()) -> str:
        """Make a change in the name of who is signed in. Returns the row's id; raises as ``Client.apply``.

        Parameters
        ----------
        change, reason, signers : as of :meth:`workbench.clinic.Client.apply`.
        """
        return self.access.apply(change, reason, signers=signers)

    def visits(self) -> list[tuple[str, str]]:
        """Every visit that may be seen with the words for it, newest first."""
        rows = self.access.ask(questions.Visits())
        return [(row["id"], f"{row['participant']} · {row['name']}") for row in reversed(rows)]

    def _visit(self, visit_id: str) -> dict[str, Any]:
        """A visit that may be seen. Raises UnknownName."""
        for row in self.access.ask(questions.Visits()):
            if row["id"] == visit_id:
                return dict(row)
        raise UnknownName(Message("study.no_row", table="visit", id=f"{visit_id!r:.60}"))

    def participant_of(self, visit_id: str) -> str:
        """Id of the participant of a visit. Raises UnknownName."""
        return str(self._visit(visit_id)["participant_id"])

    # ------------------------------------------------------------------------------ one visit
    def choose(self, visit_id: str) -> None:
        """Choose a visit; a confirmation of another one is taken back."""
        row = self._visit(visit_id)
        if self._confirmed.get("visit") != visit_id:
            self.forget()
        self._at_hand.take({"id": row["participant_id"], "pseudonym": row["participant"]}, visit_id)

    def chosen(self) -> str:
        """Id of the visit that is chosen, ``""`` for none."""
        return self._at_hand.visit

    def open_person(self, participant_id: str) -> None:
        """A participant's page is opened: a visit of somebody else is no longer chosen, nor confirmed.

        Parameters
        ----------
        participant_id : whose.
        """
        everybody = self.access.ask(questions.Participants())
        self._at_hand.take(next(row for row in everybody if row["id"] == participant_id))
        if self._confirmed.get("visit") != self._at_hand.visit:
            self.forget()

    def participant_id(self) -> str:
        """Id of the participant that the page is about, ``""`` for nobody."""
        return self._at_hand.person

    def details(self, visit_id: str) -> dict[str, Any]:
        """Consent of a visit's participant, and why no session starts from here."""
        self.choose(visit_id)
        person = self._person(visit_id)[1]
        no_session = {"text": Message("clinic.no_session")}
        return {
            "facts": [consent_fact(person)], "plan": [], "blocked": no_session, "screening": None, "systems": [],
            "system": "",
        }  # fmt: skip

    def confirm(self, visit_id: str, code: str) -> dict[str, str]:
        """Check a wristband or participant code against the participant of a visit.

        Parameters
        ----------
        visit_id : of the row that is chosen.
        code : as it was read or typed.

        Raises
        ------
        Refused
            The code belongs to somebody else, to nobody, or to more than one.
        """
        self.forget()
        visit, person, everybody = self._person(visit_id)
        self._confirmed = confirmation(person, visit, everybody, code) | {"who": self.who}
        return {name: self._confirmed[name] for name in ("clock", "by")}

    def _person(self, visit_id: str) -> tuple[dict[str, Any], dict[str, Any], list[dict[str, Any]]]:
        """A visit, its participant, and everybody else."""
        visit, everybody = self._visit(visit_id), self.access.ask(questions.Participants())
        return visit, next(row for row in everybody if row["id"] == visit["participant_id"]), everybody

    def forget(self) -> None:
        """Take a confirmation back."""
        self._confirmed = {}

    @property
    def confirmed(self) -> Mapping[str, str]:
        """The confirmation that holds; empty without one."""
        return dict(self._confirmed)

    def visit(self) -> dict[str, str]:
        """The chosen visit: ``id, study, participant, name, confirmed``, or empty."""
        if not (self._at_hand.visit and self.signed_in):
            return {}
        row, about = self._visit(self._at_hand.visit), self.access.ask(questions.WhoAmI())
        named = {name: str(row[name]) for name in ("id", "participant", "name")}
        return {**named, "study": str(about["study"]), "confirmed": self._confirmed.get("clock", "")}

    def at_hand(self) -> dict[str, str]:
        """Whom the page is about, as :meth:`visit` has it; without a visit ``id`` and ``name`` are empty."""
        visit = self.visit()
        if visit or not (self._at_hand.person and self.signed_in):
            return visit
        study = str(self.access.ask(questions.WhoAmI())["study"])
        return {"id": "", "study": study, "participant": self._at_hand.pseudonym, "name": "", "confirmed": ""}

    @property
    def first_forms(self) -> tuple[str, ...]:
        """Measures that are offered first."""
        return (self.system.system.forms if self.system else ()) or ("arat",)

    # ------------------------------------------------------------------------------ no engine
    def session(self) -> None:
        """No session of this study runs under this account."""

    def visit_in_session(self) -> None:
        """No form is bound to a session."""

    def awaiting(self) -> list[dict[str, Any]]:
        """No decoder waits here for a decision: its file is the service account's."""
        return []

    def choose_system(self, key: str) -> NoReturn:
        """Raise Refused: no session starts from here."""
        raise Refused(Message("clinic.no_session"))

    def screen(self, visit_id: str, answer: str) -> NoReturn:
        """Raise Refused: no session starts from here.

        Parameters
        ----------
        visit_id, answer : as they came.
        """
        raise Refused(Message("clinic.no_session"))


def _entry(row: Mapping[str, Any]) -> WorklistRow:
    """A row as the worklist of the record gives it."""
    return WorklistRow(**{**row, **{name: tuple(row[name]) for name in ("drafts", "awaiting", "reasons")}})
