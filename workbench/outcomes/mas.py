"""Modified Ashworth Scale: labels 0, 1, 1+, 2, 3, 4 for each muscle group, lower is better.

The label is stored. Its number is ordinal: 0, 1, 2, 3, 4, 5 in the order of the labels, or the label itself
with 1+ as 1.5 where the protocol declares that. A mean over muscles is formed only over the muscles that the
protocol names.

References
----------
Bohannon RW, Smith MB. Interrater reliability of a modified Ashworth scale of muscle spasticity. Phys Ther
1987;67(2):206–207. Baunsgaard CB, et al. Modified Ashworth scale and spasm frequency score in spinal cord
injury: reliability and correlation. Spinal Cord 2016;54(9):702–708.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from workbench.errors import BadValue
from workbench.messages import Message
from workbench.outcomes._contract import STRUCTURAL, Definition, Item, Option, ScorerResult, Subscale, SubScore
from workbench.outcomes._questionnaires import mean_answered
from workbench.outcomes._scoring import Measure, make_subscore
from workbench.outcomes._sides import SIDES

SOURCE = "Bohannon 1987, Phys Ther 67:206"
RELIABILITY = Message("outcome.mas_reliability")
LABELS: tuple[int | str, ...] = (0, 1, "1+", 2, 3, 4)
ORDINAL, HALF = "ordinal", "half"
CODING: dict[str, dict[int | str, float]] = {
    ORDINAL: {label: code for code, label in enumerate(LABELS)},
    HALF: {label: 1.5 if label == "1+" else float(label) for label in LABELS},
}
MUSCLES = {
    "shoulder_adductors": "shoulder adductors",
    "elbow_flexors": "elbow flexors",
    "elbow_extensors": "elbow extensors",
    "wrist_flexors": "wrist flexors",
    "finger_flexors": "finger flexors",
    "hip_adductors": "hip adductors",
    "hip_flexors": "hip flexors",
    "knee_flexors": "knee flexors",
    "knee_extensors": "knee extensors",
    "plantar_flexors": "ankle plantar flexors",
}
_ITEMS = tuple(
    Item(f"{side}_{code}", f"{side.capitalize()} {label}", LABELS, ("NT",))
    for side in SIDES
    for code, label in MUSCLES.items()
)
CODES = tuple(item.code for item in _ITEMS)

DEFINITION = Definition(
    name="mas",
    version="1987",
    title="Modified Ashworth Scale",
    items=_ITEMS,
    subscales=(
        *(Subscale(item.code, item.label, (item.code,), 0, 5) for item in _ITEMS),
        Subscale("mean", "Mean of the muscles", CODES, 0, 5),
    ),
    low=None,
    high=None,
    direction="down",
    sides=("",),
    missing="Each muscle stands alone; the mean of named muscles needs all of them.",
    licence="Free to use.",
    sources=(SOURCE, "Baunsgaard 2016, Spinal Cord 54:702"),
    options=(
        Option("coding", "number of a label: in order 0-5, or 1+ as 1.5", ORDINAL, (ORDINAL, HALF), agree=True),
        Option(
            "mean_of", "codes of the muscles whose mean the protocol pre-specifies", agree=True, parts=("mean",)
        ),
    ),
    modes=("observed",),
    notes=(
        "Agreement between raters is low: unweighted kappa -0.06 to 0.32, weighted 0.08 to 0.74 [S]",
        "Ordinal: models for ordered categories, no mean unless pre-specified [S]",
        "The muscle groups are a selection of the workbench [T]",
    ),
    domain="spasticity, pain, autonomic",
    conditions={},
)


def _score(definition: Definition, values: Mapping[str, Any], options: Mapping[str, Any]) -> ScorerResult:
    coding = CODING[options["coding"]]
    # NT has no number in a coding: ``get`` makes it missing.
    numbers = {code: coding.get(value) for code, value in values.items()}
    top = max(coding.values())
    rule = f"label as number, 1+ is {coding['1+']:g}"
    subscores = {}
    for scale in definition.subscales[:-1]:
        coded_scale = replace(scale, high=top)
        subscores[scale.code] = make_subscore(coded_scale, numbers, numbers[scale.code], rule=rule, source=SOURCE)
    mean = replace(definition.subscales[-1], high=top)
    subscores["mean"], warnings = _mean(mean, numbers, options["mean_of"])
    labels = {code: str(value) for code, value in values.items() if value is not None}
    return ScorerResult(subscores, warnings=warnings, classes={"labels": labels} if labels else {})


def _mean(scale: Subscale, numbers: Mapping[str, float | None], named: Any) -> tuple[SubScore, tuple[str, ...]]:
    if named is None:
        rule = "not formed: the protocol names no muscles"
        return make_subscore(scale, numbers, None, rule=rule, source=SOURCE, status=STRUCTURAL), ()
    codes = tuple(named) if isinstance(named, list | tuple) else ()
    wrong = [code for code in codes if code not in CODES]
    if not codes or wrong or len(set(codes)) != len(codes):
        raise BadValue(Message("outcome.mas_mean_of", value=repr(wrong or named), allowed=CODES))
    named_scale = replace(scale, items=codes)
    value = mean_answered(codes, numbers, least=len(codes))
    subscore = make_subscore(
        named_scale, numbers, value, rule=f"mean of {len(codes)} named muscles", source=SOURCE
    )
    return subscore, (RELIABILITY,)


OUTCOME = Measure((DEFINITION,), _score)
