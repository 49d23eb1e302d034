"""The list of a randomisation, and who comes to which of its slots.

Drawn, sealed and proven by :mod:`workbench.study.randomisation`; here a list comes into the record, and its slots
to participants, each in one transaction: two writers cannot have the same slot.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from workbench import world
from workbench.errors import RecordFault, Refused, UnknownName
from workbench.messages import Message
from workbench.study import allocation_keys, allocations
from workbench.study.allocation_keys import Place, Release
from workbench.study.applying import Applying, Change
from workbench.study.changes import consents, visits
from workbench.study.changes.protocols import enrolment_of, protocol_of
from workbench.study.clock import uuid7
from workbench.study.nouns import told
from workbench.study.protocol import Protocol
from workbench.study.randomisation import SealedList, Secret, minimise, next_slot, seal
from workbench.study.randomisation.arms import open_arm, seal_arm
from workbench.study.randomisation.design import Design, unordered
from workbench.study.randomisation.draws import SEED_BITS
from workbench.study.randomisation.secret import KEY_BYTES

if TYPE_CHECKING:
    from workbench.study.record import Study

BEFORE = ("screening", "screen_failure")
"""Status of an enrolment that has not led into the study yet."""


@dataclass(frozen=True, slots=True)
class MakeList(Change):
    """Draw and seal the list of a version of the protocol, before anybody is enrolled under it.

    Attributes
    ----------
    version : of the protocol. Versions of one design share one list.
    """

    version: str
    ROLES: ClassVar[tuple[str, ...]] = ("statistician",)

    def apply(self, record: Applying) -> str:
        """Add the list without its secret, which goes to the key folder."""
        if refusal := allocations.blinded(record, record.actor):
            raise Refused(refusal)
        row = _version(record, self.version)
        design = _design(Protocol.from_definition(row["definition"]))
        for listed in record.rows("rand_list"):
            if unordered(listed["design"]) == unordered(design.to_json()):
                raise Refused(Message("allocation.list_there", list=listed["id"], version=self.version))
        _refuse_late(record, row)
        secret = Secret(
            uuid7(), design, world.chance.randbits(SEED_BITS), world.chance.token_bytes(KEY_BYTES)
        )  # fmt: skip
        sealed = None if design.kind == "minimisation" else seal(secret)
        # Before the list is in the record: a list without its secret would be worthless.
        allocation_keys.keep(str(record.rows("study")[0]["id"]), secret)
        return record.insert(
            "rand_list", id=secret.list_id, protocol_sha256=row["sha256"], design=design.to_json(),
            sealed=sealed.to_json() if sealed else {}, generator=secret.generator,
            commitment=sealed.root if sealed else secret.commitment(),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Randomise(Change):
    """An enrolled participant comes to the next slot of the list, unseen, and visits are counted from this day.

    Attributes
    ----------
    participant_id : who.
    covariates : factor → level, of every factor of the design.
    """

    participant_id: str
    covariates: Mapping[str, str]
    ROLES: ClassVar[tuple[str, ...]] = ("investigator", "coordinator")

    def apply(self, record: Applying) -> str:
        """Add the allocation and the day; its id tells nothing of the arm."""
        _refuse_unready(record, self.participant_id)
        protocol = protocol_of(record, self.participant_id)
        listed = _list_of(record, protocol)
        pseudonym = str(record.row("participant", self.participant_id)["pseudonym"])
        made = _next(record, listed, _design(protocol), pseudonym, self.covariates)
        row_id = record.insert(
            "allocation", participant_id=self.participant_id, list_id=listed["id"], stratum=made.stratum,
            seq=made.seq, covariates=made.covariates, sealed=made.sealed, state=made.state,
        )  # fmt: skip
        visits.randomised(record, self.participant_id, world.clock.local().date().isoformat())
        return row_id

    def settle(self, study: Study) -> None:
        """Note the release beside the secret; what cannot be noted now is with the next one."""
        with suppress(RecordFault):
            pseudonym = str(study.get("participant", self.participant_id)["pseudonym"])
            for row in study.rows("allocation", participant_id=self.participant_id):
                allocation_keys.release(row["list_id"], [_release(row, pseudonym)])


# ------------------------------------------------------------------------------------ what is asked before
def _version(record: Applying, version: str) -> dict[str, Any]:
    rows = record.rows("protocol_version")
    for row in rows:
        if row["version"] == version:
            return row
    known = [row["version"] for row in rows] or [Message("word.none")]
    raise UnknownName(Message("change.no_version", got=told(version), known=known))


def _design(protocol: Protocol) -> Design:
    design = protocol.design()
    if design is None:
        raise Refused(Message("allocation.no_design", version=protocol.about.version))
    return design


def _refuse_late(record: Applying, version: Mapping[str, Any]) -> None:
    """Refuse a list that could have been made to suit somebody who is in the study already."""
    allocated = {row["participant_id"] for row in record.rows("allocation")}
    enrolled = record.rows("enrolment", protocol_version_id=version["id"])
    late = [row for row in enrolled if row["status"] not in BEFORE and row["participant_id"] not in allocated]
    if late:
        raise Refused(Message("allocation.late", version=version["version"], n=len(late)))


def _refuse_unready(record: Applying, participant_id: str) -> None:
    enrolment = enrolment_of(record, participant_id)
    if record.rows("allocation", participant_id=participant_id):
        raise Refused(Message("allocation.there"))
    if enrolment["status"] != "enrolled":
        raise Refused(Message("allocation.status", status=enrolment["status"]))
    given = consents.in_force(record.rows("consent", participant_id=participant_id))
    required = protocol_of(record, participant_id).consent.purposes.required
    missing = [purpose for purpose in required if purpose not in given]
    if missing:
        raise Refused(Message("allocation.consent", purposes=missing))


def _list_of(record: Applying, protocol: Protocol) -> dict[str, Any]:
    wanted = unordered(_design(protocol).to_json())
    for row in record.rows("rand_list"):
        if unordered(row["design"]) == wanted:
            return row
    raise Refused(Message("allocation.no_list", version=protocol.about.version))


# ------------------------------------------------------------------------------------ the next slot
def _next(
    record: Applying, listed: Mapping[str, Any], design: Design, pseudonym: str, covariates: Mapping[str, str]
) -> Release:
    """What is released now: of a list its lowest slot that was never used, of a minimisation the next draw."""
    list_id, levels = str(listed["id"]), design.levels(covariates)
    rows = record.rows("allocation", list_id=list_id)
    entered = {(str(row["stratum"]), int(row["seq"])): _release(row) for row in rows}
    kept = allocation_keys.released(list_id)
    _note_missing(record, list_id, [row for row in rows if (row["stratum"], row["seq"]) not in kept])
    # Released, and not in this record: it was restored from a backup that is older.
    lost = {place: release for place, release in kept.items() if place not in entered}
    for release in lost.values():
        if release.pseudonym == pseudonym:
            return _again(release, levels)
    every = {**lost, **entered}
    if design.kind == "minimisation":
        return _minimised(list_id, every, pseudonym, levels)
    sealed = SealedList.of(listed["sealed"])
    if sealed.root != listed["commitment"]:
        raise RecordFault(Message("allocation.other_root", list=list_id))
    stratum = design.stratum(levels)
    seq = next_slot(sealed, every.keys(), stratum)
    slot = sealed.slots[sealed.place(stratum, seq)]
    return Release(pseudonym, stratum, seq, levels, slot.cipher.hex(), slot.leaf)


def _again(release: Release, levels: Mapping[str, str]) -> Release:
    """The slot that a participant was given before the record was restored."""
    if release.covariates != levels:
        given = [f"{name} {level}" for name, level in release.covariates.items()]
        raise Refused(Message("allocation.other_covariates", covariates=given))
    return release


def _minimised(list_id: str, made: Mapping[Place, Release], pseudonym: str, levels: Mapping[str, str]) -> Release:
    secret = allocation_keys.load(list_id)
    earlier = sorted(made.values(), key=lambda release: release.seq)
    history = [
        (one.covariates, open_arm(secret, one.seq, one.state, bytes.fromhex(one.sealed))) for one in earlier
    ]
    n = earlier[-1].seq + 1 if earlier else 0
    arm, state = minimise(secret.design, secret.seed, history, levels, n)
    return Release(pseudonym, "", n, levels, seal_arm(secret, n, state, arm).hex(), state)


def _note_missing(record: Applying, list_id: str, rows: list[dict[str, Any]]) -> None:
    """Note what the record holds and this computer's releases do not, as after a crash between both."""
    people = {row["participant_id"] for row in rows}
    names = {person: str(record.row("participant", person)["pseudonym"]) for person in people}
    allocation_keys.release(list_id, [_release(row, names[row["participant_id"]]) for row in rows])


def _release(row: Mapping[str, Any], pseudonym: str = "") -> Release:
    columns = {name: row[name] for name in ("stratum", "seq", "covariates", "sealed", "state")}
    return Release(pseudonym=pseudonym, **columns)
