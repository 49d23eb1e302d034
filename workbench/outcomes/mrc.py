"""Muscle strength by the grades of the Medical Research Council: 0–5, sum score of twelve groups 0–60.

References
----------
Kleyweg RP, van der Meché FG, Schmitz PI. Interobserver agreement in the assessment of muscle strength and
functional abilities in Guillain–Barré syndrome. Muscle Nerve 1991;14(11):1103–1109.
"""

from __future__ import annotations

from workbench.outcomes._contract import Definition
from workbench.outcomes._scoring import Measure, score_sums
from workbench.outcomes._sides import SIDES, both_sides, items_starting_with, sum_of

GROUPS = {
    "shoulder_abduction": "shoulder abduction",
    "elbow_flexion": "elbow flexion",
    "wrist_extension": "wrist extension",
    "hip_flexion": "hip flexion",
    "knee_extension": "knee extension",
    "ankle_dorsiflexion": "ankle dorsiflexion",
}
GRADES = (0, 1, 2, 3, 4, 5)
HALF_GRADES = (0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5)


def _define(version: str, grades: tuple[int | float, ...], notes: tuple[str, ...]) -> Definition:
    items = both_sides(GROUPS, allowed=grades, codes=("NT",))
    return Definition(
        name="mrc",
        version=version,
        title="Medical Research Council grades of muscle strength",
        items=items,
        subscales=tuple(
            sum_of(side, f"{side.capitalize()} side", items_starting_with(items, f"{side}_")) for side in SIDES
        ),
        low=0,
        high=60,
        direction="up",
        sides=("",),
        missing="A missing or untestable (NT) group makes its sums not determinable (ND); NT is never 0.",
        licence="Free to use.",
        sources=("Kleyweg 1991, Muscle Nerve 14:1103–1109",),
        modes=("observed",),
        notes=("The six groups of each side that enter the sum score are from memory [M]", *notes),
        domain="strength",
        conditions={},
    )


OUTCOME = Measure(
    (
        _define("grades", GRADES, ("Whole grades unless the protocol says half grades [S]",)),
        _define("half grades", HALF_GRADES, ("Half grades only where the protocol says so; never mixed [S]",)),
    ),
    score_sums,
)
