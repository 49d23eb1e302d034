"""How pages reach the record: one interface, which an open file (Desk mode) and the service (Clinic mode) fulfil.

No page knows which of them it has. It asks questions of :mod:`workbench.clinic.questions`, makes changes in the
name of who is signed in or signs there and then, and is refused in one sentence where the account that it runs
under cannot do what was asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from workbench import delimited, world
from workbench.clinic import Client, questions
from workbench.clinic.asking import Question, Seen, asked
from workbench.clinic.pages.forms import Assessments, DiscardDraft, KeepDraft
from workbench.clinic.pages.overview import VerifyRecord
from workbench.clinic.readers import Reader
from workbench.errors import Refused
from workbench.messages import Message
from workbench.study import Study, allocations, audit_trail, verified
from workbench.study.applying import Change
from workbench.study.changes.assessing import ENTERED, CorrectAssessment, SaveAssessment
from workbench.study.concealment import sight_of
from workbench.study.people import Signer
from workbench.study.verified import LastVerification
from workbench.vocabulary import Assessment
from workbench.widgets import RecordStore

if TYPE_CHECKING:
    from workbench.dashboard.visits import VisitService

FOLDER = "exports"
Signers = Sequence[tuple[str, str]]
"""Logins and passwords of who signs a change."""


class RecordAccess(Protocol):
    """The record, as a page has it."""

    @property
    def login(self) -> str:
        """Sign-in name of who is signed in, ``""`` for nobody."""

    @property
    def signed_in(self) -> str:
        """Name of who is signed in, ``""`` for nobody."""

    def takes_sign_in(self) -> bool:
        """Whether there are people who can sign in."""

    def state(self) -> Any:
        """What differs whenever a page has something else to show; None where that is known by asking alone."""

    def ask(self, question: Question) -> Any:
        """The answer to a question, for who is signed in."""

    def apply(self, change: Change, reason: str = "", *, signers: Signers = ()) -> str:
        """Make a change in the name of who signs it, else of who is signed in. Returns the id of the row.

        Parameters
        ----------
        change, reason : as of :meth:`workbench.study.Study.apply`.
        signers : who signs it there and then; none where the change is that of who is signed in.
        """

    def apply_long(self, change: Change, reason: str, *, signers: Signers) -> str:
        """As :meth:`apply`, for a change that takes minutes: other requests of the page do not wait for it."""

    def report(self, session_id: str, *, language: str) -> dict[str, str]:
        """Make and keep the report of a session: ``{"path", "pdf", "html"}``, files and the first one's text."""

    def opened(self) -> AbstractContextManager[Study]:
        """A record of its own, for what takes minutes. Refused where this account may not enter its folder."""

    def unblinded(self, study: Study) -> tuple[Signer | None, Message | None]:
        """Who learns arms here, or nobody and why."""

    def forms(self, visit_id: str) -> Any:
        """Drafts, saves and corrections of a visit's forms (``widgets.AssessmentStore``)."""

    def verify(self, progress: Callable[[float], None]) -> LastVerification:
        """Verify chain and tables and enter the result."""

    def export(self, progress: Callable[[float], None]) -> str:
        """Keep the audit trail as a file beside the record. Returns the sentence that names it."""


class OpenRecord:
    """The record as a file that this account may open.

    Parameters
    ----------
    visits : of the same page: opens it, and knows who is signed in.
    """

    def __init__(self, visits: VisitService) -> None:
        self._visits = visits
        self.takes_sign_in, self.state = visits.takes_sign_in, visits.state

    @property
    def login(self) -> str:
        """Sign-in name of who is signed in, ``""`` for nobody."""
        return self._visits.login

    @property
    def signed_in(self) -> str:
        """Name of who is signed in, ``""`` for nobody."""
        return self._visits.signed_in

    def ask(self, question: Question) -> Any:
        """The answer to a question, for who is signed in or for nobody in particular."""
        with self._visits.record() as study:
            return asked(question, Seen(study, self._reader(study), world.clock.local().date(), served=False))

    def _reader(self, study: Study) -> Reader:
        visits = self._visits
        sight = sight_of(study, visits.person_id, visits.signed_in)
        return Reader(visits.person_id, visits.login, visits.signed_in, (), sight.concealed, (), "")

    def apply(self, change: Change, reason: str = "", *, signers: Signers = ()) -> str:
        """Make a change; a script makes it where nobody can sign in and every participant is simulated.

        Parameters
        ----------
        change, reason, signers : see :class:`RecordAccess`.
        """
        with self._visits.record() as study:
            if not signers:
                return study.apply(change, self._visits.signer(study, {"simulated": True}), reason)
            return _signed(study, change, reason, signers)

    def apply_long(self, change: Change, reason: str, *, signers: Signers) -> str:
        """Make a change through a record of its own, for which the page's other requests need not wait.

        Parameters
        ----------
        change, reason, signers : see :class:`RecordAccess`.
        """
        with Study.open(self._visits.folder, actor=self._visits.who) as study:
            return _signed(study, change, reason, signers)

    def report(self, session_id: str, *, language: str) -> dict[str, str]:
        """Make the report of a session, which is kept and registered in the record.

        Parameters
        ----------
        session_id : which session.
        language : ``"en"`` or ``"zh-CN"``.
        """
        from workbench.reports import session_report

        # A record of its own: the page's other requests must not wait for the seconds that this takes.
        with Study.open(self._visits.folder, actor=self._visits.who) as study:
            files = session_report(study, language=language, session_id=session_id)
            path, pdf = (one.relative_to(study.folder).as_posix() for one in (files.html, files.pdf))
            return {"path": path, "pdf": pdf, "html": files.html.read_text(encoding="utf-8")}

    def opened(self) -> AbstractContextManager[Study]:
        """A record of its own, for which the page's other requests need not wait."""
        return Study.open(self._visits.folder, actor=self._visits.who)

    def unblinded(self, study: Study) -> tuple[Signer | None, Message | None]:
        """Who is signed in where they may learn every arm, else nobody and why.

        A script where nobody can sign in and everybody is simulated. Nothing is entered by asking.
        """
        visits = self._visits
        if sight_of(study, visits.person_id, visits.signed_in).concealed:
            return None, Message("results.blinded") if visits.signed_in else Message("results.sign_in")
        people = study.rows("participant")
        simulated = bool(people) and all(row["simulated"] for row in people)
        try:
            signer = visits.signer(study, {"simulated": simulated})
        except Refused:
            return None, Message("results.sign_in")
        why = allocations.refusal(study, signer)
        return (None, why) if why else (signer, None)

    def forms(self, visit_id: str) -> RecordStore:
        """Drafts, saves and corrections of a visit's forms."""
        return RecordStore(self._visits.record, visit_id=visit_id, folder=self._visits.folder)

    def verify(self, progress: Callable[[float], None]) -> LastVerification:
        """Verify chain and tables and enter the result in the name of who asks.

        Parameters
        ----------
        progress : told the share that is done, 0 to 1.
        """
        # A record of its own: the page's other requests must not wait for the minutes that this may take.
        with Study.open(self._visits.folder, actor=self._visits.who) as study:
            return verified.verify_now(study, progress=progress)

    def export(self, progress: Callable[[float], None]) -> str:
        """Keep the audit trail as a CSV file beside the record. Returns the sentence that names it.

        Parameters
        ----------
        progress : told the share that is done, 0 to 1.
        """
        folder: Path = self._visits.folder
        columns = [field.name for field in fields(audit_trail.AuditRow)]
        with Study.open(folder, actor=self._visits.who) as study:
            rows = list(audit_trail.read(study))
        progress(0.5)
        stamp = world.clock.local().strftime("%Y%m%d-%H%M%S")
        path = folder / FOLDER / f"audit-{stamp}.csv"
        world.disk.mkdir(path.parent, exist_ok=True)
        text = delimited.to_text(columns, ([getattr(row, name) for name in columns] for row in rows))
        world.disk.save(path, text.encode("utf-8"))
        return Message("overview.exported", path=path.relative_to(folder).as_posix(), n=f"{len(rows):,}")


class ServedRecord:
    """The record behind the service of another account.

    Parameters
    ----------
    client : of the service; the page's own, so that two pages are two people.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self.ended: Callable[[], object] = lambda: None
        """Called when the sign-in ended without somebody having signed out."""

    @property
    def login(self) -> str:
        """Sign-in name of who is signed in, ``""`` for nobody."""
        return str(self._client.person.get("login", ""))

    @property
    def signed_in(self) -> str:
        """Name of who is signed in, ``""`` for nobody."""
        return str(self._client.person.get("name", ""))

    def takes_sign_in(self) -> bool:
        """Always: the service answers nobody who has not signed in."""
        return True

    def state(self) -> None:
        """Nobody can tell without asking."""

    def ask(self, question: Question) -> Any:
        """The answer to a question, for who is signed in."""
        with self._noticing():
            return self._client.ask(question)

    def apply(self, change: Change, reason: str = "", *, signers: Signers = ()) -> str:
        """Make a change in the name of who is signed in, who is one of the signers where it is signed.

        Parameters
        ----------
        change, reason, signers : see :class:`RecordAccess`.
        """
        with self._noticing():
            return self._client.apply(change, reason, signers=signers)

    def apply_long(self, change: Change, reason: str, *, signers: Signers) -> str:
        """As :meth:`apply`."""
        return self.apply(change, reason, signers=signers)

    def opened(self) -> AbstractContextManager[Study]:
        """Raise Refused: the study folder, which holds snapshots and recordings, may not be entered here."""
        raise Refused(Message("clinic.no_results"))

    def unblinded(self, study: Study) -> tuple[Signer | None, Message | None]:
        """Nobody: no arm is told here.

        Parameters
        ----------
        study : the open record.
        """
        return None, Message("clinic.no_results")

    def report(self, session_id: str, *, language: str) -> dict[str, str]:
        """Raise Refused: recordings and reports lie in the study folder, which this account may not enter."""
        raise Refused(Message("clinic.no_report"))

    @contextmanager
    def _noticing(self) -> Iterator[None]:
        before = self.signed_in
        try:
            yield
        finally:
            if before and not self.signed_in:
                self.ended()

    def forms(self, visit_id: str) -> ServedForms:
        """Drafts, saves and corrections of a visit's forms."""
        return ServedForms(self, visit_id)

    def verify(self, progress: Callable[[float], None]) -> LastVerification:
        """Have the service verify chain and tables and enter the result in the name of who asks.

        Parameters
        ----------
        progress : told the share that is done, 0 to 1.
        """
        progress(0.0)
        return LastVerification(**self.ask(VerifyRecord()))

    def export(self, progress: Callable[[float], None]) -> str:
        """Raise Refused: the file would lie in the study folder, which this account may not enter.

        Parameters
        ----------
        progress : told nothing.
        """
        raise Refused(Message("clinic.no_export"))


class ServedForms:
    """Drafts, saves and corrections of one visit's forms, all of which lie where the service has the record.

    Parameters
    ----------
    record : behind the service.
    visit_id : of the visit.
    """

    def __init__(self, record: ServedRecord, visit_id: str) -> None:
        self._record, self._visit_id = record, visit_id

    def stored(self, measure: str) -> list[dict[str, Any]]:
        """Saved assessments and one's own drafts of a measure, by column, oldest first."""
        rows: list[dict[str, Any]] = self._record.ask(Assessments(self._visit_id, measure))
        return rows

    def keep(self, draft: dict[str, Any], *, row: dict[str, Any] | None) -> dict[str, Any]:
        """Keep a draft; ``row`` is what an earlier call returned."""
        before = row or {}
        place = (self._visit_id, draft["measure"], draft, before.get("entry", ""), before.get("revision", 0))
        kept: dict[str, Any] = self._record.ask(KeepDraft(*place))
        return kept

    def save(self, assessment: Assessment, *, row: dict[str, Any] | None) -> tuple[dict[str, Any], str]:
        """Enter the assessment, then discard its draft."""
        entered = {name: getattr(assessment, name) for name in ENTERED if hasattr(assessment, name)}
        about = {**entered, **_condition(assessment)}
        place = assessment.visit_id, assessment.measure, assessment.version
        row_id = self._record.apply(SaveAssessment(*place, **about))
        # In this order: a crash in between leaves a draft too many, never an assessment too few.
        if row and row.get("entry"):
            self._record.ask(DiscardDraft(self._visit_id, assessment.measure, row["entry"]))
        return self._now(assessment.measure, row_id), Message("store.saved", id=row_id)

    def amend(self, row: dict[str, Any], changes: dict[str, Any], *, reason: str) -> dict[str, Any]:
        """Correct a saved assessment; its score is worked out again by the service.

        Parameters
        ----------
        row : what an earlier call returned.
        changes : column → new value.
        reason : why, in words.
        """
        entered = {name: value for name, value in changes.items() if name in ENTERED}
        self._record.apply(CorrectAssessment(row["id"], entered, row["row_version"]), reason)
        return self._now(row["measure"], row["id"])

    def history(self, row: dict[str, Any]) -> list[dict[str, Any]]:
        """Its history, oldest first."""
        if not row.get("id"):
            return []
        entries: list[dict[str, Any]] = self._record.ask(questions.History("assessment", row["id"]))
        return entries

    def _now(self, measure: str, row_id: str) -> dict[str, Any]:
        return next(row for row in self.stored(measure) if row["id"] == row_id)


class Names:
    """Participants by the names that people use, for changes that are made from texts.

    Parameters
    ----------
    record : as a page has it.
    """

    def __init__(self, record: RecordAccess) -> None:
        self._record = record

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Participants that may be seen; nobody of another table is named on a page."""
        rows: list[dict[str, Any]] = self._record.ask(questions.Participants()) if table == "participant" else []
        return rows


def _signed(study: Study, change: Change, reason: str, signers: Signers) -> str:
    """Make a change in the name of those whose passwords these are."""
    who = [study.sign_in(login, password) for login, password in signers]
    if not change.SIGNED_BY:
        return study.apply(change, who[0], reason)
    proofs = [one.confirm(password) for one, (_login, password) in zip(who, signers, strict=True)]
    return study.apply(change, proofs, reason)


def _condition(assessment: Assessment) -> dict[str, bool]:
    return {name: getattr(assessment.condition, name) for name in ("assisted", "device_on", "stimulation_on")}
