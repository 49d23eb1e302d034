"""RAND 36-Item Health Survey 1.0: eight scales 0–100 and the change item, higher is better, no total.

Each answer is recoded to 0–100 by RAND's published key, so that a high number is the better health, pain
included; a scale is the mean of its answered items.

References
----------
Hays RD, Sherbourne CD, Mazel RM. The RAND 36-Item Health Survey 1.0. Health Econ 1993;2(3):217–227. RAND.
36-Item Short Form Survey scoring instructions (tables 1 and 2).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.outcomes._contract import Definition, Item, ScorerResult, Subscale
from workbench.outcomes._questionnaires import mean_answered
from workbench.outcomes._scoring import Measure, make_subscore

SOURCE = "RAND, 36-Item Short Form Survey scoring instructions, tables 1 and 2"
KEY: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...] = (
    ((1, 2, 20, 22, 34, 36), (100, 75, 50, 25, 0)),
    ((3, 4, 5, 6, 7, 8, 9, 10, 11, 12), (0, 50, 100)),
    ((13, 14, 15, 16, 17, 18, 19), (0, 100)),
    ((21, 23, 26, 27, 30), (100, 80, 60, 40, 20, 0)),
    ((24, 25, 28, 29, 31), (0, 20, 40, 60, 80, 100)),
    ((32, 33, 35), (0, 25, 50, 75, 100)),
)
"""Items, and what the answers 1, 2, 3, … become: RAND's table 1."""
POINTS = {number: points for numbers, points in KEY for number in numbers}
SCALES: dict[str, tuple[str, tuple[int, ...]]] = {
    "physical_functioning": ("Physical functioning", (3, 4, 5, 6, 7, 8, 9, 10, 11, 12)),
    "role_physical": ("Role limits, physical", (13, 14, 15, 16)),
    "role_emotional": ("Role limits, emotional", (17, 18, 19)),
    "energy": ("Energy and fatigue", (23, 27, 29, 31)),
    "wellbeing": ("Emotional well-being", (24, 25, 26, 28, 30)),
    "social": ("Social functioning", (20, 32)),
    "pain": ("Pain", (21, 22)),
    "general_health": ("General health", (1, 33, 34, 35, 36)),
    "health_change": ("Change in health", (2,)),
}
"""RAND's table 2, and the single item on change."""
LABELS = (
    "Health in general",
    "Health, against a year ago",
    "Hard activities",
    "Moderate activities",
    "Carrying",
    "Several flights of stairs",
    "One flight of stairs",
    "Bending",
    "Walking far",
    "Walking several blocks",
    "Walking one block",
    "Washing and dressing",
    "Physical: less time for work",
    "Physical: achieved less",
    "Physical: limited in kind",
    "Physical: difficulty",
    "Emotional: less time for work",
    "Emotional: achieved less",
    "Emotional: less care",
    "Social activities, extent",
    "Pain, amount",
    "Pain, hindrance",
    "Liveliness",
    "Nervousness",
    "Very low mood",
    "Calm",
    "Energy",
    "Sadness",
    "Exhaustion",
    "Happiness",
    "Tiredness",
    "Social activities, time",
    "Ill more easily than others",
    "As healthy as others",
    "Expects worse health",
    "Health is excellent",
)

DEFINITION = Definition(
    name="rand36",
    version="1.0",
    title="RAND 36-Item Health Survey",
    items=tuple(
        Item(f"q{number}", text, tuple(range(1, len(POINTS[number]) + 1)))
        for number, text in enumerate(LABELS, start=1)
    ),
    subscales=tuple(
        Subscale(code, text, tuple(f"q{n}" for n in numbers), 0, 100, least=1)
        for code, (text, numbers) in SCALES.items()
    ),
    low=None,
    high=None,
    direction="up",
    sides=("",),
    missing="A scale is the mean of its answered items; without any it is ND. n_valid tells how many there were.",
    licence="Free to use; codes and own descriptors only.",
    sources=(SOURCE, "Hays 1993, Health Econ 2:217"),
    modes=("self-report", "interview"),
    notes=(
        "Pain and general health are recoded differently from the SF-36; the two are never mixed [S]",
        "RAND's key averages every item that was answered, so one is enough; n_valid says how many there were [S]",
        "Items on walking and stairs are problematic for people who use a wheelchair [M]",
    ),
    domain="quality of life, mood, goals, device",
    conditions={},
)


def _score(definition: Definition, values: Mapping[str, Any], options: Mapping[str, Any]) -> ScorerResult:
    points = {code: None if value is None else POINTS[int(code[1:])][value - 1] for code, value in values.items()}
    rule = "mean of the answered items, recoded to 0-100 by RAND's key"
    subscores = {
        scale.code: make_subscore(
            scale, points, mean_answered(scale.items, points, least=scale.min_answered), rule=rule, source=SOURCE
        )
        for scale in definition.subscales
    }
    return ScorerResult(subscores)


OUTCOME = Measure((DEFINITION,), _score)
