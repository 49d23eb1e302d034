"""EQ-5D-5L: five dimensions 1–5 as a state such as ``21345``, its index from a value set, and the VAS 0–100.

The index needs the value set of a country, which the user supplies as a table of all 3,125 states.

References
----------
Herdman M, et al. Development and preliminary testing of the new five-level version of EQ-5D (EQ-5D-5L). Qual
Life Res 2011;20(10):1727–1736.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

from workbench.errors import BadValue
from workbench.outcomes._contract import Definition, Item, ScorerResult, Subscale
from workbench.outcomes._questionnaires import missing_items
from workbench.outcomes._scoring import Measure, make_subscore
from workbench.outcomes._tables import Table, given_table, table_needed, table_option

SOURCE = "Herdman 2011, Qual Life Res 20:1727"
DIMENSIONS = {
    "mobility": "Mobility",
    "self_care": "Self-care",
    "usual_activities": "Usual activities",
    "pain": "Pain or discomfort",
    "anxiety": "Anxiety or depression",
}
CODES = tuple(DIMENSIONS)
STATES = frozenset("".join(levels) for levels in product("12345", repeat=5))
LOW, HIGH = -2.0, 1.0
"""Bounds of an index: 1 is full health, and published value sets stay above −2."""

DEFINITION = Definition(
    name="eq5d5l",
    version="5L",
    title="EQ-5D-5L",
    items=(
        *(Item(code, label, (1, 2, 3, 4, 5)) for code, label in DIMENSIONS.items()),
        Item("vas", "Health today", low=0, high=100, unit="points"),
    ),
    subscales=(
        Subscale("index", "Index", CODES, LOW, HIGH),
        Subscale("vas", "Visual analogue scale", ("vas",), 0, 100),
    ),
    low=None,
    high=None,
    direction="up",
    sides=("",),
    missing="A missing dimension makes state and index not determinable (ND); the VAS stands by itself.",
    licence="EuroQol registration is needed for the form, and the value set is supplied by the user; codes only.",
    sources=(SOURCE,),
    options=(table_option("value set of a country: state,index, 3,125 rows", parts=("index",)),),
    modes=("self-report", "interview", "proxy"),
    table="value set, columns state,index, 3,125 rows",
    notes=(
        "Indices of different value sets are never compared: the table's label and hash stand in the score [T]",
        "The index and the VAS are two variables [S]",
    ),
    domain="quality of life, mood, goals, device",
    conditions={},
)


def check_value_set(table: Table) -> None:
    """Raises BadValue unless the table has each of the 3,125 states, no other row, and no index above 1."""
    missing, foreign = STATES - table.values.keys(), table.values.keys() - STATES
    if missing or foreign:
        raise BadValue(
            f"table {table.label!r} is no EQ-5D-5L value set: it lacks {len(missing)} of 3125 states"
            f"{_such_as(missing)} and has {len(foreign)} other rows{_such_as(foreign)}"
        )
    wrong = sorted(state for state, index in table.values.items() if not LOW <= index <= HIGH)
    if wrong:
        raise BadValue(
            f"table {table.label!r}: the index of {wrong[0]} must be {LOW:g} to {HIGH:g}, got {table[wrong[0]]:g}"
        )


def _such_as(states: frozenset[str] | set[str]) -> str:
    return f", such as {min(states)!r}" if states else ""


def _score(definition: Definition, values: Mapping[str, Any], options: Mapping[str, Any]) -> ScorerResult:
    index, vas = definition.subscales
    table = given_table(definition, options)
    # All 3,125 rows, not only the one that is needed: a table that is wrong elsewhere is the wrong table.
    if table is not None:
        check_value_set(table)
    complete = not missing_items(CODES, values)
    state = "".join(str(values[code]) for code in CODES) if complete else ""
    value = table[state] if table is not None and complete else None
    rule = table_needed(definition) if table is None else "index of the state in the value set"
    subscores = {
        "index": make_subscore(index, values, value, rule=rule, source=table.label if table else SOURCE),
        "vas": make_subscore(vas, values, values["vas"], rule="as answered", source=SOURCE),
    }
    warnings = (rule,) if table is None else ()
    return ScorerResult(subscores, warnings=warnings, classes={"state": state} if complete else {})


OUTCOME = Measure((DEFINITION,), _score)
