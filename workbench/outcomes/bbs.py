"""Berg Balance Scale: 14 tasks 0–4, total 0–56, higher is better.

References
----------
Berg KO, Wood-Dauphinee SL, Williams JI, Maki B. Measuring balance in the elderly: validation of an
instrument. Can J Public Health 1992;83(Suppl 2):S7–S11.
"""

from __future__ import annotations

from workbench.outcomes._contract import Definition, Item
from workbench.outcomes._scoring import Measure, score_sums
from workbench.outcomes._sides import sum_of

LABELS = (
    "sit to stand",
    "standing",
    "sitting without back support",
    "stand to sit",
    "transfers",
    "standing, eyes closed",
    "standing, feet together",
    "reaching forward",
    "object from the floor",
    "looking behind",
    "full turn",
    "foot on a stool",
    "tandem stance",
    "one-leg stance",
)
_ITEMS = tuple(Item(f"task_{n}", label, tuple(range(5))) for n, label in enumerate(LABELS, start=1))

OUTCOME = Measure(
    (
        Definition(
            name="bbs",
            version="1992",
            title="Berg Balance Scale",
            items=_ITEMS,
            subscales=(sum_of("balance", "Balance", _ITEMS),),
            low=0,
            high=56,
            direction="up",
            sides=("",),
            missing="A missing task makes the score not determinable (ND); nothing is prorated.",
            licence="Free to use; codes and generic descriptors only.",
            sources=("Berg 1992, Can J Public Health 83 Suppl 2:S7–S11",),
            modes=("observed",),
            notes=(
                "Ceiling effect in people with spinal cord injury who walk [S]",
                "The known detectable change is for stroke and not for spinal cord injury [S]",
            ),
            domain="gait and balance",
            conditions={},
        ),
    ),
    score_sums,
)
