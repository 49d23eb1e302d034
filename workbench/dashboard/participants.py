"""The page of a participant: what the record holds of one person, and the changes that are made from there.

A :class:`ParticipantService` reads for ``widgets.ParticipantPage`` and makes its changes with ``study.apply`` in
the name of who signs there and then, which need not be who is signed in to the page: a therapist runs the session,
an investigator records the consent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Literal

from workbench import outcomes, world
from workbench.dashboard.entries import country_of, typed, whole_row
from workbench.dashboard.participant_forms import locks_on, signatures_of
from workbench.dashboard.participant_outcomes import measures_of
from workbench.dashboard.participant_sessions import report_of, sessions_of
from workbench.dashboard.participant_steps import steps_of
from workbench.dashboard.visits import VisitService
from workbench.errors import Refused, UnknownName
from workbench.messages import Message
from workbench.study import Signer, Study
from workbench.study.applying import Change, bound_now
from workbench.study.changes import consents, from_text, queries
from workbench.study.changes.consents import GiveConsent, WithdrawConsent
from workbench.study.changes.deviations import CloseDeviation
from workbench.study.changes.entering import Adjudicate, SaveForm, holding
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
from workbench.study.concealment import Sight, sight_of
from workbench.study.participant_visits import visits_of
from workbench.study.planned import protocol_of
from workbench.study.protocol import Protocol
from workbench.study.standard_forms import CORE
from workbench.study.treatments import treatments

Signing = Literal["password", "script", "nobody"]
"""How a change is signed: by a person with a password, by a script where the participant is simulated and the
study has no people, or not at all while nobody can sign in."""
OFFERED: dict[str, type[Change]] = {
    kind.__name__: kind
    for kind in (
        GiveConsent, WithdrawConsent, AnswerQuery, CloseQuery, CloseDeviation, ReportEvent, ReviseEvent,
        ReportDeficiency, ReviseDeficiency, Enrol, AnswerCriterion, SetStatus, SetAnchor, Randomise, HoldVisit,
        MissVisit, SaveForm, Adjudicate, OpenQuery, Sign, Freeze, Unfreeze, CodeEvent, RecordTreatment,
        RecordRehabilitation, RecordAssistiveDevice, ReviseTreatment, EndTreatment, VoidTreatment,
    )
}  # fmt: skip
"""Changes that the page makes, by name; every other one is made by its command."""
ABOUT = {
    "query_id": "query", "deviation_id": "deviation", "event_id": "adverse_event",
    "deficiency_id": "device_deficiency", "visit_id": "visit", "treatment_id": "treatment",
}  # fmt: skip
"""Field of a change → table of the row that it names, which must be this participant's."""
OF_PARTICIPANT = (
    "GiveConsent", "WithdrawConsent", "ReportEvent", "ReportDeficiency", "Enrol", "AnswerCriterion", "SetStatus",
    "SetAnchor", "Randomise", "RecordTreatment", "RecordRehabilitation", "RecordAssistiveDevice",
)  # fmt: skip
"""Changes that name the participant themselves."""
ABOUT_SAFETY = tuple(kind.__name__ for kind in (ReportEvent, ReviseEvent, ReportDeficiency, ReviseDeficiency))
SAFETY = {"adverse_event": "term", "device_deficiency": "device"}
"""Tables of safety events, each with the column that names a row."""
REVISED = (*SAFETY, "form", "treatment")
"""Tables whose rows are read whole, by a dialog that revises one."""
READ = (
    *SAFETY,
    "participant",
    "visit",
    "enrolment",
    "anchor_day",
    "form",
    "assessment",
    "consent",
    "query",
    "deviation",
    "treatment",
)
"""Tables whose rows the page shows the history of."""
LONGEST_TEXT, LONGEST_NARRATIVE = 4000, 20_000
"""Characters of what is typed into one field, and into one about a safety event."""
UNDATED = "9999"


class ParticipantService:
    """What the page of a participant may ask of the record.

    Parameters
    ----------
    visits : of the same page: opens the record, and knows who is signed in and which session runs.
    """

    def __init__(self, visits: VisitService) -> None:
        self._visits = visits
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
        with self._visits.record() as study:
            drafts = [(draft.visit_id, draft.form, draft.utc) for draft in study.drafts.list()]
            state = (participant_id, self._visits.state(), drafts)
            if state != self._shown:
                self._page = self._read(study, participant_id)
                self._shown = state
        return {**self._page, "read_at": world.clock.local().strftime("%H:%M:%S")}

    def _read(self, study: Study, participant_id: str) -> dict[str, Any]:
        today = world.clock.local().date()
        person = study.get("participant", participant_id)
        protocol, version = protocol_of(study, participant_id)
        sight = self._sight(study)
        visits = visits_of(study, participant_id, protocol=protocol, on=today, concealed=sight.concealed)
        running = self._visits.session()
        shown = ("id", "pseudonym", "simulated", "injury_level", "ais", "injured_on", "trained_side", "hold")
        return {
            "person": {name: person[name] for name in shown},
            "enrolment": _enrolment(study, participant_id, version),
            "consents": _consents(study, person, protocol),
            "document": protocol.consent.document_version if protocol else "",
            "today": today.isoformat(),
            "steps": steps_of(study, participant_id, protocol),
            "visits": visits,
            "next": _next(visits),
            "sessions": sessions_of(study, visits, concealed=sight.concealed),
            "signatures": signatures_of(study, visits),
            "locks": locks_on(study, participant_id, visits),
            "queries": _queries(study, participant_id, sight),
            "deviations": _deviations(study, participant_id, visits, sight),
            "events": _events(study, participant_id, sight),
            "safety": _safety(study, participant_id, sight),
            "country": country_of(study),
            "treatments": _treatments(study, person, sight),
            "core": _core(study, visits, sight),
            "measures": measures_of(study, participant_id, visits, concealed=sight.concealed),
            "concealed": sight.concealed,
            "other_session": running["participant"] if running and running["person"] != participant_id else "",
            "signing": {"how": self._how(study, person), "login": self._visits.login},
            "roles": {name: list(kind.ROLES or kind.SIGNED_BY[0]) for name, kind in OFFERED.items()},
        }

    def _sight(self, study: Study) -> Sight:
        return sight_of(study, self._visits.person_id, self._visits.signed_in)

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
        with self._visits.record() as study:
            self._own(study, participant_id, table, row_id)
            return study.history(table, row_id)

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
        with self._visits.record() as study:
            row = self._own(study, participant_id, table, row_id)
            protocol, _version = protocol_of(study, participant_id)
        asked = _asked(protocol, row)
        found = []
        for name, value in (row.get("values", row.get("items")) or {}).items():
            label, unit = asked.get(name, (name, ""))
            found.append({"field": name, "value": value, "label": label, "unit": unit})
        return found

    def row(self, participant_id: str, table: str, row_id: str) -> dict[str, Any]:
        """All of an event, a deficiency, a form or a treatment of the participant, for a dialog that revises it.

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
        with self._visits.record() as study:
            row = self._own(study, participant_id, table, row_id)
            return whole_row(study, row) if table in SAFETY else row

    def report(self, participant_id: str, session_id: str, *, language: str) -> dict[str, str]:
        """Make the report of one of the participant's sessions (see ``participant_sessions.report_of``).

        Parameters
        ----------
        participant_id : whose page asks.
        session_id : which session.
        language : ``"en"`` or ``"zh-CN"``.

        Raises
        ------
        Refused
            The session is somebody else's, or the arm, which a report may reveal, is kept from who looks.
        UnknownName
            No such session, or another language.
        """
        with self._visits.record() as study:
            session = study.get("session", str(session_id))
            self._own(study, participant_id, "visit", session["visit_id"])
            if self._sight(study).concealed:
                raise Refused(Message("participant.report_concealed"))
        # A record of its own: the page's other requests must not wait for the seconds that this takes.
        with Study.open(self._visits.folder, actor=self._visits.who) as study:
            return report_of(study, str(session_id), language=language)

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
        with self._visits.record() as study:
            return bound_now(study, self._targets(study, participant_id, targets))[1]

    def _targets(self, study: Study, participant_id: str, text: str) -> list[tuple[str, str]]:
        """Rows of this participant, as a page names several of them."""
        found = []
        for one in str(text)[:LONGEST_TEXT].split(","):
            table, _, row_id = one.strip().partition(":")
            self._own(study, participant_id, table, row_id)
            found.append((table, row_id))
        return found

    def _own(self, study: Study, participant_id: str, table: str, row_id: str) -> dict[str, Any]:
        """A row of this participant; a page asks for whatever it likes."""
        if table not in READ:
            raise Refused(Message("participant.table", table=repr(table), allowed=list(READ)))
        row = study.get(table, str(row_id))
        owner = row["id"] if table == "participant" else row.get("participant_id")
        if owner is None:
            owner = study.get("visit", row["visit_id"])["participant_id"]
        if owner != participant_id:
            raise Refused(Message("participant.other", table=table))
        self._sight(study).check(study, table, row)
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
        with self._visits.record() as study:
            person = study.get("participant", participant_id)
            self._check_rows(study, participant_id, given)
            if change in OF_PARTICIPANT:
                given["participant_id"] = participant_id
            made = from_text(study, OFFERED[change], given)
            why = Message("participant.judged") if isinstance(made, CloseDeviation) else str(reason)[:LONGEST_TEXT]
            signer = self._signer(study, person, login, password)
            study.apply(made, signer.confirm(str(password)) if made.SIGNED_BY else signer, why)

    def _check_rows(self, study: Study, participant_id: str, given: Mapping[str, str]) -> None:
        """Refuse a change of a row that is somebody else's or kept from who looks."""
        for name, table in ABOUT.items():
            if name in given:
                self._own(study, participant_id, table, given[name])
        if "table" in given:
            self._own(study, participant_id, given["table"], given.get("row_id", ""))
        if "targets" in given:
            self._targets(study, participant_id, given["targets"])

    def _how(self, study: Study, person: Mapping[str, Any]) -> Signing:
        if study.people():
            return "password"
        return "script" if person["simulated"] else "nobody"

    def _signer(self, study: Study, person: Mapping[str, Any], login: str, password: str) -> Signer:
        how = self._how(study, person)
        if how == "nobody":
            raise Refused(Message("visit.nobody_can_sign_in"))
        if how == "script":
            return self._visits.signer(study, person)
        return study.sign_in(str(login), str(password))


def _asked(protocol: Protocol | None, row: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """Label and unit of each item of a stored form or assessment."""
    forms = {form.name: form for form in protocol.forms} if protocol else {}
    form = forms.get(row.get("name", ""))
    if form is not None and form.items:
        return {item.name: (item.label, item.unit) for item in form.items}
    measure = form.measure if form is not None else row.get("measure", "")
    if measure not in outcomes.available():
        return {}
    definition = outcomes.load(measure).definition
    return {item.code: (item.label, item.unit) for item in (*definition.items, *definition.extras)}


# ------------------------------------------------------------------------------ parts of the page
def _enrolment(study: Study, participant_id: str, version: str) -> dict[str, Any]:
    """Status and protocol version of a participant, empty for one who was not enrolled."""
    rows = study.rows("enrolment", participant_id=participant_id)
    if not rows:
        return {}
    row = rows[0]
    return {"id": row["id"], "status": row["status"], "protocol": version, "number": row["screening_number"]}


def _consents(study: Study, person: Mapping[str, Any], protocol: Protocol | None) -> list[dict[str, Any]]:
    """Each purpose with what holds: those of the protocol, then others that were ever consented to."""
    rows = study.rows("consent", participant_id=person["id"])
    newest = {row["purpose"]: row for row in rows}
    required = protocol.consent.purposes.required if protocol else ("participation",)
    optional = protocol.consent.purposes.optional if protocol else consents.PURPOSES
    wanted = protocol.consent.document_version if protocol else ""
    found = []
    for purpose in dict.fromkeys([*required, *optional, *newest]):
        row = newest.get(purpose)
        one: dict[str, Any] = {"purpose": purpose, "required": purpose in required, "state": "missing"}
        if row is not None:
            one |= {name: row[name] for name in ("given_by", "witness", "by")}
            one |= {"state": row["action"], "version": row["document_version"], "on": row["consented_on"]}
        elif purpose == "participation" and person["consent"]:
            # Entered with the participant, by a version or an import that knew one consent alone.
            one |= {"state": "granted", "version": person["consent"], "on": person["consented_on"]}
        newer = wanted and one["state"] == "granted" and one["version"] != wanted
        found.append(one | {"newer": wanted if newer else ""})
    return found


def _next(visits: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The visit that is due or comes next; empty for none."""
    waiting = [visit for visit in visits if visit["state"] in ("due", "late", "ahead")]
    first = min(waiting, key=lambda visit: visit["planned"] or visit["earliest"] or UNDATED, default=None)
    return (
        {} if first is None else {name: first[name] for name in ("name", "planned", "earliest", "latest", "state")}
    )


def _queries(study: Study, participant_id: str, sight: Sight) -> list[dict[str, Any]]:
    """Queries that are not closed and may be seen, oldest first, each with its newest answer."""
    found = []
    for row in study.rows("query", participant_id=participant_id):
        events = study.rows("query_event", query_id=row["id"])
        if queries.state(events) == "closed" or sight.hides(study, "query", row):
            continue
        answer = {name: events[-1][name] for name in ("text", "by")} if events else {}
        about = {name: row[name] for name in ("id", "text", "by", "automatic", "table_name", "row_id", "field")}
        where = _where(study, row["table_name"], row["row_id"])
        found.append({**about, "days": _days(row["utc"]), "answer": answer, "where": where})
    return sorted(found, key=lambda query: -query["days"])


def _safety(study: Study, participant_id: str, sight: Sight) -> list[dict[str, Any]]:
    """Adverse events and device deficiencies that may be seen, newest first."""
    found = []
    for table, name in SAFETY.items():
        for row in study.rows(table, participant_id=participant_id):
            if not sight.hides(study, table, row):
                told = {key: row[key] for key in ("id", "onset", "state", "facts", "utc", "row_version")}
                found.append({**told, "table": table, "what": row[name], "coding": row.get("coding", {})})
    return sorted(found, key=lambda one: str(one["utc"]), reverse=True)


def _events(study: Study, participant_id: str, sight: Sight) -> list[dict[str, Any]]:
    """Adverse events whose onset is known to the day, earliest first; an ended one has no day of its end."""
    events = []
    for row in study.rows("adverse_event", participant_id=participant_id):
        known = row["precision"] in ("day", "minute") and row["state"] != "void"
        if known and not sight.hides(study, "adverse_event", row):
            day, open_end = row["onset"][:10], row["outcome"] in ("unknown", "ongoing", "recovering")
            text = f"{row['classification']} {row['term']}"
            serious = bool(row["facts"]["serious"])
            events.append({"day": day, "until": "" if open_end else day, "text": text, "serious": serious})
    return sorted(events, key=lambda event: str(event["day"]))


def _treatments(study: Study, person: Mapping[str, Any], sight: Sight) -> list[dict[str, Any]]:
    """What stands of treatments, rehabilitation and devices, and may be seen."""
    rows = [asdict(one) for one in treatments(study, str(person["pseudonym"]))]
    return [row for row in rows if not sight.hides(study, "treatment", row)]


def _core(study: Study, visits: Sequence[Mapping[str, Any]], sight: Sight) -> dict[str, Any]:
    """Values of the core data set by item, those entered last; empty where there are none to be seen."""
    rows = [row for visit in visits if visit["id"] for row in study.rows("form", visit_id=visit["id"], name=CORE)]
    seen = [row for row in holding(rows) if not sight.hides(study, "form", row)]
    return dict(max(seen, key=lambda row: str(row["utc"]))["values"]) if seen else {}


def _deviations(
    study: Study, participant_id: str, visits: Sequence[Mapping[str, Any]], sight: Sight
) -> list[dict[str, Any]]:
    """Deviations that may be seen, open ones first, each oldest first, on the axis where their visit stands."""
    names = ("id", "category", "text", "state", "automatic", "by", "impact", "correction")
    days = {visit["id"]: visit["held"] or visit["latest"] for visit in visits}
    found = []
    for row in study.rows("deviation", participant_id=participant_id):
        if sight.hides(study, "deviation", row):
            continue
        day = days.get(row["row_id"]) or row["utc"][:10]
        found.append({**{name: row[name] for name in names}, "day": day, "days": _days(row["utc"])})
    return sorted(found, key=lambda deviation: deviation["state"] != "open")


def _where(study: Study, table: str, row_id: str) -> str:
    """Visit and form of a row that is asked about, ``""`` for another kind."""
    if table not in ("form", "assessment"):
        return ""
    row = study.get(table, row_id)
    return f"{study.get('visit', row['visit_id'])['name']} · {row.get('name', row.get('measure'))}"


def _days(utc: str) -> int:
    """Whole days since a UTC time."""
    return max(0, (world.clock.now() - datetime.fromisoformat(utc)).days)
