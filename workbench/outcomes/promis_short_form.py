"""PROMIS adult short forms with items 1–5: raw sum, and T score from the form's look-up table.

A form is a version, such as ``depression-8a``: forms are never mixed in one change score.

References
----------
Cella D, et al. The Patient-Reported Outcomes Measurement Information System (PROMIS) developed and tested its
first wave of adult self-reported health outcome item banks: 2005–2008. J Clin Epidemiol 2010;63:1179–1194.
HealthMeasures. PROMIS scoring manuals.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.outcomes._contract import Definition, Direction, ScorerResult
from workbench.outcomes._scoring import Measure
from workbench.outcomes._t_scores import t_definition, t_scored

SOURCE = "HealthMeasures, PROMIS scoring manuals"
BANKS: dict[str, tuple[str, Direction, tuple[str, ...]]] = {
    "depression": ("Depression", "down", ("8a", "4a")),
    "anxiety": ("Anxiety", "down", ("8a", "4a")),
    "fatigue": ("Fatigue", "down", ("8a", "4a")),
    "pain-interference": ("Pain interference", "down", ("8a", "4a")),
    "sleep-disturbance": ("Sleep disturbance", "down", ("8a", "4a")),
    "physical-function": ("Physical function", "up", ("10a", "8b", "4a")),
    "physical-function-mobility-aid": ("Physical function, mobility aid users", "up", ("11a",)),
    "upper-extremity": ("Physical function, upper extremity", "up", ("7a",)),
    "participation-ability": ("Ability to participate in social roles", "up", ("8a", "4a")),
}
"""Label, direction of better, and the forms of each bank; a form's name begins with its number of items."""


def _define(bank: str, form: str) -> Definition:
    label, direction, _ = BANKS[bank]
    n_items = int(form[:-1])
    return t_definition(
        "promis_short_form",
        f"{bank}-{form}",
        title=f"PROMIS short form, {label.lower()}, {form}",
        n_items=n_items,
        direction=direction,
        licence="Free of royalty, terms of HealthMeasures; codes only, the look-up table is supplied by the user.",
        source=SOURCE,
        notes=(
            "The look-up table is valid for complete forms only [S]",
            "A selection: the seven domains of the profiles, and forms of physical function [S]",
            "T 50 is the mean of the reference population, with a deviation of 10 [S]",
        ),
    )


def _score(definition: Definition, values: Mapping[str, Any], options: Mapping[str, Any]) -> ScorerResult:
    return t_scored(definition, values, options, fixed=True)


OUTCOME = Measure(tuple(_define(bank, form) for bank in BANKS for form in BANKS[bank][2]), _score)
