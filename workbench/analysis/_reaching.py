"""Targets reached with a cursor: how many, how fast, how straight, and what a cursor without aim would reach."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np

from workbench.analysis._accuracy import JUDGED
from workbench.analysis._events import Spread, spread
from workbench.analysis._exact import Interval, binomial_tail
from workbench.analysis._metrics import itr
from workbench.vocabulary import Decision, FloatArray, Trial

WALKS = 500
"""Random walks behind a chance limit."""

ALPHA = 0.05
"""Probability at which a count counts as chance."""

Place = tuple[float, float]


@runtime_checkable
class ReachingTask(Protocol):
    """What a random walk needs of a task: the paradigm of the run is one."""

    attempt_s: float
    dwell_s: float

    @property
    def targets(self) -> Mapping[str, Place]:
        """Name and place of each target."""

    def moved(self, place: Place, velocity: Sequence[float], *, dt: float) -> Place:
        """Where a velocity moves the cursor.

        Parameters
        ----------
        place : of the cursor before, in distances to a target.
        velocity : decoded, in distances to a target a second.
        dt : how long it lasts, s.
        """

    def target_at(self, place: Place) -> str:
        """The target that a place lies in, ``""`` for none."""


@dataclass(frozen=True, slots=True)
class RandomWalks:
    """What cursors without aim reach, that move as fast and as persistently as that of a run.

    Attributes
    ----------
    share : of walks that selected a given target in time. n : walks.
    speed : root mean square of the run's velocity in a dimension. persistence : its correlation from hop to hop.
    """

    share: float
    n: int
    speed: float
    persistence: float


def random_walks(
    task: ReachingTask, decisions: Sequence[Decision], *, hop_s: float, seed_of: str
) -> RandomWalks | None:
    """Random walks through the task of a run; None where nothing was decoded within its trials.

    Parameters
    ----------
    task : paradigm of the run.
    decisions : of the run; those of sound evidence within trials count.
    hop_s : between decisions, s.
    seed_of : identity of the run; the same run gets the same walks.

    Notes
    -----
    A velocity of first order in each dimension with the mean square and the correlation of the run's own, about 0:
    a cursor that drifts nowhere. Its first targets are those of the task, each in turn.
    """
    moving = [d for d in decisions if d.trial >= 0 and d.valid and d.label]
    if len(moving) < 2:
        return None
    velocities = np.array([d.values for d in moving])
    same = np.array([a.trial == b.trial for a, b in zip(moving, moving[1:])])
    power = float((velocities**2).mean())
    if not power > 0 or not same.any():
        return None
    between = float((velocities[1:] * velocities[:-1])[same].mean()) / power
    persistence = min(max(between, 0.0), 0.999)
    seed = int.from_bytes(hashlib.sha256(seed_of.encode()).digest()[:8], "big")
    draw = np.random.Generator(np.random.PCG64(seed))
    steps = draw.standard_normal((WALKS, round(task.attempt_s / hop_s), velocities.shape[1])) * np.sqrt(power)
    names = list(task.targets)
    hits = sum(
        _selected(task, _persistent(walk, persistence), hop_s=hop_s) == names[number % len(names)]
        for number, walk in enumerate(steps)
    )
    return RandomWalks(hits / WALKS, WALKS, float(np.sqrt(power)), persistence)


def _persistent(steps: FloatArray, persistence: float) -> FloatArray:
    """Independent steps ``(n, n_dimensions)`` as a process of first order of the same mean square."""
    out, fresh = steps.copy(), np.sqrt(1.0 - persistence**2)
    for at in range(1, len(out)):
        out[at] = persistence * out[at - 1] + fresh * steps[at]
    return out


def _selected(task: ReachingTask, velocities: FloatArray, *, hop_s: float) -> str:
    """The target that a cursor selects from the centre, ``""`` for none in time."""
    place: Place = (0.0, 0.0)
    within, hops, needed = "", 0, max(1, round(task.dwell_s / hop_s))
    for velocity in velocities.tolist():
        place = task.moved(place, velocity, dt=hop_s)
        target = task.target_at(place)
        hops = hops + 1 if target and target == within else int(bool(target))
        within = target
        if hops >= needed:
            return target
    return ""


@dataclass(frozen=True, slots=True)
class Reaching:
    """How targets were reached in one run.

    Attributes
    ----------
    hits, n : targets reached, and judged trials. targets : how many there are to choose from.
    time, time_interval : of hits, s; 95 % interval of the median from its order statistics, None below 6 hits.
    efficiency : straight way over path, of hits, 0–1.
    bits_per_min : Wolpaw's rate over all trials, pauses included; None without a judged trial.
    walks, limit : what cursors without aim reach, and the smallest count that they reach with at most 5 %; None
        where it is not known.
    """

    hits: int
    n: int
    targets: int
    time: Spread | None
    time_interval: Interval | None
    efficiency: Spread | None
    bits_per_min: float | None
    walks: RandomWalks | None
    limit: int | None

    def line(self) -> str:
        """One sentence with time, path, rate and the limit of random walks."""
        if self.time is None or self.efficiency is None or self.bits_per_min is None:
            return f"reaching: no target of {self.n} was reached"
        sure = "" if self.time_interval is None else ", 95 % CI {:.2f}–{:.2f} s".format(*self.time_interval)
        limit = "" if self.limit is None else f"; random walks reach {self.limit} of {self.n} with at most 5 %"
        middle, low, high = self.efficiency.median, self.efficiency.low, self.efficiency.high
        return (
            f"reaching: {self.time.words()}{sure}; path efficiency {middle:.2f} (IQR {low:.2f}–{high:.2f}); "
            f"{self.bits_per_min:.1f} bits a minute{limit}"
        )


def reaching(trials: Sequence[Trial], *, targets: int, fs: float, walks: RandomWalks | None = None) -> Reaching:
    """How targets were reached.

    Parameters
    ----------
    trials : of one run. targets : number to choose from.
    fs : rate of the signal, Hz.
    walks : of :func:`random_walks`, None where they are not known.
    """
    judged = [trial for trial in trials if trial.outcome in JUDGED]
    reached = [trial for trial in judged if trial.outcome == "correct"]
    times = [trial.latency_s for trial in reached if trial.latency_s is not None]
    straight = [float(trial.result["path_efficiency"]) for trial in reached if trial.result.get("path_efficiency")]
    n, hits = len(judged), len(reached)
    bits = limit = None
    if n:
        # From cue to cue: a rate that left the pauses out would be one that nobody ever had.
        seconds = (judged[-1].end_sample - judged[0].cue_sample) / fs / n
        bits = itr(hits / n, classes=targets, selection_s=seconds)
    if n and walks is not None:
        limit = next((k for k in range(n + 1) if binomial_tail(k, n, p=walks.share) <= ALPHA), None)
    return Reaching(
        hits, n, targets, spread(times), median_interval(times), spread(straight), bits, walks=walks, limit=limit
    )


def median_interval(values: Sequence[float]) -> Interval | None:
    """95 % interval of a median from its order statistics; None where there are fewer than 6 values."""
    n, ordered = len(values), sorted(values)
    # The k-th smallest value and its mirror image hold the median with 1 - 2 P(fewer than k below it).
    inside = [k for k in range(1, n // 2 + 1) if 1.0 - binomial_tail(k, n, p=0.5) <= ALPHA / 2]
    if not inside:
        return None
    k = max(inside)
    return Interval(ordered[k - 1], ordered[n - k])


def walks_of(summary: Mapping[str, Any]) -> RandomWalks | None:
    """The random walks that the record keeps of a run; None where it has none."""
    kept = summary.get("random_walks")
    return None if kept is None else RandomWalks(**kept)
