"""SCI-SET: effect of spasticity on daily life, mean of the items that apply, higher is better.

References
----------
Adams MM, Ginis KAM, Hicks AL. The spinal cord injury spasticity evaluation tool: development and evaluation.
Arch Phys Med Rehabil 2007;88(9):1185–1192. doi:10.1016/j.apmr.2007.06.012
Modified form of 33 items: Sweatman 2020, as described by SCIRE.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.outcomes._contract import STRUCTURAL, Definition, ScorerResult, Subscale
from workbench.outcomes._questionnaires import NA, mean_answered, missing_items, numbered_items
from workbench.outcomes._scoring import Measure, make_subscore


def _define(version: str, *, n_items: int, low: int, high: int, source: str) -> Definition:
    items = numbered_items(
        [f"Effect of spasticity, item {n}" for n in range(1, n_items + 1)],
        tuple(range(low, high + 1)),
        codes=(NA,),
    )
    return Definition(
        name="sci_set",
        version=version,
        title="Spinal Cord Injury Spasticity Evaluation Tool",
        items=items,
        subscales=(
            Subscale("mean", "Mean of applicable items", tuple(i.code for i in items), low, high, least=1),
        ),
        low=low,
        high=high,
        direction="up",
        sides=("",),
        missing=(
            "NA is an answer and leaves the denominator, n_valid counts the items that apply; an item without any "
            "answer makes the score not determinable (ND)."
        ),
        licence="Free to use; codes only.",
        sources=(source,),
        modes=("self-report", "interview"),
        notes=(
            "Seven days are recalled; more negative is more problematic [S]",
            "A missing answer that is not NA has no published rule, so it is ND here [T]",
        ),
        domain="spasticity, pain, autonomic",
        conditions={},
        least=1,
    )


DEFINITIONS = (
    _define("2007", n_items=35, low=-3, high=3, source="Adams 2007, doi:10.1016/j.apmr.2007.06.012"),
    _define("modified-2020", n_items=33, low=-2, high=1, source="Sweatman 2020, as described by SCIRE"),
)


def _score(definition: Definition, values: Mapping[str, Any], options: Mapping[str, Any]) -> ScorerResult:
    (scale,) = definition.subscales
    missing = missing_items(scale.items, values)
    mean = None if missing else mean_answered(scale.items, values, least=scale.min_answered)
    # Every item answered "NA" is a finding, not a gap: structural and not ND.
    none_applies = not missing and mean is None
    rule = "sum of the items that apply, divided by their number"
    score = make_subscore(
        scale,
        values,
        mean,
        rule=rule + ("; none applies" if none_applies else ""),
        source=definition.sources[0],
        status=STRUCTURAL if none_applies else None,
    )
    step = f"Mean: not determinable, {len(missing)} items without an answer"
    if not missing:
        step = "Mean: no item applies" if mean is None else f"Mean: {mean:g} of {score.n_valid} items that apply"
    return ScorerResult({scale.code: score}, score, (step,), classes={"n_applicable": score.n_valid})


OUTCOME = Measure(DEFINITIONS, _score)
