"""Outcome measures: pure scoring, one measure a file. The folder is the register.

An entry defines ``OUTCOME``, an :class:`OutcomeMeasure`. A measure holds item codes, value lists and
short generic descriptors, never licensed wording.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from workbench import registry
from workbench.errors import BadValue
from workbench.outcomes._contract import (
    CENSORED,
    INVALID,
    ND,
    OK,
    STATUSES,
    STRUCTURAL,
    Definition,
    Item,
    OutcomeMeasure,
    Score,
    Subscale,
    SubScore,
)

__all__ = [
    "CENSORED",
    "INVALID",
    "ND",
    "OK",
    "STATUSES",
    "STRUCTURAL",
    "Definition",
    "Item",
    "OutcomeMeasure",
    "Score",
    "SubScore",
    "Subscale",
    "available",
    "load",
    "score",
]


def available() -> tuple[str, ...]:
    """Names of the outcome measures."""
    return registry.available(__name__)


def load(name: str) -> OutcomeMeasure:
    """The outcome measure of that name. Raises UnknownName with the names there are."""
    found: OutcomeMeasure = registry.load(__name__, name, "OUTCOME")
    return found


def score(
    name: str,
    items: Mapping[str, Any],
    *,
    version: str = "",
    implied: Iterable[str] = (),
    skip_rule: bool = False,
) -> Score:
    """Score one administration of one measure.

    Parameters
    ----------
    name : of the measure.
    items : item code → value; None or absent = missing, which never becomes 0.
    version : the version the items were entered with; ``""`` accepts the current one.
    implied : codes in ``items`` that were not administered but implied by the protocol's rule.
    skip_rule : the protocol says that the measure's rule for implied items is in use.

    Raises
    ------
    UnknownName
        No such measure.
    BadValue
        An unknown code, a value outside the item's list, or another version.
    """
    measure = load(name)
    have = measure.definition.version
    if version not in ("", have):
        raise BadValue(
            f"{name} is scored in version {have!r}, got items of version {version!r}; versions are never mixed"
        )
    return measure.score(items, implied=implied, skip_rule=skip_rule)
