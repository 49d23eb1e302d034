"""10-metre walk test: speed in m/s at preferred and at fast pace.

References
----------
van Hedel HJ, Wirz M, Dietz V. Assessing walking ability in subjects with spinal cord injury: validity and
reliability of 3 walking tests. Arch Phys Med Rehabil 2005;86(2):190–196.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.messages import Message
from workbench.outcomes._contract import STRUCTURAL, Definition, Item, ScorerResult, Status, Subscale
from workbench.outcomes._scoring import Measure, make_subscore
from workbench.outcomes._unable import UNABLE, zero_when_unable
from workbench.outcomes._walking import AIDS

SOURCE = "van Hedel 2005, Arch Phys Med Rehabil 86:190–196"
DISTANCE_M = 10.0
FASTEST_S, SLOWEST_S = 1.0, 3600.0
"""Times outside are typing errors: nobody walks 10 m/s, and nobody takes an hour for 10 m."""

PACES = {"preferred": "Preferred pace", "fast": "Fast pace"}


def _subscales() -> tuple[Subscale, ...]:
    return tuple(
        scale
        for code, label in PACES.items()
        for scale in (
            Subscale(f"{code}_speed", f"{label}, speed", (code,), 0, DISTANCE_M / FASTEST_S, "m/s"),
            Subscale(f"{code}_time", f"{label}, time", (code,), FASTEST_S, SLOWEST_S, "s", "down"),
        )
    )


def _score(definition: Definition, values: Mapping[str, Any], options: Mapping[str, Any]) -> ScorerResult:
    counted, scores = zero_when_unable(values, PACES), {}
    for scale in definition.subscales:
        (pace,) = scale.items
        time, unable = counted[pace], values[pace] == UNABLE
        if scale.direction == "down":
            # A walk that was impossible has no time: 0 s would be the fastest of all.
            value = None if unable else time
            status: Status | None = STRUCTURAL if unable else None
            rule = "time over 10 m; there is none when walking was impossible, and never 0 s"
        else:
            # ``time`` is 0 for a walk that was impossible, and so is the speed.
            value = time if time is None or unable else DISTANCE_M / time
            status = None
            rule = "10 m divided by the time; unable to walk is 0"
        scores[scale.code] = make_subscore(scale, counted, value, rule=rule, source=SOURCE, status=status)
    # How the walk starts changes a time; without a time there is nothing that it could change.
    timed = any(values[pace] not in (None, UNABLE) for pace in PACES)
    warning = Message("outcome.10mwt_start")
    return ScorerResult(scores, warnings=(warning,) if timed and values["start"] is None else ())


OUTCOME = Measure(
    (
        Definition(
            name="10mwt",
            version="10 m",
            title="10-metre walk test",
            items=tuple(
                Item(code, f"{label.lower()}, time", (), (UNABLE,), FASTEST_S, SLOWEST_S, "s")
                for code, label in PACES.items()
            ),
            subscales=_subscales(),
            low=None,
            high=None,
            direction="up",
            sides=("",),
            missing="A pace that was not tested is not determinable (ND). Unable to walk: speed 0, no time.",
            licence="Free to use.",
            sources=(SOURCE,),
            extras=(Item("start", "start of the timed walk", ("static", "dynamic")), AIDS),
            modes=("observed",),
            notes=(
                "Time is taken over 10 m; a protocol that times a shorter part is another measure [S]",
                "Preferred and fast pace are two variables and never mixed in one change [S]",
                "Static and dynamic start: median 18.4 s and 19 s, P = 0.092 (Scivoletto 2011) [S]",
            ),
            domain="gait and balance",
            conditions={"start": None},
            noted=("walking_aid",),
        ),
    ),
    _score,
)
