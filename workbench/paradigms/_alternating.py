"""Rest and a cue in turn: their schedule, and the windows in which a participant has settled."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from workbench.paradigms._base import PlannedCue, require_positive
from workbench.vocabulary import LocatedCue


def alternating(
    conditions: Sequence[str],
    n_trials: int,
    *,
    seed: int,
    rest: str,
    attempt_s: float,
    rest_s: float,
    jitter_s: float,
    lead_in_s: float,
) -> tuple[PlannedCue, ...]:
    """Each condition as often as any other, give or take one, in seeded random order, with rest between.

    Parameters
    ----------
    conditions : to cue. n_trials : of them in all.
    seed : of order and jitter.
    rest : label of the cue between two trials.
    attempt_s, rest_s : s; up to ``jitter_s`` s, uniform, is added to each rest.
    lead_in_s : rest before the first cue, s.
    """
    require_positive(n_trials=n_trials)
    # A named bit generator: NumPy's default may change, and a seed must always give the same schedule.
    rng = np.random.Generator(np.random.PCG64(seed))
    order = rng.permutation([i % len(conditions) for i in range(n_trials)])
    jitter = rng.uniform(0.0, jitter_s, n_trials)
    cues = [PlannedCue(0.0, rest, lead_in_s, -1)]
    at = lead_in_s
    for trial in range(n_trials):
        pause_s = rest_s + float(jitter[trial])
        cues.append(PlannedCue(at, conditions[int(order[trial])], attempt_s, trial))
        cues.append(PlannedCue(at + attempt_s, rest, pause_s, trial))
        at += attempt_s + pause_s
    return tuple(cues)


def settled_windows(
    cues: Sequence[LocatedCue],
    classes: Sequence[str],
    *,
    fs: float,
    window_s: float,
    hop_s: float,
    settle_s: float,
) -> list[tuple[int, str, int]]:
    """Windows that lie ``settle_s`` s after a cue, up to its end; each cue is a block.

    Parameters
    ----------
    cues : of a run, in its samples. classes : labels of those that count.
    fs : rate in Hz. window_s, hop_s : of the decoder, s.
    settle_s : until then the participant reacts, and does what neither cue asks, s.
    """
    windows: list[tuple[int, str, int]] = []
    hop = max(1, round(hop_s * fs))
    for block, cue in enumerate([cue for cue in cues if cue.label in classes]):
        first = cue.sample + round((settle_s + window_s) * fs)
        last = cue.sample + round(cue.duration_s * fs)
        windows += [(end, cue.label, block) for end in range(first, last + 1, hop)]
    return windows
