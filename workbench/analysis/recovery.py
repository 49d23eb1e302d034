"""How a score usually goes on after a spinal cord injury without a device: bands of natural recovery.

``recovery.json`` holds aggregates of EMSCI, published by Bourguignon et al.: mean and standard deviation by grade
at the first examination, tetraplegia or paraplegia, and stage of examination. ``python -m
workbench.analysis.recovery FILE.csv > workbench/analysis/recovery.json`` makes it again from the published table.

A band is mean ± SD, cut at the ends of the scale, and not a quantile, which the table does not hold. It stands at
an examination within a stage alone; nothing is drawn between two stages, and nothing after the last of them. It is
no control group: who was followed, and how, differs from a trial.
"""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from workbench import reading

Plegia = Literal["tetraplegia", "paraplegia"]
Why = Literal["", "no_injury", "no_grade", "no_level", "no_stage", "few"]
STAGES = ((2, 0, 15), (4, 16, 40), (12, 70, 98), (26, 150, 186), (52, 300, 400))
"""Weeks that name a stage of EMSCI, and the first and last day after the injury that belong to it."""
FIRST_DAYS = 40
"""Last day after the injury of the examination whose grade makes the group: EMSCI's baseline grade is that of its
first two stages, and a grade stated later is another one."""
LEAST = 30
"""Participants below whom no band is drawn: the standard error of their SD is above 13 % of it."""
GRADES = ("A", "B", "C", "D")
MEASURES: Mapping[tuple[str, str], tuple[str, float]] = {
    ("isncsci", "total"): ("tms", 100.0), ("isncsci", "uems"): ("uems", 50.0), ("isncsci", "lems"): ("lems", 50.0),
    ("isncsci", "light_touch"): ("tlt", 112.0), ("isncsci", "pin_prick"): ("tpp", 112.0),
}  # fmt: skip
"""Measure and part → name in the table and greatest value; of any other measure there is no band."""
SOURCE = "Bourguignon et al., EMSCI 2001–2019, jutzca/SCI_Neurological_Recovery@014c624a, published aggregates"
"""Printed beside every band."""


@dataclass(frozen=True, slots=True)
class Group:
    """Whom somebody is compared with: grade at the first examination, and tetraplegia or paraplegia."""

    ais: str
    plegia: Plegia


@dataclass(frozen=True, slots=True)
class RecoveryBand:
    """Mean ± SD of a group at one stage.

    Attributes
    ----------
    weeks : that name the stage.
    n : participants of the group at that stage.
    low, mean, high : of the score, in its points; the ends are those of the scale where mean ± SD goes beyond.
    """

    weeks: int
    n: int
    low: float
    mean: float
    high: float


@dataclass(frozen=True, slots=True)
class Recovery:
    """The bands behind one course, or why there is none.

    Attributes
    ----------
    group : None where it is not known.
    bands : at each examination, None outside of every stage.
    why : ``""`` where there is a band; ``"no_injury"``: no date of injury, ``"no_grade"``: no grade A to D within
        :data:`FIRST_DAYS`, ``"no_level"``: no level of injury, ``"no_stage"``: no examination within a stage,
        ``"few"``: fewer than :data:`LEAST` in the group.
    """

    group: Group | None
    bands: tuple[RecoveryBand | None, ...]
    why: Why


def exams_of(
    person: Mapping[str, Any], assessments: Iterable[Mapping[str, Any]], day_of: Mapping[str, str]
) -> list[tuple[str, str, str]]:
    """Day, grade and level of each neurological examination, the entry into the study among them.

    Parameters
    ----------
    person : row of the participant; grade and level at entry are those of the day of consent.
    assessments : rows of theirs, of any measure.
    day_of : ISO date of each visit by id, for an examination without a time of its own.
    """
    found = [(str(person["consented_on"] or ""), str(person["ais"] or ""), str(person["injury_level"] or ""))]
    for row in assessments:
        classes = row["score"].get("classes") or {}
        if row["measure"] == "isncsci" and row["state"] != "draft" and classes:
            day = str(row["administered_at"] or "")[:10] or day_of.get(row["visit_id"], "")
            found.append((day, str(classes.get("ais", "")), str(classes.get("nli", ""))))
    return [one for one in found if one[0]]


def aggregates(rows: Iterable[Mapping[str, str]]) -> dict[str, list[list[float]]]:
    """What ``recovery.json`` holds, from the rows of the published table.

    Parameters
    ----------
    rows : with ``measure, baseline_ais, weeks, plegia, n, mean, sd``.

    Returns
    -------
    dict
        ``"measure ais plegia"`` → ``[weeks, n, low, mean, high]`` of each stage, to one decimal.
    """
    highest = dict(MEASURES.values())
    found: dict[str, list[list[float]]] = {}
    for row in rows:
        if row["measure"] not in highest:
            continue
        mean, sd, most = float(row["mean"]), float(row["sd"]), highest[row["measure"]]
        ends = (max(0.0, mean - sd), mean, min(most, mean + sd))
        key = f"{row['measure']} {row['baseline_ais']} {row['plegia']}"
        found.setdefault(key, []).append([int(row["weeks"]), int(row["n"]), *(round(end, 1) for end in ends)])
    return {key: sorted(found[key]) for key in sorted(found)}


def group_of(injured_on: str, exams: Sequence[tuple[str, str, str]]) -> tuple[Group | None, Why]:
    """Whom somebody is compared with, from the first examination within :data:`FIRST_DAYS` that tells it.

    Parameters
    ----------
    injured_on : ISO date, ``""`` where it is not known.
    exams : day, grade and level of each examination, such as ``("2026-01-20", "B", "C5")``.
    """
    if not injured_on:
        return None, "no_injury"
    graded = []
    for day, ais, level in sorted(exams):
        days = _days(injured_on, day)
        if days is not None and 0 <= days <= FIRST_DAYS and ais.rstrip("*") in GRADES:
            graded.append((ais.rstrip("*"), level.strip().upper()))
    if not graded:
        return None, "no_grade"
    ais, level = graded[0]
    if level[:1] not in ("C", "T", "L"):
        return None, "no_level"
    return Group(ais, "tetraplegia" if level[0] == "C" else "paraplegia"), ""


def recovery(
    measure: str, part: str, *, injured_on: str, exams: Sequence[tuple[str, str, str]], days: Sequence[str],
    table: Mapping[str, Sequence[Sequence[float]]] | None = None,
) -> Recovery | None:  # fmt: skip
    """The bands behind the course of a score.

    Parameters
    ----------
    measure, part : such as ``"isncsci"`` and ``"uems"``.
    injured_on, exams : as :func:`group_of` takes them.
    days : ISO date of each examination of the course, ``""`` where it was not held.
    table : as :func:`aggregates` gives it; None for the one that is installed.

    Returns
    -------
    Recovery or None
        None for a measure of which there are no aggregates.
    """
    if (measure, part) not in MEASURES:
        return None
    group, why = group_of(injured_on, exams)
    none: tuple[RecoveryBand | None, ...] = (None,) * len(days)
    if group is None:
        return Recovery(None, none, why)
    known = _table() if table is None else table
    name, _ = MEASURES[measure, part]
    stages = {int(row[0]): row for row in known.get(f"{name} {group.ais} {group.plegia}", ())}
    at = [stages.get(_stage(injured_on, day)) for day in days]
    bands = tuple(_band(row) if row is not None and row[1] >= LEAST else None for row in at)
    if any(bands):
        return Recovery(group, bands, "")
    return Recovery(group, none, "few" if any(row is not None for row in at) else "no_stage")


def _band(row: Sequence[float]) -> RecoveryBand:
    weeks, n, low, mean, high = row
    return RecoveryBand(int(weeks), int(n), low, mean, high)


def _stage(injured_on: str, day: str) -> int:
    """Weeks that name the stage of a day, 0 for none."""
    days = _days(injured_on, day)
    return next((weeks for weeks, first, last in STAGES if days is not None and first <= days <= last), 0)


def _days(injured_on: str, day: str) -> int | None:
    try:
        return (date.fromisoformat(day[:10]) - date.fromisoformat(injured_on[:10])).days
    except ValueError:
        return None


@cache
def _table() -> Mapping[str, Sequence[Sequence[float]]]:
    loaded: dict[str, Any] = json.loads(
        files("workbench.analysis").joinpath("recovery.json").read_text(encoding="utf-8")
    )
    return loaded


def text_of(table: Mapping[str, Sequence[Sequence[float]]]) -> str:
    """Aggregates as the file holds them: a line for each group."""
    lines = [f" {json.dumps(key)}: {json.dumps(rows)}" for key, rows in table.items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    source = reading.read_text(Path(sys.argv[1]), "table of aggregates", largest=2**20)
    sys.stdout.write(text_of(aggregates(csv.DictReader(io.StringIO(source)))))
