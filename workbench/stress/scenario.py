"""The fifty changes of a trial that the stress tests break, and its protocol."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from workbench.study import Study, stores
from workbench.study.applying import Change, bound_now
from workbench.study.changes.consents import GiveConsent, WithdrawConsent
from workbench.study.changes.deviations import CloseDeviation, RecordDeviation
from workbench.study.changes.entering import SaveForm
from workbench.study.changes.locking import Freeze, Unfreeze
from workbench.study.changes.protocols import AnswerCriterion, Enrol, SetStatus
from workbench.study.changes.queries import AnswerQuery, CloseQuery, OpenQuery
from workbench.study.changes.signing import Sign
from workbench.study.changes.visits import AddVisit, HoldVisit, SetAnchor
from workbench.study.stores.postgresql import PostgreSQL
from workbench.vocabulary import Participant

DAY = "2026-03-01"
DEFINITION: dict[str, Any] = {
    "study": {
        "code": "STRESS", "title": "Stress", "version": "1.0.0", "sponsor": "nobody", "jurisdictions": ["EU"],
        "effective_from": DAY,
    },
    "arm": [{"name": "one", "title": "One"}],
    "criterion": [{"id": "I1", "text": "Is simulated.", "kind": "inclusion", "origin": "trial"}],
    "consent": {
        "purposes": {"required": ["participation"], "optional": ["upload"]},
        "document_version": "1", "document_sha256": "0" * 64,
    },
    "visit": [
        {"name": "Screening", "anchor": "consent", "day": 0, "earliest": 0, "latest": 7, "forms": ["count"]},
        {"name": "Week 4", "anchor": "Screening", "day": 28, "earliest": 21, "latest": 35},
    ],
    "form": [
        {"name": "count", "title": "Count", "items": [
            {"name": "n", "label": "Number", "kind": "integer", "in_range_query": {"low": 0, "high": 5}},
        ]},
    ],
}  # fmt: skip
"""The protocol of the study that is broken."""


def gone(folder: Path) -> None:
    """Remove a study with everything that it left."""
    if isinstance(store := stores.at(folder), PostgreSQL):
        store.drop()
    shutil.rmtree(folder)


def fifty(study: Study) -> Iterator[None]:
    """Make fifty changes of two simulated participants, one at each step."""
    script = study.script_signer("stress")
    change: Change

    def made(change: Change, reason: str = "stress") -> str:
        return study.apply(change, script, reason)

    for number in (1, 2):
        person = study.append(Participant(f"SIM-{number}", simulated=True))
        yield
        for change in (
            Enrol(person, f"S-{number}"), GiveConsent(person, ("participation", "upload"), "1", DAY),
            AnswerCriterion(person, "I1", "yes", "it is a script"), SetStatus(person, "enrolled"),
            SetAnchor(person, "consent", DAY), AddVisit(person, "Extra", DAY),
        ):  # fmt: skip
            made(change)
            yield
        screening = study.rows("visit", participant_id=person, name="Screening")[0]["id"]
        form = ""
        for version, value in enumerate((1, 2, 9, 3)):
            form = made(SaveForm(screening, "count", {"n": value}, row_version=version))
            yield
        query = study.rows("query", row_id=form)[0]["id"]
        asked = made(OpenQuery("form", form, "values", "is that so?"))
        yield
        for change in (AnswerQuery(query, "yes"), CloseQuery(query, "fine"), AnswerQuery(asked, "it is")):
            made(change)
            yield
        deviation = made(RecordDeviation(person, "other", "came late"))
        yield
        made(CloseDeviation(deviation, "none", "none needed"))
        yield
        target = ("form", form)
        study.apply(Sign((target,), "I reviewed this", bound_now(study, [target])[1]), script.confirm())
        yield
        for change in (
            Freeze("visit", screening), Unfreeze("visit", screening), HoldVisit(screening, DAY),
            SetAnchor(person, "consent", "2026-02-28"), SetAnchor(person, "implant", DAY),
            WithdrawConsent(person, ("upload",), DAY), RecordDeviation(person, "consent", "form was unsigned"),
        ):  # fmt: skip
            made(change)
            yield
