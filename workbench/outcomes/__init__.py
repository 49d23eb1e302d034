"""Outcome measures: pure scoring, one measure per file. The folder is the register.

An entry defines ``OUTCOME``, an :class:`OutcomeMeasure`. A measure has item codes, value lists and
short generic descriptors, never licensed wording.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from workbench import registry
from workbench.outcomes._contract import (
    CENSORED,
    INVALID,
    ND,
    OK,
    STATUSES,
    STRUCTURAL,
    Definition,
    Item,
    Option,
    OutcomeMeasure,
    Score,
    Subscale,
    SubScore,
)
from workbench.outcomes._tables import Table, read_table
from workbench.outcomes._thresholds import (
    TABLE_VERSION,
    Threshold,
    own_threshold,
    read_thresholds,
    table_sha256,
    threshold,
    thresholds,
)

__all__ = [
    "CENSORED",
    "INVALID",
    "ND",
    "OK",
    "STATUSES",
    "STRUCTURAL",
    "TABLE_VERSION",
    "Definition",
    "Item",
    "Option",
    "OutcomeMeasure",
    "Score",
    "SubScore",
    "Subscale",
    "Table",
    "Threshold",
    "available",
    "load",
    "own_threshold",
    "read_table",
    "read_thresholds",
    "score",
    "table_sha256",
    "threshold",
    "thresholds",
]


def available() -> tuple[str, ...]:
    """Names of the outcome measures."""
    return registry.available(__name__)


@cache
def load(name: str) -> OutcomeMeasure:
    """The outcome measure of that name, looked up once. Raises UnknownName with the known names."""
    measure: OutcomeMeasure = registry.load(__name__, name, "OUTCOME")
    return measure


def score(name: str, items: Mapping[str, Any], *, version: str = "", **options: Any) -> Score:
    """Score one administration of one measure.

    Parameters
    ----------
    name : of the measure.
    items : item code → value; None or absent = missing, which never becomes 0.
    version : the version the items were entered with; ``""`` is the current one.
    options : scoring options of the protocol, by the names in the definition.

    Raises
    ------
    UnknownName
        No such measure.
    BadValue
        An unknown code, version or option, or a value outside the item's list or range.
    """
    return load(name).score(items, version=version, **options)
