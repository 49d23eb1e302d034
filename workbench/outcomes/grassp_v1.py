"""GRASSP version 1: five subtests for each upper limb, no grand total.

References
----------
Kalsi-Ryan S, Curt A, Verrier MC, Fehlings MG. Development of the Graded Redefined Assessment of Strength,
Sensibility and Prehension (GRASSP). J Neurosurg Spine 2012;17(1 Suppl):65–76. doi:10.3171/2012.6.AOSPINE1258
"""

from __future__ import annotations

from workbench.outcomes._contract import Definition, Item, Subscale
from workbench.outcomes._scoring import Measure, score_sums
from workbench.outcomes._sides import SIDES, both_sides, items_starting_with, sum_of

SOURCE = "Kalsi-Ryan 2012, doi:10.3171/2012.6.AOSPINE1258"
NT = ("NT",)
ZERO_TO_FOUR = tuple(range(5))
ZERO_TO_FIVE = tuple(range(6))

STRENGTH = {
    "strength_anterior_deltoid": "anterior deltoid",
    "strength_elbow_flexors": "elbow flexors",
    "strength_elbow_extensors": "elbow extensors",
    "strength_wrist_extensors": "wrist extensors",
    "strength_finger_extensors": "finger extensors",
    "strength_thumb_opposition": "thumb opposition",
    "strength_thumb_flexor": "long thumb flexor",
    "strength_finger_flexors": "deep finger flexors",
    "strength_finger_abductors": "finger abductors",
    "strength_first_interosseus": "first dorsal interosseus",
}
DORSAL = {f"dorsal_{level}": f"dorsal sensation {level}" for level in ("C6", "C7", "C8")}
PALMAR = {f"palmar_{level}": f"palmar sensation {level}" for level in ("C6", "C7", "C8")}
ABILITY = {
    "ability_cylindrical": "ability, cylindrical grasp",
    "ability_lateral": "ability, lateral pinch",
    "ability_tip": "ability, tip pinch",
}
PERFORMANCE = {f"performance_{number}": f"performance task {number}" for number in range(1, 7)}
SUBTESTS = {
    "strength": "strength",
    "dorsal": "dorsal sensation",
    "palmar": "palmar sensation",
    "ability": "prehension ability",
    "performance": "prehension performance",
}


def subtest_items(*, dorsal: bool, tasks: int) -> tuple[Item, ...]:
    """Items of both sides.

    Parameters
    ----------
    dorsal : dorsal sensation is tested.
    tasks : number of performance tasks.
    """
    performance = dict(list(PERFORMANCE.items())[:tasks])
    return (
        *both_sides(STRENGTH, allowed=ZERO_TO_FIVE, codes=NT),
        *both_sides({**(DORSAL if dorsal else {}), **PALMAR}, allowed=ZERO_TO_FOUR, codes=NT),
        *both_sides(ABILITY, allowed=ZERO_TO_FOUR, codes=NT),
        *both_sides(performance, allowed=ZERO_TO_FIVE, codes=NT),
    )


def subtest_scales(items: tuple[Item, ...]) -> tuple[Subscale, ...]:
    """One subscale per side and subtest, and one per subtest for both sides together."""
    scales: list[Subscale] = []
    for side in (*SIDES, "both"):
        for code, label in SUBTESTS.items():
            chosen = items_starting_with(items, *(f"{part}_{code}_" for part in SIDES if side in (part, "both")))
            if chosen:
                scales.append(sum_of(f"{side}_{code}", f"{side.capitalize()} {label}", chosen))
    return tuple(scales)


MISSING = (
    "A missing or untestable (NT) item makes its subtest of that side, and of both sides, not determinable "
    "(ND); nothing is prorated and NT is never 0."
)
LICENCE = "Licence and kit from the developers; item codes, generic descriptors and scores only."

_ITEMS = subtest_items(dorsal=True, tasks=6)
OUTCOME = Measure(
    (
        Definition(
            name="grassp_v1",
            version="1.0",
            title="Graded Redefined Assessment of Strength, Sensibility and Prehension, version 1",
            items=_ITEMS,
            subscales=subtest_scales(_ITEMS),
            low=None,
            high=None,
            direction="up",
            sides=("",),
            missing=MISSING,
            licence=LICENCE,
            sources=(SOURCE,),
            modes=("observed",),
            notes=(
                "Five subtests a side: ten muscles, three dorsal and three palmar sites, three grasps, "
                "performance tasks [S]",
                "Six performance tasks 0–5 in version 1 [S]",
                "Names of the ten muscles and three grasps are from memory [M]",
                "Subtests are never added to one grand total as an endpoint [S]",
                "Versions 1 and 2 are never pooled without a declared mapping [S]",
            ),
            domain="upper limb",
            conditions={},
        ),
    ),
    score_sums,
)
