"""Selections of a run: right ones, how many a minute, and bits a minute."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from workbench.analysis._accuracy import Accuracy, accuracy
from workbench.analysis._exact import Interval, student_t_quantile
from workbench.analysis._metrics import itr
from workbench.errors import BadValue
from workbench.messages import Message
from workbench.vocabulary import Trial

MINUTE_S = 60.0


@dataclass(frozen=True, slots=True)
class Selections:
    """What was selected in one run.

    Attributes
    ----------
    accuracy : of selections that were asked for, with interval and chance limit (exact binomial, one of so many
        items).
    n : selections made, asked for or free. undecided : choices that ended without one.
    seconds : mean time from one choice to the next, gaze shifts and pauses included, s; None for fewer than two.
    per_min, per_min_interval : selections a minute, and Student's interval of the mean time carried over.
    bits_per_min, bits_interval : Wolpaw's rate at the observed accuracy, and at the ends of its interval; None
        where nothing was asked for.
    """

    accuracy: Accuracy
    n: int
    undecided: int
    seconds: float | None
    per_min: float | None
    per_min_interval: Interval | None
    bits_per_min: float | None
    bits_interval: Interval | None

    def line(self) -> str:
        """One sentence with counts, rates and intervals."""
        parts = [self.accuracy.line()] if self.accuracy.n else []
        free = f", {self.undecided} undecided" if self.undecided else ""
        parts.append(f"{self.n} selections{free}")
        if self.per_min is not None and self.per_min_interval is not None:
            low, high = self.per_min_interval
            parts.append(f"{self.per_min:.1f} selections a minute (95 % CI {low:.1f}–{high:.1f}, t)")
        if self.bits_per_min is not None and self.bits_interval is not None:
            low, high = self.bits_interval
            parts.append(
                f"{self.bits_per_min:.1f} bits a minute (at the ends of the accuracy's interval "
                f"{low:.1f}–{high:.1f}; Wolpaw: equally likely items, errors spread evenly)"
            )
        return "; ".join(parts)


def selections(trials: Iterable[Trial], *, items: int, fs: float) -> Selections:
    """Accuracy and rates of a run in which items are selected.

    Parameters
    ----------
    trials : of one run, in their order; excluded ones count for the time of nothing and are no selection.
    items : number to choose from.
    fs : rate of the decoded stream, Hz.

    Raises
    ------
    BadValue
        With fewer than two items, or a rate that is not above 0.

    Notes
    -----
    Bits a minute: Wolpaw et al. 2002, doi:10.1016/S1388-2457(02)00057-3. It assumes equally likely items, errors
    spread evenly over the others and selections that are independent, and says nothing about a free choice.
    Times of selections of one run are taken as independent; with dynamic stopping they vary.
    """
    if items < 2 or not fs > 0:
        raise BadValue(Message("rate.selections", items=items, fs=str(fs)))
    run = list(trials)
    counted = [trial for trial in run if not trial.excluded]
    # Only neighbours: across an excluded choice nobody knows how long a selection would have taken.
    times = np.array(
        [
            (after.cue_sample - trial.cue_sample) / fs
            for trial, after in zip(run, run[1:])
            if not trial.excluded and after.index == trial.index + 1
        ]
    )
    judged = accuracy(counted, items)
    seconds = float(times.mean()) if len(times) else None
    made = sum(bool(trial.decided) for trial in counted)
    bits = bits_interval = None
    if seconds is not None and judged.value is not None and judged.interval is not None:
        low, high = (itr(share, classes=items, selection_s=seconds) for share in judged.interval)
        bits, bits_interval = itr(judged.value, classes=items, selection_s=seconds), Interval(low, high)
    return Selections(
        accuracy=judged,
        n=made,
        undecided=len(counted) - made,
        seconds=seconds,
        per_min=None if seconds is None else MINUTE_S / seconds,
        per_min_interval=_per_minute(times),
        bits_per_min=bits,
        bits_interval=bits_interval,
    )


def _per_minute(times: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Interval | None:
    """Interval of the rate from that of the mean time; None for fewer than two times."""
    if len(times) < 2:
        return None
    half = student_t_quantile(0.975, len(times) - 1) * float(times.std(ddof=1)) / len(times) ** 0.5
    mean = float(times.mean())
    # A mean time of 0 has no rate: the interval is open upwards then.
    slowest, fastest = mean + half, mean - half
    return Interval(MINUTE_S / slowest, MINUTE_S / fastest if fastest > 0 else float("inf"))
