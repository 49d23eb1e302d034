"""Pain numeric rating scale 0–10. The window is the subscore, so a change never mixes two windows.

References
----------
Hanley MA, et al. Clinically significant change in pain intensity ratings in persons with spinal cord injury
or amputation. Clin J Pain 2006;22(1):25–31.
"""

from __future__ import annotations

from workbench.outcomes._contract import Definition, Item, Subscale
from workbench.outcomes._scoring import Measure, score_sums

WINDOWS = (
    ("now", "Pain now"),
    ("average_7d", "Average pain, last 7 days"),
    ("worst_7d", "Worst pain, last 7 days"),
)

DEFINITION = Definition(
    name="pain_nrs",
    version="11-point",
    title="Pain numeric rating scale",
    items=tuple(Item(code, label, tuple(range(11))) for code, label in WINDOWS),
    subscales=tuple(Subscale(code, label, (code,), 0, 10) for code, label in WINDOWS),
    low=None,
    high=None,
    direction="down",
    sides=("",),
    missing="A window that was not asked is ND; one window never stands in for another.",
    licence="Free to use.",
    sources=("Hanley 2006, Clin J Pain 22:25",),
    modes=("self-report", "interview"),
    notes=(
        "The protocol names the window that is the endpoint [S]",
        "Percent change has no value when the baseline is 0 [T]",
    ),
    domain="spasticity, pain, autonomic",
    conditions={},
)

OUTCOME = Measure((DEFINITION,), score_sums)
