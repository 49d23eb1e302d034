"""Every change of the record that people make, one dataclass each; see :meth:`workbench.study.Study.apply`."""

from __future__ import annotations

from workbench.study.applying import Change
from workbench.study.changes._fields import from_text, required, typed_fields
from workbench.study.changes.consents import GiveConsent, WithdrawConsent
from workbench.study.changes.deviations import CloseDeviation, RecordDeviation
from workbench.study.changes.entering import Adjudicate, SaveForm
from workbench.study.changes.grants import GrantRole, RevokeRole
from workbench.study.changes.locking import Freeze, LockStudy, Unfreeze, UnlockStudy
from workbench.study.changes.protocols import AdoptProtocol, AnswerCriterion, Enrol, MoveToProtocol, SetStatus
from workbench.study.changes.queries import AnswerQuery, CloseQuery, OpenQuery
from workbench.study.changes.randomising import MakeList, Randomise
from workbench.study.changes.signing import Sign
from workbench.study.changes.unblinding import RecordGuess, Unblind
from workbench.study.changes.visits import AddVisit, HoldVisit, MissVisit, SetAnchor

ALL: dict[str, type[Change]] = {
    kind.__name__: kind
    for kind in (
        AddVisit, Adjudicate, AdoptProtocol, AnswerCriterion, AnswerQuery, CloseDeviation, CloseQuery, Enrol,
        Freeze, GiveConsent, GrantRole, HoldVisit, LockStudy, MakeList, MissVisit, MoveToProtocol, OpenQuery,
        Randomise, RecordDeviation, RecordGuess, RevokeRole, SaveForm, SetAnchor, SetStatus, Sign, Unblind,
        Unfreeze, UnlockStudy, WithdrawConsent,
    )
}  # fmt: skip
"""Changes by name."""

__all__ = ["ALL", "from_text", "required", "typed_fields", *sorted(ALL)]
