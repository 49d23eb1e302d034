"""Patient Global Impression of Change: one ordinal answer of 7 points, the anchor for important change.

Two codings are in use that run in opposite directions; they are versions, and versions are never mixed.

References
----------
Guy W. ECDEU assessment manual for psychopharmacology. US Department of Health, Education and Welfare 1976.
Hurst H, Bolton J. Assessing the clinical significance of change scores recorded on subjective outcome
measures. J Manipulative Physiol Ther 2004;27(1):26–35.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from workbench.outcomes._contract import Definition, Item, ScorerResult, Subscale
from workbench.outcomes._scoring import Measure, score_sums

BALANCED, ONE_SIDED = "guy-1976", "hurst-2004"

_BALANCED = Definition(
    name="pgic",
    version=BALANCED,
    title="Patient Global Impression of Change",
    items=(Item("change", "Overall change since the start", (1, 2, 3, 4, 5, 6, 7)),),
    subscales=(Subscale("change", "Change", ("change",), 1, 7),),
    low=None,
    high=None,
    direction="down",
    sides=("",),
    missing="A missing answer is ND.",
    licence="Free to use; codes only.",
    sources=("Guy 1976, ECDEU assessment manual",),
    modes=("self-report", "interview"),
    notes=(
        "1 is very much improved, 4 no change, 7 very much worse [M]",
        "Recommended for pain after spinal cord injury (Bryce 2007) [S]",
        "Ordinal; an anchor variable for important change, not averaged [S]",
    ),
    domain="quality of life, mood, goals, device",
    conditions={},
)
_ONE_SIDED = replace(
    _BALANCED,
    version=ONE_SIDED,
    direction="up",
    sources=("Hurst 2004, J Manipulative Physiol Ther 27:26",),
    notes=("1 is no change or worse, 7 a great deal better [M]", _BALANCED.notes[-1]),
)


def _score(definition: Definition, values: Mapping[str, Any], options: Mapping[str, Any]) -> ScorerResult:
    result = score_sums(definition, values, options)
    answer = values["change"]
    # Without an answer there is no category; the subscore is ND already.
    if answer is None:
        return result
    if definition.version == BALANCED:
        # The two codings run in opposite directions: 4 is "no change" in one, 1 "no change or worse" in the
        # other.
        category = "improved" if answer < 4 else "unchanged" if answer == 4 else "worse"
    else:
        category = "unchanged or worse" if answer == 1 else "improved"
    return ScorerResult(result.subscores, classes={"category": category})


OUTCOME = Measure((_BALANCED, _ONE_SIDED), _score)
