"""Toronto Rehabilitation Institute Hand Function Test: ten objects and nine blocks of each hand, 0–7 each.

References
----------
Kapadia N, Zivanovic V, Verrier M, Popovic MR. Toronto Rehabilitation Institute–Hand Function Test:
assessment of gross motor function in individuals with spinal cord injury. Top Spinal Cord Inj Rehabil
2012;18(2):167–186.
"""

from __future__ import annotations

from workbench.outcomes._contract import Definition, Item
from workbench.outcomes._scoring import Measure, score_sums
from workbench.outcomes._sides import SIDES, both_sides, items_starting_with, sum_of

SOURCE = "Kapadia 2012, Top Spinal Cord Inj Rehabil 18:167-186"
ZERO_TO_SEVEN = tuple(range(8))
OBJECTS = {
    "object_mug": "mug",
    "object_book": "book",
    "object_can": "soda can",
    "object_sponge": "triangular sponge",
    "object_phone": "telephone",
    "object_paper": "sheet of paper",
    "object_bag": "bag of golf balls",
    "object_dice": "dice",
    "object_card": "credit card",
    "object_pencil": "pencil",
}
BLOCKS = {
    f"block_{grams}_{surface}": f"block {grams} g, surface {surface}"
    for grams in (100, 200, 300)
    for surface in (1, 2, 3)
}
FORCES = {"cylinder": ("cylinder, torque", 50.0, "N m"), "card_force": ("credit card, force", 200.0, "N")}

_ITEMS = both_sides({**OBJECTS, **BLOCKS}, allowed=ZERO_TO_SEVEN)
OUTCOME = Measure(
    (
        Definition(
            name="tri_hft",
            version="2012",
            title="Toronto Rehabilitation Institute Hand Function Test",
            items=_ITEMS,
            subscales=tuple(
                sum_of(code, label, items_starting_with(_ITEMS, prefix))
                for side in SIDES
                for code, label, prefix in (
                    (side, f"{side.capitalize()} hand", f"{side}_"),
                    (f"{side}_objects", f"{side.capitalize()} hand, objects", f"{side}_object_"),
                    (f"{side}_blocks", f"{side.capitalize()} hand, blocks", f"{side}_block_"),
                )
            ),
            low=None,
            high=None,
            direction="up",
            sides=("",),
            missing="A missing item makes its sums not determinable (ND); nothing is prorated.",
            licence="Free test, form with the permission of its authors; codes and generic descriptors only.",
            sources=(SOURCE,),
            extras=tuple(
                Item(f"{side}_{code}", f"{side} {label}", (), (), 0, high, unit)
                for side in SIDES
                for code, (label, high, unit) in FORCES.items()
            ),
            modes=("observed",),
            notes=(
                "Ten objects (0–70) and nine blocks (0–63), each 0–7, make 0–133 a hand [S]",
                "NINDS prints object scores 0–2, and a public description calls the 63 points strength: "
                "both disagree with 133 = 19 × 7 [S]",
                "Forces with instrumented objects are recorded and enter no score; that part is not validated [S]",
            ),
            domain="upper limb",
            conditions={},
        ),
    ),
    score_sums,
)
