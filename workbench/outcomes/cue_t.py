"""Capabilities of Upper Extremity Test (CUE-T): observed arm and hand function, each test scored 0–4.

The raw results (repetitions, force or time) are recorded beside the scores; the manual's conversion table is
not included here. Which tests count as hand tests is also stated in the manual only, so arm and hand subscores
need the option ``hand_tests``.

References
----------
Marino RJ, Kern SB, Leiby B, Schmidt-Read M, Mulcahey MJ. Reliability and validity of the capabilities of
upper extremity test (CUE-T) in subjects with chronic spinal cord injury. J Spinal Cord Med
2015;38(4):498–504. doi:10.1179/2045772314Y.0000000272
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from workbench.errors import BadValue
from workbench.messages import Message
from workbench.outcomes._contract import Definition, Item, Option, ScorerResult, Subscale, SubScore
from workbench.outcomes._scoring import Measure, make_subscore, sum_subscale, total_subscale
from workbench.outcomes._sides import SIDES, both_sides, items_starting_with, sum_of

SOURCE = "Marino 2015, doi:10.1179/2045772314Y.0000000272"
ZERO_TO_FOUR = tuple(range(5))
BILATERAL = tuple(Item(f"bilateral_{n}", f"bilateral test {n}", ZERO_TO_FOUR) for n in (1, 2))
PARTS = ("hand", "arm")
_HAND_AND_ARM = tuple(f"{side}_{part}" for side in SIDES for part in PARTS)


def _subscales(items: tuple[Item, ...]) -> tuple[Subscale, ...]:
    scales = [sum_of(side, f"{side.capitalize()} side", items_starting_with(items, f"{side}_")) for side in SIDES]
    scales.append(sum_of("bilateral", "Both together", BILATERAL))
    for side in SIDES:
        side_items = items_starting_with(items, f"{side}_")
        scales += [sum_of(f"{side}_{part}", f"{side.capitalize()} {part}", side_items) for part in PARTS]
    return tuple(scales)


def _define(version: str, *, unilateral: int, notes: tuple[str, ...]) -> Definition:
    numbers = range(1, unilateral + 1)
    items = (*both_sides({f"{n}": f"test {n}" for n in numbers}, allowed=ZERO_TO_FOUR), *BILATERAL)
    return Definition(
        name="cue_t",
        version=version,
        title="Capabilities of Upper Extremity Test",
        items=items,
        subscales=_subscales(items),
        low=0,
        high=4 * len(items),
        direction="up",
        sides=("",),
        missing="A missing test makes its subscores and the total not determinable (ND); nothing is prorated.",
        licence="Permission for the forms from the authors; item codes and scores only, no conversion table.",
        sources=(SOURCE,),
        extras=tuple(
            Item(f"{item.code}_raw", f"{item.label}, raw", (), (), 0, 1000, "as the manual states")
            for item in items
        ),
        options=(Option("hand_tests", "numbers of the unilateral hand tests", agree=True, parts=_HAND_AND_ARM),),
        modes=("observed",),
        notes=(
            *notes,
            "Raw results are repetitions in 30 s, weight or force, or time, scored 0–4 by the manual [S]",
            "Which tests are hand and which arm tests could not be seen: option hand_tests, no default [M?]",
        ),
        domain="upper limb",
        conditions={},
    )


def _hand_tests(definition: Definition, chosen: Any) -> set[int]:
    """The numbers of the hand tests. Raises BadValue unless some, and not all, of the tests are named."""
    numbers = range(1, len(items_starting_with(definition.items, "right_")) + 1)
    listed = list(chosen) if isinstance(chosen, list | tuple) else []
    known = all(isinstance(n, int) and not isinstance(n, bool) and n in numbers for n in listed)
    # Neither none nor all: then one of the two subscores would have no test at all.
    if not known or not 0 < len(set(listed)) == len(listed) < len(numbers):
        raise BadValue(Message("outcome.cue_hand_tests", most=str(numbers[-1]), value=repr(chosen)))
    return set(listed)


def _part(scale: Subscale, part: str, values: Mapping[str, Any], hands: set[int]) -> SubScore:
    chosen = tuple(code for code in scale.items if (int(code.rsplit("_", 1)[1]) in hands) == (part == "hand"))
    return sum_subscale(replace(scale, items=chosen, high=4 * len(chosen)), values, source=SOURCE)


def _score(definition: Definition, values: Mapping[str, Any], options: Mapping[str, Any]) -> ScorerResult:
    chosen = options["hand_tests"]
    hands = None if chosen is None else _hand_tests(definition, chosen)
    scores: dict[str, SubScore] = {}
    for scale in definition.subscales:
        part = scale.code.partition("_")[2]
        if part not in PARTS:
            scores[scale.code] = sum_subscale(scale, values, source=SOURCE)
        elif hands is None:
            rule = "sum of the hand or arm tests; not determinable before the option hand_tests names them"
            scores[scale.code] = make_subscore(scale, values, None, rule=rule, source=SOURCE)
        else:
            scores[scale.code] = _part(scale, part, values, hands)
    return ScorerResult(scores, sum_subscale(total_subscale(definition), values, source=SOURCE))


OUTCOME = Measure(
    (
        _define(
            "144",
            unilateral=17,
            notes=(
                "19 tests, 17 of each side and 2 bilateral, 36 scores, total 0–144 (NINDS) [S]",
                "A total of 135 was observed in 2015, so that version cannot have ended at 128 [S]",
            ),
        ),
        _define(
            "128",
            unilateral=15,
            notes=("Later version of 32 scores, 15 of each side and 2 bilateral, total 0–128 [M]",),
        ),
    ),
    _score,
)
