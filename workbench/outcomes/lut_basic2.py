"""International SCI Lower Urinary Tract Function Basic Data Set 2.0: variables, no score.

References
----------
Biering-Sørensen F, et al. International spinal cord injury lower urinary tract function basic data set
(version 2.0). Spinal Cord Ser Cases 2018;4:60. doi:10.1038/s41394-018-0090-7
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.outcomes._contract import STRUCTURAL, Definition, Item, ScorerResult, Subscale, SubScore
from workbench.outcomes._questionnaires import UNKNOWN, YES_NO
from workbench.outcomes._scoring import Measure, make_subscore

SOURCE = "Biering-Sørensen 2018, doi:10.1038/s41394-018-0090-7"
METHODS = (
    "normal",
    "reflex_voluntary",
    "reflex_involuntary",
    "straining",
    "compression",
    "catheter_self",
    "catheter_attendant",
    "indwelling_transurethral",
    "indwelling_suprapubic",
    "root_stimulation",
    "diversion",
    "other",
    UNKNOWN,
)
LEAKAGE = ("no", "daily", "weekly", "monthly", "not_applicable", UNKNOWN)
VARIABLES = (
    Item("unrelated_impairment", "Impairment unrelated to the injury", YES_NO),
    Item("awareness", "Awareness of need to empty", ("no", "yes", "not_applicable", UNKNOWN)),
    Item("emptying_main", "Main method of emptying", METHODS),
    Item("emptying_other", "Supplementary method of emptying", ("none", *METHODS)),
    Item("leakage", "Involuntary leakage", LEAKAGE),
    Item("appliance_sheath", "Collecting: condom catheter, sheath", YES_NO),
    Item("appliance_pad", "Collecting: pad or diaper", YES_NO),
    Item("appliance_bag", "Collecting: ostomy bag", YES_NO),
    Item("appliance_other", "Collecting: other", YES_NO),
    Item("drug_bladder", "Drugs: bladder relaxants", YES_NO),
    Item("drug_sphincter", "Drugs: sphincter relaxants", YES_NO),
    Item("drug_antibiotic_treatment", "Drugs: antibiotics as treatment", YES_NO),
    Item("drug_antibiotic_prophylaxis", "Drugs: antibiotics as prophylaxis", YES_NO),
    Item("drug_other", "Drugs: other", YES_NO),
    Item("surgery", "Surgery of the urinary tract", YES_NO),
    Item("symptom_change", "Change of symptoms, last year", ("no", "yes", "not_applicable", UNKNOWN)),
)

DEFINITION = Definition(
    name="lut_basic2",
    version="2.0",
    title="International SCI Lower Urinary Tract Function Basic Data Set",
    items=(Item("emptyings_per_day", "Voluntary emptyings per day", low=0, high=50, unit="per day"), *VARIABLES),
    subscales=(
        Subscale("emptyings_per_day", "Voluntary emptyings", ("emptyings_per_day",), 0, 50, unit="per day"),
        Subscale("variables", "Variables without a score", tuple(item.code for item in VARIABLES), 0, 0),
    ),
    low=None,
    high=None,
    direction="down",
    sides=("",),
    missing="Each variable stands alone; unknown is an answer.",
    licence="Free to use (ISCoS); codes and generic descriptors only.",
    sources=(SOURCE,),
    modes=("interview",),
    notes=(
        "Variables, no score and no direction of better; the field has to hold one [S]",
        "The lists of answers are from memory [M]",
    ),
    domain="spasticity, pain, autonomic",
    conditions={},
)


def _score(definition: Definition, values: Mapping[str, Any], options: Mapping[str, Any]) -> ScorerResult:
    number, variables = definition.subscales
    answers = {code: values[code] for code in variables.items if values[code] is not None}
    subscores = {
        number.code: make_subscore(number, values, values[number.code], rule="as answered", source=SOURCE),
        variables.code: SubScore(
            value=None,
            status=STRUCTURAL,
            n_items=len(variables.items),
            n_valid=len(answers),
            low=variables.low,
            high=variables.high,
            rule="variables, no score is defined",
            rule_source=SOURCE,
        ),
    }
    return ScorerResult(subscores, classes=answers)


OUTCOME = Measure((DEFINITION,), _score)
