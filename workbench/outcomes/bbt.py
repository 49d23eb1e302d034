"""Box and Block Test: blocks moved in 60 seconds with each hand.

References
----------
Mathiowetz V, Volland G, Kashman N, Weber K. Adult norms for the Box and Block Test of manual dexterity.
Am J Occup Ther 1985;39(6):386–391.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.errors import BadValue
from workbench.messages import Message
from workbench.outcomes._contract import Definition, Item, ScorerResult, Subscale
from workbench.outcomes._scoring import Measure, make_subscore
from workbench.outcomes._sides import SIDES
from workbench.outcomes._unable import UNABLE, zero_when_unable

SOURCE = "Mathiowetz 1985, Am J Occup Ther 39:386–391"
MOST = 150
REASONS = ("no reach", "no grasp", "no release", "pain", "other")


def _score(definition: Definition, values: Mapping[str, Any], options: Mapping[str, Any]) -> ScorerResult:
    # 0 blocks and an attempt that was impossible are the same number for different reasons; the reason is needed.
    for side in SIDES:
        if values[side] == UNABLE and values[f"{side}_reason"] is None:
            raise BadValue(Message("form.bbt_reason", side=side, value=repr(UNABLE), allowed=list(REASONS)))
    counted = zero_when_unable(values, SIDES)
    rule = "blocks in 60 s; an impossible attempt is 0"
    scores = {
        s.code: make_subscore(s, counted, counted[s.code], rule=rule, source=SOURCE) for s in definition.subscales
    }
    return ScorerResult(scores)


OUTCOME = Measure(
    (
        Definition(
            name="bbt",
            version="1985",
            title="Box and Block Test",
            items=tuple(Item(side, f"{side} hand", tuple(range(MOST + 1)), (UNABLE,)) for side in SIDES),
            subscales=tuple(
                Subscale(side, f"{side.capitalize()} hand", (side,), 0, MOST, "blocks") for side in SIDES
            ),
            low=None,
            high=None,
            direction="up",
            sides=("",),
            missing="A hand not tested is not determinable (ND); an impossible attempt is 0, with its reason.",
            licence="Free to use.",
            sources=(SOURCE,),
            extras=tuple(Item(f"{side}_reason", f"{side} hand, why impossible", REASONS) for side in SIDES),
            modes=("observed",),
            notes=(
                "A box holds 150 blocks, the greatest count [M]",
                "No threshold for spinal cord injury was found; the known one is for stroke [M]",
            ),
            domain="upper limb",
            conditions={},
        ),
    ),
    _score,
)
