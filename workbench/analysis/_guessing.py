"""What activations independent of the cues would have hit: the same onsets against cues at shuffled times.

A chance limit for self-paced runs. How many cues chance hits depends on how often somebody activates, so it is
taken from the run itself: its onsets stay where they were, and the cues are placed again, without overlap and at
random distances. The 95th percentile of the hits over many such placements
is the limit.

Excluded trials give neither onsets nor time, as in :mod:`workbench.analysis._events`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.errors import BadValue
from workbench.messages import Message
from workbench.vocabulary import Trial

SHUFFLES = 2000
"""Placements of the cues."""
PERCENTILE = 95


@dataclass(frozen=True, slots=True)
class Guessing:
    """The chance limit of one run.

    Attributes
    ----------
    limit : 95th percentile of the hits; more than that is better than guessing.
    n : cues. shuffles : placements. seed_of : identity that the draws were seeded from.
    hits : that the run had.
    """

    limit: int
    n: int
    shuffles: int
    seed_of: str
    hits: int

    @property
    def above(self) -> bool:
        """Whether the run had more hits than its limit."""
        return self.hits > self.limit

    def line(self) -> str:
        """One sentence."""
        verdict = "better" if self.above else "not better"
        return (
            f"{verdict} than guessing: {self.hits} of {self.n} hit; the {PERCENTILE}th percentile with the cue "
            f"times shuffled {self.shuffles} times is {self.limit}"
        )


def guessing(
    trials: Sequence[Trial], onsets: Sequence[int], *, window_s: float, fs: float, seed_of: str
) -> Guessing | None:
    """The guessing limit of one run; None where no trial was judged or its trials leave no room for another order.

    Parameters
    ----------
    trials : of the run, as the paradigm judged them.
    onsets : sample of each activation of the run.
    window_s : an onset up to this long after a cue is a hit, s. fs : rate in Hz.
    seed_of : identity of the run; the same run gets the same draws.

    Raises
    ------
    BadValue
        When window or rate are not above 0.
    """
    if not (window_s > 0 and fs > 0):
        raise BadValue(Message("result.guessing_window", window=str(window_s), fs=str(fs)))
    judged = [trial for trial in trials if trial.outcome in ("correct", "missed")]
    if not judged:
        return None
    onset_samples, total = _joined(judged, onsets)
    window = round(window_s * fs)
    # Time that is left when each cue keeps its window; the cues are spread over it.
    room = total - len(judged) * (window + 1)
    if room <= 0:
        return None
    # Seeded by identity, so that a report of the same run prints the same limit on every machine.
    seed = int.from_bytes(hashlib.sha256(seed_of.encode()).digest()[:8], "big")
    draw = np.random.Generator(np.random.PCG64(seed))
    # Sorted uniform places in the free time, each moved on by the windows before it: no two windows overlap.
    free = np.sort(draw.integers(0, room + 1, (SHUFFLES, len(judged))), axis=1)
    cues = free + (window + 1) * np.arange(len(judged))
    hits = (
        np.searchsorted(onset_samples, cues + window, side="right")
        > np.searchsorted(onset_samples, cues, side="left")
    ).sum(axis=1)
    # An integer number of hits that was reached, never one between two.
    limit = int(np.percentile(hits, PERCENTILE, method="higher"))
    n_hits = sum(trial.outcome == "correct" for trial in judged)
    return Guessing(limit, len(judged), SHUFFLES, seed_of, n_hits)


def _joined(judged: Sequence[Trial], onsets: Sequence[int]) -> tuple[NDArray[np.int64], int]:
    """Onsets on an axis of the judged trials alone, one after the other, and its length, samples."""
    marks = np.sort(np.asarray(onsets, dtype=np.int64))
    parts, start = [], 0
    for judged_trial in sorted(judged, key=lambda trial: trial.cue_sample):
        # Half open: an onset at the end of one trial belongs to the next.
        in_trial = marks[(marks >= judged_trial.cue_sample) & (marks < judged_trial.end_sample)]
        parts.append(in_trial - judged_trial.cue_sample + start)
        start += max(0, judged_trial.end_sample - judged_trial.cue_sample)
    return np.concatenate(parts), start
