"""What guessing hits: the limit from the run's own onsets against cues at shuffled times."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.analysis import guessing
from workbench.errors import BadValue
from workbench.vocabulary import Trial

FS, PERIOD, N = 100.0, 800, 20


def run_of(onsets: list[int], *, excluded: tuple[int, ...] = ()) -> list[Trial]:
    """20 trials of 8 s; a hit is an onset within 1.5 s of the cue."""
    made = []
    for i in range(N):
        cue = i * PERIOD
        first = next((at for at in sorted(onsets) if cue <= at <= cue + 150), None)
        outcome = "excluded" if i in excluded else "correct" if first is not None else "missed"
        made.append(
            Trial(
                index=i,
                condition="grasp",
                cue_sample=cue,
                cue_stamp=cue / FS,
                end_sample=cue + PERIOD,
                outcome=outcome,
                decided="",
                onset_sample=first,
                latency_s=None if first is None else (first - cue) / FS,
                rest_s=5.0,
            )  # fmt: skip
        )
    return made


def limit(onsets: list[int], *, seed_of: str = "run-1", excluded: tuple[int, ...] = ()) -> object:
    return guessing(run_of(onsets, excluded=excluded), onsets, window_s=1.5, fs=FS, seed_of=seed_of)


ON_CUE = [i * PERIOD + 80 for i in range(N)]


def test_somebody_who_answers_every_cue_is_better_than_guessing_and_the_limit_is_that_of_the_rate():
    """Twenty onsets in 160 s: a window of 1.5 s holds one by chance in about 19 % of the placements."""
    found = limit(ON_CUE)
    assert (found.hits, found.n, found.shuffles) == (20, 20, 2000)
    assert 4 <= found.limit <= 9  # binomial of 20 and 0.19: 95th percentile 7
    assert found.above
    assert "20 of 20 hit" in found.line()


def test_onsets_that_know_nothing_of_the_cues_pass_their_limit_in_at_most_one_run_of_twenty():
    draw = np.random.default_rng(5)
    above = 0
    for seed in range(200):
        onsets = sorted(draw.integers(0, N * PERIOD, 40).tolist())
        above += limit(onsets, seed_of=f"run-{seed}").above
    assert above <= 20  # 5 % of 200 is 10; 20 is passed with a probability below 0.2 %


def test_many_activations_raise_the_limit_although_they_hit_more():
    often = [*ON_CUE, *(i * PERIOD + at for i in range(N) for at in (300, 450, 600, 750))]
    assert limit(often).limit > limit(ON_CUE).limit
    assert limit(often).limit >= 18


def test_the_same_run_has_the_same_limit_and_no_onset_gives_a_limit_of_none():
    busy = ON_CUE + [i * PERIOD + 500 for i in range(N)]
    assert limit(busy) == limit(busy)
    assert limit([]).limit == 0
    assert not limit([]).above


def test_excluded_trials_give_neither_onsets_nor_time():
    half = tuple(range(10, N))
    found = limit(ON_CUE, excluded=half)
    assert (found.n, found.hits) == (10, 10)
    # The onsets of the excluded half would raise the limit if they counted in the time of the other half.
    crowd = ON_CUE + [i * PERIOD + at for i in half for at in range(0, PERIOD, 20)]
    assert limit(crowd, excluded=half).limit == found.limit


def test_without_trials_there_is_no_limit_and_a_window_of_nothing_is_refused():
    assert guessing([], [], window_s=1.5, fs=FS, seed_of="") is None
    with pytest.raises(BadValue, match="above 0"):
        guessing(run_of(ON_CUE), ON_CUE, window_s=0.0, fs=FS, seed_of="")
