"""Outcomes of one participant over their visits, a series for each condition, as the page draws them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

from workbench import analysis, outcomes
from workbench.analysis import Outcome, recovery
from workbench.study.concealment import tells_arm

PERFORMANCE_RANGE: Mapping[str, tuple[float, float]] = {"grasp_f1": (0.0, 1.0)}
"""Ranges of what is counted from trials, where it has one."""


class _Part(NamedTuple):
    """What one picture shows: values of two of these are never compared."""

    measure: str
    version: str
    subscore: str
    side: str


class _OnePerson:
    """The record with the rows of one participant, as the table of outcomes reads it.

    Parameters
    ----------
    study : the record as who asks sees it.
    participant_id : whose rows are left.
    """

    def __init__(self, study: Any, participant_id: str) -> None:
        self._study = study
        self.drafts = study.drafts
        visits = {row["id"] for row in study.rows("visit", participant_id=participant_id)}
        sessions = {row["id"] for row in study.rows("session") if row["visit_id"] in visits}
        self._kept: Mapping[str, tuple[str, set[str]]] = {
            "participant": ("id", {participant_id}), "visit": ("id", visits), "assessment": ("visit_id", visits),
            "session": ("id", sessions), "run": ("session_id", sessions),
        }  # fmt: skip

    def rows(self, table: str, **where: Any) -> list[dict[str, Any]]:
        """Rows of a table that equal ``where`` and belong to the participant."""
        found: list[dict[str, Any]] = self._study.rows(table, **where)
        if table not in self._kept:
            return found  # asked for by run only
        column, ids = self._kept[table]
        return [row for row in found if row[column] in ids]

    def head(self) -> tuple[int, str]:
        """``(seq, hash)`` of the newest audit row."""
        head: tuple[int, str] = self._study.head()
        return head


def measures_of(
    study: Any, participant_id: str, visits: Sequence[Mapping[str, Any]], *, concealed: bool,
) -> list[dict[str, Any]]:  # fmt: skip
    """One picture for each measure: those of the protocol's forms first, what was counted from trials last.

    Parameters
    ----------
    study : the record as who asks sees it.
    participant_id : whose.
    visits : in the order in which they are drawn (``participant_visits.visits_of``).
    concealed : leaves out what was measured with device or stimulation on, which may reveal the arm.

    Returns
    -------
    list
        ``{"measure", "title", "part", "label", "version", "side", "unit", "low", "high", "direction", "visits",
        "series", "recovery"}`` each; ``visits`` are names of those at which the measure was asked for or taken. A
        series has its condition and ``points``, ``{"visit", "day", "value", "status", "repeat"}``; ``visit`` is an
        index of the names. ``recovery`` is a :class:`workbench.analysis.recovery.Recovery` with its source, None
        for a measure that has none.
    """
    own = _OnePerson(study, participant_id)
    table = analysis.outcomes_table(own).rows
    person = own.rows("participant")[0]
    exams = recovery.exams_of(person, own.rows("assessment"), {one["id"]: one["held"] for one in visits})
    drawn: dict[_Part, dict[tuple[Any, ...], list[Outcome]]] = {}
    for row in table:
        # What has neither a number nor a status that says why is a class, such as a grade, and no curve.
        if (row.text and row.value is None) or (concealed and tells_arm(row)):
            continue
        part = _Part(row.measure, row.version, row.subscore, row.side)
        condition = (row.assisted, row.device_on, row.stimulation_on, row.orthosis, row.mode)
        drawn.setdefault(part, {}).setdefault(condition, []).append(row)
    wanted = [name for visit in visits for form in visit["forms"] if (name := form["measure"])]
    order = list(dict.fromkeys([*wanted, *(part.measure for part in drawn if _definition(part))]))
    shown = [part for part in drawn if _is_headline(part)]
    shown.sort(key=lambda part: order.index(part.measure) if part.measure in order else len(order))
    injured = str(person["injured_on"] or "")
    return [
        picture | {"recovery": _recovery(part, drawn[part], len(picture["visits"]), picture, injured, exams)}
        for part in shown
        for picture in [_picture(part, drawn[part], visits)]
    ]


def _is_headline(part: _Part) -> bool:
    """Where a measure has a total, its parts are read there."""
    definition = _definition(part)
    return part.subscore == "total" or definition is None or definition.low is None


def _definition(part: _Part) -> outcomes.Definition | None:
    """The definition of a part's measure and version; None for what is counted from trials or is not installed."""
    if part.measure not in outcomes.available():
        return None
    return next((one for one in outcomes.load(part.measure).definitions if one.version == part.version), None)


def _picture(
    part: _Part, lines: Mapping[tuple[Any, ...], Sequence[Outcome]], visits: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    taken = {row.visit_id for rows in lines.values() for row in rows}
    axis = [
        visit for visit in visits
        if visit["id"] in taken or any(form["measure"] == part.measure for form in visit["forms"])
    ]  # fmt: skip
    places = {visit["id"]: number for number, visit in enumerate(axis) if visit["id"]}
    definition = _definition(part)
    label, unit, direction = "", "", ""
    ends: tuple[float | None, float | None] = PERFORMANCE_RANGE.get(part.subscore, (None, None))
    if definition is not None:
        ends, direction = (definition.low, definition.high), str(definition.direction)
        for scale in definition.subscales:
            if scale.code == part.subscore:
                label, unit, ends = scale.label, scale.unit, (scale.low, scale.high)
                direction = str(scale.direction or direction)
    elif ends[1] is not None:
        direction = "up"
    return {
        "measure": part.measure, "title": definition.title if definition else part.measure, "part": part.subscore,
        "label": label, "version": part.version, "side": part.side, "unit": unit, "low": ends[0], "high": ends[1],
        "direction": direction, "visits": [visit["name"] for visit in axis],
        "series": [_series(key, rows, places) for key, rows in lines.items()],
    }  # fmt: skip


def _recovery(
    part: _Part, lines: Mapping[tuple[Any, ...], Sequence[Outcome]], n: int, picture: Mapping[str, Any],
    injured_on: str, exams: Sequence[tuple[str, str, str]],
) -> dict[str, Any] | None:  # fmt: skip
    """Natural recovery behind a picture, at the visits at which the score was taken without help or device."""
    days = [""] * n
    for (assisted, device_on, stimulation_on, *_), series in zip(lines, picture["series"], strict=True):
        # What was scored with help is no recovery, and is compared with none.
        if not (assisted or device_on or stimulation_on):
            for point in series["points"]:
                days[point["visit"]] = point["day"]
    found = recovery.recovery(part.measure, part.subscore, injured_on=injured_on, exams=exams, days=days)
    if found is None:
        return None
    told = {**asdict(found), "bands": [band and asdict(band) for band in found.bands]}
    return {**told, "source": recovery.SOURCE, "least": recovery.LEAST}


def _series(condition: tuple[Any, ...], rows: Sequence[Outcome], places: Mapping[str, int]) -> dict[str, Any]:
    assisted, device_on, stimulation_on, orthosis, mode = condition
    points = [
        {
            "visit": places[row.visit_id], "day": row.day, "value": row.value, "status": row.status,
            "repeat": row.repeat,
        }
        for row in rows
    ]  # fmt: skip
    return {
        "assisted": bool(assisted), "device_on": bool(device_on), "stimulation_on": bool(stimulation_on),
        "orthosis": orthosis, "mode": mode,
        "points": sorted(points, key=lambda point: (point["visit"], point["day"], point["repeat"])),
    }  # fmt: skip
