"""Freezing a participant, visit or assessment, data cuts, and the hard lock of a study with its preconditions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from workbench.errors import BadValue, Refused
from workbench.messages import Message
from workbench.study import lock_conditions, locks, snapshots
from workbench.study.applying import Applying, Change
from workbench.study.moments import utc_of
from workbench.study.nouns import told
from workbench.vocabulary import LockLevel

if TYPE_CHECKING:
    from workbench.study.record import Study
    from workbench.study.verification import Verification

FREEZABLE = tuple(name for name in locks.LOCKABLE if name != "study")
THREE = (("data_manager",), ("investigator",), ("statistician",))


@dataclass(frozen=True, slots=True)
class Freeze(Change):
    """Keep the values of a row and of all that belongs to it.

    Attributes
    ----------
    table, row_id : a participant, visit or assessment.
    """

    table: str
    row_id: str
    ROLES: ClassVar[tuple[str, ...]] = ("data_manager",)

    def apply(self, record: Applying) -> str:
        """Add the lock."""
        if self.table not in FREEZABLE:
            raise BadValue(Message("lock.table", allowed=list(FREEZABLE), got=told(self.table)))
        record.row(self.table, self.row_id)
        if _held(record, self.table, self.row_id):
            raise Refused(Message("lock.there", what=self.table))
        return _event(record, "freeze", self.table, self.row_id, "lock")


@dataclass(frozen=True, slots=True)
class Unfreeze(Change):
    """Give a frozen row back, with a reason.

    Attributes
    ----------
    table, row_id : what is frozen.
    """

    table: str
    row_id: str
    ROLES: ClassVar[tuple[str, ...]] = ("data_manager",)

    def apply(self, record: Applying) -> str:
        """Add the end of the lock."""
        if not _held(record, self.table, self.row_id):
            raise Refused(Message("lock.absent", what=self.table))
        return _event(record, "freeze", self.table, self.row_id, "unlock")


@dataclass(frozen=True, slots=True)
class CutData(Change):
    """Keep a named snapshot of every data table as it is now (a soft lock); entry goes on.

    Attributes
    ----------
    name : letters, digits, ``-`` and ``_``, unique in the study.
    """

    name: str
    SIGNED_BY: ClassVar[tuple[tuple[str, ...], ...]] = (("data_manager",), ("statistician",))

    def prepare(self, study: Study) -> Verification:
        """Verify chain and tables before the record is held."""
        found = study.verify(files=False)
        if not found.ok:
            raise Refused(Message("snapshot.broken", n=len(found.problems), why=found.problems[0]))
        return found

    def apply(self, record: Applying) -> str:
        """Write the snapshot, enter it with both signatures, and lock nothing."""
        snapshots.refuse_name(record, self.name)
        return _with_snapshot(record, "soft", self.name, "I cut the data here")[1]


@dataclass(frozen=True, slots=True)
class LockStudy(Change):
    """End all editing and keep a snapshot of what analyses read, once every condition holds
    (:mod:`workbench.study.lock_conditions`) and the record verifies with every recording.
    """

    SIGNED_BY: ClassVar[tuple[tuple[str, ...], ...]] = THREE

    def prepare(self, study: Study) -> Verification:
        """Verify the record and every recording before it is held."""
        found = study.verify()
        if not found.ok:
            raise Refused(Message("lock.broken", n=len(found.problems), why=found.problems[0]))
        return found

    def apply(self, record: Applying) -> str:
        """Add the lock where nothing stands in its way."""
        if _held(record, "study", ""):
            raise Refused(Message("lock.there", what="study"))
        found = lock_conditions.conditions(record, utc_of(record.utc), signed=_signed(record))
        obstacles = [one.text for one in found if one.n]
        if obstacles:
            raise Refused(Message("lock.obstacles", obstacles=obstacles))
        return _with_snapshot(record, "hard", snapshots.next_of_locks(record), "I lock the study here")[0]


@dataclass(frozen=True, slots=True)
class UnlockStudy(Change):
    """Give a locked study back to editing; the next lock is another one."""

    SIGNED_BY: ClassVar[tuple[tuple[str, ...], ...]] = THREE

    def apply(self, record: Applying) -> str:
        """Add the end of the lock."""
        if not _held(record, "study", ""):
            raise Refused(Message("lock.absent", what="study"))
        return _event(record, "hard", "study", "", "unlock")


def _held(record: Applying, table: str, row_id: str) -> Mapping[str, Any] | None:
    return locks.in_force(record.rows("lock_event", table_name=table, row_id=row_id)).get((table, row_id))


def _with_snapshot(record: Applying, level: LockLevel, name: str, meaning: str) -> tuple[str, str]:
    """Ids of a lock of the study and of its snapshot, which holds the record as it was just before."""
    if not record.reason.strip():
        raise BadValue(Message("lock.reason"))
    written = snapshots.write(record, name, level)
    lock = _event(record, level, "study", "", "lock")
    row_id = record.insert("snapshot", lock_event_id=lock, **written)
    record.sign([("snapshot", row_id)], meaning=meaning)
    return lock, row_id


def _event(record: Applying, level: LockLevel, table: str, row_id: str, action: str) -> str:
    if not record.reason.strip():
        raise BadValue(Message("lock.reason"))
    seq, digest = record.head()
    return record.insert(
        "lock_event", level=level, table_name=table, row_id=row_id, action=action, reason=record.reason,
        head_seq=seq, head_hash=digest,
    )  # fmt: skip


def _signed(record: Applying) -> Callable[[str, Mapping[str, Any]], bool]:
    """Whether a row carries a signature of exactly what stands in it now."""
    signed = {tuple(target) for row in record.rows("signature") for target in row["targets"]}
    return lambda table, row: tuple(record.bound((table, row["id"]))) in signed
