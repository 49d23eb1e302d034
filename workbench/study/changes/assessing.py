"""Outcome measures: an administration is entered as its form closed it, or corrected with a reason.

The score is worked out here, by the version of the measure that the form had. A score that came with the items
would have to be believed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from workbench import outcomes
from workbench.errors import BadValue, RecordFault
from workbench.messages import Message
from workbench.study.applying import Applying, Change
from workbench.study.chain import clean
from workbench.study.changes._fields import from_plain, plain
from workbench.study.nouns import check
from workbench.vocabulary import Blinding

RATERS = ("assessor", "therapist", "investigator", "coordinator", "operator")
KEY = (
    "visit_id", "measure", "assisted", "device_on", "stimulation_on", "side", "orthosis", "mode", "repeat",
)  # fmt: skip
"""Columns of which the record has at most one assessment for each combination."""
ENTERED = (
    *KEY[2:], "items", "options", "state", "rater", "blinded", "since_session_h", "washout_h", "administered_at",
)  # fmt: skip
"""Columns that somebody enters; the others identify the administration or follow from these."""
TYPED = "typed"
"""Among the options: when each field was typed, which no score depends on (see ``widgets``)."""
RESERVED = ("self", "items", "version")
"""Names that no option of a measure may have."""


@dataclass(frozen=True, slots=True)
class SaveAssessment(Change):
    """One administration of an outcome measure is entered.

    Attributes
    ----------
    visit_id, measure, version : at which visit, of what.
    assisted, device_on, stimulation_on : under which condition.
    items : by code; None where a value is missing.
    state : ``"complete"``, or ``"incomplete"`` where items are missing.
    side, orthosis, mode, rater, blinded, administered_at, repeat : as in :class:`workbench.vocabulary.Assessment`.
    since_session_h, washout_h : h; None where nobody knows.
    options : of the scoring.
    """

    visit_id: str
    measure: str
    version: str
    assisted: bool
    device_on: bool
    stimulation_on: bool
    items: Mapping[str, Any]
    rater: str
    state: Literal["complete", "incomplete"] = "complete"
    side: str = ""
    orthosis: str = ""
    mode: str = ""
    blinded: Blinding = "unknown"
    since_session_h: float | None = None
    washout_h: float | None = None
    administered_at: str = ""
    repeat: int = 1
    options: Mapping[str, Any] = field(default_factory=dict)
    ROLES: ClassVar[tuple[str, ...]] = RATERS

    def apply(self, record: Applying) -> str:
        """Score it and keep it."""
        record.row("visit", self.visit_id)
        row = {name: getattr(self, name) for name in ("visit_id", "measure", "version", *ENTERED)}
        _refuse_second(record, row, own="")
        return record.insert("assessment", **row, **_scored(row))


@dataclass(frozen=True, slots=True)
class CorrectAssessment(Change):
    """A saved assessment is corrected.

    Attributes
    ----------
    row_id : which.
    changes : column of :data:`ENTERED` → new value; items and options are given whole.
    row_version : version that was shown; any other one in the record is refused.
    """

    row_id: str
    changes: Mapping[str, Any]
    row_version: int
    ROLES: ClassVar[tuple[str, ...]] = RATERS

    def apply(self, record: Applying) -> str:
        """Score what stands there now."""
        before = record.row("assessment", self.row_id)
        unknown = [name for name in self.changes if name not in ENTERED]
        if unknown:
            raise BadValue(Message("form.no_field", name=f"{unknown[0]!r:.60}", allowed=list(ENTERED)))
        if not record.reason.strip():
            raise BadValue(Message("form.correction_reason", field=", ".join(self.changes)))
        place = {name: before[name] for name in ("visit_id", "measure", "version", *ENTERED)}
        now = plain(from_plain(SaveAssessment, {**place, **self.changes}))
        _refuse_second(record, now, own=self.row_id)
        after = {**self.changes, **_scored(now)}
        changed = {name: value for name, value in after.items() if before[name] != value}
        if not changed:
            raise BadValue(
                Message("form.nothing_to_correct", field=", ".join(self.changes), value=f"{self.changes!r:.60}")
            )
        record.amend("assessment", self.row_id, changed, expected=self.row_version)
        return self.row_id


def _refuse_second(record: Applying, row: Mapping[str, Any], *, own: str) -> None:
    """Refuse what the record has already of this visit, condition, side and repeat."""
    same = [one for one in record.rows("assessment", **{name: row[name] for name in KEY}) if one["id"] != own]
    if same:
        raise RecordFault(Message("store.there_already", id=same[0]["id"]))


def _scored(row: Mapping[str, Any]) -> dict[str, Any]:
    """What follows from the items: score, what a rule implied, what to act on at once.

    Raises
    ------
    BadValue, UnknownName
        A measure, version, option, code or value that there is not, or items missing from what is called complete.
    """
    check("assessment", dict(row))
    measure, items = outcomes.load(row["measure"]), row["items"]
    options = {name: value for name, value in row["options"].items() if name != TYPED}
    if wrong := [name for name in options if name in RESERVED]:
        raise BadValue(Message("form.no_option", measure=row["measure"], name=repr(wrong[0])))
    score: dict[str, Any] = clean(measure.score(items, version=row["version"], **options).to_json())
    definition = next(one for one in measure.definitions if one.version == row["version"])
    missing = [item.code for item in definition.items if items.get(item.code) is None]
    if missing and row["state"] == "complete":
        raise BadValue(Message("form.items_missing", n=len(missing), item=missing[0]))
    return {"score": score, "implied": list(score.get("implied", ())), "alerts": list(score.get("alerts", ()))}
