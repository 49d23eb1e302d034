"""Round numbers for an axis."""

from __future__ import annotations

from math import ceil, floor, log10

MOST = 6
"""Steps between the ticks of an axis."""


def round_ticks(low: float, high: float) -> tuple[float, ...]:
    """Round numbers, evenly apart, the first at most ``low`` and the last at least ``high``; two or more.

    Parameters
    ----------
    low, high : what the axis must hold.
    """
    span = (high - low) or abs(high) or 1.0
    unit = 10.0 ** floor(log10(span / 4))
    step = next(unit * k for k in (1, 2, 5, 10) if span / (unit * k) <= MOST)
    first = floor(low / step)
    last = max(ceil(high / step), first + 1)
    return tuple(round(step * k, 12) for k in range(first, last + 1))
