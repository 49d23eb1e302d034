"""Capabilities of Upper Extremity Questionnaire (CUE-Q): 17 actions, 32 answers.

Version 1 answers 1–7 and gives a per cent of normal function as well; version 2 answers 0–4.

References
----------
Marino RJ, Shea JA, Stineman MG. The Capabilities of Upper Extremity instrument: reliability and validity of
a measure of functional limitation in tetraplegia. Arch Phys Med Rehabil 1998;79(12):1512–1521.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.outcomes._contract import Definition, Item, ScorerResult, Subscale
from workbench.outcomes._scoring import Measure, make_subscore, score_sums
from workbench.outcomes._sides import SIDES, both_sides, items_starting_with, sum_of

SOURCE = "Marino 1998, Arch Phys Med Rehabil 79:1512–1521"
UNILATERAL = {
    "reach_forward": "arm, forward",
    "reach_up": "arm, up",
    "reach_down": "arm, down",
    "pull_light": "pull, light",
    "pull_heavy": "pull, heavy",
    "push_light": "push, light",
    "push_heavy": "push, heavy",
    "wrist_up": "wrist extension",
    "palm_down": "forearm pronation",
    "power_grasp": "power grasp",
    "pinch": "pinch",
    "key_grasp": "key grasp",
    "wide_grasp": "wide grasp",
    "manipulate": "small object",
    "press_index": "index finger",
}
BILATERAL = {"lift_both": "both, lift", "push_down_both": "both, press down"}
PERCENT_OF = 192
"""Span of version 1: 224 − 32."""


def _define(version: str, *, answers: tuple[int, ...], notes: tuple[str, ...]) -> Definition:
    bilateral = tuple(Item(code, label, answers) for code, label in BILATERAL.items())
    items = (*both_sides(UNILATERAL, allowed=answers), *bilateral)
    scales = [sum_of(side, f"{side.capitalize()} side", items_starting_with(items, f"{side}_")) for side in SIDES]
    scales.append(sum_of("bilateral", "Both together", bilateral))
    # Version 1 only: for version 2 no formula of a per cent was found.
    if min(answers) == 1:
        codes = tuple(item.code for item in items)
        scales.append(Subscale("percent", "Per cent of normal function", codes, 0, 100, "%"))
    return Definition(
        name="cue_q",
        version=version,
        title="Capabilities of Upper Extremity Questionnaire",
        items=items,
        subscales=tuple(scales),
        low=len(items) * min(answers),
        high=len(items) * max(answers),
        direction="up",
        sides=("",),
        missing="All answers are needed: a missing one makes its subscores and the total not determinable (ND).",
        licence="Form with the permission of its owner; codes and generic descriptors only.",
        sources=(SOURCE,),
        modes=("interview", "self-report"),
        notes=(
            "15 actions of each side and 2 of both: 32 answers [S]",
            *notes,
            "No published rule for missing answers was found; all are required [S]",
        ),
        domain="upper limb",
        conditions={},
    )


def _score(definition: Definition, values: Mapping[str, Any], options: Mapping[str, Any]) -> ScorerResult:
    result = score_sums(definition, values, options)
    if "percent" not in result.subscores or result.total is None:
        return result
    total, scale = result.total.value, definition.subscales[-1]
    value = None if total is None else (total - len(definition.items)) / PERCENT_OF * 100
    rule = "(total − 32) / 192 × 100; not determinable when an answer is missing"
    percent = make_subscore(scale, values, value, rule=rule, source=SOURCE)
    return ScorerResult({**result.subscores, "percent": percent}, result.total)


OUTCOME = Measure(
    (
        _define(
            "1",
            answers=tuple(range(1, 8)),
            notes=(
                "Answers 1–7, total 32–224, per cent of normal = (total − 32) / 192 × 100 [S]",
                "The maximum of 124 in one public description is a misprint: 32 × 7 = 224 [S]",
            ),
        ),
        _define(
            "2",
            answers=tuple(range(5)),
            notes=(
                "Answers 0–4 were not seen in a source of the questionnaire: chosen by its version only [M]",
                "Total 0–128 from memory, no per cent of normal function [M]",
            ),
        ),
    ),
    _score,
)
