"""Signatures on rows as they were shown (21 CFR 11.50, 11.70); a later change makes them stale."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from workbench.errors import BadValue, UnknownName
from workbench.messages import Message
from workbench.study.applying import Applying, Change, Target, bound_now

if TYPE_CHECKING:
    from workbench.study.record import Study

SIGNERS = ("investigator", "assessor", "therapist", "engineer", "data_manager", "monitor", "statistician",
           "safety_officer")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sign(Change):
    """Sign rows as they were shown; takes a fresh confirmation.

    Attributes
    ----------
    targets : ``(table, id)`` of each row.
    meaning : what the signature says: ``"I reviewed these entries"``.
    shown_sha256 : hash printed beside the rows (:func:`workbench.study.applying.bound_now`).
    """

    targets: tuple[Target, ...]
    meaning: str
    shown_sha256: str
    SIGNED_BY: ClassVar[tuple[tuple[str, ...], ...]] = (SIGNERS,)

    def apply(self, record: Applying) -> str:
        """Leave the signature."""
        if not self.meaning.strip():
            raise BadValue(Message("signature.no_meaning"))
        if len(self.shown_sha256) != 64:
            raise BadValue(Message("signature.no_hash"))
        return record.sign(self.targets, meaning=self.meaning, shown=self.shown_sha256)[0]


def state(study: Study, signature: Mapping[str, Any]) -> Literal["valid", "stale"]:
    """Whether the rows are still as they were signed.

    Parameters
    ----------
    study : the open record.
    signature : its row.
    """
    targets = [(table, row_id) for table, row_id, *_ in signature["targets"]]
    try:
        return "valid" if bound_now(study, targets)[1] == signature["sha256"] else "stale"
    except UnknownName:
        return "stale"
