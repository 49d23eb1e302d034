"""What must hold of every entry of a trial's record, and of every row once the change that made it is through.

The rules are written down here by themselves: they ask the shadow of the record, and nothing that decided.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from workbench.simulation.clinic import ARMS
from workbench.simulation.shadow import Row, Shadow, Written, canonical
from workbench.study import allocation_keys
from workbench.study.randomisation.lists import generate

Finding = tuple[str, str]
"""The name of a rule that did not hold, and why."""
ALWAYS = ("lock_event", "signature", "unblinding")
SAFETY = (
    "adverse_event", "device_deficiency", "awareness", "obligation_event", "rule_confirmation", "implant",
    "implant_finding", "deviation",
)  # fmt: skip
UNDER = {
    "freeze": {*ALWAYS, *SAFETY, "query", "query_event"},
    "hard": {*ALWAYS, *SAFETY, "person", "role_grant", "study_key", "report", "snapshot"},
}
"""Tables that are written under a lock of each level; a soft one holds nothing back."""
NAMES_ARMS = ("protocol_version", "rand_list", "blinding_guess")
"""Tables in which the name of an arm may stand: none of them says whose it is."""
STATUS = {
    ("", "screening"), ("screening", "enrolled"), ("screening", "screen_failure"), ("screening", "withdrawn"),
    ("screening", "lost"), ("enrolled", "completed"), ("enrolled", "withdrawn"), ("enrolled", "lost"),
    ("screen_failure", "screening"), ("completed", "enrolled"), ("withdrawn", "screening"),
    ("withdrawn", "enrolled"), ("lost", "screening"), ("lost", "enrolled"),
}  # fmt: skip
"""What may follow a status of an enrolment."""
REFERENCES = ("fitting_id", "session_id", "consent_id", "event_id", "corrects")
OF = {"fitting_id": "fitting", "session_id": "session", "consent_id": "consent", "event_id": "obligation_event"}
CLOSED = ("done", "missed")
RESTATED = timedelta(days=2)
"""For so long after a visit a clock that was set back may still take it for one that lies ahead."""


# --------------------------------------------------------------------------------- before an entry counts
def of_entry(shadow: Shadow, entry: Written) -> Iterator[Finding]:
    """What does not hold of an entry that is about to count.

    Parameters
    ----------
    shadow : the record before it.
    entry : the entry.
    """
    if entry.new is None:
        return
    yield from _lock(shadow, entry)
    yield from _belongs(shadow, entry)
    if entry.table not in NAMES_ARMS and any(arm in canonical(entry.new) for arm in ARMS):
        yield "a blinded person's reads hold no arm", f"{entry.table} {entry.row_id} names one"
    rule = BEFORE.get(entry.table)
    if rule is not None:
        yield from rule(shadow, entry, entry.new, shadow.get(entry.table, entry.row_id))


def _lock(shadow: Shadow, entry: Written) -> Iterator[Finding]:
    """Nothing is written under a lock but what goes on there."""
    assert entry.new is not None
    held = (row for row in shadow.rows("lock_event") if row["level"] in UNDER)
    newest = {(row["table_name"], row["row_id"]): row for row in held}
    before = shadow.get(entry.table, entry.row_id)
    for row in filter(None, (entry.new, before)):
        for place in shadow.places(entry.table, row):
            lock = newest.get(place)
            if lock and lock["action"] == "lock" and entry.table not in UNDER[lock["level"]]:
                yield "nothing is written under a lock", f"{entry.table} under the {lock['level']} of {place[0]}"


def _belongs(shadow: Shadow, entry: Written) -> Iterator[Finding]:
    """What a row refers to is its own participant's, or nobody's."""
    assert entry.new is not None
    if entry.table in ("lock_event", "signature", "audit"):
        return
    owners = shadow.owners(entry.table, entry.new)
    referred = [(OF.get(name, entry.table), entry.new[name]) for name in REFERENCES if entry.new.get(name)]
    if entry.new.get("table_name"):
        referred.append((entry.new["table_name"], entry.new["row_id"]))
    for table, row_id in referred:
        others = shadow.owner_of(table, row_id)
        if owners and others and owners != others:
            yield "nobody's data enters another's record", f"{entry.table} refers to another's {table}"


def _participant(shadow: Shadow, entry: Written, new: Row, before: Row | None) -> Iterator[Finding]:
    same = shadow.rows("participant", pseudonym=new["pseudonym"])
    if any(row["id"] != entry.row_id for row in same):
        yield "no pseudonym twice", new["pseudonym"]


def _enrolment(shadow: Shadow, entry: Written, new: Row, before: Row | None) -> Iterator[Finding]:
    if before is None and shadow.rows("enrolment", participant_id=new["participant_id"]):
        yield "nobody is enrolled twice", new["participant_id"]
    status = "" if before is None else before["status"]
    if status == new["status"]:
        return
    if (status, new["status"]) not in STATUS:
        yield "a status follows from the one before", f"{status} → {new['status']}"
    if new["status"] == "enrolled":
        protocol = _protocol(shadow, new["participant_id"])
        missing = set(protocol["consent"]["purposes"]["required"]) - granted(shadow, new["participant_id"]).keys()
        newest = {
            row["criterion"]: row["answer"]
            for row in shadow.rows("eligibility", participant_id=new["participant_id"])
        }
        wanted = {
            one["id"]: "yes" if one["kind"] == "inclusion" else "no" for one in protocol.get("criterion", ())
        }
        if missing or any(newest.get(name) != answer for name, answer in wanted.items()):
            yield "nobody is enrolled without consent and every criterion", f"{newest}, without {sorted(missing)}"


def _allocation(shadow: Shadow, entry: Written, new: Row, before: Row | None) -> Iterator[Finding]:
    place = new["list_id"], new["stratum"], new["seq"]
    others = shadow.rows("allocation")
    if any((row["list_id"], row["stratum"], row["seq"]) == place for row in others):
        yield "no slot is used twice", f"{place}"
    if any(row["participant_id"] == new["participant_id"] for row in others):
        yield "nobody is allocated twice", new["participant_id"]
    (enrolment,) = shadow.rows("enrolment", participant_id=new["participant_id"])
    protocol = _protocol(shadow, new["participant_id"])
    missing = set(protocol["consent"]["purposes"]["required"]) - granted(shadow, new["participant_id"]).keys()
    if enrolment["status"] != "enrolled" or missing:
        yield "nobody is allocated who is not enrolled with consent", f"{enrolment['status']}, {sorted(missing)}"
    yield from _sealed(shadow, new, others)


def _sealed(shadow: Shadow, new: Row, others: list[Row]) -> Iterator[Finding]:
    """An allocation is the lowest slot of its stratum that was never released, and holds what the seed gives."""
    listed = shadow.get("rand_list", new["list_id"])
    rule = "an allocation is the next slot of the sealed list"
    if listed is None or new["stratum"] != canonical(new["covariates"]):
        yield rule, f"stratum {new['stratum']} of {new['covariates']}"
        return
    used = {row["seq"] for row in others if (row["list_id"], row["stratum"]) == (listed["id"], new["stratum"])}
    if set(range(1, new["seq"])) != used:
        yield rule, f"slot {new['seq']} after {sorted(used)}"
    slots = {(slot[0], slot[1]): (slot[2], slot[3]) for slot in listed["sealed"]["slots"]}
    if slots.get((new["stratum"], new["seq"])) != (new["sealed"], new["state"]):
        yield rule, "it holds another cipher"


def arm_of(row: Mapping[str, Any]) -> str:
    """The arm of an allocation by the seed of its list, without opening what is sealed.

    Parameters
    ----------
    row : of the allocation.
    """
    secret = allocation_keys.load(row["list_id"])
    return str(generate(secret.design, secret.seed)[row["stratum"]][row["seq"] - 1])


def _query_event(shadow: Shadow, entry: Written, new: Row, before: Row | None) -> Iterator[Finding]:
    if any(row["action"] == "closed" for row in shadow.rows("query_event", query_id=new["query_id"])):
        yield "a closed query takes nothing more", new["query_id"]


def _deviation(shadow: Shadow, entry: Written, new: Row, before: Row | None) -> Iterator[Finding]:
    if before is not None and (before["state"] == "closed" or not entry.reason):
        yield "a closed deviation takes nothing more", entry.row_id


def _visit(shadow: Shadow, entry: Written, new: Row, before: Row | None) -> Iterator[Finding]:
    if before is not None and before["status"] in CLOSED:
        yield "a visit is held or missed once", entry.row_id
    if new["status"] == "done" and new["started"][:10] > f"{_moment(entry.utc) + timedelta(hours=14):%Y-%m-%d}":
        yield "no visit is held ahead of its day", f"{new['started']} at {entry.utc}"


def _form(shadow: Shadow, entry: Written, new: Row, before: Row | None) -> Iterator[Finding]:
    same = {name: new[name] for name in ("visit_id", "name", "instance")}
    entries = {row["entry"]: row for row in shadow.rows("form", **same)}
    rule = "a form that is entered twice is entered by two and judged by a third"
    if before is not None and before["state"] == "complete" and not entry.reason:
        yield "what was complete is corrected with a reason", entry.row_id
    if before is not None and new["entry"] and new["name"] == "grip" and before["by"] != new["by"]:
        yield rule, f"{new['by']} wrote into the entry of {before['by']}"
    others = [row["by"] for number, row in entries.items() if number and number != new["entry"]]
    if new["by"] in others:
        yield rule, f"{new['by']} made both entry {new['entry']} and another"
    if new["entry"] == 0:
        yield from _adjudicated(new, entries)


def _adjudicated(new: Row, entries: Mapping[int, Row]) -> Iterator[Finding]:
    first, second = entries[1]["values"], entries[2]["values"]
    agreed = {name for name in {*first, *second} if first.get(name) == second.get(name)}
    complete = {entries[number]["state"] for number in (1, 2)} == {"complete"}
    if not complete or any(new["values"].get(name) != first.get(name) for name in agreed):
        yield "what both entries agree on stands", f"{new['values']} of {first} and {second}"


def _signature(shadow: Shadow, entry: Written, new: Row, before: Row | None) -> Iterator[Finding]:
    now = [shadow.bound(*target[:2]) for target in new["targets"]]
    digest = hashlib.sha256(canonical(now).encode()).hexdigest()
    if now != new["targets"] or digest != new["sha256"] or not now:
        yield "a signature holds the rows as they are", entry.row_id


def _lock_event(shadow: Shadow, entry: Written, new: Row, before: Row | None) -> Iterator[Finding]:
    newest = {(row["table_name"], row["row_id"]): row["action"] for row in shadow.rows("lock_event")}
    held = newest.get((new["table_name"], new["row_id"])) == "lock"
    if held == (new["action"] == "lock") or not new["reason"] or new["head_seq"] != entry.seq - 1:
        yield "a lock is set once and lifted once", f"{new['action']} of {new['table_name']}"
    if (new["level"], new["action"]) != ("hard", "lock"):
        return
    closed = {row["query_id"] for row in shadow.rows("query_event", action="closed")}
    asked = [row["id"] for row in shadow.rows("query") if row["id"] not in closed]
    signed = {canonical(target) for row in shadow.rows("signature") for target in row["targets"]}
    unsigned = [
        row["id"] for row in standing_forms(shadow) if canonical(shadow.bound("form", row["id"])) not in signed
    ]
    if asked or unsigned:
        yield "a study is locked without an obstacle", f"{len(asked)} queries, {len(unsigned)} without a signature"


def standing_forms(shadow: Shadow) -> list[Row]:
    """Of every form the entry that holds.

    Parameters
    ----------
    shadow : of the record.
    """
    held: dict[tuple[Any, ...], Row] = {}
    for row in sorted(shadow.rows("form"), key=lambda row: int(row["entry"])):
        held.setdefault((row["visit_id"], row["name"], row["instance"]), row)
    return list(held.values())


def _obligation_event(shadow: Shadow, entry: Written, new: Row, before: Row | None) -> Iterator[Finding]:
    same = {name: new[name] for name in ("table_name", "row_id", "rule")}
    if new["action"] == "sent" and shadow.rows("obligation_event", **same, action="sent"):
        yield "a report is sent once", new["rule"]
    answers = shadow.rows("obligation_event", event_id=new["event_id"], action=new["action"])
    if new["event_id"] and answers:
        yield "what was sent or told is answered once", new["event_id"]
    if new["at"] > entry.utc:
        yield "nothing is sent ahead of its time", f"{new['at']} at {entry.utc}"


def _awareness(shadow: Shadow, entry: Written, new: Row, before: Row | None) -> Iterator[Finding]:
    if new["aware_utc"] > entry.utc:
        yield "nobody is aware ahead of time", f"{new['aware_utc']} at {entry.utc}"


def _implant(shadow: Shadow, entry: Written, new: Row, before: Row | None) -> Iterator[Finding]:
    same = {name: new[name] for name in ("device", "serial")}
    inside = [row for row in shadow.rows("implant", **same, explanted_on="") if row["id"] != entry.row_id]
    if new["serial"] and inside and before is None:
        yield "a device is in one body at a time", new["serial"]
    if new["explanted_on"] and new["explanted_on"] < new["implanted_on"]:
        yield "an implant is out after it was in", f"{new['explanted_on']} after {new['implanted_on']}"


def _finding(shadow: Shadow, entry: Written, new: Row, before: Row | None) -> Iterator[Finding]:
    implant = shadow.get("implant", new["implant_id"]) or {}
    if not implant or new["found_on"] < implant["implanted_on"]:
        yield "nothing is found before the surgery", f"{new['found_on']} at {implant}"
    if before and before["state"] == "void":
        yield "what was entered by mistake is corrected no more", f"the finding of {before['found_on']}"
    if new["found_on"] > f"{_moment(entry.utc) + timedelta(hours=14):%Y-%m-%d}":
        yield "nothing is found ahead of its day", f"{new['found_on']} at {entry.utc}"


def _consent(shadow: Shadow, entry: Written, new: Row, before: Row | None) -> Iterator[Finding]:
    if new["action"] == "withdrawn" and new["purpose"] not in granted(shadow, new["participant_id"]):
        yield "only a consent that was given is withdrawn", new["purpose"]


def _upload_receipt(shadow: Shadow, entry: Written, new: Row, before: Row | None) -> Iterator[Finding]:
    for person in shadow.owners("upload_receipt", new):
        consent = granted(shadow, person).get("upload")
        if consent is None or consent["id"] != new["consent_id"]:
            yield "a withdrawn consent blocks at once", f"an upload of {person}"


def _protocol_version(shadow: Shadow, entry: Written, new: Row, before: Row | None) -> Iterator[Finding]:
    if before is not None or shadow.rows("protocol_version", version=new["version"]):
        yield "a version of the protocol never changes", new["version"]


def _stimulation_limits(shadow: Shadow, entry: Written, new: Row, before: Row | None) -> Iterator[Finding]:
    earlier = [row["sha256"] for row in shadow.rows("stimulation_limits", electrode=new["electrode"])]
    if before is not None or new["version"] != len(earlier) + 1 or new["replaces"] != (earlier or [""])[-1]:
        yield "limits of stimulation never change, and each version follows the one before", new["electrode"]


def _contact_map(shadow: Shadow, entry: Written, new: Row, before: Row | None) -> Iterator[Finding]:
    known = shadow.rows("stimulation_limits", electrode=new["electrode"], sha256=new["limits_sha256"])
    if before is not None or not known:
        yield "a map never changes, and rests on limits that are in the record", new["electrode"]


Before = Callable[[Shadow, Written, Row, Row | None], Iterator[Finding]]
BEFORE: dict[str, Before] = {
    "participant": _participant, "enrolment": _enrolment, "allocation": _allocation, "query_event": _query_event,
    "deviation": _deviation, "visit": _visit, "form": _form, "signature": _signature, "lock_event": _lock_event,
    "obligation_event": _obligation_event, "awareness": _awareness, "implant": _implant, "consent": _consent,
    "implant_finding": _finding,
    "protocol_version": _protocol_version, "upload_receipt": _upload_receipt,
    "stimulation_limits": _stimulation_limits, "contact_map": _contact_map,
}  # fmt: skip


# --------------------------------------------------------------------------------- once a change is through
def of_row(shadow: Shadow, table: str, row_id: str, now: datetime) -> Iterator[Finding]:
    """What does not hold of a row that was written, with all that follows from it in the same change.

    Parameters
    ----------
    shadow : the record after the change.
    table, row_id : of the row.
    now : world time, UTC.
    """
    row = shadow.get(table, row_id)
    rule = AFTER.get(table)
    if row is not None and rule is not None:
        yield from rule(shadow, row, now)


def _follows_consent(shadow: Shadow, row: Row, now: datetime) -> Iterator[Finding]:
    """``participant.consent`` says whether all that taking part requires is consented to."""
    person = shadow.get("participant", str(row.get("participant_id", row["id"]))) or {}
    given = granted(shadow, person["id"])
    required = {"participation"}
    if shadow.rows("enrolment", participant_id=person["id"]):
        required |= set(_protocol(shadow, person["id"])["consent"]["purposes"]["required"])
    elif not shadow.rows("consent", participant_id=person["id"]):
        return
    wanted = given["participation"]["document_version"] if required <= given.keys() else ""
    if person["consent"] != wanted:
        yield "a consent holds, and ends, at once", f"{person['consent']!r} instead of {wanted!r}"


def _aware(shadow: Shadow, row: Row, now: datetime) -> Iterator[Finding]:
    """Every statement leaves who became aware of it."""
    table = "adverse_event" if "term" in row else "device_deficiency"
    told = shadow.rows("awareness", table_name=table, row_id=row["id"])
    if not told or told[-1]["facts"] != row["facts"] or told[-1]["country"] != row["country"]:
        yield "every statement leaves its awareness", f"{table} {row['id']}"


def _signed(n: int) -> Callable[[Shadow, Row, datetime], Iterator[Finding]]:
    def rule(shadow: Shadow, row: Row, now: datetime) -> Iterator[Finding]:
        signers = {
            one["signer"]
            for one in shadow.rows("signature")
            if row["id"] in [target[1] for target in one["targets"]]
        }
        if len(signers) < n:
            yield "what must be signed is signed", f"{row['id']} by {sorted(signers)}"

    return rule


def _granted_roles(shadow: Shadow, row: Row, now: datetime) -> Iterator[Finding]:
    """A person has the roles that were granted and not revoked."""
    person = shadow.get("person", row["person_id"]) or {}
    held = {one["role"]: one["action"] for one in shadow.rows("role_grant", person_id=person["id"])}
    wrong = [role for role, action in held.items() if (action == "grant") != (role in person["roles"])]
    if wrong or len(set(person["roles"])) != len(person["roles"]) or not person["roles"]:
        yield "roles are what was granted and not revoked", f"{person['roles']} after {held}"


def _planned(shadow: Shadow, row: Row, now: datetime) -> Iterator[Finding]:
    """Visits that were not held lie where their anchor puts them."""
    protocol, person = _protocol(shadow, row["participant_id"]), row["participant_id"]
    if not protocol:
        return
    anchors = {one["anchor"]: _day(one["day"]) for one in shadow.rows("anchor_day", participant_id=person)}
    visits = {one["name"]: one for one in shadow.rows("visit", participant_id=person)}
    unsure = False
    for visit in protocol.get("visit", ()):  # each stands after the one at which it is anchored
        own, anchored = visits.get(visit["name"]), anchors.get(visit["anchor"])
        if anchored is None:
            continue
        planned = [(anchored + timedelta(days=visit[name])).isoformat() for name in ("day", "earliest", "latest")]
        held = _day(own["started"][:10]) if own and own["status"] == "done" else None
        unsure = unsure or (held is not None and held > (now - RESTATED).date())
        anchors[visit["name"]] = held or _day(planned[0])
        if own is None or (own["status"] not in CLOSED and not unsure and _days(own) != planned):
            yield "visits follow their anchor", f"{visit['name']}: {own and _days(own)} instead of {planned}"


def _days(visit: Row) -> list[str]:
    return [visit[name] for name in ("planned", "earliest", "latest")]


def _held(shadow: Shadow, row: Row, now: datetime) -> Iterator[Finding]:
    """A visit outside its window, or missed, leaves one deviation, and none else does."""
    deviations = [
        one["category"]
        for one in shadow.rows("deviation", table_name="visit", row_id=row["id"])
        if one["automatic"] and one["category"] in ("visit_window", "visit_missed")
    ]
    wanted = ["visit_missed"] if row["status"] == "missed" else []
    names = [one["name"] for one in _protocol(shadow, row["participant_id"]).get("visit", ())]
    if row["status"] == "done" and row["name"] in names and row["earliest"]:
        outside = not row["earliest"] <= row["started"][:10] <= row["latest"]
        wanted = ["visit_window"] if outside else []
    if deviations != wanted:
        yield "a deviation is noticed where there is one", f"{row['name']} {row['status']}: {deviations}"
    if row["status"] in CLOSED:
        yield from _planned(shadow, row, now)


def _queried(shadow: Shadow, row: Row, now: datetime) -> Iterator[Finding]:
    """A doubtful value of a complete form is queried, once for each value that it had."""
    asked = [one for one in shadow.rows("query", table_name="form", row_id=row["id"]) if one["automatic"]]
    if len({one["text"] for one in asked}) < len(asked):
        yield "a doubtful value is queried once", row["id"]
    value = row["values"].get("systolic")
    bare = value.get("value") if isinstance(value, Mapping) else value
    if row["state"] == "complete" and bare is not None and not 90 <= bare <= 150:
        if not any(f"{bare}" in one["text"] for one in asked):
            yield "a doubtful value is queried", f"{bare}"
    elif len(asked) and not shadow.bound("form", row["id"])[2] > 1:  # type: ignore[index]
        yield "a doubtful value is queried", f"{bare} is as expected"


def _late(shadow: Shadow, row: Row, now: datetime) -> Iterator[Finding]:
    """A report that was sent late leaves a deviation."""
    if row["action"] != "sent":
        return
    left = shadow.rows("deviation", table_name="obligation_event", row_id=row["id"], category="reporting")
    late = datetime.fromisoformat(row["at"]) >= datetime.fromisoformat(row["due"])
    if late != bool(row["late_s"]) or (late and len(left) != 1):
        yield "a late report leaves a deviation", f"{row['rule']}: {row['at']}, due {row['due']}"


def _enrolled(shadow: Shadow, row: Row, now: datetime) -> Iterator[Finding]:
    yield from _follows_consent(shadow, row, now)
    # Who moves to another version is planned by it; before anything was counted there is nothing to plan.
    yield from _planned(shadow, row, now)


After = Callable[[Shadow, Row, datetime], Iterator[Finding]]
AFTER: dict[str, After] = {
    "consent": _follows_consent, "participant": _follows_consent, "enrolment": _enrolled,
    "adverse_event": _aware, "device_deficiency": _aware, "unblinding": _signed(1), "protocol_version": _signed(2),
    "stimulation_limits": _signed(2),
    "role_grant": _granted_roles, "anchor_day": _planned, "allocation": _planned, "visit": _held,
    "form": _queried, "obligation_event": _late,
}  # fmt: skip


# --------------------------------------------------------------------------------- what several rules ask
def granted(shadow: Shadow, participant_id: str) -> dict[str, Row]:
    """Consents in force, by purpose.

    Parameters
    ----------
    shadow : of the record.
    participant_id : whose.
    """
    newest = {row["purpose"]: row for row in shadow.rows("consent", participant_id=participant_id)}
    return {purpose: row for purpose, row in newest.items() if row["action"] == "granted"}


def checks(shadow: Shadow, on: date) -> dict[tuple[str, str, str], str]:
    """Where each check of each implant stands on a day, by implant, name and planned day.

    A check is done by a finding of its kind in its window; without one it is missed when the window is over. What
    the removal came before is not asked for, unless it was done. Of a check that comes again the next time is told
    too.

    Parameters
    ----------
    shadow : of the record.
    on : the day.
    """
    versions, found = shadow.rows("protocol_version"), {}
    for implant in shadow.rows("implant"):
        protocol = _protocol(shadow, implant["participant_id"]) or (versions[-1]["definition"] if versions else {})
        own = shadow.rows("implant_finding", implant_id=implant["id"], state="entered")
        surgery, out = _day(implant["implanted_on"]), implant["explanted_on"]
        for check in protocol.get("implant_check", ()):
            days = sorted(_day(one["found_on"]) for one in own if one["kind"] == check["kind"])
            for planned, earliest, latest in _times(check, surgery, on):
                seen = next((day for day in days if earliest <= day <= latest), None)
                if seen is None and out and latest >= _day(out):
                    continue
                state = "ahead" if on < earliest else "missed" if on > latest else "due"
                state = "done" if seen is not None and seen <= on else state
                found[implant["id"], check["name"], planned.isoformat()] = state
    return found


def _times(check: Mapping[str, Any], surgery: date, on: date) -> Iterator[list[date]]:
    """Planned day and window of each time that a check is asked for by a day, and of the next one."""
    every = check.get("every", 0)
    begun = (on - surgery).days - check["earliest"]
    for time in range(1 + (max(-1, begun) // every + 1 if every else 0)):
        yield [surgery + timedelta(days=check[name] + time * every) for name in ("day", "earliest", "latest")]


def _protocol(shadow: Shadow, participant_id: str) -> Row:
    """The participant's version of the protocol, empty for who takes part under none."""
    for row in shadow.rows("enrolment", participant_id=participant_id):
        version = shadow.get("protocol_version", row["protocol_version_id"])
        return dict(version["definition"]) if version else {}
    return {}


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _day(text: str) -> date:
    return date.fromisoformat(text)
