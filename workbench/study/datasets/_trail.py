"""Which entry of the chain last wrote a row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Self

if TYPE_CHECKING:
    from workbench.study.record import Study


class Written(NamedTuple):
    """Number, hash and time of an entry; None and empty texts where it is not known."""

    seq: int | None
    hash: str
    utc: str


UNKNOWN = Written(None, "", "")
READINGS = ("arm_read", "arm_refused", "prove")
"""Actions that say who looked at a row, and write nothing into it."""


@dataclass(frozen=True, slots=True)
class Trail:
    """The newest entry of each row.

    Attributes
    ----------
    entries : by table and id of the row.
    """

    entries: Mapping[tuple[str, str], Written] = field(default_factory=dict)

    @classmethod
    def of(cls, study: Study, *, until: int | None = None) -> Self:
        """The trail of a record.

        Parameters
        ----------
        study : the open record.
        until : number of the last entry that counts, such as the head of a snapshot; None for all.
        """
        return cls(
            {
                (entry.table, entry.row_id): Written(entry.seq, entry.hash, entry.utc)
                for entry in study.entries()
                if entry.action not in READINGS and (until is None or entry.seq <= until)
            }
        )

    def of_row(self, table: str, row_id: str) -> Written:
        """The entry that last wrote a row.

        Parameters
        ----------
        table, row_id : which row.
        """
        return self.entries.get((table, row_id), UNKNOWN)
