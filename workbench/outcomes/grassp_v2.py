"""GRASSP version 2: version 1 shortened after a Rasch analysis; four subtests for each upper limb, no total.

References
----------
Kalsi-Ryan S, Albisser U, Fehlings M, Curt A, Verrier M, Fellinghauer C, Velstra I. GRASSP Version 2: a
comprehensive SCI upper limb outcome measure. ASIA annual scientific meeting 2018, abstract 163.
"""

from __future__ import annotations

from workbench.outcomes._contract import Definition
from workbench.outcomes._scoring import Measure, score_sums
from workbench.outcomes.grassp_v1 import LICENCE, MISSING, subtest_items, subtest_scales

_ITEMS = subtest_items(dorsal=False, tasks=4)
OUTCOME = Measure(
    (
        Definition(
            name="grassp_v2",
            version="2",
            title="Graded Redefined Assessment of Strength, Sensibility and Prehension, version 2",
            items=_ITEMS,
            subscales=subtest_scales(_ITEMS),
            low=None,
            high=None,
            direction="up",
            sides=("",),
            missing=MISSING,
            licence=LICENCE,
            sources=("Kalsi-Ryan 2018, ASIA meeting, abstract 163",),
            modes=("observed",),
            notes=(
                "Version 2 is version 1 refined and abbreviated by Rasch analysis [S]",
                "Palmar sensation only, four performance tasks, maxima 50, 12, 12 and 20 a side: from memory, "
                "check the manual of version 2 [M]",
                "Thresholds of version 1 do not transfer to version 2 [S]",
                "Versions 1 and 2 are never pooled without a declared mapping [S]",
            ),
            domain="upper limb",
            conditions={},
        ),
    ),
    score_sums,
)
