"""PHQ-9: nine symptoms 0–3, total 0–27, lower is better; item 9 above 0 is an alert whatever the total.

References
----------
Kroenke K, Spitzer RL, Williams JBW. The PHQ-9: validity of a brief depression severity measure. J Gen Intern
Med 2001;16(9):606–613. Kroenke K, et al. The PHQ-8 as a measure of current depression in the general
population. J Affect Disord 2009;114:163–173. NHS Data Dictionary, Patient Health Questionnaire-9.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.messages import Message
from workbench.outcomes._contract import Definition, Item, ScorerResult, Subscale, SubScore
from workbench.outcomes._questionnaires import band_of, missing_items, numbered_items
from workbench.outcomes._scoring import Measure, make_subscore, numeric_values, sum_subscale, total_subscale

SOURCE = "Kroenke 2001, J Gen Intern Med 16:606"
MISSING_SOURCE = "NHS Data Dictionary, Patient Health Questionnaire-9"
LABELS = (
    "Loss of interest",
    "Low mood",
    "Sleep",
    "Energy",
    "Appetite",
    "Self-worth",
    "Concentration",
    "Slowed or restless",
    "Thoughts of death or self-harm",
)
MOST_MISSING = 2
BANDS = ((0, "minimal"), (5, "mild"), (10, "moderate"), (15, "moderately severe"), (20, "severe"))
_ITEMS = numbered_items(LABELS, (0, 1, 2, 3))

DEFINITION = Definition(
    name="phq9",
    version="2001",
    title="Patient Health Questionnaire, depression",
    items=_ITEMS,
    subscales=(
        Subscale("phq8", "Items 1 to 8", tuple(item.code for item in _ITEMS[:8]), 0, 24),
        Subscale("item_9", "Thoughts of death or self-harm", ("q9",), 0, 3),
    ),
    low=0,
    high=27,
    direction="down",
    sides=("",),
    missing=(
        "One or two missing items are replaced by the mean of the others, and the total is rounded, halves up; "
        "with more it is ND. Item 9 above 0 raises an alert in every case."
    ),
    licence="Free to use; codes and own descriptors only.",
    sources=(SOURCE, MISSING_SOURCE),
    extras=(Item("difficulty", "Difficulty in daily life", (0, 1, 2, 3)),),
    modes=("self-report", "interview"),
    notes=(
        "Bands: 5 mild, 10 moderate, 15 moderately severe, 20 severe [S]",
        "One or two missing items: mean of the others; halves are rounded up here [S]",
        "Sleep, energy and appetite overlap with effects of spinal cord injury [M]",
        "Item 9 is never inferred from the other items: an alert needs its answer [T]",
    ),
    domain="quality of life, mood, goals, device",
    conditions={},
    least=len(_ITEMS) - MOST_MISSING,
)


def _score(definition: Definition, values: Mapping[str, Any], options: Mapping[str, Any]) -> ScorerResult:
    phq8, item_9 = definition.subscales
    total = _total(definition, values)
    answer = values["q9"]
    alerts, warnings = [], []
    # Any answer above 0 to item 9 is acted on, however low the total (PHQ-9 instructions).
    if answer:
        alerts.append(Message("outcome.phq9_item_9", value=str(answer)))
    # Missing is not 0: a questionnaire without item 9 cannot rule out what that item asks.
    elif answer is None and numeric_values(phq8.items, values):
        warnings.append(Message("outcome.phq9_not_asked"))
    classes = {}
    if total.value is not None:
        classes["severity"] = band_of(total.value, BANDS)
    subscores = {
        "phq8": sum_subscale(phq8, values, source="Kroenke 2009, J Affect Disord 114:163"),
        "item_9": make_subscore(item_9, values, answer, rule="as answered", source=SOURCE),
    }
    return ScorerResult(subscores, total, warnings=tuple(warnings), alerts=tuple(alerts), classes=classes)


def _total(definition: Definition, values: Mapping[str, Any]) -> SubScore:
    total_scale = total_subscale(definition)
    missing = missing_items(total_scale.items, values)
    if not missing or len(missing) > MOST_MISSING:
        return sum_subscale(total_scale, values, source=SOURCE)
    answered = numeric_values(total_scale.items, values)
    n = len(answered)
    # Halves up in integers: rounding a float mean could take 9.5 for 9.499… and miss a severity band.
    rounded = int(2 * 9 * sum(answered) + n) // (2 * n)
    rule = "mean of the answered items x 9, rounded, halves up"
    return make_subscore(total_scale, values, rounded, rule=rule, source=MISSING_SOURCE, imputed=missing)


OUTCOME = Measure((DEFINITION,), _score)
