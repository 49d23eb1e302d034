"""Who is in which arm: who may learn it, what every reading leaves, and whether all follows from the secret.

On a computer with one account all of this is procedure. Whoever runs it can read record and secret alike; what it
adds is that honest users are not told by accident, that each reading is in the chain, and that :func:`prove` finds
a list or an allocation that was changed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench import messages
from workbench.errors import BadValue, RecordFault, Refused, WorkbenchError
from workbench.messages import Message
from workbench.study import allocation_keys
from workbench.study.applying import Applying
from workbench.study.people import Signer
from workbench.study.protocol import Protocol
from workbench.study.randomisation import (
    Allocation,
    SealedList,
    Secret,
    open_slot,
    open_slots,
    replay_minimisation,
)
from workbench.study.randomisation import prove as prove_list
from workbench.study.randomisation.arms import open_arm
from workbench.study.randomisation.design import unordered

if TYPE_CHECKING:
    from workbench.study.record import Study

READERS = ("investigator", "statistician", "safety_officer", "therapist", "operator", "engineer")
"""Roles that may learn an arm, where they were granted without blinding."""
PROCEDURAL = Message("allocation.procedural")
"""What every answer about allocations says, as long as record and secret lie under one account."""
ENTERED = ("participant_id", "list_id", "stratum", "seq", "covariates", "sealed", "state", "by", "utc")
"""Columns of an allocation, each compared with its entry in the audit chain."""
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ListProof:
    """Whether one list, and everything that was released from it, is what its secret gives.

    Attributes
    ----------
    list_id, kind : of the list.
    compared : slots that were drawn again, or draws that were replayed.
    allocations : that were compared.
    differences : a sentence for each; empty when all are equal.
    """

    list_id: str
    kind: str
    compared: int
    allocations: int
    differences: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether everything is equal."""
        return not self.differences


# ------------------------------------------------------------------------------------ who may learn an arm
def arm_of(study: Study, participant_id: str, signer: Signer, reason: str = "") -> str:
    """The arm of a participant. Every reading, and every refused one, is a row of the audit chain.

    Parameters
    ----------
    study : the open record.
    participant_id : whose.
    signer : who asks: unblinded, or who unblinded this participant or was told.
    reason : why, for the chain.

    Raises
    ------
    UnknownName
        No such participant.
    Refused
        The participant has no arm yet, or the signer may not learn it.
    RecordFault
        The secret is not on this computer, or the list or the allocation was changed.
    """
    with study.writing.begin("arm", actor=signer.name) as writer:
        record = Applying(writer, [signer], reason, study.folder)
        person = record.row("participant", participant_id)
        rows = record.rows("allocation", participant_id=participant_id)
        if not rows:
            raise Refused(Message("allocation.absent"))
        refusal = _barred(record, signer, person)
        arm = "" if refusal else _opened(record, rows[-1])
        action = "arm_refused" if refusal else "arm_read"
        payload = {"new": None, "old": None, "reason": reason}
        writer.log(action, "allocation", rows[-1]["id"], version=1, payload=payload)
    # Outside the transaction, which must be committed: the refusal has to stay in the chain.
    if refusal:
        raise Refused(refusal)
    return arm


def refusal(study: Study, signer: Signer) -> Message | None:
    """Why somebody may not learn the arm of everybody, by the rule of :func:`arms`; None where they may.

    Nothing is read and nothing is entered: a page asks it to know what it may offer.

    Parameters
    ----------
    study : the open record.
    signer : who would ask.
    """
    with study.writing.begin("arms", actor=signer.name) as writer:
        return _barred(Applying(writer, [signer], "", study.folder), signer, None)


def blinded_now(study: Study, signer: Signer) -> Message | None:
    """As :func:`blinded`, of an open record: nothing is read of an arm, and nothing is entered.

    Parameters
    ----------
    study : the open record.
    signer : about whom.
    """
    with study.writing.begin("arms", actor=signer.name) as writer:
        return blinded(Applying(writer, [signer], "", study.folder), signer)


def blinded(record: Applying, signer: Signer) -> Message | None:
    """Why somebody is to learn no arm at all: a role was granted as blinded. None where no role was.

    Parameters
    ----------
    record : while a change is made.
    signer : who asks.
    """
    roles = [row["role"] for row in _grants(record, signer) if row["blinded"]]
    return Message("allocation.blinded", name=signer.name, roles=roles) if roles else None


def _barred(record: Applying, signer: Signer, participant: Row | None) -> Message | None:
    """Why somebody may not learn the arm of a participant, or of anybody; None when it is allowed."""
    if signer.method == "script":
        everybody = [participant] if participant else record.rows("participant")
        simulated = all(person["simulated"] for person in everybody)
        return None if simulated else Message("change.script", name=signer.name)
    person = next(iter(record.rows("person", id=signer.person_id)), None)
    if person is None or person["state"] != "active":
        return Message("change.no_access", name=signer.name)
    if participant and _told(record, signer, participant["id"]):
        return None
    if refusal := blinded(record, signer):
        return refusal
    if not any(row["role"] in READERS for row in _grants(record, signer)):
        return Message("allocation.no_reader", name=signer.name, roles=list(READERS))
    return None


def _grants(record: Applying, signer: Signer) -> list[Row]:
    """The newest grant of each role that somebody has now.

    A role without one, as the first people of a study have it, says nothing about blinding, and lets nobody read.
    """
    newest = {row["role"]: row for row in record.rows("role_grant", person_id=signer.person_id)}
    held = {role for person in record.rows("person", id=signer.person_id) for role in person["roles"]}
    return [row for role, row in newest.items() if role in held and row["action"] == "grant"]


def _told(record: Applying, signer: Signer, participant_id: str) -> bool:
    rows = record.rows("unblinding", participant_id=participant_id)
    return any(signer.person_id == row["person_id"] or signer.login in row["told"] for row in rows)


def _opened(record: Applying, row: Row) -> str:
    secret = allocation_keys.load(row["list_id"])
    if secret.design.kind == "minimisation":
        return open_arm(secret, row["seq"], row["state"], bytes.fromhex(row["sealed"]))
    sealed = SealedList.of(record.row("rand_list", row["list_id"])["sealed"])
    if sealed.slots[sealed.place(row["stratum"], row["seq"])].cipher.hex() != row["sealed"]:
        raise RecordFault(Message("allocation.changed", stratum=row["stratum"], n=row["seq"]))
    return open_slot(sealed, secret, row["stratum"], row["seq"])


def arms(study: Study, signer: Signer, reason: str = "", *, only: Collection[str] | None = None) -> dict[str, str]:
    """The arm of everybody who was randomised, by participant id. Each reading is a row of the audit chain.

    Parameters
    ----------
    study : the open record.
    signer : who asks; must be allowed to learn the arm of anybody.
    reason : why, for the chain.
    only : ids of the only allocations that are read, such as those of a snapshot; None for all.

    Raises
    ------
    Refused
        The signer may not; the refusal is in the chain.
    RecordFault
        A secret is not on this computer, or a list or an allocation was changed.
    """
    with study.writing.begin("arms", actor=signer.name) as writer:
        record = Applying(writer, [signer], reason, study.folder)
        rows = [row for row in record.rows("allocation") if only is None or row["id"] in only]
        refusal = _barred(record, signer, None)
        found = {} if refusal else _all_opened(record, rows)
        payload = {"new": None, "old": None, "reason": reason}
        for row in rows:
            writer.log(
                "arm_refused" if refusal else "arm_read", "allocation", row["id"], version=1, payload=payload
            )
    if refusal:
        raise Refused(refusal)
    return found


def _all_opened(record: Applying, rows: Sequence[Row]) -> dict[str, str]:
    """Every arm; each list is checked once, which for every slot of a long one would take minutes."""
    found: dict[str, str] = {}
    for list_id in dict.fromkeys(row["list_id"] for row in rows):
        own = [row for row in rows if row["list_id"] == list_id]
        secret = allocation_keys.load(list_id)
        if secret.design.kind == "minimisation":
            found |= {row["participant_id"]: _opened(record, row) for row in own}
            continue
        sealed = SealedList.of(record.row("rand_list", list_id)["sealed"])
        there = {(slot.stratum, slot.seq): slot.cipher.hex() for slot in sealed.slots}
        for row in own:
            if there.get((row["stratum"], row["seq"])) != row["sealed"]:
                raise RecordFault(Message("allocation.changed", stratum=row["stratum"], n=row["seq"]))
        arms_of = open_slots(sealed, secret, [(row["stratum"], row["seq"]) for row in own])
        found |= {row["participant_id"]: arm for row, arm in zip(own, arms_of, strict=True)}
    return found


# ------------------------------------------------------------------------------------ what there is
def lists(study: Study) -> list[dict[str, Any]]:
    """Every list, without an arm.

    Each is ``{"id", "versions", "kind", "commitment", "generator", "by", "utc", "used", "slots", "secret_here"}``;
    ``slots`` is None of a minimisation.
    """
    found = []
    for row in study.rows("rand_list"):
        minimisation = row["design"]["kind"] == "minimisation"
        found.append({
            "id": row["id"], "versions": _versions(study, row), "kind": row["design"]["kind"],
            **{name: row[name] for name in ("commitment", "generator", "by", "utc")},
            "used": len(study.rows("allocation", list_id=row["id"])),
            "slots": None if minimisation else len(row["sealed"]["slots"]),
            "secret_here": allocation_keys.is_here(row["id"]),
        })  # fmt: skip
    return found


def slots(study: Study) -> list[dict[str, Any]]:
    """Used slots of each stratum of every list: ``{"list", "stratum", "used", "slots"}``, without an arm."""
    found = []
    for row in study.rows("rand_list"):
        counts: dict[str, int] = {}
        for stratum, *_ in row["sealed"].get("slots", ()):
            counts[stratum] = counts.get(stratum, 0) + 1
        used = [one["stratum"] for one in study.rows("allocation", list_id=row["id"])]
        for stratum in counts or {"": 0}:
            of = counts.get(stratum)
            found.append({"list": row["id"], "stratum": stratum, "used": used.count(stratum), "slots": of})
    return found


def _versions(study: Study, listed: Row) -> list[str]:
    """Versions of the protocol whose participants this list serves."""
    protocols = (
        (row["version"], Protocol.from_definition(row["definition"])) for row in study.rows("protocol_version")
    )
    designs = ((version, protocol.design()) for version, protocol in protocols)
    own = unordered(listed["design"])
    return [version for version, design in designs if design and unordered(design.to_json()) == own]


# ------------------------------------------------------------------------------------ proof
def prove(study: Study, signer: Signer) -> tuple[ListProof, ...]:
    """Draw every list again from its secret, replay every minimisation, and compare them with the record.

    Parameters
    ----------
    study : the open record.
    signer : who asks; a difference may name an arm, so that it takes somebody who may learn all of them.

    Raises
    ------
    Refused
        When the signer may not.
    RecordFault
        When a secret is not on this computer.
    """
    with study.writing.begin("prove", actor=signer.name) as writer:
        record = Applying(writer, [signer], "", study.folder)
        if refusal := _barred(record, signer, None):
            raise Refused(refusal)
        for row in record.rows("rand_list"):
            payload = {"new": None, "old": None, "reason": ""}
            writer.log("prove", "rand_list", row["id"], version=1, payload=payload)
    return tuple(_proof(study, row) for row in study.rows("rand_list"))


def _proof(study: Study, listed: Row) -> ListProof:
    secret = allocation_keys.load(listed["id"])
    allocated = study.rows("allocation", list_id=listed["id"])
    check = _replayed if secret.design.kind == "minimisation" else _drawn_again
    compared, differences = check(listed, secret, allocated)
    exchanged = [message for row in allocated if (message := _not_as_entered(study, row))]
    differences = [*_of_chain(study, listed), *differences, *exchanged, *_lost(listed, allocated)]
    return ListProof(listed["id"], secret.design.kind, compared, len(allocated), tuple(differences))


def _of_chain(study: Study, listed: Row) -> Iterator[str]:
    """Whether the list is the one that came into the audit chain, for a design that the protocol has."""
    entered = _entered(study, "rand_list", listed)
    if any(entered.get(name) != listed[name] for name in ("design", "sealed", "commitment", "generator")):
        yield Message("allocation.not_in_chain", list=listed["id"])
    if not _versions(study, listed):
        yield Message("allocation.other_design", list=listed["id"])


def _not_as_entered(study: Study, row: Row) -> Message | None:
    """Of an allocation other than the one in the audit chain, which alone knows whose slot it is; else None."""
    entered = _entered(study, "allocation", row)
    if all(entered.get(name) == row[name] for name in ENTERED):
        return None
    return Message("allocation.entry_differs", stratum=row["stratum"] or "–", n=row["seq"])


def _entered(study: Study, table: str, row: Row) -> Row:
    """A row as it came into the audit chain; empty when it never did."""
    return next((entry["new"] for entry in study.history(table, row["id"]) if entry["new"]), {})


def _drawn_again(listed: Row, secret: Secret, allocated: Sequence[Row]) -> tuple[int, list[str]]:
    try:
        sealed = SealedList.of(listed["sealed"])
        proof = prove_list(sealed, secret)
    except WorkbenchError as error:
        return 0, [messages.of(error)]
    differences = list(proof.differences)
    if sealed.root != listed["commitment"]:
        differences.append(Message("allocation.other_root", list=listed["id"]))
    there = {(slot.stratum, slot.seq): (slot.cipher.hex(), slot.leaf) for slot in sealed.slots}
    differences += [
        Message("allocation.changed", stratum=row["stratum"], n=row["seq"])
        for row in allocated
        if there.get((row["stratum"], row["seq"])) != (row["sealed"], row["state"]) or _misplaced(secret, row)
    ]
    return proof.compared, differences


def _misplaced(secret: Secret, row: Row) -> bool:
    """Whether a participant of these covariates belongs to another stratum."""
    try:
        return bool(secret.design.stratum(row["covariates"]) != row["stratum"])
    except BadValue:
        return True


def _replayed(listed: Row, secret: Secret, allocated: Sequence[Row]) -> tuple[int, list[str]]:
    differences: list[str] = []
    if secret.commitment() != listed["commitment"]:
        differences.append(Message("allocation.other_root", list=listed["id"]))
    made = []
    for row in sorted(allocated, key=lambda row: row["seq"]):
        try:
            arm = open_arm(secret, row["seq"], row["state"], bytes.fromhex(row["sealed"]))
        except (RecordFault, ValueError):
            return 0, [*differences, Message("allocation.arm_changed", list=listed["id"], n=row["seq"])]
        if row["stratum"] != "":
            differences.append(Message("allocation.changed_stratum", list=listed["id"], n=row["seq"]))
        made.append(Allocation(row["seq"], row["covariates"], arm, row["state"]))
    proof = replay_minimisation(secret.design, secret.seed, made)
    return proof.compared, [*differences, *proof.differences]


def _lost(listed: Row, allocated: Sequence[Row]) -> Iterator[str]:
    """What was released and is not in the record, as after the restoring of an older backup."""
    entered = {(row["stratum"], row["seq"]) for row in allocated}
    for place, release in allocation_keys.released(listed["id"]).items():
        if place not in entered:
            yield Message("allocation.lost", who=release.pseudonym, n=release.seq, stratum=release.stratum or "–")
