"""The state under which an assessment was made, and the differences that an endpoint has declared.

Scores obtained with different help are not compared unless the endpoint was defined so: ``across`` maps a
field to ``(at baseline, afterwards)``, for example ``{"device_on": (False, True)}``. Such a difference is an
effect of the help, and is labelled so; it is never recovery.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench import outcomes
from workbench.analysis._scores import definition_of, name_of
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
    parts = [condition_words(assessment.condition)]
    parts += [f"orthosis {assessment.orthosis}"] if assessment.orthosis else []
    parts += [f"mode {assessment.mode}"] if assessment.mode else []
    return ", ".join(parts)


def check_across(across: Across) -> None:
    """Refuse fields that no endpoint can declare, and declared values that do not differ.

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
    """Refuse to compare assessments not made under one state, or not under the declared two.

    Parameters
    ----------
    before, after : the two assessments.
    across : field of the state → ``(at baseline, afterwards)``, where a difference is declared.

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
            status = f"declared {declared[0]!r} → {declared[1]!r}" if declared else "not declared"
            raise Refused(
                f"no change of {name_of(before)} is computed from ({state_words(before)}) to "
                f"({state_words(after)}): {field} {old[field]!r} → {new[field]!r} is {status}, and would count "
                "help as recovery. Compare assessments made under one condition, or let the endpoint declare the "
                "difference with across="
            )


def check_options(before: Assessment, after: Assessment, part: str) -> None:
    """Refuse a change across other options or test conditions than those of the first assessment.

    What has to agree is declared by the measure: options that enter the score, and the conditions of the test.
    A condition is compared where both assessments measured something: a person unable to walk used no track.

    Parameters
    ----------
    before, after : of one measure and version.
    part : ``"total"`` or the code of a subscore.

    Raises
    ------
    Refused
        With the option or condition and both values.
    """
    definition = definition_of(after.measure, after.version)
    for option in definition.options:
        if option.agree and (not option.parts or part in option.parts):
            pair = tuple(_plain(record.options.get(option.name, option.default)) for record in (before, after))
            if None not in pair:  # without a default and not given, it entered no score
                _refuse_difference(before, after, part, f"option {option.name}", pair)
    if _measured(before, definition, part) and _measured(after, definition, part):
        for code, empty in definition.conditions.items():
            pair = tuple(
                empty if record.items.get(code) is None else record.items[code] for record in (before, after)
            )
            _refuse_difference(before, after, part, f"condition {code}", pair)


def condition_notes(before: Assessment, after: Assessment, part: str) -> tuple[str, ...]:
    """Notes for the reader of a change: conditions that neither records, and aids that differed.

    Parameters
    ----------
    before, after : the two assessments.
    part : total or subscore.
    """
    definition = definition_of(after.measure, after.version)
    if not (_measured(before, definition, part) and _measured(after, definition, part)):
        return ()
    unknown = [
        code
        for code, empty in definition.conditions.items()
        if empty is None and before.items.get(code) is None is after.items.get(code)
    ]
    notes = [f"{code} is recorded in neither assessment" for code in unknown]
    for code in definition.noted:
        old, new = before.items.get(code), after.items.get(code)
        if old != new:
            notes.append(f"{code} {_shown(old)} → {_shown(new)}")
    return tuple(notes)


def _refuse_difference(before: Assessment, after: Assessment, part: str, what: str, pair: tuple[Any, ...]) -> None:
    old, new = pair
    if old != new:
        raise Refused(
            f"no change of {name_of(after)} {part} is computed from assessment {before.id or '(not stored)'} to "
            f"{after.id or '(not stored)'}: {what} is {_shown(old)}, then {_shown(new)}. Compare assessments with "
            "the same one"
        )


def _measured(assessment: Assessment, definition: outcomes.Definition, part: str) -> bool:
    """Whether some item of the part has a number; a part that is not a subscore has no items of its own."""
    items = next((scale.items for scale in definition.subscales if scale.code == part), None)
    codes = items if items is not None else tuple(item.code for item in definition.items)
    return any(isinstance(assessment.items.get(code), int | float) for code in codes)


def _plain(value: Any) -> Any:
    """A value of an option as the record stores it: lists for tuples, label and hash for a table."""
    if hasattr(value, "to_json"):
        value = value.to_json()
    return list(value) if isinstance(value, tuple) else value


def _shown(value: Any) -> str:
    if isinstance(value, Mapping) and "label" in value:
        return f"table {value['label']} ({str(value.get('sha256', ''))[:12]})"
    return "not recorded" if value is None else str(value)


def effect_words(across: Across) -> str:
    """The effect of a declared difference; ``""`` for a change under one state."""
    # Help from a device comes first: with it on, nothing that differs beside it can be called recovery.
    if {"assisted", "device_on", "orthosis"} & set(across):
        return "orthotic effect, not recovery"
    if "stimulation_on" in across:
        return "effect of stimulation being on, not recovery"
    return "difference between modes of administration, not recovery" if across else ""
