"""The hard lock of a study: what is still missing, and the snapshot that it kept."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, ClassVar

from workbench import world
from workbench.clinic.asking import Question, Seen
from workbench.study import lock_conditions
from workbench.study.completeness import signed_rows

KEPT_FROM_BLINDED = ("queries", "unsent", "uncoded", "serious")
"""Conditions whose numbers may tell the arm of somebody."""
MOST_PEOPLE = 12
"""Participants that are named of each condition; the others are counted."""


@dataclass(frozen=True, slots=True)
class LockConditions(Question):
    """Conditions of the lock that the record decides, and whom what is missing is about."""

    BLIND: ClassVar[bool] = False

    def answer(self, seen: Seen) -> list[dict[str, Any]]:
        """``{"name", "n", "people", "more"}`` each.

        ``n`` counts what is missing, None where that is kept from who looks; ``people`` are pseudonyms, those with
        most of it first, ``more`` how many others there are.
        """
        study = seen.study
        signed = signed_rows(row["targets"] for row in study.rows("signature"))
        names = {row["id"]: str(row["pseudonym"]) for row in study.rows("participant")}
        found = lock_conditions.conditions(
            study, world.clock.now(), signed=lambda table, row: (table, row["id"], row["row_version"]) in signed
        )
        told: list[dict[str, Any]] = []
        for one in found:
            if seen.sight.concealed and one.name in KEPT_FROM_BLINDED:
                told.append({"name": one.name, "n": None, "people": [], "more": 0})
                continue
            people = [names[person] for person, _ in Counter(filter(None, one.people)).most_common()]
            more = max(0, len(people) - MOST_PEOPLE)
            told.append({"name": one.name, "n": one.n, "people": people[:MOST_PEOPLE], "more": more})
        return told


@dataclass(frozen=True, slots=True)
class LockSnapshot(Question):
    """Name of the snapshot that a lock kept.

    Attributes
    ----------
    lock_event_id : of the lock.
    """

    lock_event_id: str

    def answer(self, seen: Seen) -> str:
        """The name."""
        return "".join(str(row["name"]) for row in seen.page.rows("snapshot", lock_event_id=self.lock_event_id))
