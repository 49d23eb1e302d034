"""Timed Up and Go: seconds, lower is better, and its inverse.

References
----------
Podsiadlo D, Richardson S. The timed "Up & Go": a test of basic functional mobility for frail elderly
persons. J Am Geriatr Soc 1991;39(2):142–148.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.outcomes._contract import CENSORED, Definition, Item, ScorerResult, Status, Subscale
from workbench.outcomes._scoring import Measure, make_subscore
from workbench.outcomes._unable import UNABLE, cap_at, cap_option
from workbench.outcomes._walking import AIDS

SOURCE = "Podsiadlo 1991, J Am Geriatr Soc 39:142–148"
SHORTEST_S, LONGEST_S = 2.0, 1800.0


def _score(definition: Definition, values: Mapping[str, Any], options: Mapping[str, Any]) -> ScorerResult:
    capped, censored = cap_at(definition, values, ("time",), options)
    time, unable = capped["time"], bool(censored)
    rate = None if time is None else 0.0 if unable else 1 / time
    rules = {"time": "seconds; unable counts the cap, censored", "rate": "1 / seconds; unable is 0"}
    scores = {}
    for scale in definition.subscales:
        is_time = scale.code == "time"
        value = time if is_time else rate
        # The rate of an attempt that never ended is exactly 0; only its time is not known.
        status: Status | None = CENSORED if is_time and unable else None
        scores[scale.code] = make_subscore(
            scale, capped, value, rule=rules[scale.code], source=SOURCE, status=status
        )
    return ScorerResult(scores)


OUTCOME = Measure(
    (
        Definition(
            name="tug",
            version="1991",
            title="Timed Up and Go",
            items=(Item("time", "stand, walk, turn, sit", (), (UNABLE,), SHORTEST_S, LONGEST_S, "s"),),
            subscales=(
                Subscale("time", "Time", ("time",), SHORTEST_S, LONGEST_S, "s"),
                Subscale("rate", "Rate", ("time",), 0, 1 / SHORTEST_S, "1/s", "up"),
            ),
            low=None,
            high=None,
            direction="down",
            sides=("",),
            missing="A test that was not done is not determinable (ND); unable is censored at the cap.",
            licence="Free to use.",
            sources=(SOURCE,),
            extras=(AIDS,),
            options=(cap_option(),),
            modes=("observed",),
            notes=("Times are skewed: analyse the rate or the logarithm [S]",),
            domain="gait and balance",
            conditions={},
            noted=("walking_aid",),
        ),
    ),
    _score,
)
