"""Grip force of each hand with a dynamometer, three trials.

References
----------
Mathiowetz V, Weber K, Volland G, Kashman N. Reliability and validity of grip and pinch strength evaluations.
J Hand Surg Am 1984;9(2):222–226.
"""

from __future__ import annotations

from workbench.outcomes._contract import Definition, Item
from workbench.outcomes._force import MISSING, OPTIONS, force_items, force_scales, score_forces
from workbench.outcomes._scoring import Measure

KINDS = {"grip": "grip"}
HIGH_N = 1000.0

OUTCOME = Measure(
    (
        Definition(
            name="grip",
            version="1984",
            title="Grip force",
            items=force_items(KINDS, high=HIGH_N),
            subscales=force_scales(KINDS, high=HIGH_N),
            low=None,
            high=None,
            direction="up",
            sides=("",),
            missing=MISSING,
            licence="Free to use.",
            sources=("Mathiowetz 1984, J Hand Surg Am 9:222–226",),
            extras=(Item("handle", "handle position", (1, 2, 3, 4, 5)),),
            options=OPTIONS,
            modes=("dynamometer",),
            notes=(
                "Scores are in N whatever the unit of entry: 1 kgf = 9.80665 N [S]",
                "Thresholds depend on device and protocol; compute the MDC from baseline repeats [S]",
            ),
            domain="upper limb",
            conditions={"handle": None},
        ),
    ),
    score_forces,
)
