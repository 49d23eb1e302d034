"""Forms of outcome measures: what is stored of one at a visit, and drafts, which lie where the record does.

A draft is its author's: through the service nobody else reads, continues or discards it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from workbench import world
from workbench.clinic.asking import OwnDrafts, Question, Seen
from workbench.errors import BadValue, RecordFault
from workbench.messages import Message
from workbench.study.changes.assessing import KEY
from workbench.study.concealment import OFF, tells_arm
from workbench.study.drafts import Draft

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Assessments(Question):
    """What is stored of a measure at a visit: saved assessments that may be seen, then one's own drafts.

    Attributes
    ----------
    visit_id, measure : which.
    """

    visit_id: str
    measure: str

    def answer(self, seen: Seen) -> list[Row]:
        """Rows by column, as a form takes them (``widgets.AssessmentStore``)."""
        seen.row("visit", self.visit_id)
        rows = seen.page.rows("assessment", visit_id=self.visit_id, measure=self.measure)
        shown = [row for row in rows if not seen.sight.hides(seen.study, "assessment", row)]
        for row in shown:
            entries = seen.study.history("assessment", row["id"])
            row |= {"kept_at": entries[-1]["utc"] if entries else "", "where": "record"}
        drafts = OwnDrafts(seen).list(visit_id=self.visit_id)
        return [*shown, *(_row_of(draft) for draft in drafts if draft.form == self.measure)]


@dataclass(frozen=True, slots=True)
class KeepDraft(Question):
    """Keep what somebody typed, in place of what they had typed before.

    Attributes
    ----------
    visit_id, measure : of the form.
    draft : its entries.
    entry : which draft of the form; ``""`` begins one.
    revision : of the draft that was shown: another page may have gone on with it.
    """

    visit_id: str
    measure: str
    draft: Mapping[str, Any]
    entry: str = ""
    revision: int = 0
    WRITES: ClassVar[bool] = True

    def answer(self, seen: Seen) -> Row:
        """The draft as a row; under ``"fault"`` why it would be refused when saved.

        Raises
        ------
        RecordFault
            Another page changed or discarded the draft, or it cannot be written.
        BadValue
            It is too large, or of another visit.
        """
        seen.row("visit", self.visit_id)
        if self.draft.get("visit_id") != self.visit_id or self.draft.get("measure") != self.measure:
            raise BadValue(Message("drafts.needs"))
        drafts, entry = seen.study.drafts, self.entry or world.chance.token_hex(16)
        key = self.visit_id, self.measure, {"entry": entry}, seen.reader.person_id
        if self.entry:
            now = drafts.load(*key)
            if now is None:
                raise RecordFault(Message("store.draft_gone"))
            if now.values["revision"] != self.revision:
                raise RecordFault(Message("store.draft_changed", utc=now.utc))
        kept = _row_of(drafts.save(*key, {**self.draft, "revision": self.revision + 1}))
        fault = _refused_later(seen, self.draft)
        return kept | ({"fault": fault} if fault else {})


@dataclass(frozen=True, slots=True)
class DiscardDraft(Question):
    """Forget a draft of one's own.

    Attributes
    ----------
    visit_id, measure, entry : which.
    """

    visit_id: str
    measure: str
    entry: str
    WRITES: ClassVar[bool] = True

    def answer(self, seen: Seen) -> bool:
        """Whether there was one."""
        place = self.visit_id, self.measure, {"entry": self.entry}, seen.reader.person_id
        return seen.study.drafts.discard(*place)


def _refused_later(seen: Seen, draft: Mapping[str, Any]) -> str:
    """Why the record would refuse this draft as a new assessment, ``""`` when it would not."""
    key = {name: draft.get(name) for name in KEY}
    # Without a complete condition there is no key yet; and whether anything was measured with the device is kept.
    if any(not isinstance(value, str | int) for value in key.values()) or (seen.blind and tells_arm(key)):
        return ""
    same = seen.record.rows("assessment", **{name: value for name, value in key.items() if name not in OFF})
    same = [row for row in same if all(row[name] == key[name] for name in OFF)]
    return Message("store.there_already", id=same[0]["id"]) if same else ""


def _row_of(draft: Draft) -> Row:
    """A draft as a row of a form; ``file`` is the name under which it is offered."""
    entry = draft.condition["entry"]
    more = {"state": "draft", "where": "file", "kept_at": draft.utc, "entry": entry}
    return {**draft.values, "id": "", "file": entry, **more}
