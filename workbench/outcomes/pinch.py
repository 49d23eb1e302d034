"""Pinch force of each hand: key, tip and palmar pinch, three trials each; the kinds are never mixed.

References
----------
Mathiowetz V, Weber K, Volland G, Kashman N. Reliability and validity of grip and pinch strength evaluations.
J Hand Surg Am 1984;9(2):222–226.
"""

from __future__ import annotations

from workbench.outcomes._contract import Definition
from workbench.outcomes._force import MISSING, OPTIONS, force_items, force_scales, score_forces
from workbench.outcomes._scoring import Measure

KINDS = {"key": "key pinch", "tip": "tip pinch", "palmar": "palmar pinch"}
HIGH_N = 400.0

OUTCOME = Measure(
    (
        Definition(
            name="pinch",
            version="1984",
            title="Pinch force",
            items=force_items(KINDS, high=HIGH_N),
            subscales=force_scales(KINDS, high=HIGH_N),
            low=None,
            high=None,
            direction="up",
            sides=("",),
            missing=MISSING,
            licence="Free to use.",
            sources=("Mathiowetz 1984, J Hand Surg Am 9:222–226",),
            options=OPTIONS,
            modes=("dynamometer",),
            notes=(
                "Scores are in N whatever the unit of entry: 1 kgf = 9.80665 N [S]",
                "Thresholds depend on device and protocol; compute the MDC from baseline repeats [S]",
            ),
            domain="upper limb",
            conditions={},
        ),
    ),
    score_forces,
)
