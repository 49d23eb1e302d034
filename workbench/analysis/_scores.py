"""Reading stored scores: a number where there is one, and a sentence where there is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

from workbench import outcomes
from workbench.errors import BadValue, Refused
from workbench.vocabulary import Assessment

DRAFT = "draft"


class Undetermined(Refused):
    """A score that is no one number: not determinable, or censored at a cap. What it can be is still bounded."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One part of a stored score. ``value`` is None unless the status is ``"ok"`` or ``"censored"``."""

    part: str
    value: float | None
    status: str
    n_items: int
    n_valid: int
    low: float | None
    high: float | None


def name_of(assessment: Assessment) -> str:
    """``ARAT right``."""
    return f"{assessment.measure.upper()} {assessment.side}".strip()


def parts_of(score: Mapping[str, Any]) -> tuple[str, ...]:
    """``total``, where the score has one, and the codes of its subscores."""
    total = ("total",) if isinstance(score.get("total"), Mapping) else ()
    return (*total, *(code for code in score.get("subscores") or {} if code != "total"))


def reading(assessment: Assessment, part: str = "total") -> Reading:
    """One part of what a measure scored: ``"total"`` or the code of a subscore.

    Raises
    ------
    BadValue
        The stored score has no such part; the text lists those it has.
    """
    score = assessment.score
    found = score.get("total") if part == "total" else (score.get("subscores") or {}).get(part)
    if not isinstance(found, Mapping) or "value" not in found or "status" not in found:
        have = ", ".join(parts_of(score)) or "none"
        where = assessment.id or "(not stored)"
        raise BadValue(f"{name_of(assessment)} has no score {part!r} in assessment {where}; it has {have}")
    value = found["value"]
    number = isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
    return Reading(
        part=part,
        value=float(value) if number else None,
        status=str(found["status"]),
        n_items=int(found.get("n_items", 0)),
        n_valid=int(found.get("n_valid", 0)),
        low=found.get("low"),
        high=found.get("high"),
    )


def number_of(assessment: Assessment, part: str = "total") -> float:
    """The number of one part, for arithmetic.

    Raises
    ------
    Undetermined
        A score that is not determinable or censored.
    Refused
        A draft, or a score that is structurally missing or invalid.
    BadValue
        No such part.
    """
    which = f"{name_of(assessment)} {part} of assessment {assessment.id or '(not stored)'}"
    if assessment.state == DRAFT:
        raise Refused(f"{which} is still a draft; complete it before it enters a result")
    found = reading(assessment, part)
    if found.status == outcomes.CENSORED:
        value = "" if found.value is None else f" at {found.value:g}"
        raise Undetermined(f"{which} is censored{value}, not a measured value; use an analysis of censored values")
    if found.status != outcomes.OK or found.value is None:
        words = {
            outcomes.ND: f"not determinable ({found.n_valid} of {found.n_items} items)",
            outcomes.STRUCTURAL: "not asked by design",
            outcomes.INVALID: "invalid",
        }.get(found.status, f"of status {found.status!r} without a value")
        kind = Undetermined if found.status == outcomes.ND else Refused
        raise kind(f"{which} is {words}; a missing score is never 0")
    return found.value


def unit_of(measure: str, version: str, part: str = "total") -> str:
    """Unit of one part of a measure, ``""`` for points and for parts that are no subscore.

    Parameters
    ----------
    measure, version : of the definition.
    part : total, subscore or class.

    Raises
    ------
    UnknownName, BadValue
        No such measure, or no such version.
    """
    scales = definition_of(measure, version).subscales
    return next((scale.unit for scale in scales if scale.code == part), "")


def definition_of(measure: str, version: str) -> outcomes.Definition:
    """The definition of a measure in one version. Raises UnknownName or BadValue for what there is not."""
    definition = next((one for one in outcomes.load(measure).definitions if one.version == version), None)
    if definition is None:
        have = ", ".join(repr(one.version) for one in outcomes.load(measure).definitions)
        raise BadValue(f"{measure} has version {have}, got {version!r}")
    return definition


def direction_of(measure: str, version: str, part: str = "total") -> str:
    """Direction of better, ``"up"`` or ``"down"``, of one part of a measure.

    Parameters
    ----------
    measure, version : of the definition.
    part : total, subscore or class.

    Raises
    ------
    UnknownName
        No such measure.
    BadValue
        No such version, or no such part.
    """
    definition = definition_of(measure, version)
    if part == "total" and definition.low is not None:
        return definition.direction
    for subscale in definition.subscales:
        if subscale.code == part:
            return subscale.direction or definition.direction
    codes = ", ".join(subscale.code for subscale in definition.subscales)
    raise BadValue(f"{measure} {version} has no score {part!r}; it has {codes}")
