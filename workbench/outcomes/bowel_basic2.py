"""International SCI Bowel Function Basic Data Set 2.0, with the Neurogenic Bowel Dysfunction score 0–47.

The values of the ten items of the score are the points of their answers; the other variables of the data set are
recorded beside them and enter no sum. Lower is better.

References
----------
Krogh K, et al. International Spinal Cord Injury Bowel Function Basic Data Set (Version 2.0). Spinal Cord
2017;55:692–698, article sc2016189. Krogh K, et al. Neurogenic bowel dysfunction score. Spinal Cord
2006;44:625–631. NINDS Common Data Elements, Neurogenic Bowel Dysfunction Score.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.outcomes._contract import Definition, Item, ScorerResult, Subscale
from workbench.outcomes._questionnaires import UNKNOWN, YES_NO, band_of
from workbench.outcomes._scoring import Measure, score_sums

HOW_OFTEN = ("daily", "weekly", "monthly", "less", "never", UNKNOWN)
METHODS = (
    "normal",
    "straining",
    "digital_stimulation",
    "suppository",
    "digital_evacuation",
    "mini_enema",
    "enema",
    "irrigation",
    "colostomy",
    "root_stimulation",
    "other",
    UNKNOWN,
)
ITEMS = (
    Item("frequency", "Frequency of defecation", (0, 1, 6)),
    Item("time", "Time for a defecation", (0, 3, 7)),
    Item("uneasiness", "Uneasiness, headache or perspiration", (0, 2)),
    Item("tablets", "Tablets against constipation", (0, 2)),
    Item("drops", "Drops against constipation", (0, 2)),
    Item("digital", "Digital stimulation or evacuation", (0, 6)),
    Item("incontinence", "Frequency of faecal incontinence", (0, 6, 7, 13)),
    Item("medication", "Medication against incontinence", (0, 4)),
    Item("flatus", "Flatus incontinence", (0, 2)),
    Item("perianal", "Perianal skin problems", (0, 3)),
)
BANDS = ((0, "very minor"), (7, "minor"), (10, "moderate"), (14, "severe"))

DEFINITION = Definition(
    name="bowel_basic2",
    version="2.0",
    title="International SCI Bowel Function Basic Data Set",
    items=ITEMS,
    subscales=(Subscale("nbd", "Neurogenic bowel dysfunction", tuple(item.code for item in ITEMS), 0, 47),),
    low=0,
    high=47,
    direction="down",
    sides=("",),
    missing="A missing item makes the score not determinable (ND); nothing is prorated.",
    licence="Free to use (ISCoS); codes and generic descriptors only.",
    sources=("Krogh 2006, Spinal Cord 44:625", "NINDS CDE, Neurogenic Bowel Dysfunction Score"),
    extras=(
        Item("unrelated_dysfunction", "Dysfunction unrelated to the injury", YES_NO),
        Item("surgery", "Surgery of the gastrointestinal tract", YES_NO),
        Item("method_main", "Main method of defecation", METHODS),
        Item("method_other", "Supplementary method of defecation", ("none", *METHODS)),
        Item("pad", "Need of pad or plug", HOW_OFTEN),
        Item("prokinetics", "Laxatives or prokinetics by mouth", YES_NO),
        Item("pain", "Abdominal pain or discomfort", HOW_OFTEN),
        Item("satisfaction", "General satisfaction with bowel function", tuple(range(11))),
    ),
    modes=("interview", "self-report"),
    notes=(
        "Ranges of the ten items and the bands 0-6, 7-9, 10-13, 14 and more [S]",
        "Points between the ends of frequency, time and incontinence are from memory [M]",
        "General satisfaction is asked and not part of the score [S]",
        "Answer lists of the other variables are from memory, but for the use of pads [M]",
    ),
    domain="spasticity, pain, autonomic",
    conditions={},
)


def _score(definition: Definition, values: Mapping[str, Any], options: Mapping[str, Any]) -> ScorerResult:
    result = score_sums(definition, values, options)
    total = result.subscores["nbd"]
    band = {} if total.value is None else {"severity": band_of(total.value, BANDS)}
    answers = {item.code: values[item.code] for item in definition.extras if values[item.code] is not None}
    return ScorerResult(result.subscores, result.total, classes={**band, **answers})


OUTCOME = Measure((DEFINITION,), _score)
