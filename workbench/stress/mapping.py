"""Whole maps of sixteen contacts, of simulated participants: does each take less than 45 simulated minutes?

Nobody looks: every ramp is accepted as it ends. What is asked goes through controller, supervisor and stimulator,
as on the page. One map takes some 20 s of a processor.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from workbench import analysis, systems
from workbench.errors import BadValue
from workbench.runs.mapping import PLANNED_MIN, ContactMapping, MapPlan
from workbench.stimulation import Signature, SignedLimits, Wearer


@dataclass(frozen=True, slots=True)
class MapFigures:
    """Figures of the maps.

    Attributes
    ----------
    minutes : simulated, of each map.
    on_side : hot-spots on the side of their muscle. reflex : that were shown to be reflexes. n_spots : in all.
    above : maps in which the stimulator delivered more than the signed limits of current or charge.
    selectivity : of each hot-spot.
    """

    minutes: tuple[float, ...]
    on_side: int
    reflex: int
    n_spots: int
    above: int
    selectivity: tuple[float, ...]

    @property
    def passed(self) -> bool:
        """Whether every map kept the planned time, and no current passed a limit."""
        return max(self.minutes) <= PLANNED_MIN and not self.above

    def text(self) -> str:
        """The figures in three lines."""
        kept = sum(one <= PLANNED_MIN for one in self.minutes)
        return (
            f"{kept}/{len(self.minutes)} maps of 16 contacts within {PLANNED_MIN:g} simulated minutes"
            f"{_interval(kept, len(self.minutes))}: {min(self.minutes):.1f} to {max(self.minutes):.1f} min\n"
            f"hot-spots: {self.n_spots}; on the side of their muscle {self.on_side}/{self.n_spots}"
            f"{_interval(self.on_side, self.n_spots)}, shown to be reflexes {self.reflex}/{self.n_spots}; "
            f"selectivity {np.median(self.selectivity):.2f} in the median, at least {min(self.selectivity):.2f}\n"
            f"maps with a delivered current or charge above the signed limits: {self.above}"
        )


def mapped(n: int, seed: int, *, n_currents: int = 12, step: Callable[[], object] = lambda: None) -> MapFigures:
    """Map ``n`` simulated participants.

    Parameters
    ----------
    n : participants. seed : their codes begin with it. n_currents : of a ramp. step : called after each.

    Raises
    ------
    BadValue
        Without a participant.
    """
    if n < 1:
        raise BadValue(f"one participant or more is needed, got {n}")
    limits = systems.example_limits()
    people = tuple(Signature(who, role, "2026-01-01T00:00:00Z", limits.sha256) for who, role in SIGNED)
    signed, plan = SignedLimits(limits, people), MapPlan(limits.electrode, n_currents=n_currents)
    minutes, spots, above = [], [], 0
    for k in range(n):
        one = ContactMapping(plan, signed, wearer=Wearer("T10"), code=f"stress {seed} {k}")
        while one.phase != "done":
            one.start("stress test")
            while one.advance():
                pass
            one.accept()
        minutes.append(one.elapsed_s / 60.0)
        charge_uc = one.bench.most_ma * plan.width_us / 1000.0
        above += one.bench.most_ma > limits.limits["current_ma"] or charge_uc > limits.limits["charge_uc"] + 1e-9
        spots += [spot for spot in one.hot_spots() if spot["contact"] is not None]
        step()
    return MapFigures(
        tuple(minutes),
        sum(spot["contact"] // 8 == spot["muscle"].startswith("right") for spot in spots),
        sum(spot["origin"] == "reflex" for spot in spots),
        len(spots),
        above,
        tuple(spot["selectivity"] for spot in spots),
    )


SIGNED = (("stress test", "investigator"), ("stress test 2", "engineer"))
"""Who signs the example of limits, and in which role."""


def _interval(k: int, n: int) -> str:
    found = analysis.wilson(k, n)
    return f" (95 % CI {found.low:.3f}–{found.high:.3f})"
