"""Posterior-root-muscle reflexes: which pools a contact reaches at which current, and what a pulse leaves behind.

A contact reaches a pool at a threshold that grows with their distance along the cord and across the midline; above
it recruitment is a sigmoid of the current. A response depletes what the next can use, which is why the second of
two pulses 50 ms apart has hardly any. One cathode is one source: what anodes do, spread in the fluid and motor
roots that are reached at high currents are not modelled. Sources stand in ``_parameters``.
"""

from __future__ import annotations

import math

import numpy as np

from workbench.physiology._parameters import CONTACTS, POOLS, REFLEX
from workbench.physiology._person import Person
from workbench.vocabulary import FloatArray

N_POOLS = 2 * len(POOLS)
"""Pools of both legs: left in the order of ``POOLS``, then right."""


def thresholds(person: Person, visit: int, *, distance: float) -> FloatArray:
    """Current at which each contact begins to reach each pool at 300 µs, ``(16, n_pools)`` float64, mA.

    Parameters
    ----------
    person : who. visit : number of the visit, whose excitability differs a little.
    distance : of the lead from the cord, 1 at the first visit, sitting.
    """
    least = float(person.chance(4, 1).uniform(*REFLEX.least_ma))
    own = np.exp(REFLEX.spread * person.chance(4, 2).standard_normal((CONTACTS, N_POOLS)))
    today = math.exp(REFLEX.visit_spread * float(person.chance(4, 3, visit).standard_normal()))
    place = dict(REFLEX.segment)
    out = np.empty((CONTACTS, N_POOLS))
    for contact in range(CONTACTS):
        # Eight contacts of a column lie evenly over the seven segments from L1 to S2.
        segment = (contact % 8) * 6.0 / 7.0
        for pool in range(N_POOLS):
            away = (segment - place[POOLS[pool % len(POOLS)]]) / REFLEX.segment_width
            across = REFLEX.side_factor if contact // 8 != pool // len(POOLS) else 1.0
            out[contact, pool] = least * across * (1.0 + 0.5 * away * away)
    return out * own * today * distance


def recruited(threshold: FloatArray, *, ma: float, us: float) -> FloatArray:
    """Share of each pool that a pulse reaches, 0–1.

    Parameters
    ----------
    threshold : ``(n,)`` float64, mA at 300 µs. ma, us : current and width of the pulse.
    """
    if ma <= 0.0 or us <= 0.0:
        return np.zeros(len(threshold))
    # Lapicque: the shorter the pulse, the more current it needs.
    at_width = threshold * (1.0 + REFLEX.chronaxie_us / us) / (1.0 + REFLEX.chronaxie_us / 300.0)
    steep = (ma / at_width - 1.0) / REFLEX.slope
    share: FloatArray = np.where(steep > 0.0, 1.0 / (1.0 + np.exp(3.0 - steep)), 0.0)
    return share


class Pools:
    """What is left in each pool for the next pulse.

    Parameters
    ----------
    person : who, whose depression is drawn.
    """

    def __init__(self, person: Person) -> None:
        self._kept = 1.0 - float(person.chance(4, 4).uniform(*REFLEX.depression))
        self._left, self._at = np.ones(N_POOLS), 0.0

    def answer(self, share: FloatArray, at_s: float) -> FloatArray:
        """Size of the response to a pulse that reaches a share of each pool, ``(n_pools,)`` float64, 0–1."""
        back = -math.expm1(-max(0.0, at_s - self._at) / REFLEX.recovery_s)
        left = self._left + (1.0 - self._left) * back
        self._left, self._at = np.where(share > 0.0, left * self._kept, left), at_s
        response: FloatArray = share * left
        return response


def wave(since_s: FloatArray) -> FloatArray:
    """Course of a response of 1 from peak to peak, at times ``(n,)`` after its onset, s."""
    width = REFLEX.width_ms / 1000.0
    # It begins two widths before its middle: the slope of a bell, which has its peaks one width about it.
    x = since_s / width - 2.0
    out: FloatArray = np.where((x > -2.0) & (x < 4.0), -x * np.exp(0.5 - 0.5 * x * x) / 2.0, 0.0)
    return out
