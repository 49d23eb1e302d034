"""Event metrics of self-paced decoding: hits, misses and false activations, judged by an onset window.

An activation is a hit if its onset lies in ``[cue, cue + onset_window_s]`` and is the first in it; every
other activation is false; a cue without a hit is missed. The window is part of the definition and is
printed with every result. Excluded trials give neither events nor rest time.

Intervals of several runs take the run as the unit that varies (of several people: the person). Those of one run
apply to that run only: runs of one person vary more, and the interval does not cover another run.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.analysis._exact import Interval, poisson_interval, wilson
from workbench.analysis._guessing import Guessing
from workbench.analysis._ratios import rate_interval, share_interval, totals
from workbench.errors import BadValue
from workbench.messages import Message
from workbench.vocabulary import FloatArray, Trial

UNITS = ("run", "participant")
"""Units that may vary as a whole: runs of one person, or people."""


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
    f1_interval, recall_interval, precision_interval : 95 %, by :func:`workbench.analysis._ratios.share_interval`
        over runs, or over the trials of one run, joined with Wilson's; None where the value is None.
        F1 = 2q / (1 + q) with q = hits / (hits + false + missed), a share, whose interval is carried over.
    clusters, unit : how many runs, or participants, the intervals take as units; 1 = they apply to that one only.
    false_in_rest, rest_s : false activations in rest and the rest time they fell into, s.
    false_per_min, false_per_min_interval : their rate with its 95 % interval, exact Poisson joined over runs with
        :func:`workbench.analysis._ratios.rate_interval`; None without rest.
    onset, release : latency of hits after the cue, and of releases after the end of the attempt, s.
    held_through : hits not released before the attempt ended.
    held : how long hits lasted, s.
    guessing : what guessing would have hit (:func:`workbench.analysis.guessing`), where the onsets of the run are
        known; else None.
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
    precision_interval: Interval | None
    clusters: int
    unit: str
    false_in_rest: int
    rest_s: float
    false_per_min: float | None
    false_per_min_interval: Interval | None
    onset: Spread | None
    release: Spread | None
    held_through: int
    held: Spread | None
    guessing: Guessing | None

    def line(self) -> str:
        """One sentence with n, interval and the definition."""
        rule = f"hit = first onset within {self.onset_window_s:g} s of the cue"
        left_out = f"; {self.excluded} excluded" if self.excluded else ""
        if self.f1 is None or self.f1_interval is None:
            return f"event F1: no judged attempt ({rule}{left_out})"
        low, high = self.f1_interval
        return (
            f"event F1 {self.f1:.3f} (95 % CI {low:.3f}–{high:.3f}, {self.scope()}; {self.hits} of {self.n} "
            f"attempts hit, {self.false} false; {rule}{left_out})"
        )

    def scope(self) -> str:
        """What the intervals apply to: the unit that varies, or a single one."""
        return f"clustered by {self.clusters} {self.unit}s" if self.clusters > 1 else f"of this {self.unit} alone"

    def rest_line(self) -> str:
        """One sentence on false activations in rest."""
        if self.false_per_min is None or self.false_per_min_interval is None:
            return "false activations in rest: no rest time was recorded"
        low, high = self.false_per_min_interval
        return (
            f"false activations in rest {self.false_in_rest} in {self.rest_s / 60:.1f} min = "
            f"{self.false_per_min:.2f} per min (95 % CI {low:.2f}–{high:.2f}, Poisson, {self.scope()})"
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
    trials: Iterable[Trial], *, onset_window_s: float, fs: float, runs: Sequence[str] = (), unit: str = "run"
) -> EventMetrics:
    """Event metrics from trials.

    Parameters
    ----------
    trials : as the paradigm judged them.
    onset_window_s : the window it used, s.
    fs : rate of the decoded stream, Hz; a hit may lie one sample outside through rounding.
    runs : run of each trial, across people the participant of each; empty = all of one.
    unit : which of them it is, one of :data:`UNITS`.

    Raises
    ------
    BadValue
        When a hit lies outside the window: the trials were judged by another definition; or when ``runs`` does not
        name one run per trial; or an unknown unit.
    """
    all_trials = list(trials)
    _check_definition(all_trials, onset_window_s, fs, runs, unit)
    pairs = [
        (trial, run)
        for trial, run in zip(all_trials, runs or [""] * len(all_trials))
        if trial.outcome in ("correct", "missed")
    ]
    judged, units = [trial for trial, _ in pairs], [run for _, run in pairs]
    hits = [t for t in judged if t.outcome == "correct"]
    _check_window(hits, onset_window_s, fs)
    n, n_hits = len(judged), len(hits)
    false = sum(t.false_activations for t in judged)
    return EventMetrics(
        onset_window_s=onset_window_s,
        n=n,
        excluded=sum(t.outcome == "excluded" for t in all_trials),
        hits=n_hits,
        misses=n - n_hits,
        false=false,
        precision=n_hits / (n_hits + false) if n_hits + false else None,
        recall=n_hits / n if n else None,
        f1=f1_of(n_hits, false=false, missed=n - n_hits) if n else None,
        **_intervals(judged, units),
        clusters=len(set(units)),
        unit=unit,
        **_in_rest(judged, units),
        **_timing(hits),
        guessing=None,
    )


def _check_definition(
    trials: Sequence[Trial], onset_window_s: float, fs: float, runs: Sequence[str], unit: str
) -> None:
    if unit not in UNITS:
        raise BadValue(Message("rate.unit", allowed=list(UNITS), got=repr(unit)))
    if not (onset_window_s > 0 and fs > 0):
        raise BadValue(Message("result.window_and_rate", window=str(onset_window_s), fs=str(fs)))
    if runs and len(runs) != len(trials):
        raise BadValue(Message("rate.runs", n=len(trials), runs=len(runs)))


def _in_rest(judged: Sequence[Trial], runs: Sequence[str]) -> dict[str, Any]:
    """False activations in rest, the rest they fell into, and their rate, by the name of their field."""
    false_in_rest, rest_s = sum(t.false_in_rest for t in judged), sum(t.rest_s for t in judged)
    minutes = rest_s / 60
    return {
        "false_in_rest": false_in_rest,
        "rest_s": rest_s,
        "false_per_min": false_in_rest / minutes if minutes > 0 else None,
        "false_per_min_interval": _rest_interval(judged, runs) if minutes > 0 else None,
    }


def _timing(hits: Sequence[Trial]) -> dict[str, Any]:
    """When hits came, how long they lasted, and when they were released, by the name of their field."""
    return {
        "onset": spread([t.latency_s for t in hits if t.latency_s is not None]),
        # Hits that were never released have no release time.
        "release": spread([t.release_s for t in hits if t.release_s is not None]),
        # A release is timed from the end of the attempt, so 0 or later means held to its end.
        "held_through": sum(t.release_s is None or t.release_s >= 0 for t in hits),
        "held": spread([t.held_s for t in hits if t.held_s is not None]),
    }


def _intervals(judged: Sequence[Trial], runs: Sequence[str]) -> dict[str, Any]:
    """Intervals of F1, recall and precision, by the name of their field."""
    hit = np.array([t.outcome == "correct" for t in judged], dtype=np.float64)
    false = np.array([t.false_activations for t in judged], dtype=np.float64)
    attempt = np.ones(len(judged))
    overlap = share_of_events(hit, attempt + false, runs)
    return {
        # F1 rises with the share q of hits among all events, so that its interval is that of q carried over.
        "f1_interval": None if overlap is None else Interval(*(2 * q / (1 + q) for q in overlap)),
        "recall_interval": share_of_events(hit, attempt, runs),
        "precision_interval": share_of_events(hit, hit + false, runs),
    }


def share_of_events(part: FloatArray, whole: FloatArray, runs: Sequence[str]) -> Interval | None:
    """Interval of the share ``Σpart / Σwhole`` over runs; over the trials of one run.

    Parameters
    ----------
    part, whole : ``(n,)`` float64 counts of each trial, such as hits and events.
    runs : run of each trial.
    """
    count = int(whole.sum())
    if not count:
        return None
    alike = wilson(int(part.sum()), count)
    within = share_interval(part, whole, alike=alike)
    # One run has no spread between runs; its trials are the only units there are.
    if len(set(runs)) < 2:
        return within
    return share_interval(totals(part, runs), totals(whole, runs), alike=within)


def _rest_interval(judged: Sequence[Trial], runs: Sequence[str]) -> Interval:
    """Interval of false activations in rest, 1/min."""
    count, minutes = [t.false_in_rest for t in judged], [t.rest_s / 60 for t in judged]
    alike = poisson_interval(sum(count), exposure=sum(minutes))
    return rate_interval(totals(count, runs), totals(minutes, runs), alike=alike)


def f1_of(hits: int, *, false: int, missed: int) -> float:
    """F1 = 2PR / (P + R) = 2 hits / (2 hits + false + missed); at least one event is needed.

    Parameters
    ----------
    hits, false, missed : counts of events.
    """
    events = 2 * hits + false + missed
    if events < 1:
        raise BadValue(Message("rate.f1"))
    return 2 * hits / events


def spread(values: Sequence[float]) -> Spread | None:
    """Median and quartiles, None without values."""
    if not values:
        return None
    low, median, high = (float(q) for q in np.quantile(np.asarray(values, dtype=np.float64), (0.25, 0.5, 0.75)))
    return Spread(len(values), median, low, high)


def _check_window(hits: Sequence[Trial], onset_window_s: float, fs: float) -> None:
    for trial in hits:
        # A sample of tolerance: the window in s and the onset in samples were rounded separately.
        if trial.latency_s is None or not -1 / fs <= trial.latency_s <= onset_window_s + 1 / fs:
            window = f"{onset_window_s:g}"
            raise BadValue(
                Message("result.hit_outside_window", n=trial.index, s=str(trial.latency_s), window=window)
            )
