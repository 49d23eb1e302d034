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
    """A score that is not a single number: not determinable, or censored at a cap. Its range is still bounded."""


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
    stored = score.get("total") if part == "total" else (score.get("subscores") or {}).get(part)
    if not isinstance(stored, Mapping) or "value" not in stored or "status" not in stored:
        have = ", ".join(parts_of(score)) or "none"
        source = assessment.id or "(not stored)"
        raise BadValue(f"{name_of(assessment)} has no score {part!r} in assessment {source}; it has {have}")
    value = stored["value"]
    # A bool is an int in Python, and a stored nan or infinity is not a score.
    number = isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
    return Reading(
        part=part,
        value=float(value) if number else None,
        status=str(stored["status"]),
        n_items=int(stored.get("n_items", 0)),
        n_valid=int(stored.get("n_valid", 0)),
        low=stored.get("low"),
        high=stored.get("high"),
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
    subject = f"{name_of(assessment)} {part} of assessment {assessment.id or '(not stored)'}"
    if assessment.state == DRAFT:
        raise Refused(f"{subject} is still a draft; complete it before it enters a result")
    stored = reading(assessment, part)
    # A time that reached the cap is "at least the cap"; taken as a number it would bias every mean.
    if stored.status == outcomes.CENSORED:
        value = "" if stored.value is None else f" at {stored.value:g}"
        raise Undetermined(
            f"{subject} is censored{value}, not a measured value; use an analysis of censored values"
        )
    if stored.status != outcomes.OK or stored.value is None:
        problem = {
            outcomes.ND: f"not determinable ({stored.n_valid} of {stored.n_items} items)",
            outcomes.STRUCTURAL: "not asked by design",
            outcomes.INVALID: "invalid",
        }.get(stored.status, f"of status {stored.status!r} without a value")
        kind = Undetermined if stored.status == outcomes.ND else Refused
        raise kind(f"{subject} is {problem}; a missing score is never 0")
    return stored.value


def unit_of(measure: str, version: str, part: str = "total") -> str:
    """Unit of one part of a measure, ``""`` for points and for parts that are not subscores.

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
    """The definition of a measure in one version. Raises UnknownName or BadValue where there is none."""
    definition = next((entry for entry in outcomes.load(measure).definitions if entry.version == version), None)
    if definition is None:
        have = ", ".join(repr(entry.version) for entry in outcomes.load(measure).definitions)
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
