"""The page of a participant: what the record holds of one person, and rows of theirs one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, ClassVar

from workbench import outcomes, world
from workbench.clinic.asking import HISTORY, Question, Seen, blind_event
from workbench.clinic.pages.entries import country_of, whole_row
from workbench.clinic.pages.participant_forms import locks_on, signatures_of
from workbench.clinic.pages.participant_outcomes import measures_of
from workbench.clinic.pages.participant_sessions import sessions_of
from workbench.clinic.pages.participant_steps import steps_of
from workbench.errors import Refused
from workbench.messages import Message
from workbench.study import implants
from workbench.study.changes import consents, queries
from workbench.study.changes.entering import holding
from workbench.study.concealment import SAFETY
from workbench.study.participant_visits import visits_of
from workbench.study.planned import protocol_of
from workbench.study.protocol import Protocol
from workbench.study.standard_forms import CORE
from workbench.study.treatments import treatments

NAMED = {"adverse_event": "term", "device_deficiency": "device"}
"""Tables of safety events, each with the column that names a row."""
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
    "implant",
    "implant_finding",
)
"""Tables whose rows the page shows."""
UNDATED = "9999"


@dataclass(frozen=True, slots=True)
class PersonPage(Question):
    """Everything that the page of a participant shows of the record (see ``widgets.ParticipantPage``).

    Attributes
    ----------
    participant_id : whose.
    """

    participant_id: str
    POLLED: ClassVar[bool] = True

    def answer(self, seen: Seen) -> dict[str, Any]:
        """The page, without what only the computer of who looks knows."""
        of, record = self.participant_id, seen.page
        person = seen.participant(of)
        protocol, version = protocol_of(record, of)
        concealed = seen.sight.concealed
        visits = visits_of(record, of, protocol=protocol, on=seen.today, concealed=concealed)
        shown = ("id", "pseudonym", "simulated", "injury_level", "ais", "injured_on", "trained_side", "hold")
        return {
            "person": {name: person[name] for name in shown},
            "enrolment": _enrolment(record, of, version),
            "consents": _consents(record, person, protocol),
            "document": protocol.consent.document_version if protocol else "",
            "today": seen.today.isoformat(),
            # That there is an allocation is the same in every arm; it is not read.
            "steps": steps_of(
                record, of, protocol, randomised=bool(seen.study.rows("allocation", participant_id=of))
            ),
            "visits": visits,
            "next": _next(visits),
            "sessions": sessions_of(record, visits, concealed=concealed),
            "signatures": signatures_of(record, visits),
            "locks": locks_on(record, of, visits),
            "queries": _queries(seen, of),
            "deviations": _deviations(seen, of, visits),
            "events": _events(seen, of),
            "safety": _safety(seen, of),
            "implants": _implants(seen, of),
            "intercurrent": protocol.intercurrent_events() if protocol else [],
            "country": country_of(record),
            "treatments": _treatments(seen, person),
            "core": _core(seen, visits),
            "measures": measures_of(record, of, visits, concealed=concealed),
            "concealed": concealed,
        }


@dataclass(frozen=True, slots=True)
class PersonRow(Question):
    """A row of a participant, for a form that revises it, or to see that it is theirs.

    Attributes
    ----------
    participant_id, table, row_id : whose page asks, and which row.
    """

    participant_id: str
    table: str
    row_id: str

    def answer(self, seen: Seen) -> dict[str, Any]:
        """The row; of a safety event with the pseudonym of whom it is about.

        Raises
        ------
        Refused
            It is somebody else's, of a table that is no part of the page, or kept from who looks.
        """
        row = _own(seen, self.participant_id, self.table, self.row_id)
        return whole_row(seen.page, row) if self.table in SAFETY else row


@dataclass(frozen=True, slots=True)
class PersonValues(Question):
    """Values of a form or an assessment of a participant.

    Attributes
    ----------
    participant_id, table, row_id : whose page asks, and which row.
    """

    participant_id: str
    table: str
    row_id: str

    def answer(self, seen: Seen) -> list[dict[str, Any]]:
        """``{"field", "label", "value", "unit"}`` each. Raises as :class:`PersonRow`."""
        row = _own(seen, self.participant_id, self.table, self.row_id)
        protocol, _version = protocol_of(seen.page, self.participant_id)
        asked = _asked(protocol, row)
        found = []
        for name, value in (row.get("values", row.get("items")) or {}).items():
            label, unit = asked.get(name, (name, ""))
            found.append({"field": name, "value": value, "label": label, "unit": unit})
        return found


@dataclass(frozen=True, slots=True)
class PersonHistory(Question):
    """What happened to one row of a participant, oldest first.

    Attributes
    ----------
    participant_id, table, row_id : whose page asks, and which row.
    """

    participant_id: str
    table: str
    row_id: str

    def answer(self, seen: Seen) -> list[dict[str, Any]]:
        """As ``Study.history``; whoever is blinded gets no numbers of entries. Raises as :class:`PersonRow`."""
        row = _own(seen, self.participant_id, self.table, self.row_id)
        # Versions of other tables count changes that only one arm may bring.
        if seen.blind and self.table not in HISTORY:
            raise Refused(Message("participant.table", table=repr(self.table), allowed=list(HISTORY)))
        events = seen.study.history(self.table, self.row_id)
        return [blind_event(event, row) for event in events] if seen.blind else events


def _own(seen: Seen, participant_id: str, table: str, row_id: str) -> dict[str, Any]:
    """A row of this participant; a page asks for whatever it likes."""
    if table not in READ:
        raise Refused(Message("participant.table", table=f"{table!r:.60}", allowed=list(READ)))
    record = seen.record
    row: dict[str, Any] = record.get(table, row_id)
    owner = row["id"] if table == "participant" else row.get("participant_id")
    if owner is None and "visit_id" in row:
        owner = record.get("visit", row["visit_id"])["participant_id"]
    if owner is None and "implant_id" in row:
        owner = record.get("implant", row["implant_id"])["participant_id"]
    if owner != participant_id:
        raise Refused(Message("participant.other", table=table))
    return seen.row(table, row_id)


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
def _enrolment(record: Any, participant_id: str, version: str) -> dict[str, Any]:
    """Status and protocol version of a participant, empty for one who was not enrolled."""
    rows = record.rows("enrolment", participant_id=participant_id)
    if not rows:
        return {}
    row = rows[0]
    return {"id": row["id"], "status": row["status"], "protocol": version, "number": row["screening_number"]}


def _consents(record: Any, person: Mapping[str, Any], protocol: Protocol | None) -> list[dict[str, Any]]:
    """Each purpose with what holds: those of the protocol, then others that were ever consented to."""
    rows = record.rows("consent", participant_id=person["id"])
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


def _queries(seen: Seen, participant_id: str) -> list[dict[str, Any]]:
    """Queries that are not closed and may be seen, oldest first, each with its newest answer."""
    found, record = [], seen.page
    for row in record.rows("query", participant_id=participant_id):
        events = record.rows("query_event", query_id=row["id"])
        if queries.state(events) == "closed" or seen.sight.hides(seen.study, "query", row):
            continue
        answer = {name: events[-1][name] for name in ("text", "by")} if events else {}
        about = {name: row[name] for name in ("id", "text", "by", "automatic", "table_name", "row_id", "field")}
        where = _where(record, row["table_name"], row["row_id"])
        found.append({**about, "days": _days(row["utc"]), "answer": answer, "where": where})
    return sorted(found, key=lambda query: -query["days"])


def _safety(seen: Seen, participant_id: str) -> list[dict[str, Any]]:
    """Adverse events and device deficiencies that may be seen, newest first."""
    found = []
    for table, name in NAMED.items():
        for row in seen.page.rows(table, participant_id=participant_id):
            if not seen.sight.hides(seen.study, table, row):
                told = {key: row[key] for key in ("id", "onset", "state", "facts", "utc", "row_version")}
                found.append({**told, "table": table, "what": row[name], "coding": row.get("coding", {})})
    return sorted(found, key=lambda one: str(one["utc"]), reverse=True)


def _events(seen: Seen, participant_id: str) -> list[dict[str, Any]]:
    """Adverse events whose onset is known to the day, earliest first; an ended one has no day of its end."""
    events = []
    for row in seen.page.rows("adverse_event", participant_id=participant_id):
        known = row["precision"] in ("day", "minute") and row["state"] != "void"
        if known and not seen.sight.hides(seen.study, "adverse_event", row):
            day, open_end = row["onset"][:10], row["outcome"] in ("unknown", "ongoing", "recovering")
            text = f"{row['classification']} {row['term']}"
            serious = bool(row["facts"]["serious"])
            events.append({"day": day, "until": "" if open_end else day, "text": text, "serious": serious})
    return sorted(events, key=lambda event: str(event["day"]))


def _implants(seen: Seen, participant_id: str) -> list[dict[str, Any]]:
    """Implants with what was found and what is planned; nothing for who is blinded, as they can tell an arm."""
    if seen.blind or seen.sight.concealed:
        return []
    shown = ("device", "serial", "location", "implanted_on", "explanted_on")
    names = {row["id"]: row["intercurrent"] for row in seen.study.rows("implant", participant_id=participant_id)}
    void = [row for row in seen.study.rows("implant_finding", state="void") if row["implant_id"] in names]
    return [
        {
            **{name: getattr(one, name) for name in shown},
            "id": one.implant_id,
            "intercurrent": names[one.implant_id],
            "findings": [
                {
                    "id": found.row_id,
                    "on": found.found_on,
                    "kind": found.kind,
                    "notable": found.notable,
                    "text": found.text,
                    "n_values": len(found.values),
                }
                for found in one.findings
            ],
            "void": [
                {"id": row["id"], "on": row["found_on"], "kind": row["kind"], "text": row["text"]}
                for row in void
                if row["implant_id"] == one.implant_id
            ],
            "checks": [asdict(check) for check in one.checks],
        }
        for one in implants.surveillance(seen.study, seen.today)
        if one.participant_id == participant_id
    ]


def _treatments(seen: Seen, person: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What stands of treatments, rehabilitation and devices, and may be seen."""
    # They are read for all arms together, and what is prescribed may differ between them.
    rows = [] if seen.blind else [asdict(one) for one in treatments(seen.study, str(person["pseudonym"]))]
    return [row for row in rows if not seen.sight.hides(seen.study, "treatment", row)]


def _core(seen: Seen, visits: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Values of the core data set by item, those entered last; empty where there are none to be seen."""
    ids = [visit["id"] for visit in visits if visit["id"]]
    rows = [row for one in ids for row in seen.page.rows("form", visit_id=one, name=CORE)]
    shown = [row for row in holding(rows) if not seen.sight.hides(seen.study, "form", row)]
    return dict(max(shown, key=lambda row: str(row["utc"]))["values"]) if shown else {}


def _deviations(seen: Seen, participant_id: str, visits: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Deviations that may be seen, open ones first, each oldest first, on the axis where their visit stands."""
    names = ("id", "category", "text", "state", "automatic", "by", "impact", "correction", "row_id")
    # Who raised it and what was thought of it is no part of what every arm has.
    unseen = {"automatic": True, "by": "", "impact": "", "correction": ""}
    days = {visit["id"]: visit["held"] or visit["latest"] for visit in visits}
    found = []
    for row in seen.page.rows("deviation", participant_id=participant_id):
        if seen.sight.hides(seen.study, "deviation", row):
            continue
        day = days.get(row["row_id"]) or row["utc"][:10]
        told = {name: row[name] if name in row else unseen[name] for name in names}
        found.append({**told, "day": day, "days": _days(row["utc"])})
    return sorted(found, key=lambda deviation: deviation["state"] != "open")


def _where(record: Any, table: str, row_id: str) -> str:
    """Visit and form of a row that is asked about, ``""`` for another kind."""
    if table not in ("form", "assessment"):
        return ""
    row = record.get(table, row_id)
    return f"{record.get('visit', row['visit_id'])['name']} · {row.get('name', row.get('measure'))}"


def _days(utc: str) -> int:
    """Whole days since a UTC time."""
    return max(0, (world.clock.now() - datetime.fromisoformat(utc)).days)
