"""Penn Spasm Frequency Scale, modified: frequency 0–4, and severity 1–3 asked only when there are spasms.

Two variables that are never summed. When the frequency is 0 the severity was never asked, so it is missing
by structure and not by omission.

References
----------
Penn RD, et al. Intrathecal baclofen for severe spinal spasticity. N Engl J Med 1989;320(23):1517–1521.
Priebe MM, et al. Clinical assessment of spasticity in spinal cord injury: a multidimensional problem. Arch
Phys Med Rehabil 1996;77(7):713–716.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.messages import Message
from workbench.outcomes._contract import INVALID, STRUCTURAL, Definition, Item, ScorerResult, Status, Subscale
from workbench.outcomes._scoring import Measure, make_subscore

SOURCE = "Priebe 1996, Arch Phys Med Rehabil 77:713"

DEFINITION = Definition(
    name="psfs",
    version="1996",
    title="Penn Spasm Frequency Scale, modified",
    items=(
        Item("frequency", "Frequency of spasms", (0, 1, 2, 3, 4)),
        Item("severity", "Severity of spasms", (1, 2, 3)),
    ),
    subscales=(
        Subscale("frequency", "Frequency", ("frequency",), 0, 4),
        Subscale("severity", "Severity", ("severity",), 1, 3),
    ),
    low=None,
    high=None,
    direction="down",
    sides=("",),
    missing="Severity is missing by structure when the frequency is 0; otherwise a missing answer is ND.",
    licence="Free to use; codes and generic descriptors only.",
    sources=(SOURCE, "Penn 1989, N Engl J Med 320:1517"),
    modes=("self-report", "interview"),
    notes=(
        "Two variables, not summed [S]",
        "No minimal detectable or important change is established in spinal cord injury [S]",
        "No time frame is standardised: the protocol names it [S]",
    ),
    domain="spasticity, pain, autonomic",
    conditions={},
)


def _score(definition: Definition, values: Mapping[str, Any], options: Mapping[str, Any]) -> ScorerResult:
    frequency, severity = definition.subscales
    how_often, how_bad = values["frequency"], values["severity"]
    status: Status | None = None
    rule, warnings = "as answered, asked only when there are spasms", []
    if how_often == 0:
        status, rule = STRUCTURAL, "never asked: the frequency is 0"
        # Which of the two answers is wrong cannot be known, so neither a value nor a correction is made.
        if how_bad is not None:
            status, rule = INVALID, "contradicts a frequency of 0"
            warnings.append(Message("outcome.psfs_severity", value=str(how_bad)))
    subscores = {
        "frequency": make_subscore(frequency, values, how_often, rule="as answered", source=SOURCE),
        "severity": make_subscore(
            severity, values, None if status else how_bad, rule=rule, source=SOURCE, status=status
        ),
    }
    return ScorerResult(subscores, warnings=tuple(warnings))


OUTCOME = Measure((DEFINITION,), _score)
