"""WHOQOL-BREF: 26 items 1–5, four domains on 4–20 and on 0–100, two single items, no total.

Items 3, 4 and 26 are reversed. A domain is the mean of its items times 4, which is 4–20; 0–100 is
``(x − 4) · 100 / 16``, not rounded.

References
----------
WHOQOL Group. Development of the World Health Organization WHOQOL-BREF quality of life assessment. Psychol
Med 1998;28(3):551–558. WHO. WHOQOL-BREF: introduction, administration, scoring and generic version of the
assessment, field trial version. Geneva 1996.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.messages import Message
from workbench.outcomes._contract import Definition, ScorerResult, Subscale, SubScore, Value
from workbench.outcomes._questionnaires import mean_answered, missing_items, numbered_items
from workbench.outcomes._scoring import Measure, make_subscore

SOURCE = "WHO 1996, WHOQOL-BREF field trial version"
LABELS = (
    "Quality of life, overall",
    "Satisfaction with health, overall",
    "Pain, negative",
    "Dependence on treatment, negative",
    "Enjoyment",
    "Meaning",
    "Concentration",
    "Safety",
    "Physical environment",
    "Energy",
    "Body image",
    "Finances",
    "Information",
    "Leisure",
    "Mobility",
    "Sleep",
    "Daily activities",
    "Work capacity",
    "Self-esteem",
    "Relationships",
    "Sexual life",
    "Social support",
    "Home",
    "Access to health care",
    "Transport",
    "Negative feelings, negative",
)
REVERSED = ("q3", "q4", "q26")
MOST_MISSING = 5
"""More than 20 % of 26 items is six or more."""
DOMAINS = {
    "physical": ("Physical", (3, 4, 10, 15, 16, 17, 18), 2),
    "psychological": ("Psychological", (5, 6, 7, 11, 19, 26), 2),
    "social": ("Social relationships", (20, 21, 22), 1),
    "environment": ("Environment", (8, 9, 12, 13, 14, 23, 24, 25), 2),
}
"""Label, items, and how many of them may be missing."""
_SCALES = tuple(
    Subscale(
        f"{code}_{top}", f"{label}, {low}–{top}", tuple(f"q{n}" for n in items), low, top, least=len(items) - gaps
    )
    for code, (label, items, gaps) in DOMAINS.items()
    for low, top in ((4, 20), (0, 100))
)

DEFINITION = Definition(
    name="whoqol_bref",
    version="1996",
    title="WHOQOL-BREF",
    items=numbered_items(LABELS, (1, 2, 3, 4, 5)),
    subscales=(
        Subscale("overall", "Overall quality of life", ("q1",), 1, 5),
        Subscale("health", "Overall health", ("q2",), 1, 5),
        *_SCALES,
    ),
    low=None,
    high=None,
    direction="up",
    sides=("",),
    missing=(
        "With more than 20 % of the 26 items missing nothing is scored; else up to two missing items of a domain "
        "(one in social relationships) are replaced by the mean of its others, and with more it is ND."
    ),
    licence="Permission of the WHO is needed for the form; codes and facet names only.",
    sources=(SOURCE, "WHOQOL Group 1998, Psychol Med 28:551"),
    modes=("self-report", "interview"),
    notes=(
        "There is no total [S]",
        "Both limits of missing items stand in the manual's text [S]",
        "The manual's syntax is stricter than its text: one in physical and in psychological [M]",
        "The manual's conversion table rounds to integers; here nothing is rounded [M]",
        "The social domain allows one missing item; the manual's wording is ambiguous [M]",
    ),
    domain="quality of life, mood, goals, device",
    conditions={},
)


def _score(definition: Definition, values: Mapping[str, Any], options: Mapping[str, Any]) -> ScorerResult:
    missing = missing_items((item.code for item in definition.items), values)
    # Items 3, 4 and 26 are worded negatively; reversed, higher is better in all.
    aligned = {code: 6 - v if code in REVERSED and v is not None else v for code, v in values.items()}
    void = len(missing) > MOST_MISSING
    subscores = {}
    for scale in definition.subscales[:2]:
        value = None if void else values[scale.items[0]]
        subscores[scale.code] = make_subscore(scale, values, value, rule="as answered", source=SOURCE)
    for scale in definition.subscales[2:]:
        allowed = DOMAINS[scale.code.rpartition("_")[0]][2]
        subscores[scale.code] = _domain(scale, aligned, allowed=-1 if void else allowed)
    replaced = sorted({code for sub in subscores.values() for code in sub.imputed}, key=missing.index)
    warnings = [Message("outcome.whoqol_replaced", items=replaced)] if replaced else []
    if void and len(missing) < len(definition.items):
        warnings.append(Message("outcome.whoqol_void", n=len(missing)))
    return ScorerResult(subscores, warnings=tuple(warnings))


def _domain(scale: Subscale, aligned: Mapping[str, Value | None], *, allowed: int) -> SubScore:
    missing = missing_items(scale.items, aligned)
    mean = mean_answered(scale.items, aligned, least=scale.min_answered) if len(missing) <= allowed else None
    value = None if mean is None else 4 * mean if scale.high == 20 else (4 * mean - 4) * 100 / 16
    rule = "mean of the items x 4" if scale.high == 20 else "(mean of the items x 4 - 4) x 100 / 16"
    if allowed >= 0:
        rule += f"; items 3, 4 and 26 reversed; up to {allowed} missing replaced by the mean"
    else:
        rule += "; not scored, more than 20 % of the items are missing"
    imputed = missing if value is not None else ()
    return make_subscore(scale, aligned, value, rule=rule, source=SOURCE, imputed=imputed)


OUTCOME = Measure((DEFINITION,), _score)
