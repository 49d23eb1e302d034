"""Event metrics of self-paced decoding: hits, misses and false activations, judged by an onset window.

An activation is a hit if its onset lies in ``[cue, cue + onset_window_s]`` and is the first there; every
other activation is false; a cue without a hit is missed. The window is part of the definition and is
printed with every result. Excluded trials give neither events nor rest time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from workbench.analysis._exact import Interval, poisson_interval, wilson
from workbench.errors import BadValue
from workbench.vocabulary import Trial

RESAMPLES = 2000
"""Bootstrap resamples of the trials."""

SEED = 1
"""Seed of the bootstrap unless another is given; stored with the result."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Median and quartiles (linear between order statistics) of ``n`` values, s."""

    n: int
    median: float
    low: float
    high: float

    def words(self) -> str:
        """``0.82 s (IQR 0.60–1.05, n = 13)``."""
        return f"{self.median:.2f} s (IQR {self.low:.2f}–{self.high:.2f}, n = {self.n})"


@dataclass(frozen=True, slots=True)
class EventMetrics:
    """Event metrics of one run or several.

    Attributes
    ----------
    onset_window_s : the window that defines a hit, s.
    n, excluded : judged and excluded attempts.
    hits, misses, false : true positives, false negatives, false positives.
    precision, recall, f1 : None where nothing defines them (no activation, no attempt).
    f1_interval : percentile interval of the trial bootstrap, 95 %; None when all trials are alike, because
        resampling them cannot show any spread.
    recall_interval : Wilson 95 % interval.
    seed, resamples : of the bootstrap (numpy PCG64).
    false_in_rest, rest_s : false activations in rest and the rest time they fell into, s.
    false_per_min, false_per_min_interval : their rate with its exact Poisson 95 % interval; None without rest.
    onset, release : latency of hits after the cue, and of releases after the end of the attempt, s.
    held_through : hits not released before the attempt ended.
    held : how long hits lasted, s.
    """

    onset_window_s: float
    n: int
    excluded: int
    hits: int
    misses: int
    false: int
    precision: float | None
    recall: float | None
    f1: float | None
    f1_interval: Interval | None
    recall_interval: Interval | None
    seed: int
    resamples: int
    false_in_rest: int
    rest_s: float
    false_per_min: float | None
    false_per_min_interval: Interval | None
    onset: Spread | None
    release: Spread | None
    held_through: int
    held: Spread | None

    def line(self) -> str:
        """One sentence with n, interval and the definition."""
        rule = f"hit = first onset within {self.onset_window_s:g} s of the cue"
        left_out = f"; {self.excluded} excluded" if self.excluded else ""
        if self.f1 is None:
            return f"event F1: no judged attempt ({rule}{left_out})"
        return (
            f"event F1 {self.f1:.3f} ({self._spread()}; {self.hits} of {self.n} attempts hit, "
            f"{self.false} false; {rule}{left_out})"
        )

    def _spread(self) -> str:
        if self.f1_interval is not None:
            low, high = self.f1_interval
            return f"95 % CI {low:.3f}–{high:.3f}, trial bootstrap, seed {self.seed}"
        low, high = self.recall_interval or Interval(0.0, 1.0)
        return f"all trials alike; recall 95 % CI {low:.3f}–{high:.3f}, Wilson"

    def rest_line(self) -> str:
        """One sentence on false activations in rest."""
        if self.false_per_min is None or self.false_per_min_interval is None:
            return "false activations in rest: no rest time was recorded"
        low, high = self.false_per_min_interval
        return (
            f"false activations in rest {self.false_in_rest} in {self.rest_s / 60:.1f} min = "
            f"{self.false_per_min:.2f} per min (95 % CI {low:.2f}–{high:.2f}, Poisson)"
        )

    def timing_line(self) -> str:
        """One sentence on onset, release and hold."""
        if self.onset is None:
            return "onset latency: no hit"
        release = self.release.words() if self.release else "none seen"
        return (
            f"onset latency {self.onset.words()}; release after the attempt {release}; held to the end of "
            f"the attempt {self.held_through} of {self.hits}"
        )


def event_metrics(
    trials: Iterable[Trial],
    *,
    onset_window_s: float,
    fs: float,
    seed: int = SEED,
    resamples: int = RESAMPLES,
) -> EventMetrics:
    """Event metrics from trials.

    Parameters
    ----------
    trials : as the paradigm judged them.
    onset_window_s : the window it used, s.
    fs : rate of the decoded stream, Hz; a hit may lie one sample outside through rounding.
    seed, resamples : of the trial bootstrap.

    Raises
    ------
    BadValue
        When a hit lies outside the window: the trials were judged by another definition.
    """
    if not (onset_window_s > 0 and fs > 0 and resamples > 0):
        raise BadValue(
            f"onset_window_s, fs and resamples must be above 0, got {onset_window_s}, {fs} and {resamples}"
        )
    known = list(trials)
    judged = [t for t in known if t.outcome in ("correct", "missed")]
    hits = [t for t in judged if t.outcome == "correct"]
    _check_window(hits, onset_window_s, fs)
    n, n_hits = len(judged), len(hits)
    false = sum(t.false_activations for t in judged)
    false_in_rest, rest_s = sum(t.false_in_rest for t in judged), sum(t.rest_s for t in judged)
    minutes = rest_s / 60
    return EventMetrics(
        onset_window_s=onset_window_s,
        n=n,
        excluded=sum(t.outcome == "excluded" for t in known),
        hits=n_hits,
        misses=n - n_hits,
        false=false,
        precision=n_hits / (n_hits + false) if n_hits + false else None,
        recall=n_hits / n if n else None,
        f1=f1_of(n_hits, false=false, missed=n - n_hits) if n else None,
        f1_interval=_bootstrap(judged, seed=seed, resamples=resamples),
        recall_interval=wilson(n_hits, n) if n else None,
        seed=seed,
        resamples=resamples,
        false_in_rest=false_in_rest,
        rest_s=rest_s,
        false_per_min=false_in_rest / minutes if minutes > 0 else None,
        false_per_min_interval=poisson_interval(false_in_rest, exposure=minutes) if minutes > 0 else None,
        onset=spread([t.latency_s for t in hits if t.latency_s is not None]),
        release=spread([t.release_s for t in hits if t.release_s is not None]),
        held_through=sum(t.release_s is None or t.release_s >= 0 for t in hits),
        held=spread([t.held_s for t in hits if t.held_s is not None]),
    )


def f1_of(hits: int, *, false: int, missed: int) -> float:
    """F1 = 2PR / (P + R) = 2 hits / (2 hits + false + missed); at least one event is needed."""
    events = 2 * hits + false + missed
    if events < 1:
        raise BadValue("F1 needs at least one attempt or activation, got none")
    return 2 * hits / events


def spread(values: Sequence[float]) -> Spread | None:
    """Median and quartiles, None without values."""
    if not values:
        return None
    low, median, high = (float(q) for q in np.quantile(np.asarray(values, dtype=np.float64), (0.25, 0.5, 0.75)))
    return Spread(len(values), median, low, high)


def _bootstrap(judged: Sequence[Trial], *, seed: int, resamples: int) -> Interval | None:
    """Percentile interval of F1 over resampled trials."""
    table = np.array([(t.outcome == "correct", t.false_activations) for t in judged], dtype=np.int64)
    if len(np.unique(table, axis=0)) < 2:
        return None
    n = len(judged)
    drawn = np.random.Generator(np.random.PCG64(seed)).integers(0, n, size=(resamples, n))
    hits, false = table[drawn, 0].sum(axis=1), table[drawn, 1].sum(axis=1)
    f1 = 2 * hits / (hits + false + n)
    low, high = np.quantile(f1, (0.025, 0.975))
    return Interval(float(low), float(high))


def _check_window(hits: Sequence[Trial], onset_window_s: float, fs: float) -> None:
    for trial in hits:
        if trial.latency_s is None or not -1 / fs <= trial.latency_s <= onset_window_s + 1 / fs:
            raise BadValue(
                f"trial {trial.index} is a hit {trial.latency_s} s after its cue, outside the window of "
                f"{onset_window_s:g} s; give the window with which the run was judged"
            )
