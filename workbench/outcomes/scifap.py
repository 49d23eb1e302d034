"""Spinal Cord Injury Functional Ambulation Profile: seven timed walking tasks, 0–2100, lower is better.

A task scores time × assistance factor / mean time of able-bodied adults, 300 when it could not be done. The
able-bodied times are in the worksheet of the article; they are the option ``norms``, without a default.

References
----------
Musselman K, Brunton K, Lam T, Yang J. Spinal cord injury functional ambulation profile: a new measure of
walking ability. Neurorehabil Neural Repair 2011;25(3):285–293. doi:10.1177/1545968310381250
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.errors import BadValue
from workbench.messages import Message
from workbench.outcomes._contract import Definition, Item, Option, ScorerResult, Subscale, SubScore
from workbench.outcomes._scoring import Measure, make_subscore, total_subscale
from workbench.outcomes._unable import UNABLE, positive
from workbench.outcomes._walking import AIDS

SOURCE = "Musselman 2011, doi:10.1177/1545968310381250"
TASKS = {
    "carpet": "carpet",
    "up_and_go": "up and go",
    "obstacles": "obstacles",
    "stairs": "stairs",
    "carry": "carry a load",
    "step": "step",
    "door": "door",
}
FACTORS = (1, 2, 3, 4, 5, 6)
NOT_DONE = 6
"""The assistance factor of a task that could not be completed."""
MOST = 300
SHORTEST_S, LONGEST_S = 0.5, 1800.0


def _norms(given: Any) -> Mapping[str, float] | None:
    """The able-bodied times by task. Raises BadValue unless there is a number of seconds for each task."""
    if given is None:
        return None
    if not isinstance(given, Mapping) or set(given) != set(TASKS) or not all(map(positive, given.values())):
        raise BadValue(
            f"scifap option norms must give the mean able-bodied seconds of {', '.join(TASKS)}, got {given!r}"
        )
    return given


def _task(task: str, values: Mapping[str, Any], norms: Mapping[str, float] | None) -> float | None:
    time, factor = values[f"{task}_s"], values[f"{task}_factor"]
    # Before the missing values: a task that could not be done needs neither a time nor norms.
    if time == UNABLE or factor == NOT_DONE:
        return MOST
    if time is None or factor is None or norms is None:
        return None
    # A slow walk counts as much as one that could not be done (task score at most 300).
    return float(min(MOST, time * factor / norms[task]))


def _score(definition: Definition, values: Mapping[str, Any], options: Mapping[str, Any]) -> ScorerResult:
    norms = _norms(options["norms"])
    rule = "time × assistance factor / able-bodied time, at most 300; 300 when it could not be done"
    scores: dict[str, SubScore] = {}
    for scale in definition.subscales:
        scores[scale.code] = make_subscore(
            scale, values, _task(scale.code, values, norms), rule=rule, source=SOURCE
        )
    task_scores = [sub.value for sub in scores.values() if sub.value is not None]
    total = sum(task_scores) if len(task_scores) == len(TASKS) else None
    total_scale = total_subscale(definition)
    rule = "sum of 7 task scores; not determinable when one is missing"
    timed = any(isinstance(values[f"{task}_s"], int | float) for task in TASKS)
    warning = Message("outcome.scifap_norms")
    return ScorerResult(
        scores,
        make_subscore(total_scale, values, total, rule=rule, source=SOURCE),
        warnings=(warning,) if timed and norms is None else (),
    )


OUTCOME = Measure(
    (
        Definition(
            name="scifap",
            version="2011",
            title="Spinal Cord Injury Functional Ambulation Profile",
            items=tuple(
                item
                for task, label in TASKS.items()
                for item in (
                    Item(f"{task}_s", f"{label}, time", (), (UNABLE,), SHORTEST_S, LONGEST_S, "s"),
                    Item(f"{task}_factor", f"{label}, assistance factor", FACTORS),
                )
            ),
            subscales=tuple(
                Subscale(task, label.capitalize(), (f"{task}_s", f"{task}_factor"), 0, MOST)
                for task, label in TASKS.items()
            ),
            low=0,
            high=len(TASKS) * MOST,
            direction="down",
            sides=("",),
            missing=(
                "A task without its time or factor makes its score and the total not determinable (ND); one that "
                "could not be done scores 300."
            ),
            licence="Free to use.",
            sources=(SOURCE,),
            extras=(AIDS,),
            options=(Option("norms", "mean able-bodied seconds of each task", agree=True),),
            modes=("observed",),
            notes=(
                "Task score = time × factor / mean able-bodied time, at most 300; total at most 2100 [S]",
                "Factor 1 is no aid, 6 is unable to complete the task [S]",
                "The able-bodied times of the worksheet could not be seen: option norms, no default [M?]",
            ),
            domain="gait and balance",
            conditions={},
            noted=("walking_aid",),
        ),
    ),
    _score,
)
