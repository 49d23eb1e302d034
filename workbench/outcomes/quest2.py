"""QUEST 2.0: satisfaction with an assistive device (8 items) and its services (4), means 1–5 of valid items.

References
----------
Demers L, Weiss-Lambrou R, Ska B. The Quebec User Evaluation of Satisfaction with Assistive Technology (QUEST
2.0): an overview and recent progress. Technol Disabil 2002;14(3):101–105.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.errors import BadValue
from workbench.messages import Message
from workbench.outcomes._contract import Definition, Item, ScorerResult, Subscale, SubScore
from workbench.outcomes._questionnaires import NA, mean_answered, missing_items, numbered_items
from workbench.outcomes._scoring import Measure, make_subscore, total_subscale

SOURCE = "Demers 2002, Technol Disabil 14:101"
LABELS = (
    "Device: size",
    "Device: weight",
    "Device: adjustment",
    "Device: safety",
    "Device: durability",
    "Device: ease of use",
    "Device: comfort",
    "Device: effectiveness",
    "Services: delivery",
    "Services: repairs",
    "Services: professional help",
    "Services: follow-up",
)
_ITEMS = numbered_items(LABELS, (1, 2, 3, 4, 5), codes=(NA,))
_CODES = tuple(item.code for item in _ITEMS)
IMPORTANT = ("important_1", "important_2", "important_3")

DEFINITION = Definition(
    name="quest2",
    version="2.0",
    title="Quebec User Evaluation of Satisfaction with Assistive Technology",
    items=_ITEMS,
    subscales=(
        Subscale("device", "Device", _CODES[:8], 1, 5, least=4),
        Subscale("services", "Services", _CODES[8:], 1, 5, least=2),
    ),
    low=1,
    high=5,
    direction="up",
    sides=("",),
    missing=(
        "A scale is the mean of its rated items when at least half of them are rated (4 of 8, 2 of 4, 6 of 12); "
        "with fewer, NA counted as not rated, it is not determinable (ND). n_valid says how many there were."
    ),
    licence="Permission of the authors is needed for the form; codes and generic descriptors only.",
    sources=(SOURCE,),
    extras=tuple(
        Item(code, f"Most important item, {n}", tuple(range(1, 13))) for n, code in enumerate(IMPORTANT, start=1)
    ),
    modes=("self-report", "interview"),
    notes=(
        "The three most important items are recorded and not scored [S]",
        "A Rasch study of 2023 found the device scale weak [S]",
        "The device scale for the assistive device alone may be given without services [M]",
        "The mean of valid items is the authors' rule; at least half of the items is a decision, as in SF-36 [T]",
    ),
    domain="quality of life, mood, goals, device",
    conditions={},
    least=6,
)


def _score(definition: Definition, values: Mapping[str, Any], options: Mapping[str, Any]) -> ScorerResult:
    chosen = [values[code] for code in IMPORTANT if values[code] is not None]
    if len(set(chosen)) != len(chosen):
        raise BadValue(Message("outcome.quest_items", value=str(chosen)))
    subscores = {scale.code: _mean(scale, values) for scale in definition.subscales}
    classes = {"most_important": [f"q{number}" for number in chosen]} if chosen else {}
    return ScorerResult(subscores, _mean(total_subscale(definition), values), classes=classes)


def _mean(scale: Subscale, values: Mapping[str, Any]) -> SubScore:
    value = mean_answered(scale.items, values, least=scale.min_answered)
    imputed = missing_items(scale.items, values) if value is not None else ()
    rule = f"mean of the rated items, at least {scale.min_answered} of {len(scale.items)}"
    return make_subscore(scale, values, value, rule=rule, source=SOURCE, imputed=imputed)


OUTCOME = Measure((DEFINITION,), _score)
