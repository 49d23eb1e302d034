"""Jebsen–Taylor Hand Function Test: seven timed subtests of each hand, seconds, lower is better.

References
----------
Jebsen RH, Taylor N, Trieschmann RB, Trotter MJ, Howard LA. An objective and standardized test of hand
function. Arch Phys Med Rehabil 1969;50(6):311–319.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from workbench.outcomes._contract import CENSORED, Definition, ScorerResult, Subscale
from workbench.outcomes._scoring import Measure, sum_subscale
from workbench.outcomes._sides import SIDES, both_sides, items_starting_with
from workbench.outcomes._unable import UNABLE, cap_at, cap_option

SOURCE = "Jebsen 1969, Arch Phys Med Rehabil 50:311–319"
SHORTEST_S, LONGEST_S = 0.5, 1800.0
SUBTESTS = {
    "writing": "writing",
    "cards": "turning cards",
    "small_objects": "small objects",
    "feeding": "simulated feeding",
    "checkers": "stacking checkers",
    "light_cans": "large light objects",
    "heavy_cans": "large heavy objects",
}


def _define(version: str, subtests: Mapping[str, str]) -> Definition:
    items = both_sides(subtests, codes=(UNABLE,), low=SHORTEST_S, high=LONGEST_S, unit="s")
    return Definition(
        name="jthft",
        version=version,
        title="Jebsen–Taylor Hand Function Test",
        items=items,
        subscales=tuple(
            Subscale(
                side,
                f"{side.capitalize()} hand",
                tuple(item.code for item in items_starting_with(items, f"{side}_")),
                len(subtests) * SHORTEST_S,
                len(subtests) * LONGEST_S,
                "s",
            )
            for side in SIDES
        ),
        low=None,
        high=None,
        direction="down",
        sides=("",),
        missing=(
            "A missing subtest makes the sum of that hand not determinable (ND). Unable counts the cap of the "
            "protocol and makes the sum censored."
        ),
        licence="Free to use; commercial kits.",
        sources=(SOURCE,),
        options=(cap_option(),),
        modes=("observed",),
        notes=(
            "The cap of an attempt, such as 180 s, is a parameter of the protocol: no default [M]",
            "The versions with seven and six subtests (without writing) are never mixed [S]",
        ),
        domain="upper limb",
        conditions={},
    )


def _score(definition: Definition, values: Mapping[str, Any], options: Mapping[str, Any]) -> ScorerResult:
    times, censored = cap_at(definition, values, (item.code for item in definition.items), options)
    scores = {}
    for scale in definition.subscales:
        sub = sum_subscale(scale, times, source=SOURCE)
        capped = [code for code in scale.items if code in censored]
        # One censored subtest makes the sum a lower bound: it must not be analysed as an exact time.
        if capped and sub.value is not None:
            rule = f"{sub.rule}; {len(capped)} at the cap, so the true sum is at least this"
            sub = replace(sub, status=CENSORED, rule=rule)
        scores[scale.code] = sub
    return ScorerResult(scores)


OUTCOME = Measure(
    (
        _define("7 subtests", SUBTESTS),
        _define("6 subtests", {code: label for code, label in SUBTESTS.items() if code != "writing"}),
    ),
    _score,
)
