"""Walking Index for Spinal Cord Injury II: levels 0–20, self-selected and maximum as two variables.

References
----------
Dittuno PL, Dittuno JF. Walking index for spinal cord injury (WISCI II): scale revision. Spinal Cord
2001;39(12):654–656.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.messages import Message
from workbench.outcomes._contract import Definition, Item, ScorerResult, Subscale
from workbench.outcomes._scoring import Measure, make_subscore

SOURCE = "Dittuno 2001, Spinal Cord 39:654–656"
LEVELS = tuple(range(21))
KINDS = {"self_selected": "Self-selected level", "maximum": "Maximum level"}


def _score(definition: Definition, values: Mapping[str, Any], options: Mapping[str, Any]) -> ScorerResult:
    rule = "the level itself, ordinal; unable to walk is level 0"
    scores = {
        s.code: make_subscore(s, values, values[s.code], rule=rule, source=SOURCE) for s in definition.subscales
    }
    chosen, most = values["self_selected"], values["maximum"]
    # A level that is chosen can be walked, so the maximum is at least that level.
    low = chosen is not None and most is not None and most < chosen
    warning = Message("outcome.wisci_levels", most=str(most), chosen=str(chosen))
    return ScorerResult(scores, warnings=(warning,) if low else ())


OUTCOME = Measure(
    (
        Definition(
            name="wisci2",
            version="II",
            title="Walking Index for Spinal Cord Injury II",
            items=tuple(Item(code, label.lower(), LEVELS) for code, label in KINDS.items()),
            subscales=tuple(Subscale(code, label, (code,), 0, 20) for code, label in KINDS.items()),
            low=None,
            high=None,
            direction="up",
            sides=("",),
            missing="A level that was not assessed is not determinable (ND); unable to walk is level 0.",
            licence="Free to use.",
            sources=(SOURCE,),
            modes=("observed",),
            notes=(
                "Self-selected and maximum level are two variables and never mixed in one change [S]",
                "Levels are ordinal: no means without a declared choice [S]",
            ),
            domain="gait and balance",
            conditions={},
        ),
    ),
    _score,
)
