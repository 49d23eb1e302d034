"""How the motor score of the legs goes on without a device, and what a declared treatment adds.

The table holds aggregates of EMSCI (Bourguignon et al., published tables: mean and standard deviation of the lower
extremity motor score by first grade, tetraplegia or paraplegia, and weeks after the injury), the same that
``workbench.analysis.recovery`` prints behind a course; a test compares the two. A person stays at one place within
mean ± SD, from about the 16th to the 84th percentile; between two stages the ends of the band are joined straight,
before the first and after the last they are held. So a simulated person goes on; it is no claim about people.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from workbench.physiology._person import Person

Row = tuple[float, float, float, float]

LEGS: Mapping[str, tuple[Row, ...]] = {
    "A paraplegia": ((2, 0.0, 2.8, 11.5), (4, 0.0, 3.0, 11.8), (12, 0.0, 4.0, 14.3), (26, 0.0, 4.0, 14.1),
                     (52, 0.0, 5.3, 17.3)),
    "A tetraplegia": ((2, 0.0, 1.2, 6.5), (4, 0.0, 2.0, 9.1), (12, 0.0, 3.1, 12.3), (26, 0.0, 4.0, 14.8),
                      (52, 0.0, 4.2, 15.9)),
    "B paraplegia": ((2, 0.0, 7.1, 19.7), (4, 0.0, 9.4, 23.0), (12, 0.1, 13.9, 27.6), (26, 1.8, 16.5, 31.2),
                     (52, 5.8, 21.1, 36.5)),
    "B tetraplegia": ((2, 0.0, 0.0, 0.3), (4, 0.0, 2.8, 10.6), (12, 0.0, 9.1, 22.4), (26, 0.0, 13.2, 29.4),
                      (52, 0.0, 14.3, 31.6)),
    "C paraplegia": ((2, 3.6, 11.2, 18.8), (4, 5.5, 15.4, 25.4), (12, 12.6, 25.7, 38.7), (26, 14.1, 28.1, 42.1),
                     (52, 20.0, 32.7, 45.3)),
    "C tetraplegia": ((2, 2.5, 12.7, 22.9), (4, 4.0, 17.6, 31.1), (12, 13.4, 28.0, 42.7), (26, 16.8, 31.4, 46.0),
                      (52, 19.5, 34.0, 48.4)),
    "D paraplegia": ((2, 27.5, 37.1, 46.7), (4, 30.3, 38.7, 47.1), (12, 34.2, 42.1, 49.9), (26, 38.0, 44.3, 50.0),
                     (52, 40.1, 45.6, 50.0)),
    "D tetraplegia": ((2, 27.2, 38.4, 49.7), (4, 31.1, 40.8, 50.0), (12, 35.0, 43.4, 50.0), (26, 37.2, 45.2, 50.0),
                      (52, 41.0, 46.5, 50.0)),
}  # fmt: skip
"""First grade and plegia → weeks, mean - SD, mean and mean + SD at each stage, cut at the ends of the scale."""

MOST = 50.0
"""Greatest motor score of the legs."""


def untreated_score(person: Person, days: float) -> float:
    """Motor score of the legs without a device, 0–50.

    Parameters
    ----------
    person : whose place within the band is drawn once. days : after the injury.
    """
    rows = LEGS[f"{person.grade} {'tetraplegia' if person.tetraplegic else 'paraplegia'}"]
    place = float(np.clip(0.5 * person.chance(1, 1).standard_normal(), -1.0, 1.0))
    weeks = [row[0] for row in rows]
    low, mean, high = (float(np.interp(days / 7.0, weeks, [row[k] for row in rows])) for k in (1, 2, 3))
    return mean + place * (high - mean if place > 0 else mean - low)


def motor_score(person: Person, *, day: float, practised_h: float) -> float:
    """Motor score of the legs with the declared treatment on top of the untreated course, 0–50.

    Parameters
    ----------
    person : who states what the treatment adds. day : after the first visit. practised_h : hours of practice.
    """
    untreated = untreated_score(person, person.days_since_injury + day)
    added = person.treatment_points * -math.expm1(-practised_h / person.treatment_h)
    return min(max(untreated + added, 0.0), MOST)
