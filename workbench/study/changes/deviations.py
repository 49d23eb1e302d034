"""Deviations from the protocol: entered by people, or noticed by the record itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from workbench.errors import Refused
from workbench.messages import Message
from workbench.study.applying import Applying, Change
from workbench.vocabulary import DeviationCategory


@dataclass(frozen=True, slots=True)
class RecordDeviation(Change):
    """Somebody noticed a deviation.

    Attributes
    ----------
    participant_id : whose.
    category : kind of deviation.
    text : what deviates.
    impact : on the participant or the data, ``""`` while it is not known.
    table, row_id : the row it is about, ``""`` for none.
    """

    participant_id: str
    category: DeviationCategory
    text: str
    impact: str = ""
    table: str = ""
    row_id: str = ""
    ROLES: ClassVar[tuple[str, ...]] = (
        "investigator", "coordinator", "data_manager", "monitor", "assessor", "therapist", "engineer",
    )  # fmt: skip

    def apply(self, record: Applying) -> str:
        """Add the deviation."""
        if self.table and record.participant_of(self.table, self.row_id) not in ("", self.participant_id):
            raise Refused(Message("deviation.other_participant", table=self.table))
        return record.insert(
            "deviation", participant_id=self.participant_id, category=self.category, automatic=False,
            table_name=self.table, row_id=self.row_id, text=self.text, impact=self.impact, correction="",
            state="open",
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class CloseDeviation(Change):
    """A deviation was judged, and what is done against its repetition is known.

    Attributes
    ----------
    deviation_id : which.
    impact : on the participant or the data.
    correction : what was done, and against its repetition.
    """

    deviation_id: str
    impact: str
    correction: str
    ROLES: ClassVar[tuple[str, ...]] = ("investigator", "data_manager")

    def apply(self, record: Applying) -> str:
        """Close the deviation."""
        if record.row("deviation", self.deviation_id)["state"] == "closed":
            raise Refused(Message("deviation.closed"))
        changes = {"impact": self.impact, "correction": self.correction, "state": "closed"}
        record.amend("deviation", self.deviation_id, changes)
        return self.deviation_id
