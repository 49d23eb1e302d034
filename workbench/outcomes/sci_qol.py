"""SCI-QOL: 22 banks, T score from the developer's table for a complete short form, or from the adaptive test.

A bank is a version. The number of items of its short form follows from the table; a definition has as many places
as the longest form.

References
----------
Tulsky DS, et al. The Spinal Cord Injury – Quality of Life (SCI-QOL) measurement system: development,
psychometrics, and item bank calibration. J Spinal Cord Med 2015;38(3):257–269. doi:10.1179/2045772315Y.0000000035
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.outcomes._contract import Definition, Direction, ScorerResult
from workbench.outcomes._scoring import Measure
from workbench.outcomes._t_scores import t_definition, t_scored

SOURCE = "Tulsky 2015, doi:10.1179/2045772315Y.0000000035"
PLACES = 12
BANKS: dict[Direction, tuple[str, ...]] = {
    "down": (
        "bladder-management",
        "bladder-complications",
        "bowel-management",
        "pressure-ulcers",
        "pain-interference",
        "pain-behaviour",
        "depression",
        "anxiety",
        "grief",
        "stigma",
        "trauma",
    ),
    "up": (
        "positive-affect",
        "resilience",
        "self-esteem",
        "independence",
        "participation-ability",
        "participation-satisfaction",
        "basic-mobility",
        "self-care",
        "fine-motor",
        "ambulation",
        "wheelchair-mobility",
    ),
}
"""Direction of better → banks."""


def _define(bank: str, direction: Direction) -> Definition:
    return t_definition(
        "sci_qol",
        bank,
        title=f"SCI-QOL, {bank.replace('-', ' ')}",
        n_items=PLACES,
        direction=direction,
        licence="Permission of the developers is needed; codes and scores only, the user supplies the table.",
        source=SOURCE,
        notes=(
            "T 50 and deviation 10; some banks are on the metric of PROMIS or Neuro-QoL [S]",
            "The table is valid for a complete short form only [S]",
            "The list of 22 banks was put together from several papers; directions are from memory [M]",
        ),
    )


def _score(definition: Definition, values: Mapping[str, Any], options: Mapping[str, Any]) -> ScorerResult:
    return t_scored(definition, values, options, fixed=False)


OUTCOME = Measure(tuple(_define(bank, way) for way, banks in BANKS.items() for bank in banks), _score)
