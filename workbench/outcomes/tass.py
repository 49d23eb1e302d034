"""Trunk Assessment Scale for Spinal Cord Injury (TASS): trunk function without support of the arms, 0–44.

The allowed points of an item could not be seen. So the points of the scale are entered; the points of the
seven items may be recorded beside them, and must add up when all are given.

References
----------
Sato H, Miyata K, Yoshikawa K, Kusano S, Mizukami M. Reliability and minimal detectable change of the Trunk
Assessment Scale for Spinal Cord Injury (TASS) and the trunk control test for individuals with spinal cord
injury. Spinal Cord Ser Cases 2022;8. doi:10.1038/s41394-022-00502-0
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.errors import BadValue
from workbench.messages import Message
from workbench.outcomes._contract import Definition, Item, ScorerResult
from workbench.outcomes._scoring import Measure, score_sums
from workbench.outcomes._sides import sum_of

MOST = 44
ITEMS = 7
POINTS = Item("points", "points of the scale", tuple(range(MOST + 1)))


def _score(definition: Definition, values: Mapping[str, Any], options: Mapping[str, Any]) -> ScorerResult:
    parts = [values[f"item_{n}"] for n in range(1, ITEMS + 1)]
    # Only a complete set can contradict the total; a partial one never forms it.
    if None not in parts and values["points"] not in (None, sum(parts)):
        raise BadValue(Message("outcome.tass_points", sum=str(sum(parts)), value=str(values["points"])))
    return score_sums(definition, values, options)


OUTCOME = Measure(
    (
        Definition(
            name="tass",
            version="2022",
            title="Trunk Assessment Scale for Spinal Cord Injury",
            items=(POINTS,),
            subscales=(sum_of("trunk", "Trunk", (POINTS,)),),
            low=0,
            high=MOST,
            direction="up",
            sides=("",),
            missing="Without its points the scale is not determinable (ND); they are never made from some items.",
            licence="Form with the permission of its authors; scores only.",
            sources=("Sato 2022, doi:10.1038/s41394-022-00502-0",),
            extras=tuple(
                Item(f"item_{n}", f"item {n}, points", tuple(range(MOST + 1))) for n in range(1, ITEMS + 1)
            ),
            modes=("observed",),
            notes=(
                "No support by the arms is allowed [S]",
                "Seven items and 0–44 points are from memory; the points of each item could not be seen [M]",
                "Detectable change from nine people: 4.07 between, 3.86 within raters [S]",
            ),
            domain="gait and balance",
            conditions={},
        ),
    ),
    _score,
)
