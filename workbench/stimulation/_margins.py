"""How far each limit still is: for the screen, the tightest first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from workbench.stimulation._findings import RULES, Quantity
from workbench.stimulation._limits import BOUNDS
from workbench.stimulation._loads import Loads
from workbench.stimulation._programme import name_of
from workbench.stimulation._times import Dose


class Margin(NamedTuple):
    """One limit and what is left of it.

    Attributes
    ----------
    rule, where : which, and of which contact or lead.
    value : now, in ``unit``; None where nobody measures it, which is listed and not hidden.
    limit : what is allowed.
    unit : of both.
    left : share of the limit that is left, 0–1; of Shannon's k the difference, which is a logarithm.
    """

    rule: Quantity
    where: str
    value: float | None
    limit: float
    unit: str
    left: float | None


def margins(
    loads: Loads,
    dose: Dose,
    *,
    currents_ma: Sequence[float],
    unverified: Sequence[str],
    net_dc: Mapping[str, float],
) -> tuple[Margin, ...]:
    """Every limit of a contact in use, the tightest first and what cannot be verified last.

    Parameters
    ----------
    loads, dose : of the programme, and what was borne.
    currents_ma : of each channel.
    unverified : leads whose direct current nobody measures.
    net_dc : direct current of the others, nA.
    """
    found: list[Margin] = []
    for place in loads.places:
        limits, load, where = loads.limits[place[0]], loads.at(place, currents_ma), name_of(place)
        bears = {
            "charge_uc": load.charge, "density_uc_cm2": load.density, "shannon_k": load.shannon,
            "rms_ma_cm2": load.rms, "pulses_per_s": load.pulses, "dose_session_uc": dose.session_uc(place),
            "dose_day_uc": dose.day_uc(place),
        }  # fmt: skip
        for name, value in bears.items():
            if (limit := limits[name]) is not None and value > float("-inf"):
                found.append(_margin(BOUNDS[name].quantity, where, value, limit))
    for lead, limits in loads.limits.items():
        limit = limits.limits["net_dc_na"]
        measured = None if lead in unverified else abs(net_dc[lead])
        found.append(_margin("net_dc", lead, measured, limit))
    return tuple(sorted(found, key=lambda one: (one.left is None, one.left or 0.0)))


def _margin(rule: Quantity, where: str, value: float | None, limit: float) -> Margin:
    unit = RULES[rule][1]
    if value is None:
        return Margin(rule, where, None, limit, unit, None)
    left = limit - value if rule == "shannon" else 1.0 - value / limit if limit else 0.0
    return Margin(rule, where, value, limit, unit, max(left, 0.0))
