"""Canadian Occupational Performance Measure: up to five individual problems, with two ratings 1–10 each.

The problems differ between people and can differ between visits, so each rating goes with the number of its
problem in the participant's list (the place itself where none is given), and :func:`change` compares the same
problems only. The problem's text stays on the form: it may identify the person.

References
----------
Law M, et al. The Canadian Occupational Performance Measure. 5th ed. Ottawa: CAOT Publications 2014.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workbench.errors import BadValue
from workbench.messages import Message
from workbench.outcomes._contract import Definition, Item, ScorerResult, Subscale
from workbench.outcomes._scoring import Measure, check_items, make_subscore

SOURCE = "Law 2014, COPM 5th edition"
PLACES = (1, 2, 3, 4, 5)
TEN = tuple(range(1, 11))
SCALES = {"performance": "Performance", "satisfaction": "Satisfaction"}

DEFINITION = Definition(
    name="copm",
    version="5",
    title="Canadian Occupational Performance Measure",
    items=tuple(Item(f"{code}_{n}", f"{text}, problem {n}", TEN) for code, text in SCALES.items() for n in PLACES),
    subscales=tuple(
        Subscale(code, text, tuple(f"{code}_{n}" for n in PLACES), 1, 10, least=1) for code, text in SCALES.items()
    ),
    low=None,
    high=None,
    direction="up",
    sides=("",),
    missing=(
        "A problem that was named and not rated makes the scale not determinable (ND); places without a problem "
        "count nothing. A change uses the problems that both visits have, and names those that were dropped."
    ),
    licence="Licensed: codes and scores only.",
    sources=(SOURCE,),
    extras=(
        *(Item(f"problem_{n}", f"Number of problem in place {n}", tuple(range(1, 31))) for n in PLACES),
        *(Item(f"importance_{n}", f"Importance, problem {n}", TEN) for n in PLACES),
    ),
    modes=("interview",),
    notes=(
        "A change is meaningful on the same problems only [S]",
        "Performance and satisfaction are two variables, there is no total [S]",
    ),
    domain="quality of life, mood, goals, device",
    conditions={},
)


@dataclass(frozen=True, slots=True)
class Change:
    """Change of one scale over two administrations.

    Attributes
    ----------
    value : mean of later minus earlier over the common problems; None when there is none with both ratings.
    problems : numbers of the problems compared.
    dropped, added : numbers that only the earlier, or only the later, administration rates.
    """

    value: float | None
    problems: tuple[int, ...]
    dropped: tuple[int, ...]
    added: tuple[int, ...]


def change(earlier: Mapping[str, Any], later: Mapping[str, Any]) -> dict[str, Change]:
    """Change of performance and of satisfaction on the same problems.

    Parameters
    ----------
    earlier, later : items of two administrations, or ``Score.items`` of them.

    Returns
    -------
    Scale → :class:`Change`.

    Raises
    ------
    BadValue
        An item that the measure does not have, a rating outside 1–10, or one problem in two places.
    """
    changes = {}
    for scale in SCALES:
        before, after = ratings(scale, earlier), ratings(scale, later)
        common = tuple(sorted(before.keys() & after.keys()))
        # Paired by problem: the mean of another set of problems is not a change.
        steps = [after[number] - before[number] for number in common]
        changes[scale] = Change(
            value=sum(steps) / len(steps) if steps else None,
            problems=common,
            dropped=tuple(sorted(before.keys() - after.keys())),
            added=tuple(sorted(after.keys() - before.keys())),
        )
    return changes


def ratings(scale: str, items: Mapping[str, Any]) -> dict[int, int]:
    """Problem number → rating on ``"performance"`` or ``"satisfaction"``. Raises BadValue as :func:`change`."""
    values: dict[str, Any] = dict(check_items(DEFINITION, items))
    return {
        number: values[f"{scale}_{place}"]
        for place, number in _problems(values).items()
        if values[f"{scale}_{place}"] is not None
    }


def _problems(values: Mapping[str, Any]) -> dict[int, int]:
    """Place → number of its problem. Raises BadValue when one problem stands in two places."""
    numbers: dict[int, int] = {}
    for place in PLACES:
        number = values[f"problem_{place}"]
        # A place with a rating and without a number is the problem of its own number.
        if number is None and any(values[f"{code}_{place}"] is not None for code in (*SCALES, "importance")):
            number = place
        if number is not None:
            if number in numbers.values():
                raise BadValue(Message("form.copm_twice", n=str(number)))
            numbers[place] = number
    return numbers


def _score(definition: Definition, values: Mapping[str, Any], options: Mapping[str, Any]) -> ScorerResult:
    problems = _problems(values)
    subscores = {}
    for scale in definition.subscales:
        codes = tuple(f"{scale.code}_{place}" for place in problems)
        answers = [values[code] for code in codes]
        complete = bool(answers) and None not in answers
        problem_scale = Subscale(scale.code, scale.label, codes, scale.low, scale.high)
        mean = sum(answers) / len(answers) if complete else None
        subscores[scale.code] = make_subscore(
            problem_scale, values, mean, rule="mean of the problems", source=SOURCE
        )
    return ScorerResult(subscores, classes={"problems": list(problems.values())} if problems else {})


OUTCOME = Measure((DEFINITION,), _score)
