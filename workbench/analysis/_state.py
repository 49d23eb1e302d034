"""What an assessment was made under, and which differences an endpoint has declared.

Numbers made under different help are not compared unless the endpoint says so beforehand: ``across`` maps a
field to ``(at baseline, afterwards)``, for example ``{"device_on": (False, True)}``. Such a difference is an
effect of the help, and is labelled so; it is never recovery.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.analysis._scores import name_of
from workbench.errors import BadValue, Refused
from workbench.vocabulary import Assessment, Condition

UNDER = ("assisted", "device_on", "stimulation_on", "orthosis", "mode")
"""Fields in which two assessments of one change must agree, or differ as declared."""
Across = Mapping[str, tuple[Any, Any]]
NEVER_ACROSS = ("measure", "version", "side")


def under(assessment: Assessment) -> dict[str, Any]:
    """Field of :data:`UNDER` → value."""
    condition = assessment.condition
    return {
        "assisted": condition.assisted,
        "device_on": condition.device_on,
        "stimulation_on": condition.stimulation_on,
        "orthosis": assessment.orthosis,
        "mode": assessment.mode,
    }


def condition_words(condition: Condition) -> str:
    """``unassisted, device off, stimulation off``."""
    return ", ".join(
        (
            "assisted" if condition.assisted else "unassisted",
            f"device {'on' if condition.device_on else 'off'}",
            f"stimulation {'on' if condition.stimulation_on else 'off'}",
        )
    )


def state_words(assessment: Assessment) -> str:
    """The condition, and orthosis and mode where there are any."""
    words = [condition_words(assessment.condition)]
    words += [f"orthosis {assessment.orthosis}"] if assessment.orthosis else []
    words += [f"mode {assessment.mode}"] if assessment.mode else []
    return ", ".join(words)


def check_across(across: Across) -> None:
    """Refuse fields that no endpoint can declare, and a declared difference that is none.

    Raises
    ------
    BadValue
        With the field and what is allowed.
    """
    for field, pair in across.items():
        if field not in UNDER:
            never = "; measure, version and side are never mixed in one change" if field in NEVER_ACROSS else ""
            raise BadValue(f"across takes {', '.join(UNDER)}; got {field!r}{never}")
        if not isinstance(pair, tuple) or len(pair) != 2 or pair[0] == pair[1]:
            raise BadValue(f"across[{field!r}] must be (at baseline, afterwards), two values; got {pair!r}")


def check_comparable(before: Assessment, after: Assessment, across: Across) -> None:
    """Refuse to compare what was not made under one state, or not under the declared two.

    Raises
    ------
    BadValue
        The two are not of one measure, version and side, or ``across`` is not sound.
    Refused
        They differ in a field of :data:`UNDER` as the endpoint did not declare.
    """
    check_across(across)
    for name in NEVER_ACROSS:
        first, second = getattr(before, name), getattr(after, name)
        if first != second:
            raise BadValue(f"a change needs one {name}, got {first!r} and {second!r}")
    old, new = under(before), under(after)
    for field in UNDER:
        declared = across.get(field)
        if (old[field], new[field]) != (declared or (old[field], old[field])):
            wanted = f"declared {declared[0]!r} → {declared[1]!r}" if declared else "not declared"
            raise Refused(
                f"no change of {name_of(before)} is computed from ({state_words(before)}) to "
                f"({state_words(after)}): {field} {old[field]!r} → {new[field]!r} is {wanted}, and would count "
                "help as recovery. Compare assessments made under one condition, or let the endpoint declare the "
                "difference with across="
            )


def effect_words(across: Across) -> str:
    """What a declared difference is the effect of; ``""`` for a change under one state."""
    if {"assisted", "device_on", "orthosis"} & set(across):
        return "orthotic effect, not recovery"
    if "stimulation_on" in across:
        return "effect of stimulation being on, not recovery"
    return "difference between modes of administration, not recovery" if across else ""
