"""Levels that a force followed: how far off, how long within the band, and how far off in shuffled order."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np

from workbench.analysis._accuracy import JUDGED
from workbench.analysis._events import Spread, spread
from workbench.vocabulary import FloatArray, Trial

SHUFFLES = 2000
"""Orders of the trials behind a chance limit."""

ALPHA = 0.05
"""Probability at which an error counts as chance."""


@dataclass(frozen=True, slots=True)
class Tracking:
    """How a force followed the levels of one run, each trial counted alike.

    Attributes
    ----------
    n : judged trials with sound evidence. levels : how many different ones they asked for.
    rmse : root mean square error, in the unit of the force; None without a trial.
    r_squared : share of the variance of the levels that the force explains; None where they were all alike. It is
        below 0 where the mean level would have been nearer.
    in_band : share of the judged time within the band, over trials.
    limit : root mean square error below which the run would come with its levels in shuffled order with at most
        5 %; None where levels were all alike.
    """

    n: int
    levels: int
    rmse: float | None
    r_squared: float | None
    in_band: Spread | None
    limit: float | None

    def line(self) -> str:
        """One sentence with error, variance explained, time in the band and the limit of chance."""
        if self.rmse is None or self.in_band is None:
            return "level tracking: no level was followed with sound evidence"
        explained = "" if self.r_squared is None else f", R² {self.r_squared:.2f}"
        limit = (
            ""
            if self.limit is None
            else f"; levels in shuffled order come below {self.limit:.3f} with at most 5 %"
        )
        middle, low, high = (100 * part for part in (self.in_band.median, self.in_band.low, self.in_band.high))
        return (
            f"level tracking: RMSE {self.rmse:.3f}{explained}, within the band {middle:.0f} % of the time "
            f"(IQR {low:.0f}–{high:.0f} %, n = {self.n}){limit}"
        )


def tracking(trials: Sequence[Trial], *, seed_of: str) -> Tracking:
    """How a force followed its levels.

    Parameters
    ----------
    trials : of one run; their results have ``target``, ``mean``, ``rmse`` and ``in_band``.
    seed_of : identity of the run; the same run gets the same shuffles.

    Notes
    -----
    The mean square error about another level follows from a trial's own mean and error, so that shuffled orders
    need no evidence: it is the variance of the force within the trial, plus the squared distance of its mean.
    """
    judged = [t for t in trials if t.outcome in JUDGED and t.result.get("rmse") is not None]
    if not judged:
        return Tracking(0, 0, None, None, None, None)
    target, mean, error = (np.array([float(t.result[key]) for t in judged]) for key in ("target", "mean", "rmse"))
    within = error**2 - (mean - target) ** 2
    square = float((error**2).mean())
    differs = len(set(target.tolist())) > 1
    return Tracking(
        n=len(judged),
        levels=len(set(target.tolist())),
        rmse=sqrt(square),
        r_squared=1.0 - square / float(target.var()) if differs else None,
        in_band=spread([float(t.result["in_band"]) for t in judged]),
        limit=_limit(target, mean, within, seed_of=seed_of) if differs else None,
    )


def _limit(target: FloatArray, mean: FloatArray, within: FloatArray, *, seed_of: str) -> float:
    """Error below which shuffled levels come with at most :data:`ALPHA`."""
    seed = int.from_bytes(hashlib.sha256(seed_of.encode()).digest()[:8], "big")
    draw = np.random.Generator(np.random.PCG64(seed))
    orders = np.array([draw.permutation(target) for _ in range(SHUFFLES)])
    squares = np.sort((within + (mean - orders) ** 2).mean(axis=1))
    return float(np.sqrt(squares[int(ALPHA * SHUFFLES)]))
