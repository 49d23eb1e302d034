"""What of a record may leave with an export: nobody who took back the consent that it needs, no arm for anybody
from whom it is kept, and pseudonyms alone.

A blinded person who signs in gets an export for the blinded, anybody else a whole one. Where nobody signs in and
the study has blinded people, the export is one for them: it holds the tables, columns and rows that are the same
in every arm, and no others.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workbench.errors import BadValue, Refused
from workbench.messages import Message
from workbench.study.allocations import arm_of
from workbench.study.changes import consents
from workbench.study.concealment import OPEN, BlindRecord, sight_of
from workbench.study.nouns import PARENTS
from workbench.vocabulary import ConsentPurpose

if TYPE_CHECKING:
    from workbench.study import Study
    from workbench.study.people import Signer

Row = Mapping[str, Any]
SHARING: tuple[ConsentPurpose, ...] = ("data_sharing",)


@dataclass(frozen=True, slots=True)
class Release:
    """A record as it may be shared.

    Attributes
    ----------
    study : the open record.
    record : what is read: the study, or its :class:`workbench.study.concealment.BlindRecord`.
    is_blind : whether the arm is kept from whoever reads the export.
    withdrawn : pseudonym → ISO date of those who took back a consent; nothing of them is in it.
    left_out : their ids in the record.
    arms : arm by id of the participant; empty where the export names none.
    head : sequence number and hash of the newest entry of the record.
    """

    study: Study
    record: Study | BlindRecord
    is_blind: bool
    withdrawn: Mapping[str, str]
    left_out: Collection[str]
    arms: Mapping[str, str]
    head: tuple[int, str]
    _owners: dict[tuple[str, str], Any] = field(default_factory=dict, repr=False)

    def participants(self) -> list[Row]:
        """Rows of those who are in it, in order of entry."""
        return [row for row in self.record.rows("participant") if row["id"] not in self.left_out]

    def rows(self, table: str, **where: Any) -> list[Row]:
        """Rows of a table that may leave; none of a table that is kept from who is blinded.

        Parameters
        ----------
        table : whose rows belong to a participant or to nobody.
        **where : values that they must have.
        """
        if self.is_blind and table not in OPEN:
            return []
        return [row for row in self.record.rows(table, **where) if self._owner(table, row) not in self.left_out]

    def _owner(self, table: str, row: Row) -> Any:
        """Id of the participant whom a row is about, None for nobody."""
        column, above = PARENTS[table]
        if above == "participant" or row[column] is None:
            return row[column]
        key = (above, row[column])
        if key not in self._owners:
            # Once for each visit, session and run, of which many rows are.
            self._owners[key] = self._owner(above, self.study.get(*key))
        return self._owners[key]

    def check_unmoved(self) -> None:
        """Raise Refused where the record was written to since."""
        if self.study.head() != self.head:
            raise Refused(Message("exchange.moved"))

    def remarks(self) -> list[Message]:
        """Who was left out and what was kept, a sentence each."""
        said = [Message("release.withdrawn", name=name, on=on) for name, on in self.withdrawn.items()]
        return [*said, *([Message("release.blind")] if self.is_blind else [])]


def release(
    study: Study,
    *,
    purposes: Collection[ConsentPurpose] = SHARING,
    signer: Signer | None = None,
    with_arms: bool = False,
    reason: str = "",
) -> Release:
    """The record as it may be shared.

    Parameters
    ----------
    study : the open record.
    purposes : of consent that the export needs; who took back one of them is left out.
    signer : for whom it is made; None for nobody in particular.
    with_arms : whether arms are in it. Each that is read is an entry of the audit trail.
    reason : why arms are read, for the audit trail.

    Raises
    ------
    BadValue
        Arms for nobody who signed in.
    Refused
        Arms for somebody who may not learn one of them.
    """
    gone = {name: row for purpose in purposes for name, row in consents.withdrawn(study, purpose).items()}
    left_out = {row["participant_id"] for row in gone.values()}
    arms: dict[str, str] = {}
    if with_arms:
        if signer is None:
            raise BadValue(Message("release.arms_of_nobody"))
        allocated = dict.fromkeys(row["participant_id"] for row in study.rows("allocation"))
        arms = {person: arm_of(study, person, signer, reason) for person in allocated if person not in left_out}
    sight = sight_of(study, signer.person_id if signer else "", signer.name if signer else "")
    # A script stands for nobody; among simulated people it is told what its study would tell it.
    is_blind = sight.concealed and not arms
    return Release(
        study, BlindRecord(study, sight) if is_blind else study, is_blind,
        {name: str(row["consented_on"]) for name, row in gone.items()}, left_out, arms, study.head(),
    )  # fmt: skip
