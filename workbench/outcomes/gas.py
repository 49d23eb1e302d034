"""Goal Attainment Scaling: up to ten individual goals, each −2 to +2, as one T score.

``T = 50 + 10 Σ(w x) / √((1 − r) Σ w² + r (Σ w)²)`` with attainment x, weight w (1 when none is given) and the
expected correlation r of the goals (0.3 by convention). All goals attained as expected give 50. The formula
as first printed in Turner-Stokes 2009 was wrong; its erratum has this one.

References
----------
Kiresuk TJ, Sherman RE. Goal attainment scaling: a general method for evaluating comprehensive community
mental health programs. Community Ment Health J 1968;4(6):443–453.
Turner-Stokes L. Goal attainment scaling (GAS) in rehabilitation: a practical guide. Clin Rehabil
2009;23(4):362–370, with erratum.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt
from numbers import Real
from typing import Any

from workbench.errors import BadValue
from workbench.messages import Message
from workbench.outcomes._contract import Definition, Item, Option, ScorerResult, Subscale, SubScore
from workbench.outcomes._questionnaires import missing_items
from workbench.outcomes._scoring import Measure, make_subscore

SOURCE = "Kiresuk 1968; Turner-Stokes 2009 with erratum, Clin Rehabil 23:362-370"
MOST = 10
"""Most goals of a participant."""
CODES = tuple(f"goal_{number}" for number in range(1, MOST + 1))
WEIGHTS = tuple(f"weight_{number}" for number in range(1, MOST + 1))
LOW, HIGH = -14, 114
"""Bounds for ten goals, any weights and any r: 50 ± 20 √10."""

DEFINITION = Definition(
    name="gas",
    version="1968",
    title="Goal Attainment Scaling",
    items=tuple(Item(code, f"Attainment of goal {n}", (-2, -1, 0, 1, 2)) for n, code in enumerate(CODES, start=1)),
    subscales=(Subscale("t", "Attainment", CODES, LOW, HIGH, unit="T", least=1),),
    low=LOW,
    high=HIGH,
    direction="up",
    sides=("",),
    missing=(
        "A goal that was set and not scored makes T not determinable (ND), unless the protocol drops unscored "
        "goals (drop_unscored); slots without a goal count nothing."
    ),
    licence="Free to use; the goals are the participant's own.",
    sources=(SOURCE,),
    extras=(
        Item("n_goals", "Number of goals set", tuple(range(1, MOST + 1))),
        *(
            Item(code, f"Weight of goal {n}", low=0, high=100, unit="weight")
            for n, code in enumerate(WEIGHTS, start=1)
        ),
    ),
    options=(
        Option("r", "expected correlation of the goals, 0 to 1", default=0.3, agree=True),
        Option(
            "drop_unscored",
            "the protocol leaves out goals that were not scored",
            default=False,
            allowed=(False, True),
            agree=True,
        ),
    ),
    modes=("interview",),
    notes=(
        "r = 0.3 is the convention of the first authors [S]",
        "Weights belong to the goal and are set at baseline, before attainment is known [M]",
        "With equal weights and r = 0.3 three goals span 22.6 to 77.4 [T]",
        "A T score of goals of one's own is not comparable between people whose goals differ in number [M]",
    ),
    domain="quality of life, mood, goals, device",
    conditions={"n_goals": None, **dict.fromkeys(WEIGHTS, 1)},
    least=1,
)


def t_score(attained: tuple[int, ...], weights: tuple[float, ...], *, r: float) -> float:
    """The T score.

    Parameters
    ----------
    attained : −2 to +2 for each goal, at least one.
    weights : of the same goals, none negative, not all 0. Only their ratios count.
    r : expected correlation of the goals, 0 to 1.
    """
    # Only ratios of weights count; with the largest 1 no square of a weight overflows.
    parts = [w / max(weights) for w in weights]
    spread = (1 - r) * sum(w * w for w in parts) + r * sum(parts) ** 2
    return 50 + 10 * sum(w * x for w, x in zip(parts, attained, strict=True)) / sqrt(spread)


def _score(definition: Definition, values: Mapping[str, Any], options: Mapping[str, Any]) -> ScorerResult:
    r = options["r"]
    if isinstance(r, bool) or not isinstance(r, Real) or not 0 <= float(r) <= 1:
        raise BadValue(Message("outcome.gas_r", value=repr(r)))
    goals, warnings = _goals_set(values)
    unscored = missing_items(goals, values)
    scored = tuple(code for code in goals if values[code] is not None)
    if unscored and options["drop_unscored"]:
        warnings.append(Message("outcome.gas_dropped", goals=unscored))
    pairs = tuple((values[code], _weight(code, values)) for code in scored)
    bare = [code for code in scored if values[WEIGHTS[CODES.index(code)]] is None]
    # Some weighted and some not: the others count 1, which may be far from the scale of the stated weights.
    if 0 < len(bare) < len(scored):
        warnings.append(Message("outcome.gas_unweighted", goals=bare))
    total, why = None, ""
    if unscored and not options["drop_unscored"]:
        why = f"not scored: {', '.join(unscored)}"
    elif not any(weight for _, weight in pairs):
        why = "no goal with a weight above 0 is scored"
    else:
        total = t_score(tuple(x for x, _ in pairs), tuple(w for _, w in pairs), r=float(r))
    attainment = _t_subscore(definition, values, total, goals=goals, r=float(r))
    listed = ", ".join(f"{code} {x:+d} (weight {w:g})" for code, (x, w) in zip(scored, pairs))
    step = f"T: not determinable, {why}" if total is None else f"T: {total:.2f} from {listed}; r {float(r):g}"
    return ScorerResult({"t": attainment}, attainment, (step,), tuple(warnings))


def _goals_set(values: Mapping[str, Any]) -> tuple[tuple[str, ...], list[str]]:
    """Codes of the goals that were set, and warnings."""
    number = values["n_goals"]
    used = [code for code, weight in zip(CODES, WEIGHTS) if values[code] is not None or values[weight] is not None]
    if number is None:
        warnings: list[str] = [Message("outcome.gas_number")] if used else []
        return tuple(used), warnings
    beyond = [code for code in used if code not in CODES[:number]]
    if beyond:
        raise BadValue(Message("outcome.gas_beyond", goal=beyond[0], n=str(number)))
    return CODES[:number], []


def _weight(code: str, values: Mapping[str, Any]) -> float:
    weight = values[f"weight_{code.removeprefix('goal_')}"]
    return 1.0 if weight is None else float(weight)


def _t_subscore(
    definition: Definition, values: Mapping[str, Any], total: float | None, *, goals: tuple[str, ...], r: float
) -> SubScore:
    (scale,) = definition.subscales
    set_goals = Subscale(scale.code, scale.label, goals, scale.low, scale.high, unit=scale.unit)
    rule = f"T = 50 + 10 sum(w x) / sqrt((1 - r) sum(w^2) + r (sum w)^2), r = {r:g}"
    return make_subscore(set_goals, values, total, rule=rule, source=SOURCE)


OUTCOME = Measure((DEFINITION,), _score)
