"""Nine-Hole Peg Test: mean time of two trials with each hand, and pegs per second for hands at the floor.

References
----------
Mathiowetz V, Weber K, Kashman N, Volland G. Adult norms for the Nine Hole Peg Test of finger dexterity.
Occup Ther J Res 1985;5(1):24–38.
"""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean
from typing import Any

from workbench.errors import BadValue
from workbench.messages import Message
from workbench.outcomes._contract import CENSORED, Definition, Item, ScorerResult, Subscale, SubScore
from workbench.outcomes._scoring import Measure, make_subscore
from workbench.outcomes._sides import SIDES, both_sides
from workbench.outcomes._unable import CAP, UNABLE, cap_at, cap_option

SOURCE = "Mathiowetz 1985, Occup Ther J Res 5:24–38"
PEGS = 9
FASTEST_S, CAP_S = 5.0, 300.0
TRIALS = (1, 2)


def _subscales() -> tuple[Subscale, ...]:
    return tuple(
        scale
        for side in SIDES
        for codes in [tuple(f"{side}_{trial}" for trial in TRIALS)]
        for scale in (
            Subscale(f"{side}_time", f"{side.capitalize()} hand, time", codes, FASTEST_S, CAP_S, "s"),
            Subscale(
                f"{side}_rate", f"{side.capitalize()} hand, rate", codes, 0, PEGS / FASTEST_S, "pegs/s", "up"
            ),
        )
    )


def _rate(code: str, values: Mapping[str, Any], cap: float) -> float | None:
    """Pegs per second of one trial; None without a result, or at the cap without the count of pegs."""
    time, pegs = values[code], values[f"{code}_pegs"]
    if time is None or (time == UNABLE and pegs is None):
        return None
    if time == UNABLE:
        return float(pegs) / cap
    # A trial that was completed has placed all pegs; another count contradicts its time.
    if pegs not in (None, PEGS):
        raise BadValue(
            Message(
                "outcome.nhpt_pegs",
                item=code,
                pegs=PEGS,
                time=f"{time:g}",
                value=str(pegs),
                code=repr(UNABLE),
            )
        )
    return PEGS / float(time)


def _mean(
    scale: Subscale, values: Mapping[str, Any], results: list[float | None], rule: str, **more: Any
) -> SubScore:
    completed = [value for value in results if value is not None]
    value = fmean(completed) if len(completed) == len(TRIALS) else None
    return make_subscore(scale, values, value, rule=rule, source=SOURCE, **more if value is not None else {})


def _score(definition: Definition, values: Mapping[str, Any], options: Mapping[str, Any]) -> ScorerResult:
    codes = [item.code for item in definition.items]
    cap = _check_cap(options[CAP])
    times, censored = cap_at(definition, values, codes, options)
    scores = {}
    for scale in definition.subscales:
        if scale.direction == "up":
            rates = [_rate(code, values, cap) for code in scale.items]
            rule = "mean of two trials: 9 pegs over the time, at the cap the pegs placed over the cap"
            scores[scale.code] = _mean(scale, times, rates, rule)
        else:
            more = {"status": CENSORED} if set(censored) & set(scale.items) else {}
            rule = "mean time of two trials; a trial that was not completed counts the cap"
            scores[scale.code] = _mean(scale, times, [times[code] for code in scale.items], rule, **more)
    return ScorerResult(scores)


def _check_cap(cap: Any) -> float:
    if isinstance(cap, bool) or not isinstance(cap, int | float) or not FASTEST_S <= cap <= CAP_S:
        raise BadValue(
            Message("outcome.nhpt_cap", name=CAP, low=f"{FASTEST_S:g}", high=f"{CAP_S:g}", value=repr(cap))
        )
    return float(cap)


OUTCOME = Measure(
    (
        Definition(
            name="nhpt",
            version="1985",
            title="Nine-Hole Peg Test",
            items=both_sides(
                {f"{trial}": f"hand, trial {trial}" for trial in TRIALS},
                codes=(UNABLE,),
                low=FASTEST_S,
                high=CAP_S,
                unit="s",
            ),
            subscales=_subscales(),
            low=None,
            high=None,
            direction="down",
            sides=("",),
            missing=(
                "Both trials are needed, else not determinable (ND). A trial not completed counts the cap, "
                "censored, and its pegs over the cap in the rate."
            ),
            licence="Free to use.",
            sources=(SOURCE,),
            extras=tuple(
                Item(f"{side}_{trial}_pegs", f"{side} hand, trial {trial}, pegs", tuple(range(PEGS + 1)))
                for side in SIDES
                for trial in TRIALS
            ),
            options=(cap_option(CAP_S, parts=tuple(f"{side}_rate" for side in SIDES)),),
            modes=("observed",),
            notes=(
                "Cap of 300 s by the convention of the MSFC [M]",
                "The rate has a value (0 included) where the time is censored: for hands at the floor [S]",
            ),
            domain="upper limb",
            conditions={},
        ),
    ),
    _score,
)
