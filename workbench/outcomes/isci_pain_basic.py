"""International SCI Pain Basic Data Set 2.0: up to three worst pains, and interference as the mean of three.

References
----------
Widerström-Noga E, et al. The International Spinal Cord Injury Pain Basic Data Set (version 2.0). Spinal Cord
2014;52(4):282–286. doi:10.1038/sc.2014.4
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.messages import Message
from workbench.outcomes._contract import INVALID, STRUCTURAL, Definition, Item, ScorerResult, Status, Subscale
from workbench.outcomes._questionnaires import mean_answered
from workbench.outcomes._scoring import Measure, make_subscore, numeric_values

SOURCE = "Widerström-Noga 2014, doi:10.1038/sc.2014.4"
ELEVEN = tuple(range(11))
PAINS = (1, 2, 3)
TYPES = (
    "nociceptive_musculoskeletal",
    "nociceptive_visceral",
    "nociceptive_other",
    "neuropathic_at_level",
    "neuropathic_below_level",
    "neuropathic_other",
    "other",
    "unknown",
)
REGIONS = (
    "head",
    "neck_shoulders",
    "arms_hands",
    "front_genitals",
    "back",
    "buttocks_hips",
    "thighs",
    "legs_feet",
)
SIDES = ("no", "right", "left", "both", "midline")


def _extras() -> tuple[Item, ...]:
    items = [Item("pains", "Number of pains; 5 = more", (0, 1, 2, 3, 4, 5))]
    for n in PAINS:
        items.append(Item(f"type_{n}", f"Type of pain {n}", TYPES))
        items.append(Item(f"onset_{n}", f"Time since onset, pain {n}", low=0, high=40_000, unit="days"))
        items += [
            Item(f"site_{n}_{region}", f"Pain {n}: {region.replace('_', ', ')}", SIDES) for region in REGIONS
        ]
    return tuple(items)


DEFINITION = Definition(
    name="isci_pain_basic",
    version="2.0",
    title="International SCI Pain Basic Data Set",
    items=(
        Item("interference_activity", "Interference with activities", ELEVEN),
        Item("interference_mood", "Interference with mood", ELEVEN),
        Item("interference_sleep", "Interference with sleep", ELEVEN),
        *(Item(f"intensity_{n}", f"Average intensity of pain {n}", ELEVEN) for n in PAINS),
    ),
    subscales=(
        Subscale(
            "interference",
            "Interference",
            ("interference_activity", "interference_mood", "interference_sleep"),
            0,
            10,
        ),
        *(Subscale(f"intensity_{n}", f"Intensity, pain {n}", (f"intensity_{n}",), 0, 10) for n in PAINS),
    ),
    low=None,
    high=None,
    direction="down",
    sides=("",),
    missing=(
        "Interference needs all three answers. A pain that does not exist (pains) is missing by structure, "
        "otherwise a missing intensity is ND."
    ),
    licence="Free to use (ISCoS); codes and generic descriptors only.",
    sources=(SOURCE,),
    extras=_extras(),
    modes=("interview", "self-report"),
    notes=(
        "Pain 1 is the worst; the same pain keeps its number over visits [M]",
        "Interference and intensity are 0-10 each [S]",
        "Percent change has no value when the baseline is 0 [T]",
        "Lists of pain types and body regions are from memory [M]",
    ),
    domain="spasticity, pain, autonomic",
    conditions={},
)


def _score(definition: Definition, values: Mapping[str, Any], options: Mapping[str, Any]) -> ScorerResult:
    number, warnings, subscores = values["pains"], [], {}
    for index, scale in enumerate(definition.subscales):
        # Interference, the first scale, needs one pain; the intensity of pain n needs n of them.
        needed = max(index, 1)
        absent = number is not None and number < needed
        intensities = numeric_values(scale.items, values)
        status: Status | None = (INVALID if intensities else STRUCTURAL) if absent else None
        value = None if absent else mean_answered(scale.items, values, least=len(scale.items))
        rule = "mean of three answers" if index == 0 else "as answered"
        if absent:
            rule = f"never asked: {number} pains"
        if absent and intensities:
            warnings.append(Message("outcome.pains", scale=scale.label, n=str(number)))
        subscores[scale.code] = make_subscore(scale, values, value, rule=rule, source=SOURCE, status=status)
    return ScorerResult(subscores, warnings=tuple(warnings))


OUTCOME = Measure((DEFINITION,), _score)
