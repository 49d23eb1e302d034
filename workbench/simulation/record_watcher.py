"""What must hold of a trial's record in every world, looked at after everything that anybody did to it."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, date, datetime, timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

from workbench import messages
from workbench.errors import WorkbenchError
from workbench.messages import LANGUAGES, LONGEST_SENTENCE, Message
from workbench.simulation import record_rules
from workbench.simulation.acts import Asked
from workbench.simulation.clinic import ARMS, STAFF, Person
from workbench.simulation.clock import EPOCH_NS
from workbench.simulation.scheduler import Scheduler
from workbench.simulation.shadow import Row, Shadow, Written
from workbench.simulation.watcher import Watcher
from workbench.study import Study, implants, obligations
from workbench.study.applying import Change
from workbench.study.changes import consents, signing
from workbench.study.changes.entering import SaveForm
from workbench.study.changes.safety_events import CodeEvent
from workbench.study.changes.signing import Sign
from workbench.vocabulary import ConsentPurpose

NAMES = {person.name: person for person in STAFF}
MAKES = {
    "AddVisit": "visit", "Adjudicate": "form", "AdoptProtocol": "protocol_version",
    "AdoptStimulationLimits": "stimulation_limits", "RecordContactMap": "contact_map",
    "AnswerCriterion": "eligibility", "AnswerQuery": "query_event", "CloseDeviation": "deviation",
    "CloseQuery": "query_event", "CodeEvent": "adverse_event", "ConfirmRule": "rule_confirmation",
    "Enrol": "enrolment",
    "Explant": "implant", "Freeze": "lock_event", "ExtendObligation": "obligation_event",
    "GiveConsent": "consent", "GrantRole": "role_grant", "HoldVisit": "visit", "Implant": "implant",
    "JudgeEvent": "adverse_event", "LockStudy": "lock_event", "MakeList": "rand_list",
    "MarkSeen": "obligation_event", "MarkSent": "obligation_event", "MissVisit": "visit",
    "MoveToProtocol": "enrolment", "OpenQuery": "query", "Randomise": "allocation",
    "RecordDeviation": "deviation", "RecordEvidenceStep": "evidence_step", "RecordFinding": "implant_finding",
    "RecordGuess": "blinding_guess", "RecordUpload": "upload_receipt",
    "ReportDeficiency": "device_deficiency", "ReportEvent": "adverse_event",
    "ReviseDeficiency": "device_deficiency", "ReviseEvent": "adverse_event",
    "ReviseFinding": "implant_finding", "RevokeRole": "role_grant",
    "SaveForm": "form", "SetAnchor": "anchor_day", "SetStatus": "enrolment", "Sign": "signature",
    "TellSomebody": "obligation_event", "Unblind": "unblinding", "Unfreeze": "lock_event",
    "UnlockStudy": "lock_event", "VoidFinding": "implant_finding", "WithdrawConsent": "consent",
}  # fmt: skip
"""Table of the row whose id each change gives back."""
OTHERWISE = ("row_version", "targets", "definition")
"""Fields of changes that stand in their row in another way."""
ABOUT = {
    "visit_id": "visit", "query_id": "query", "deviation_id": "deviation", "implant_id": "implant",
    "finding_id": "implant_finding", "deficiency_id": "device_deficiency", "participant_id": "participant",
}  # fmt: skip
"""Fields of changes that name the row that a change is about, and its table."""
READERS = ("investigator", "statistician", "safety_officer", "therapist", "operator", "engineer")
"""Roles that may learn an arm where they were granted without blinding."""
CLOCKED = ("awareness", "obligation_event", "rule_confirmation", "adverse_event", "device_deficiency")
FOLLOWS = ("participant", "visit", "anchor_day", "form")
"""Tables whose rows follow others, or go on as a draft, and then say so themselves where nobody gave a reason."""
LOOKED_AHEAD = (0, 3, 40)
"""Days after the end of a life on which it is asked where the checks of implants stand."""
GATES: tuple[ConsentPurpose, ...] = ("data_sharing", "decoder_training", "upload")
"""Purposes of which a fit, an export and an upload ask who withdrew the consent."""


@dataclass(slots=True, eq=False)
class Flight:
    """What somebody asked for and has no answer to yet.

    Attributes
    ----------
    change : that was asked for; None for a row that a machine makes.
    signers : who makes it. reason : as given.
    entries : that it left so far. shared : whether they may be those of a second click.
    rows : that it wrote, each as it left it, by table and id.
    """

    change: Change | None
    signers: tuple[Person, ...]
    reason: str
    entries: int = 0
    shared: bool = False
    rows: dict[tuple[str, str], Row] = field(default_factory=dict)


class RecordWatcher(Watcher):
    """Looks at the record after everything that anybody did, and says what did not hold.

    Parameters
    ----------
    scheduler : of the world.
    device : name of the device's process.
    folder : of the study.

    Attributes
    ----------
    shadow : the record as its chain tells it.
    changes, refusals : that were acknowledged and refused.
    """

    def __init__(self, scheduler: Scheduler, *, device: str, folder: Path) -> None:
        super().__init__(scheduler, device=device)
        self._folder = folder
        self.shadow = Shadow(folder)
        self.changes = self.refusals = 0
        self._flying: dict[str, list[Flight]] = {}
        self._due: dict[tuple[str, str, str], tuple[datetime, datetime]] = {}

    @property
    def utc(self) -> datetime:
        """World time, whatever the computers' clocks say."""
        return datetime.fromtimestamp(EPOCH_NS // 10**9, UTC) + timedelta(seconds=self.now)

    def begin(self) -> None:
        """Take in what the life begins with."""
        for _ in self.shadow.read():
            pass
        self.shadow.touched = {}

    # ------------------------------------------------------------------------------- what people did
    def asks(self, asked: Asked | Person) -> Flight:
        """Somebody asks for a change, or enters a row."""
        if isinstance(asked, Person):
            flight = Flight(None, (asked,), "")
        else:
            flight = Flight(asked.change, asked.signers, asked.reason)
        self._flying.setdefault(flight.signers[0].name, []).append(flight)
        return flight

    def acknowledged(self, flight: Flight, row_id: str) -> None:
        """The record said that it is done."""
        self.look()
        self._landed(flight)
        self.changes += 1
        if not flight.entries:
            self.breaks("an acknowledged change is in the record", f"{_name(flight)} left nothing")
        if flight.change is None:
            return
        table = MAKES[type(flight.change).__name__]
        stands = self.shadow.get(table, row_id)
        if stands is None:
            self.breaks("an acknowledged change is in the record", f"{_name(flight)} gave no {table}: {row_id}")
            return
        # As this change left it: somebody else may have written into the row since, before the answer was read.
        # What stood already as it was asked for is not written again.
        wrote = flight.rows.get((table, row_id))
        own = self.shadow.written_by(table, row_id) == flight.signers[0].name
        judged = wrote if wrote is not None else stands if own else None
        if judged is not None and (different := _different(flight.change, judged)):
            self.breaks("what was asked for is what stands", f"{_name(flight)}: {different}")
        elif wrote is not None and not flight.shared and (over := _overwrites(flight.change, wrote)):
            self.breaks("nobody's change is written over unseen", f"{_name(flight)}: {over}")

    def refused(self, flight: Flight, error: WorkbenchError) -> None:
        """The record said why it was not done."""
        self.look()
        self._landed(flight)
        self.refusals += 1
        if flight.entries and not flight.shared:
            self.breaks("a refused change leaves nothing", f"{_name(flight)}: {messages.of(error):.200}")
        self.sentence(error)

    def sentence(self, error: WorkbenchError) -> None:
        """What somebody reads is a sentence, in every language."""
        said = messages.of(error)
        texts = [messages.translate(said, language=language) for language in LANGUAGES]
        wrong = [text for text in texts if not text.strip() or "\n" in text or "Traceback" in text]
        if not isinstance(said, Message) or wrong or len(said) > LONGEST_SENTENCE:
            self.breaks("a refusal is one sentence", f"{type(error).__name__}: {said!r:.300}")

    def gone(self, flight: Flight) -> None:
        """Whoever asked was killed: it was done, or it was not."""
        self.look()
        self._landed(flight)

    def _landed(self, flight: Flight) -> None:
        flights = self._flying.get(flight.signers[0].name, [])
        if flight in flights:
            flights.remove(flight)

    # ------------------------------------------------------------------------------- the record
    def look(self) -> None:
        """Read what is new in the record, and check it."""
        shadow = self.shadow
        for entry in shadow.read():
            self._enter("entry", f"{entry.seq} {entry.hash}")
            for rule, why in record_rules.of_entry(shadow, entry):
                self.breaks(rule, f"entry {entry.seq}: {why}")
            self._is_asked_for(entry)
        touched, shadow.touched = shadow.touched, {}
        for table, row_id in touched:
            for rule, why in record_rules.of_row(shadow, table, row_id, self.utc):
                self.breaks(rule, f"after entry {shadow.seq}: {why}")
        if any(table in CLOCKED for table, _ in touched):
            self._keeps_time(touched)
        for problem in shadow.problems:
            self.breaks("the chain verifies", problem)
        shadow.problems.clear()

    def _is_asked_for(self, entry: Written) -> None:
        """Nothing is written by somebody who did not ask for it, or may not, or about somebody else."""
        person = NAMES.get(entry.actor)
        if person is None or entry.new is None:
            return
        flights = self._flying.get(person.name, [])
        for flight in flights:
            flight.entries += 1
            flight.rows[entry.table, entry.row_id] = entry.new
            flight.shared = flight.shared or len(flights) > 1
        if not flights:
            self.breaks("nothing is written that nobody asked for", f"{entry.table} by {person.name}")
            return
        # By the roles before the first of its entries: a change may take one from whoever makes it.
        if all(flight.entries == 1 for flight in flights) and not any(map(self._may, flights)):
            who = ", ".join(f"{_name(flight)} by {person.name}" for flight in flights)
            self.breaks("no change by somebody without the role", f"entry {entry.seq}: {who}")
        self._is_about_who_was_meant(entry, entry.new, flights)

    def _is_about_who_was_meant(self, entry: Written, new: Row, flights: Sequence[Flight]) -> None:
        """Nothing is written about somebody else, and no row is changed without a reason."""
        owners = self.shadow.owners(entry.table, new)
        about_all = any(flight.change is None for flight in flights)
        if owners and not about_all and not any(owners <= self._concerned(flight) for flight in flights):
            self.breaks("nobody's data enters another's record", f"{_name(flights[0])} wrote {entry.table}")
        given = any(flight.change is None or flight.reason.strip() for flight in flights)
        if entry.old is not None and not given and (entry.table not in FOLLOWS or not entry.reason.strip()):
            self.breaks("no change of a row without a reason", f"entry {entry.seq}: {entry.table}")

    def _may(self, flight: Flight) -> bool:
        """Whether each who makes a change has a role for it now."""
        if flight.change is None:
            return True
        wanted = flight.change.SIGNED_BY or (flight.change.ROLES,)
        held = []
        for signer in flight.signers:
            (row,) = self.shadow.rows("person", login=signer.login)
            held.append(set(row["roles"]) if row["state"] == "active" else set())
        orders = permutations(held)
        return any(all(have & set(roles) for have, roles in zip(order, wanted)) for order in orders)

    def _concerned(self, flight: Flight) -> set[str]:
        """Ids of the participants whom a change is about."""
        change = flight.change
        if change is None:
            return set()
        found: set[str] = set()
        values = {one.name: getattr(change, one.name) for one in fields(change)}  # type: ignore[arg-type]
        named = [(table, values[name]) for name, table in ABOUT.items() if values.get(name)]
        named += [(values["table"], values["row_id"])] if values.get("table") else []
        named += [
            (table, values["event_id"]) for table in ("adverse_event", "obligation_event") if "event_id" in values
        ]
        named += [tuple(target) for target in values.get("targets", ()) if len(target) == 2]
        for table, row_id in named:
            found |= {row_id} if table == "participant" else self.shadow.owner_of(table, row_id)
        return found

    def _keeps_time(self, touched: Iterable[tuple[str, str]]) -> None:
        """No obligation disappears, and none becomes later but by an extension."""
        sources = {
            (row["table_name"], row["row_id"]): None
            for table, row_id in touched
            if table in ("awareness", "obligation_event") and (row := self.shadow.get(table, row_id))
        }
        if any(table == "rule_confirmation" for table, _ in touched):
            sources |= {(row["table_name"], row["row_id"]): None for row in self.shadow.rows("awareness")}
        for source in sources:
            self._keeps_time_of(source)

    def _keeps_time_of(self, source: tuple[str, str]) -> None:
        clocks = {clock.obligation.rule: clock for clock in obligations.clocks(self.shadow, source)}
        for (table, row_id, rule), (asked, due) in self._due.items():
            if (table, row_id) != source:
                continue
            clock = clocks.get(rule)
            if clock is None:
                self.breaks("no obligation disappears", rule)
            elif clock.obligation.due > asked or (clock.due > due and not clock.extended_until):
                self.breaks("no obligation becomes later by an edit", f"{rule}: {clock.due} instead of {due}")
        for rule, clock in clocks.items():
            self._due[(*source, rule)] = clock.obligation.due, clock.due

    # ------------------------------------------------------------------------------- what is read
    def signatures(self, study: Study, rows: Iterable[Mapping[str, Any]]) -> None:
        """A signature is valid while its rows are as they were signed, and stale from the first change on."""
        for row in rows:
            now = [self.shadow.bound(*target[:2]) for target in row["targets"]]
            wanted = "valid" if now == row["targets"] else "stale"
            if signing.state(study, row) != wanted:
                self.breaks("a signature on changed rows is stale", f"{row['id']} is not {wanted}")

    def consents(self, study: Study) -> None:
        """Who took back a consent is known at once to whatever asks for it."""
        for purpose in GATES:
            newest = {row["participant_id"]: row for row in self.shadow.rows("consent", purpose=purpose)}
            ended = [person for person, row in newest.items() if row["action"] == "withdrawn"]
            wanted = {str((self.shadow.get("participant", person) or {})["pseudonym"]) for person in ended}
            if set(consents.withdrawn(study, purpose)) != wanted:
                self.breaks("a withdrawn consent blocks at once", f"{purpose}: {sorted(wanted)}")

    def implants(self, study: Study, on: date) -> None:
        """Every check that the protocol plans of an implant stands where its findings put it, missed ones too."""
        for ahead in LOOKED_AHEAD:
            day = on + timedelta(days=ahead)
            told = {
                (one.implant_id, check.name, check.planned): check.state
                for one in implants.surveillance(study, day)
                for check in one.checks
            }
            wanted: dict[tuple[str, str, str], str] = record_rules.checks(self.shadow, day)
            if told != wanted:
                different = sorted(set(told.items()) ^ set(wanted.items()))
                self.breaks("checks of an implant stand where its findings put them", f"{day}: {different}")

    def saw(self, who: Person, what: object) -> None:
        """Somebody read something: an arm is only for whom it is."""
        text = repr(what)
        if who.blinded and any(arm in text for arm in ARMS):
            self.breaks("a blinded person's reads hold no arm", f"{who.name} read {text:.200}")

    def told_arm(self, who: Person, row: Row, arm: str, *, before: bool) -> None:
        """Somebody asked for the arm of an allocation; ``""`` where it was refused.

        Parameters
        ----------
        who : asked.
        row : of the allocation.
        arm : what the record told.
        before : whether it was to be told when they asked; it may have changed since.
        """
        if bool(arm) not in (before, self.may_learn(who, row["participant_id"])):
            self.breaks("an arm is told to whom it may be told", f"{who.name} {'was' if arm else 'was not'} told")
        if arm and arm != record_rules.arm_of(row):
            self.breaks("an arm is what its seed gives", f"{arm}")

    def may_learn(self, who: Person, participant_id: str) -> bool:
        """Whether somebody may learn the arm of a participant, ``""`` for that of everybody."""
        (person,) = self.shadow.rows("person", login=who.login)
        if person["state"] != "active":
            return False
        for row in self.shadow.rows("unblinding", participant_id=participant_id):
            if person["id"] == row["person_id"] or who.login in row["told"]:
                return True
        newest = {row["role"]: row for row in self.shadow.rows("role_grant", person_id=person["id"])}
        held = [row for role, row in newest.items() if role in person["roles"] and row["action"] == "grant"]
        return not any(row["blinded"] for row in held) and any(row["role"] in READERS for row in held)


def _name(flight: Flight) -> str:
    return "a row" if flight.change is None else type(flight.change).__name__


def _different(change: Change, row: Mapping[str, Any]) -> str:
    """The fields of a change that stand otherwise in its row; what was left empty is for the record to fill."""
    found = []
    # The term of a code is not the term of the event: a code stands in a column of its own.
    row = row["coding"] if isinstance(change, CodeEvent) else row
    for name in (one.name for one in fields(change)):  # type: ignore[arg-type]
        asked = getattr(change, name)
        if name not in row or name in OTHERWISE or asked in ("", None, ()):
            continue
        if not _equal(asked, row[name]):
            found.append(f"{name} {row[name]!r:.80} instead of {asked!r:.80}")
    return "; ".join(found)


def _overwrites(change: Change, row: Mapping[str, Any]) -> str:
    """What somebody wrote over without having seen it: a newer version, or rows that were not shown."""
    if isinstance(change, Sign) and change.shown_sha256 != row["sha256"]:
        return f"signed {row['sha256']:.8}, shown was {change.shown_sha256:.8}"
    shown = getattr(change, "row_version", None)
    if shown is None or shown < 0 or (shown == 0 and not isinstance(change, SaveForm)):
        return ""  # any version, or one that no page ever showed
    if row["row_version"] <= shown + 1:
        return ""
    return f"version {row['row_version']} over {shown}"


def _equal(asked: Any, stands: Any) -> bool:
    if isinstance(asked, Mapping):
        return isinstance(stands, Mapping) and all(
            name in stands and _equal(value, stands[name]) for name, value in asked.items()
        )
    if isinstance(asked, list | tuple):
        return isinstance(stands, list) and sorted(map(repr, asked)) == sorted(map(repr, stands))
    if isinstance(asked, str) and isinstance(stands, str):
        return unicodedata.normalize("NFC", asked) == stands
    return bool(asked == stands)
