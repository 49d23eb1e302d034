"""NASA Task Load Index: six ratings 0–100 as raw and, where the pairs were asked, as weighted workload.

Lower is better. The performance rating runs from good (0) to poor (100). A weight is how often a source was
chosen in the 15 comparisons of pairs, so the six add up to 15.

References
----------
Hart SG, Staveland LE. Development of NASA-TLX (Task Load Index): results of empirical and theoretical
research. Adv Psychol 1988;52:139–183. doi:10.1016/S0166-4115(08)62386-9
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.errors import BadValue
from workbench.messages import Message
from workbench.outcomes._contract import ND, STRUCTURAL, Definition, Item, ScorerResult, Status, Subscale
from workbench.outcomes._questionnaires import mean_answered, missing_items
from workbench.outcomes._scoring import Measure, make_subscore

SOURCE = "Hart 1988, doi:10.1016/S0166-4115(08)62386-9"
PAIRS = 15
RATINGS = {
    "mental": "Mental demand",
    "physical": "Physical demand",
    "temporal": "Temporal demand",
    "performance": "Performance, good to poor",
    "effort": "Effort",
    "frustration": "Frustration",
}
CODES = tuple(RATINGS)
WEIGHTS = tuple(f"weight_{code}" for code in CODES)

DEFINITION = Definition(
    name="nasa_tlx",
    version="1988",
    title="NASA Task Load Index",
    items=tuple(Item(code, label, low=0, high=100, unit="points") for code, label in RATINGS.items()),
    subscales=(Subscale("raw", "Raw workload", CODES, 0, 100), Subscale("weighted", "Workload", CODES, 0, 100)),
    low=None,
    high=None,
    direction="down",
    sides=("",),
    missing="Raw and weighted need all six ratings, weighted also all six weights; otherwise ND.",
    licence="Free to use; codes and generic descriptors only.",
    sources=(SOURCE,),
    extras=tuple(Item(code, f"Weight of {code[7:]}", (0, 1, 2, 3, 4, 5)) for code in WEIGHTS),
    modes=("self-report",),
    notes=(
        "Raw and weighted workload are two variables: a change stays within one of them [S]",
        "The performance rating is anchored from good to poor, so a high rating is more load [S]",
    ),
    domain="quality of life, mood, goals, device",
    conditions={},
)


def _score(definition: Definition, values: Mapping[str, Any], options: Mapping[str, Any]) -> ScorerResult:
    raw, weighted = definition.subscales
    warnings = _check_weights(values)
    weighted_codes = [code for code in WEIGHTS if values[code] is not None]
    complete = not missing_items(CODES, values)
    mean = mean_answered(CODES, values, least=len(CODES))
    total = None
    if complete and len(weighted_codes) == len(WEIGHTS):
        total = sum(values[code] * values[weight] for code, weight in zip(CODES, WEIGHTS)) / PAIRS
    rule = "sum of weight x rating, divided by 15"
    if not weighted_codes:
        rule = "the pairs were not asked"
    elif len(weighted_codes) < len(WEIGHTS):
        rule += f"; missing {', '.join(missing_items(WEIGHTS, values))}"
    status: Status | None = None if total is not None else ND if weighted_codes else STRUCTURAL
    subscores = {
        "raw": make_subscore(raw, values, mean, rule="mean of the six ratings", source=SOURCE),
        "weighted": make_subscore(weighted, values, total, rule=rule, source=SOURCE, status=status),
    }
    return ScorerResult(subscores, warnings=warnings)


def _check_weights(values: Mapping[str, Any]) -> tuple[str, ...]:
    """Warnings. Raises BadValue when six weights do not add up to 15."""
    weights = sorted(values[code] for code in WEIGHTS if values[code] is not None)
    if len(weights) < len(WEIGHTS):
        return ()
    if sum(weights) != PAIRS:
        listed = ", ".join(f"{code[7:]} {values[code]}" for code in WEIGHTS)
        raise BadValue(Message("outcome.tlx_weights", all=PAIRS, sum=str(sum(weights)), weights=listed))
    # Landau's theorem: any k scales win at least the k (k - 1) / 2 comparisons among themselves, so smaller
    # sums of weights cannot come from 15 comparisons of pairs.
    if any(sum(weights[:k]) < k * (k - 1) // 2 for k in range(1, len(weights))):
        return (Message("outcome.tlx_tally"),)
    return ()


OUTCOME = Measure((DEFINITION,), _score)
