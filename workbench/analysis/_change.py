"""Change of an outcome measure between two assessments, refused across different device conditions."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

from workbench.errors import BadValue, Refused
from workbench.vocabulary import Assessment, Condition


@dataclass(frozen=True, slots=True)
class Change:
    """``after`` minus ``before`` of one part of a score, both under the same condition."""

    measure: str
    part: str
    before: float
    after: float
    value: float
    condition: Condition

    def line(self) -> str:
        """One sentence with both scores and the condition."""
        return (
            f"{self.measure.upper()} {self.part} {self.before:g} → {self.after:g}, change {self.value:+g} "
            f"({condition_words(self.condition)})"
        )


def condition_words(condition: Condition) -> str:
    """``unassisted, device off, stimulation off``."""
    return ", ".join(
        (
            "assisted" if condition.assisted else "unassisted",
            f"device {'on' if condition.device_on else 'off'}",
            f"stimulation {'on' if condition.stimulation_on else 'off'}",
        )
    )


def change(before: Assessment, after: Assessment, *, part: str = "total") -> Change:
    """Change of one part of a score.

    Raises
    ------
    Refused
        When the two were made under different conditions: what a device does is not recovery.
    BadValue
        When they are not of one measure, version and side, or a score is missing.
    """
    for name in ("measure", "version", "side"):
        first, second = getattr(before, name), getattr(after, name)
        if first != second:
            raise BadValue(f"a change needs one {name}, got {first!r} and {second!r}")
    if before.condition != after.condition:
        raise Refused(
            f"no change of {before.measure.upper()} is computed from ({condition_words(before.condition)}) to "
            f"({condition_words(after.condition)}): it would count help as recovery. Compare assessments made "
            "under one condition"
        )
    first, second = _value(before, part), _value(after, part)
    return Change(before.measure, part, first, second, second - first, before.condition)


def _value(assessment: Assessment, part: str) -> float:
    value = assessment.score.get(part)
    if not isinstance(value, int | float) or isinstance(value, bool) or not isfinite(value):
        parts = ", ".join(sorted(assessment.score)) or "none"
        raise BadValue(
            f"{assessment.measure.upper()} has no number for {part!r}, got {value!r}; its score has {parts}"
        )
    return float(value)
