"""Maximal forces of both hands in three trials: shared by grip and pinch."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean
from typing import Any

from workbench.errors import BadValue
from workbench.messages import Message
from workbench.outcomes._contract import Definition, Item, Option, ScorerResult, Subscale
from workbench.outcomes._scoring import make_subscore, numeric_values
from workbench.outcomes._sides import SIDES, both_sides
from workbench.outcomes._unable import UNABLE, zero_when_unable

N_PER_KGF = 9.80665
"""Newtons of a kilogram-force (exact by definition: BIPM, 3rd CGPM 1901)."""

TRIALS = (1, 2, 3)
OPTIONS = (
    Option("unit", "unit of the entered forces", allowed=("N", "kg"), agree=False, required=True),
    Option("statistic", "of the valid trials", default="mean", allowed=("mean", "max"), agree=True),
)
MISSING = (
    "The valid trials count, at least one of three; fewer than three are flagged; none is not determinable (ND). "
    "No force possible is 0, never missing."
)


def force_items(kinds: Mapping[str, str], *, high: float) -> tuple[Item, ...]:
    """Three trials per side and kind.

    Parameters
    ----------
    kinds : code → label of each kind of force.
    high : greatest force, N. The unit of entry is the option ``unit``, which has no default.
    """
    parts = {f"{code}_{n}": f"{label}, trial {n}" for code, label in kinds.items() for n in TRIALS}
    return both_sides(parts, codes=(UNABLE,), high=high, unit="N or kg")


def force_scales(kinds: Mapping[str, str], *, high: float) -> tuple[Subscale, ...]:
    """One force per side and kind, N."""
    return tuple(
        Subscale(
            f"{side}_{code}",
            f"{side.capitalize()} {label}",
            tuple(f"{side}_{code}_{n}" for n in TRIALS),
            0,
            high,
            "N",
            least=1,
        )
        for side in SIDES
        for code, label in kinds.items()
    )


def score_forces(definition: Definition, values: Mapping[str, Any], options: Mapping[str, Any]) -> ScorerResult:
    """Mean or maximum of the valid trials, N.

    Parameters
    ----------
    definition : of the measure.
    values : trials in the unit of entry, ``"unable"`` or None, by item code.
    options : ``unit`` of entry and ``statistic``.

    Raises
    ------
    BadValue
        Forces beyond the range, usually because the unit is wrong.
    """
    factor = N_PER_KGF if options["unit"] == "kg" else 1.0
    entered = "entered in kg, 1 kgf = 9.80665 N" if options["unit"] == "kg" else "entered in N"
    counted = zero_when_unable(values, values)
    pick, warnings, scores = (max if options["statistic"] == "max" else fmean), [], {}
    for scale in definition.subscales:
        forces = [force * factor for force in numeric_values(scale.items, counted)]
        # Usually newtons entered as kilograms: a factor of ten that a mean would not reveal.
        if any(force > scale.high for force in forces):
            most, value = f"{scale.high / factor:g}", f"{max(forces) / factor:g}"
            raise BadValue(
                Message(
                    "outcome.force_too_high",
                    measure=definition.name,
                    scale=scale.code,
                    most=most,
                    unit=str(options["unit"]),
                    value=value,
                )
            )
        if 0 < len(forces) < len(TRIALS):
            warnings.append(Message("outcome.trials_valid", scale=scale.label, n=len(forces), all=len(TRIALS)))
        scores[scale.code] = make_subscore(
            scale,
            counted,
            float(pick(forces)) if forces else None,
            rule=f"{options['statistic']} of the valid trials of {len(TRIALS)}, {entered}; no force possible is 0",
            source=definition.sources[0],
        )
    return ScorerResult(scores, warnings=tuple(warnings))
