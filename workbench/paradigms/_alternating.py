"""Rest and a cue in turn: their schedule, and the windows in which a participant has settled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from workbench.paradigms._base import PlannedCue, require_positive
from workbench.vocabulary import LocatedCue


class Alternating(Protocol):
    """What an alternating schedule asks of a paradigm; times in s."""

    @property
    def conditions(self) -> tuple[str, ...]:
        """To cue."""

    @property
    def rest(self) -> str:
        """Label of the cue between two trials."""

    @property
    def attempt_s(self) -> float:
        """Time of a trial."""

    @property
    def rest_s(self) -> float:
        """Rest after a trial, to which up to ``jitter_s`` is added."""

    @property
    def jitter_s(self) -> float:
        """The most that is added, uniform and seeded."""

    @property
    def lead_in_s(self) -> float:
        """Rest before the first cue."""


def alternating(paradigm: Alternating, n_trials: int, *, seed: int) -> tuple[PlannedCue, ...]:
    """Each condition as often as any other, give or take one, in seeded random order, with rest between.

    Parameters
    ----------
    paradigm : gives conditions and times.
    n_trials : in all.
    seed : of order and jitter.
    """
    conditions = paradigm.conditions
    require_positive(n_trials=n_trials)
    # A named bit generator: NumPy's default may change, and a seed must always give the same schedule.
    rng = np.random.Generator(np.random.PCG64(seed))
    order = rng.permutation([i % len(conditions) for i in range(n_trials)])
    jitter = rng.uniform(0.0, paradigm.jitter_s, n_trials)
    cues = [PlannedCue(0.0, paradigm.rest, paradigm.lead_in_s, -1)]
    at = paradigm.lead_in_s
    for trial in range(n_trials):
        pause_s = paradigm.rest_s + float(jitter[trial])
        cues.append(PlannedCue(at, conditions[int(order[trial])], paradigm.attempt_s, trial))
        cues.append(PlannedCue(at + paradigm.attempt_s, paradigm.rest, pause_s, trial))
        at += paradigm.attempt_s + pause_s
    return tuple(cues)


def settled_windows(
    cues: Sequence[LocatedCue], settle_s: Mapping[str, float], *, fs: float, window_s: float, hop_s: float
) -> list[tuple[int, str, int]]:
    """Windows that begin once the participant has settled after a cue, up to its end; each cue is a block.

    Parameters
    ----------
    cues : of a run, in its samples; those without a time in ``settle_s`` do not count.
    settle_s : label → how long the participant reacts, and does what neither cue asks, s.
    fs : rate in Hz. window_s, hop_s : of the decoder, s.
    """
    windows: list[tuple[int, str, int]] = []
    hop = max(1, round(hop_s * fs))
    for block, cue in enumerate([cue for cue in cues if cue.label in settle_s]):
        first = cue.sample + round((settle_s[cue.label] + window_s) * fs)
        last = cue.sample + round(cue.duration_s * fs)
        windows += [(end, cue.label, block) for end in range(first, last + 1, hop)]
    return windows
