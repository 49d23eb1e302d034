"""Spinal Cord Ability Ruler: muscles C5–C8 and SCIM III items on one interval scale 0–100.

Both the recoding of the items and the conversion of their sum are in the article. They are a table that
the user supplies, with the columns ``part,raw,value``: rows such as ``right_C5,3,2`` or ``walk_stairs,3,3``
recode an item, rows ``sum,40,61.5`` convert the sum of the recoded items.

References
----------
Reed R, Mehra M, Kirshblum S, et al. Spinal cord ability ruler: an interval scale to measure volitional
performance after spinal cord injury. Spinal Cord 2017;55.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.errors import BadValue
from workbench.outcomes._contract import Definition, Item, ScorerResult, Subscale, SubScore
from workbench.outcomes._scoring import Measure, make_subscore, total_subscale
from workbench.outcomes._sides import both_sides
from workbench.outcomes._tables import Table, given_table, table_needed, table_option
from workbench.outcomes.scim3 import ITEMS as SCIM_ITEMS

SOURCE = "Reed 2017, Spinal Cord 55"
AUTONOMIC = ("sphincter_respiration", "sphincter_bladder", "sphincter_bowel")
"""SCIM items that are not volitional performance."""

MUSCLES = both_sides(
    {level: f"key muscle {level}" for level in ("C5", "C6", "C7", "C8")}, allowed=(0, 1, 2, 3, 4, 5), codes=("NT",)
)
TASKS = tuple(item for item in SCIM_ITEMS if item.code not in AUTONOMIC)
MOST_MUSCLE, MOST_TASK = 2, 3


def _recoded(items: tuple[Item, ...], most: int, values: Mapping[str, Any], table: Table) -> dict[str, int | None]:
    """The recoded values, None where missing or NT. Raises BadValue for a row outside 0 to ``most``."""
    recoded_values: dict[str, int | None] = {}
    for item in items:
        value = values[item.code]
        if value is None or isinstance(value, str):
            recoded_values[item.code] = None
            continue
        number = table[f"{item.code}:{value}"]
        # Checked on every row that is used: a table of another measure may have the same row names.
        if number not in range(most + 1):
            raise BadValue(
                f"table {table.label!r} row {item.code}:{value} must be an integer 0 to {most}, got {number:g}"
            )
        recoded_values[item.code] = int(number)
    return recoded_values


def _score(definition: Definition, values: Mapping[str, Any], options: Mapping[str, Any]) -> ScorerResult:
    table = given_table(definition, options)
    total_scale = total_subscale(definition)
    if table is None:
        empty = {s.code: _sum(s, values, None) for s in definition.subscales}
        return ScorerResult(empty, _sum(total_scale, values, None), warnings=(table_needed(definition),))
    recoded = _recoded(MUSCLES, MOST_MUSCLE, values, table) | _recoded(TASKS, MOST_TASK, values, table)
    scores = {s.code: _sum(s, values, recoded) for s in definition.subscales}
    raw = _sum(total_scale, values, recoded).value
    measure = None if raw is None else table[f"sum:{raw:g}"]
    if measure is not None and not 0 <= measure <= 100:
        raise BadValue(f"table {table.label!r} row sum:{raw:g} must be 0 to 100, got {measure:g}")
    rule = "sum of the recoded items, converted by the table; not determinable when one is missing"
    return ScorerResult(
        scores, make_subscore(total_scale, values, measure, rule=rule, source=f"table {table.label}")
    )


def _sum(scale: Subscale, values: Mapping[str, Any], recoded: Mapping[str, int | None] | None) -> SubScore:
    recoded_values = (
        [] if recoded is None else [number for code in scale.items if (number := recoded[code]) is not None]
    )
    value = sum(recoded_values) if len(recoded_values) == len(scale.items) else None
    rule = "sum of the recoded items; not determinable without the table or when one is missing"
    return make_subscore(scale, values, value, rule=rule, source=SOURCE)


OUTCOME = Measure(
    (
        Definition(
            name="scar",
            version="2017",
            title="Spinal Cord Ability Ruler",
            items=(*MUSCLES, *TASKS),
            subscales=(
                Subscale(
                    "muscles", "Muscles, recoded", tuple(i.code for i in MUSCLES), 0, MOST_MUSCLE * len(MUSCLES)
                ),
                Subscale("tasks", "Tasks, recoded", tuple(i.code for i in TASKS), 0, MOST_TASK * len(TASKS)),
            ),
            low=0,
            high=100,
            direction="up",
            sides=("",),
            missing="A missing or untestable (NT) item makes its sum and the total not determinable (ND).",
            licence="Scores only; recoding and conversion are a table that the user supplies.",
            sources=(SOURCE,),
            options=(table_option("recoding and conversion, user supplied"),),
            modes=("observed", "interview"),
            table="scar",
            notes=(
                "Eight muscle grades, C5 to C8 of both sides, recoded to 0–2 (SCIRE, Harvey 2018) [S]",
                "16 SCIM items, all but respiration, bladder and bowel, recoded to 0–3 (Harvey 2018) [S]",
                "Grades of T1 do not enter: the sum of eight muscles is not the UEMS of ten [S]",
            ),
            domain="function",
            conditions={},
        ),
    ),
    _score,
)
