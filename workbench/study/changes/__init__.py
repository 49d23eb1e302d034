"""Every change of the record that people make, one dataclass each; see :meth:`workbench.study.Study.apply`."""

from __future__ import annotations

from workbench.study.applying import Change
from workbench.study.changes.consents import GiveConsent, WithdrawConsent
from workbench.study.changes.deviations import CloseDeviation, RecordDeviation
from workbench.study.changes.fittings import BeginFitting, CompleteFitting, RecordUpload, TimeFittingStep
from workbench.study.changes.grants import GrantRole, RevokeRole
from workbench.study.changes.locking import Freeze, LockStudy, Unfreeze, UnlockStudy
from workbench.study.changes.prices import AddPriceItem, Charge, RecordEvidenceStep
from workbench.study.changes.queries import AnswerQuery, CloseQuery, OpenQuery
from workbench.study.changes.signing import Sign

ALL: dict[str, type[Change]] = {
    kind.__name__: kind
    for kind in (
        AddPriceItem, AnswerQuery, BeginFitting, Charge, CloseDeviation, CloseQuery, CompleteFitting, Freeze,
        GiveConsent, GrantRole, LockStudy, OpenQuery, RecordDeviation, RecordEvidenceStep, RecordUpload,
        RevokeRole, Sign, TimeFittingStep, Unfreeze, UnlockStudy, WithdrawConsent,
    )
}  # fmt: skip
"""Changes by name."""

__all__ = ["ALL", *sorted(ALL)]
