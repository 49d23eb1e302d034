"""What the people of a trial ask of its record: a change drawn from what stands there, right or wrong."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from typing import Any, NamedTuple

from workbench import world
from workbench.simulation.clinic import ARMS, BY_ROLE, PURPOSES, SIDES, STAFF, VERSIONS, Person, definition
from workbench.study import Study, implants, moments, obligations
from workbench.study.applying import Change, bound_now
from workbench.study.changes.consents import GiveConsent, WithdrawConsent
from workbench.study.changes.deviations import CloseDeviation, RecordDeviation
from workbench.study.changes.entering import Adjudicate, SaveForm
from workbench.study.changes.fittings import RecordUpload
from workbench.study.changes.grants import GrantRole, RevokeRole
from workbench.study.changes.implants import Explant, Implant, RecordFinding, ReviseFinding, VoidFinding
from workbench.study.changes.locking import Freeze, LockStudy, Unfreeze, UnlockStudy
from workbench.study.changes.moving import MoveToProtocol
from workbench.study.changes.prices import RecordEvidenceStep
from workbench.study.changes.protocols import AdoptProtocol, AnswerCriterion, Enrol, SetStatus
from workbench.study.changes.queries import AnswerQuery, CloseQuery, OpenQuery
from workbench.study.changes.randomising import MakeList, Randomise
from workbench.study.changes.reporting import ConfirmRule, ExtendObligation, MarkSeen, MarkSent, TellSomebody
from workbench.study.changes.safety_events import (
    JudgeEvent,
    ReportDeficiency,
    ReportEvent,
    ReviseDeficiency,
    ReviseEvent,
)
from workbench.study.changes.signing import Sign
from workbench.study.changes.unblinding import RecordGuess, Unblind
from workbench.study.changes.visits import AddVisit, HoldVisit, MissVisit, SetAnchor
from workbench.study.people import ROLES
from workbench.vocabulary import DeviationCategory, FindingKind, FormState

WRONG = 0.1
"""Share of acts with something wrong in them."""
OTHERS = 0.05
"""Share of acts that are somebody else's to do."""
SILENT = 0.1
"""Share of acts without a reason."""
TEXTS = ("", " ", "no-such", "2999-01-01", "31.12.2025", "\x00", "Ω" * 3000, "arm", "done", "-1", "\ud800")
NUMBERS = (-1, 0, 2, 2**70)
VALUES: tuple[Any, ...] = (
    None,
    "",
    "x",
    -1,
    10**9,
    1.5,
    True,
    [],
    {"missing": "not_done"},
    {"missing": "?"},
    {"value": 1},
    float("nan"),
)
"""What stands where something else belongs."""
ZONES = (
    ("Asia/Shanghai", "CN"),
    ("Europe/Berlin", "DE"),
    ("America/New_York", "US"),
    ("Pacific/Kiritimati", "KI"),
)
RULES = ("us.uade.investigator", "eu.80.other", "eu.80.investigator", "cn.sae.investigator", "cn.sae.other")


@dataclass(frozen=True, slots=True)
class Asked:
    """One act.

    Attributes
    ----------
    change : that is asked for.
    signers : who makes it; of a change that must be signed each confirms.
    reason : given with it.
    """

    change: Change
    signers: tuple[Person, ...]
    reason: str

    @property
    def signed(self) -> bool:
        """Whether it must be signed."""
        return bool(self.change.SIGNED_BY)


class _Facts(NamedTuple):
    """What somebody has on the screen: the record, who sits there, and a draw."""

    study: Study
    who: Person
    draw: random.Random

    def one(self, table: str, **where: Any) -> dict[str, Any] | None:
        """A row of a table, of those that equal ``where``; None where there is none."""
        rows = self.study.rows(table, **where)
        return self.draw.choice(rows) if rows else None

    def person(self) -> str:
        """Id of a participant, most often of one who takes part."""
        if self.draw.random() < 0.9 and (enrolled := self.one("enrolment")):
            return str(enrolled["participant_id"])
        return str(self.draw.choice(self.everybody())["id"])

    def everybody(self) -> list[dict[str, Any]]:
        """Participants who are no simulation."""
        return [row for row in self.study.rows("participant") if not row["simulated"]]

    def day(self, *back: int) -> str:
        """ISO date of today, or so many days back."""
        return (world.clock.local().date() - timedelta(days=self.draw.choice(back or (0,)))).isoformat()

    def moment(self) -> str:
        """UTC text of now, or a while ago."""
        ago = timedelta(hours=self.draw.choice((0, 0, 1, 30, 200)))
        return moments.text_of(world.clock.now() - ago)


def _next(at: _Facts) -> Change:
    """What comes next for somebody on the way into the study."""
    study, person = at.study, at.draw.choice(at.everybody())
    row_id, enrolled = str(person["id"]), study.rows("enrolment", participant_id=person["id"])
    if not enrolled:
        return Enrol(row_id, f"S-{at.draw.randrange(100)}")
    if not person["consent"]:
        return GiveConsent(row_id, PURPOSES[: at.draw.choice((2, 5))], "1", at.day(0))
    answers = {row["criterion"]: row["answer"] for row in study.rows("eligibility", participant_id=row_id)}
    for criterion, fits in (("I1", "yes"), ("E1", "no")):
        if answers.get(criterion) != fits:
            return AnswerCriterion(row_id, criterion, fits, "letter of the hospital")
    return _next_of_enrolled(at, row_id, enrolled[0]["status"])


def _next_of_enrolled(at: _Facts, person: str, status: str) -> Change:
    known = {row["anchor"] for row in at.study.rows("anchor_day", participant_id=person)}
    if status != "enrolled":
        return SetStatus(person, "enrolled")
    if "consent" not in known:
        return SetAnchor(person, "consent", at.day(0, 0, 1))
    if "randomisation" not in known:
        return Randomise(person, {"side": at.draw.choice(SIDES)})
    if "implant" not in known:
        return SetAnchor(person, "implant", at.day(0, 1, 5))
    visits = at.study.rows("visit", participant_id=person)
    open_ = [row for row in visits if row["status"] not in ("done", "missed")]
    return HoldVisit(at.draw.choice(open_ or visits)["id"], at.day(0))


def _enrol(at: _Facts) -> Change:
    known = {row["participant_id"] for row in at.study.rows("enrolment")}
    new = [row["id"] for row in at.everybody() if row["id"] not in known]
    return Enrol(at.draw.choice(new) if new else at.person(), f"S-{at.draw.randrange(100)}")


def _consent(at: _Facts) -> Change:
    purposes = PURPOSES[: at.draw.choice((2, 2, 5))] if at.draw.random() < 0.8 else (at.draw.choice(PURPOSES),)
    return GiveConsent(at.person(), purposes, f"{at.draw.choice((1, 1, 1, 2, 3))}", at.day(0, 0, 1))


def _withdraw(at: _Facts) -> Change:
    return WithdrawConsent(at.person(), (at.draw.choice(PURPOSES),), at.day(0, 1))


def _criterion(at: _Facts) -> Change:
    criterion = at.draw.choice(("I1", "E1"))
    fits = "yes" if criterion == "I1" else "no"
    return AnswerCriterion(
        at.person(), criterion, at.draw.choice((fits, fits, fits, fits, "unknown")), "letter of the hospital"
    )


def _status(at: _Facts) -> Change:
    status = ("enrolled",) * 8 + ("screening", "screen_failure", "completed", "withdrawn", "lost")
    return SetStatus(at.person(), at.draw.choice(status))  # type: ignore[arg-type]


def _randomise(at: _Facts) -> Change:
    allocated = {row["participant_id"] for row in at.study.rows("allocation")}
    enrolled = [
        row["participant_id"]
        for row in at.study.rows("enrolment", status="enrolled")
        if row["participant_id"] not in allocated
    ]
    person = at.draw.choice(enrolled) if enrolled and at.draw.random() < 0.9 else at.person()
    return Randomise(person, {"side": at.draw.choice(SIDES)})


def _anchor(at: _Facts) -> Change:
    anchor = at.draw.choice(("consent", "consent", "implant", "implant", "first_session"))
    return SetAnchor(at.person(), anchor, at.day(0, 0, 1, 3, 6, 9))


def _hold(at: _Facts) -> Change | None:
    row = _visit(at)
    return None if row is None else HoldVisit(row["id"], at.day(0, 0, 0, 1, 2))


def _miss(at: _Facts) -> Change | None:
    row = _visit(at)
    return None if row is None else MissVisit(row["id"])


def _visit(at: _Facts) -> dict[str, Any] | None:
    """A visit of a participant, most often one that was not held."""
    rows = at.study.rows("visit", participant_id=at.person())
    open_ = [row for row in rows if row["status"] not in ("done", "missed")]
    rows = open_ if open_ and at.draw.random() < 0.8 else rows
    return at.draw.choice(rows) if rows else None


def _add_visit(at: _Facts) -> Change:
    name = at.draw.choice(("Training", "Telephone call", f"Extra {at.draw.randrange(9)}"))
    return AddVisit(at.person(), name, at.day(0, 1))


def _save(at: _Facts) -> Change | None:
    visits = [row for row in at.study.rows("visit") if row["participant_id"] == at.person()] or at.study.rows(
        "visit"
    )
    if not visits:
        return None
    visit = at.draw.choice(visits)
    form = at.draw.choice(("vitals", "grip"))
    values: dict[str, Any] = {"systolic": at.draw.choice((80, 120, 130, 160)), "state": "well"}
    if form == "grip":
        values = {"thumb": at.draw.randrange(3), "finger": at.draw.randrange(2)}
    entry = at.draw.choice((1, 2)) if form == "grip" else 1
    kept = at.study.rows("form", visit_id=visit["id"], name=form, instance=1, entry=entry)
    if kept and at.draw.random() < 0.5:
        values = dict(kept[0]["values"])
    # A page that was open for long shows an older version.
    version = kept[0]["row_version"] - (at.draw.random() < 0.15) if kept else 0
    state: FormState = "draft" if at.draw.random() < 0.25 else "complete"
    return SaveForm(visit["id"], form, values, state=state, entry=entry, row_version=version)


def _adjudicate(at: _Facts) -> Change | None:
    second = at.one("form", entry=2)
    if second is None:
        return None
    same = {name: second[name] for name in ("visit_id", "name", "instance")}
    first = at.study.rows("form", **same, entry=1)
    values = {}
    if first:
        names = ("thumb", "finger")
        differ = [name for name in names if first[0]["values"].get(name) != second["values"].get(name)]
        values = {name: second["values"].get(name) for name in differ}
    return Adjudicate(second["visit_id"], second["name"], values)


def _ask(at: _Facts) -> Change | None:
    table, field = at.draw.choice((("form", "values"), ("visit", "started"), ("adverse_event", "term")))
    row = at.one(table)
    return None if row is None else OpenQuery(table, row["id"], field, "is that so?")


def _answer(at: _Facts) -> Change | None:
    row = _query(at)
    return None if row is None else AnswerQuery(row["id"], "it is")


def _close(at: _Facts) -> Change | None:
    row = _query(at)
    return None if row is None else CloseQuery(row["id"], "settled")


def _query(at: _Facts) -> dict[str, Any] | None:
    closed = {row["query_id"] for row in at.study.rows("query_event", action="closed")}
    rows = at.study.rows("query")
    open_ = [row for row in rows if row["id"] not in closed]
    rows = open_ if open_ and at.draw.random() < 0.9 else rows
    return at.draw.choice(rows) if rows else None


def _deviate(at: _Facts) -> Change:
    about = at.one(at.draw.choice(("visit", "form", "adverse_event"))) if at.draw.random() < 0.5 else None
    category: DeviationCategory = "procedure" if at.draw.random() < 0.5 else "other"
    if about is None:
        return RecordDeviation(at.person(), category, "came late")
    table = "form" if "instance" in about else "adverse_event" if "term" in about else "visit"
    owner = at.study.get("visit", about["visit_id"]) if table == "form" else about
    person = owner["participant_id"] if at.draw.random() < 0.9 else at.person()
    return RecordDeviation(person, category, "was wrong", table=table, row_id=about["id"])


def _close_deviation(at: _Facts) -> Change | None:
    row = at.one("deviation", state="open") or at.one("deviation")
    return None if row is None else CloseDeviation(row["id"], "none", "told everybody")


def _event_facts(at: _Facts) -> dict[str, Any]:
    serious = at.draw.random() < 0.5
    relations = ("not_related", "possible", "causal")
    return {
        "serious": serious, "severity": at.draw.choice(("mild", "severe")),
        "criteria": [at.draw.choice(("hospitalisation", "death", "disability"))] if serious else [],
        **{name: at.draw.choice(relations) for name in ("device", "procedure", "stimulation")},
        "expected": at.draw.choice((True, False, None)), "imminent_risk": at.draw.random() < 0.1,
        "marketed": at.draw.random() < 0.3, "public_health_threat": at.draw.random() < 0.1,
    }  # fmt: skip


def _deficiency_facts(at: _Facts) -> dict[str, Any]:
    return {
        "could_have_led_to_sae": at.draw.choice((True, False, None)), "imminent_risk": at.draw.random() < 0.2,
        "marketed": at.draw.random() < 0.3, "public_health_threat": False,
    }  # fmt: skip


def _event(at: _Facts) -> Change:
    zone, country = at.draw.choice(ZONES)
    named = at.draw.choice(((), (), ("CN",), ("US", "EU")))
    return ReportEvent(
        at.person(), "wound", at.draw.choice(("", "2026", "2026-01", "2026-01-01")), _event_facts(at), at.moment(),
        zone, country, jurisdictions=named,
    )  # fmt: skip


def _revise(at: _Facts) -> Change | None:
    row = at.one("adverse_event")
    if row is None:
        return None
    zone, country = at.draw.choice(ZONES)
    return ReviseEvent(
        row["id"], at.moment(), zone, facts=_event_facts(at) if at.draw.random() < 0.7 else None,
        term=at.draw.choice((None, "wound", "infection of the wound")),
        country=country if at.draw.random() < 0.3 else None,
        jurisdictions=at.draw.choice((None, None, ("CN",), ("US",))),
        state=at.draw.choice((None, None, None, None, "void")),  # type: ignore[arg-type]
        row_version=row["row_version"] - (at.draw.random() < 0.15),
    )  # fmt: skip


def _deficiency(at: _Facts) -> Change:
    zone, country = at.draw.choice(ZONES)
    person = at.person() if at.draw.random() < 0.5 else None
    return ReportDeficiency(
        "stimulator", "reset by itself", "", _deficiency_facts(at), at.moment(), zone, country,
        participant_id=person,
    )  # fmt: skip


def _revise_deficiency(at: _Facts) -> Change | None:
    row = at.one("device_deficiency")
    if row is None:
        return None
    zone, _ = at.draw.choice(ZONES)
    return ReviseDeficiency(
        row["id"], at.moment(), zone, facts=_deficiency_facts(at), text=at.draw.choice((None, "reset twice")),
        row_version=row["row_version"],
    )  # fmt: skip


def _judge(at: _Facts) -> Change | None:
    row = at.one("adverse_event")
    return None if row is None else JudgeEvent(row["id"], "infections", at.draw.random() < 0.5)


def _confirm_rule(at: _Facts) -> Change:
    return ConfirmRule(at.draw.choice(RULES), "the text of the rule")


def _due(at: _Facts) -> tuple[str, str, str] | None:
    """A report that is due, most often one that was not sent: its event and its rule."""
    found = obligations.obligations(at.study, world.clock.now())
    unsent = [one for one in found if not one.sent_at]
    found = tuple(unsent) if unsent and at.draw.random() < 0.9 else found
    if not found:
        return None
    one = at.draw.choice(found)
    return one.table, one.row_id, one.rule


def _send(at: _Facts) -> Change | None:
    due = _due(at)
    when = at.draw.choice(("", "", at.moment()))
    return None if due is None else MarkSent(*due, "letter 1", at=when)


def _extend(at: _Facts) -> Change | None:
    due = _due(at)
    if due is None:
        return None
    until = moments.text_of(world.clock.now() + timedelta(days=at.draw.choice((1, 5, 30))))
    return ExtendObligation(*due, until, "letter 2", "the authority")


def _tell(at: _Facts) -> Change | None:
    row = at.one("adverse_event")
    if row is None:
        return None
    due = _due(at) if at.draw.random() < 0.3 else None
    table, row_id, rule = due or ("adverse_event", row["id"], "")
    return TellSomebody(table, row_id, "Dr Park J.", "phone", rule=rule, at=at.draw.choice(("", at.moment())))


def _seen(at: _Facts) -> Change | None:
    row = at.one("obligation_event")
    return None if row is None else MarkSeen(row["id"], at=at.draw.choice(("", at.moment())))


def _implant(at: _Facts) -> Change:
    serial = at.draw.choice(("", "12", "13"))
    return Implant(at.person(), "NEO", at.day(0, 1, 2), "epidural", serial=serial)


def _explant(at: _Facts) -> Change | None:
    row = at.one("implant")
    return None if row is None else Explant(row["id"], at.day(0), "removed", correct=at.draw.random() < 0.1)


def _finding(at: _Facts) -> Change | None:
    row = at.one("implant")
    if row is None:
        return None
    kind: FindingKind = at.draw.choice(("impedance", "impedance", "wound", "wound", "lead"))
    values = {"1": 900.0} if kind == "impedance" else None
    return RecordFinding(row["id"], kind, at.day(0, 0, 1, 3), "as expected", at.draw.random() < 0.1, values)


def _revise_finding(at: _Facts) -> Change | None:
    """What was found was another thing, or was found at somebody else."""
    row = at.one("implant_finding")
    if row is None:
        return None
    if at.draw.random() < 0.3:
        return VoidFinding(row["id"])
    stated = row["kind"], at.day(0, 1, 3), at.draw.choice(("as expected", "a little red"))
    return ReviseFinding(
        row["id"], *stated, row["notable"], row["values"], at.draw.choice((0, row["row_version"]))
    )


def _missed_check(at: _Facts) -> Change | None:
    """Why a check of an implant was missed."""
    listed = implants.surveillance(at.study, world.clock.local().date())
    missed = [(one, check) for one in listed for check in one.checks if check.state == "missed"]
    if not missed:
        return None
    one, check = at.draw.choice(missed)
    person = one.participant_id if at.draw.random() < 0.9 else at.person()
    said = f"{check.name} of {check.planned} was missed"
    return RecordDeviation(person, "procedure", said, table="implant", row_id=one.implant_id)


SIGNABLE = ("form", "form", "form", "form", "adverse_event", "visit", "deviation", "query")


def _sign(at: _Facts) -> Change | None:
    row = at.one(table := at.draw.choice(SIGNABLE))
    if row is None:
        return None
    targets: tuple[tuple[str, str], ...] = ((table, row["id"]),)
    if table == "form" and at.draw.random() < 0.7:
        targets = tuple(("form", one["id"]) for one in at.study.rows("form", visit_id=row["visit_id"]))
    shown = bound_now(at.study, targets)[1]
    return Sign(targets, "I reviewed these entries", shown if at.draw.random() < 0.9 else "0" * 64)


def _freeze(at: _Facts) -> Change | None:
    row = at.one(table := at.draw.choice(("participant", "visit", "form")))
    if row is None or row.get("simulated"):
        return None
    return Freeze(table, row["id"])


def _unfreeze(at: _Facts) -> Change | None:
    newest = {(row["table_name"], row["row_id"]): row["action"] for row in at.study.rows("lock_event")}
    held = [place for place, action in newest.items() if action == "lock" and place[0] != "study"]
    return Unfreeze(*at.draw.choice(held)) if held else None


def _lock(at: _Facts) -> Change:
    return LockStudy()


def _unlock(at: _Facts) -> Change:
    return UnlockStudy()


def _amend_protocol(at: _Facts) -> Change:
    return AdoptProtocol(definition(at.draw.choice(VERSIONS[1:])))


def _move(at: _Facts) -> Change:
    """A move to a version of the protocol that there is, whose document is to be consented to first."""
    rows = at.study.rows("protocol_version")
    row = rows[-1] if at.draw.random() < 0.7 else at.draw.choice(rows)
    person, version, document = at.person(), row["version"], row["definition"]["consent"]["document_version"]
    given = at.study.rows("consent", participant_id=person, purpose="participation")[-1:]
    if given and given[0]["document_version"] != document and at.draw.random() < 0.8:
        return GiveConsent(person, PURPOSES, document, at.day(0))
    return MoveToProtocol(person, version)


def _make_list(at: _Facts) -> Change:
    return MakeList(at.draw.choice(VERSIONS))


def _unblind(at: _Facts) -> Change | None:
    row = at.one("allocation")
    if row is None:
        return None
    pseudonym = at.study.get("participant", row["participant_id"])["pseudonym"]
    again = pseudonym if at.draw.random() < 0.8 else pseudonym[:-1]
    return Unblind(row["participant_id"], again, "Dr Silva M.", ("silva",), at.draw.random() < 0.5)


def _guess(at: _Facts) -> Change:
    guess = at.draw.choice((*ARMS, "unknown"))
    certainty = "" if guess == "unknown" else "somewhat"
    allocated = at.one("allocation")
    person = allocated["participant_id"] if allocated and at.draw.random() < 0.8 else at.person()
    return RecordGuess(person, "assessor", guess, certainty)  # type: ignore[arg-type]


def _grant(at: _Facts) -> Change:
    person = at.draw.choice(STAFF[2:])
    row = at.study.rows("person", login=person.login)[0]
    missing = person.role not in row["roles"]
    role = person.role if missing and at.draw.random() < 0.8 else at.draw.choice(ROLES)
    return GrantRole(row["id"], role, "training", blinded=bool(person.blinded))


def _revoke(at: _Facts) -> Change:
    row = at.study.rows("person", login=at.draw.choice(STAFF[2:]).login)[0]
    return RevokeRole(row["id"], at.draw.choice(row["roles"]))


def _upload(at: _Facts) -> Change | None:
    row = at.one("visit")
    sent = at.moment()[:19] + "Z"
    return None if row is None else RecordUpload(row["id"], "EEG", sent, 11, "a" * 64, "registry")


def _evidence(at: _Facts) -> Change:
    return RecordEvidenceStep("coding", "Product X", at.day(0), "decision 1", "b" * 64, "Guangdong")


Draw = Callable[[_Facts], Change | None]
WORK: Mapping[str, Mapping[Draw, int]] = {
    "coordinator": {
        _next: 30, _enrol: 2, _consent: 4, _withdraw: 3, _criterion: 2, _status: 3, _randomise: 2, _anchor: 3,
        _hold: 4, _miss: 1, _add_visit: 2, _save: 3, _answer: 2, _event: 2, _revise: 1, _send: 1, _tell: 1,
        _guess: 2, _move: 3, _implant: 2, _deviate: 1, _finding: 2, _missed_check: 1,
    },
    "investigator": {
        _next: 8, _criterion: 1, _consent: 2, _status: 2, _event: 4, _revise: 4, _deficiency: 2, _send: 3,
        _extend: 1, _seen: 2, _sign: 5, _hold: 2, _adjudicate: 3, _close_deviation: 2, _unblind: 1, _implant: 1,
        _explant: 1, _finding: 2, _revise_finding: 2, _randomise: 1, _move: 2, _grant: 1, _amend_protocol: 1,
        _save: 2, _ask: 1, _answer: 1,
    },
    "assessor": {
        _save: 16, _hold: 3, _answer: 4, _guess: 2, _sign: 2, _deviate: 2, _miss: 1, _add_visit: 1, _next: 4,
    },
    "data_manager": {
        _ask: 4, _close: 8, _adjudicate: 4, _freeze: 4, _unfreeze: 4, _grant: 3, _revoke: 3, _close_deviation: 3,
        _lock: 1, _unlock: 1, _sign: 3, _evidence: 1, _deviate: 1, _upload: 3,
    },
    "statistician": {_make_list: 1, _ask: 3, _sign: 2, _lock: 1, _unlock: 1},
    "safety_officer": {
        _event: 3, _revise: 5, _judge: 4, _confirm_rule: 2, _send: 6, _extend: 2, _tell: 4, _seen: 4,
        _revise_deficiency: 3, _deficiency: 1, _unblind: 1, _sign: 1, _finding: 1,
    },
    "monitor": {_ask: 5, _close: 5, _deviate: 3, _sign: 4},
}  # fmt: skip
"""What somebody of each role does, and how often."""


def draw(study: Study, who: Person, chance: random.Random) -> Asked | None:
    """What somebody asks for next; None where there is nothing to do it to.

    Parameters
    ----------
    study : the open record.
    who : the person.
    chance : draws it.
    """
    role = who.role if chance.random() >= OTHERS else chance.choice(sorted(WORK))
    work = WORK[role]
    made = chance.choices(list(work), list(work.values()))[0]
    change = made(_Facts(study, who, chance))
    if change is None:
        return None
    if chance.random() < WRONG:
        change = spoiled(change, chance)
    reason = "" if chance.random() < SILENT else "as it was"
    return Asked(change, _signers(change, who, chance), reason)


def _signers(change: Change, who: Person, chance: random.Random) -> tuple[Person, ...]:
    """Who makes a change: whoever sits there, and of one that several sign those who are asked for."""
    if len(change.SIGNED_BY) < 2:
        return (who,)
    signers = [BY_ROLE[chance.choice(roles)] for roles in change.SIGNED_BY]
    chance.shuffle(signers)
    return tuple(signers if chance.random() < 0.9 else [who, *signers[1:]])


def spoiled(change: Change, chance: random.Random) -> Change:
    """The same change with one field that is wrong.

    Parameters
    ----------
    change : as it would be right.
    chance : draws what is wrong.
    """
    names = [field.name for field in fields(change)]  # type: ignore[arg-type]
    if not names:
        return change
    name = chance.choice(names)
    wrong = _wrong(getattr(change, name), chance)
    return replace(change, **{name: wrong})  # type: ignore[type-var]


def _wrong(value: Any, chance: random.Random) -> Any:
    """Another value of the same type."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return chance.choice(NUMBERS)
    if isinstance(value, Mapping):
        return _wrong_mapping(value, chance)
    if isinstance(value, Sequence) and not isinstance(value, str):
        inner = (chance.choice(TEXTS), chance.choice(TEXTS))
        return (
            () if chance.random() < 0.3 else inner if value and isinstance(value[0], tuple) is False else (inner,)
        )
    return chance.choice(TEXTS)


def _wrong_mapping(value: Mapping[str, Any], chance: random.Random) -> dict[str, Any]:
    wrong = dict(value)
    name = chance.choice([*wrong, "no-such"])
    if chance.random() < 0.3:
        wrong.pop(name, None)
    else:
        wrong[name] = chance.choice(VALUES)
    return wrong
