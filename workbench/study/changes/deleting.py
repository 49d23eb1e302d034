"""Deletion of a participant's data: one person asks, another carries it out, and the record keeps the
tombstone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from workbench.errors import BadValue, Refused
from workbench.messages import Message
from workbench.study import deletion, migrate
from workbench.study.applying import Applying, Change
from workbench.study.changes import consents
from workbench.study.deletion import DeletionPlan
from workbench.study.nouns import told
from workbench.vocabulary import ConsentGiver

if TYPE_CHECKING:
    from workbench.study.record import Study


@dataclass(frozen=True, slots=True)
class RequestDeletion(Change):
    """A participant who withdrew asks that what is held of them be deleted.

    Attributes
    ----------
    participant_id : who.
    requested_on : ISO date of the request.
    basis : on what law or agreement the rest stays, in words of the site.
    given_by : ``"participant"`` or ``"representative"``.
    """

    participant_id: str
    requested_on: str
    basis: str
    given_by: ConsentGiver = "participant"
    ROLES: ClassVar[tuple[str, ...]] = ("investigator",)

    def apply(self, record: Applying) -> str:
        """Add the request of who takes part no longer."""
        given = record.rows("consent", participant_id=self.participant_id)
        withdrawn = [row for row in given if row["purpose"] == "participation" and row["action"] == "withdrawn"]
        if not withdrawn or "participation" in consents.in_force(given):
            raise Refused(Message("deletion.not_withdrawn"))
        if not self.basis.strip():
            raise BadValue(Message("deletion.basis"))
        if not self.requested_on or self.requested_on > record.today.isoformat():
            raise BadValue(Message("consent.on", got=told(self.requested_on)))
        return record.insert(
            "deletion_request", participant_id=self.participant_id, requested_on=self.requested_on,
            basis=self.basis, given_by=self.given_by,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class BeginDeletion(Change):
    """Make tombstones of a participant's rows and name every file that goes or is cut again, as it was shown.

    Attributes
    ----------
    plan : what was shown (:func:`workbench.study.deletion.plan`).
    """

    plan: DeletionPlan
    SIGNED_BY: ClassVar[tuple[tuple[str, ...], ...]] = (("data_manager",),)

    def prepare(self, study: Study) -> None:
        """Refuse what would leave a copy beside the record, and another plan than the one of now."""
        if kept := [path.name for path in migrate.kept_beside(study.path)]:
            raise Refused(Message("study.redaction_kept", files=kept))
        now = deletion.plan(study, self.plan.participant_id)
        if (now.files, now.snapshots) != (self.plan.files, self.plan.snapshots):
            raise Refused(Message("deletion.changed"))

    def apply(self, record: Applying) -> str:
        """Enter the deletion and its files, and remove texts and history of the rows."""
        if not record.reason.strip():
            raise BadValue(Message("deletion.reason"))
        _refuse_alone(record, self.plan.request_id)
        owned = deletion.rows_of(record.rows, self.plan.participant_id)
        items = deletion.items_of(record.rows)
        alone = deletion.decoders_of(record.rows, owned)[0]
        if (deletion.versions(owned, items), alone) != (self.plan.rows, self.plan.decoders):
            raise Refused(Message("deletion.changed"))
        row_id = record.insert(
            "deletion", participant_id=self.plan.participant_id, deletion_request_id=self.plan.request_id,
            plan_sha256=self.plan.sha256, n_rows=len(self.plan.rows), decoders=list(self.plan.decoders),
            reason=record.reason,
        )  # fmt: skip
        for file in self.plan.files:
            record.insert(
                "deleted_file", deletion_id=row_id, kind=file.kind, path=file.path, sha256=file.sha256,
                n_bytes=file.n_bytes,
            )  # fmt: skip
        for one in self.plan.snapshots:
            record.insert(
                "snapshot_recut", deletion_id=row_id, snapshot_id=one.snapshot_id, replaces=one.replaces,
                sha256=one.sha256, n_bytes=one.n_bytes,
            )  # fmt: skip
        rows = {(table, row["id"]): row for table in deletion.TEXTS for row in owned[table]}
        for table, place, _version in self.plan.rows:
            record.redact(table, place, deletion.changes_of(table, rows[table, place], items))
        record.sign([("deletion", row_id)], meaning="I delete what is named here")
        return row_id


@dataclass(frozen=True, slots=True)
class EndDeletion(Change):
    """Every file of a deletion is gone; made by :func:`workbench.study.deletion.carry_out`.

    Attributes
    ----------
    deletion_id : which.
    identity : what became of the identity: ``"erased"``, ``"absent"`` or ``"elsewhere"``.
    """

    deletion_id: str
    identity: str
    ROLES: ClassVar[tuple[str, ...]] = ("data_manager",)

    def apply(self, record: Applying) -> str:
        """End the deletion. Raises Refused while a file lies there."""
        record.row("deletion", self.deletion_id)
        if record.rows("deletion_end", deletion_id=self.deletion_id):
            raise Refused(Message("deletion.ended"))
        files = record.rows("deleted_file", deletion_id=self.deletion_id)
        there = [file["path"] for file in files if (record.folder / file["path"]).exists()]
        if there:
            raise Refused(Message("deletion.there", n=len(there), first=there[0]))
        return record.insert("deletion_end", deletion_id=self.deletion_id, identity=self.identity)


def _refuse_alone(record: Applying, request_id: str) -> None:
    """Refuse a deletion that nobody asked for, that one person would make alone, or while one is under way."""
    if not request_id:
        raise Refused(Message("deletion.no_request"))
    request = record.row("deletion_request", request_id)
    if record.rows("deletion", deletion_request_id=request_id):
        raise Refused(Message("deletion.begun"))
    ended = {row["deletion_id"] for row in record.rows("deletion_end")}
    if under_way := [row for row in record.rows("deletion") if row["id"] not in ended]:
        who = record.row("participant", under_way[0]["participant_id"])["pseudonym"]
        raise Refused(Message("deletion.under_way", participant=who))
    if request["by"] == record.actor.name:
        raise Refused(Message("deletion.two_people", name=record.actor.name))
