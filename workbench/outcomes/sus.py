"""System Usability Scale: ten items 1–5, odd ones positive and even ones negative, 0–100, higher is better.

References
----------
Brooke J. SUS: a "quick and dirty" usability scale. In: Jordan PW, et al., editors. Usability evaluation in
industry. London: Taylor & Francis; 1996. p. 189–194.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.messages import Message
from workbench.outcomes._contract import Definition, Option, ScorerResult, Subscale
from workbench.outcomes._questionnaires import missing_items, numbered_items
from workbench.outcomes._scoring import Measure, make_subscore

SOURCE = "Brooke 1996"
NEUTRAL = 3
"""The middle of 1–5."""
LABELS = (
    "Frequent use",
    "Complexity, negative",
    "Ease",
    "Need of technical help, negative",
    "Integration of functions",
    "Inconsistency, negative",
    "Quick to learn",
    "Awkwardness, negative",
    "Confidence",
    "Much to learn, negative",
)
_ITEMS = numbered_items(LABELS, (1, 2, 3, 4, 5))

DEFINITION = Definition(
    name="sus",
    version="1996",
    title="System Usability Scale",
    items=_ITEMS,
    subscales=(Subscale("usability", "Usability", tuple(item.code for item in _ITEMS), 0, 100),),
    low=0,
    high=100,
    direction="up",
    sides=("",),
    missing=(
        "A missing item makes the score not determinable (ND); with missing='neutral' it counts as the middle, 3, "
        "unless all are missing. The protocol declares which."
    ),
    licence="Free to use with acknowledgement; codes and own descriptors only.",
    sources=(SOURCE,),
    options=(
        Option("missing", "what a missing item counts", default="ND", allowed=("ND", "neutral"), agree=True),
    ),
    modes=("self-report",),
    notes=(
        "A missing item counted as the middle is the author's rule [M]",
        "68 is the average of published scores and no important change [S]",
    ),
    domain="quality of life, mood, goals, device",
    conditions={},
)


def _score(definition: Definition, values: Mapping[str, Any], options: Mapping[str, Any]) -> ScorerResult:
    (scale,) = definition.subscales
    missing = missing_items(scale.items, values)
    neutral = options["missing"] == "neutral" and len(missing) < len(scale.items)
    rule = "2.5 (sum of odd items - 1, plus sum of 5 - even items)"
    rule += "; a missing item counts 3" if neutral else "; not determinable when one is missing"
    value = None
    if neutral or not missing:
        answers = [NEUTRAL if values[code] is None else values[code] for code in scale.items]
        # Odd items are worded positively and even ones negatively; both then run 0–4, higher is better.
        value = 2.5 * (sum(a - 1 for a in answers[::2]) + sum(5 - a for a in answers[1::2]))
    imputed = missing if neutral else ()
    score = make_subscore(scale, values, value, rule=rule, source=SOURCE, imputed=imputed)
    warnings = (Message("outcome.sus_neutral", items=imputed),) if imputed else ()
    return ScorerResult({scale.code: score}, score, warnings=warnings)


OUTCOME = Measure((DEFINITION,), _score)
