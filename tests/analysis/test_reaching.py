"""How targets were reached, and what cursors without aim reach in the same task."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from workbench import analysis
from workbench.paradigms.centre_out import CentreOut
from workbench.vocabulary import Decision, Trial

FS, HOP = 100.0, 5
TASK = CentreOut(attempt_s=5.0)


def trial(index, outcome="correct", latency_s=2.0, efficiency=0.9):
    at = 1000 * index
    result = {"path": 1.0, "path_efficiency": efficiency, "nearest": 0.1}
    return Trial(index, "up", at, at / FS, at + 500, outcome, latency_s=latency_s, result=result)


def decisions(velocities, number=0):
    return [
        Decision(HOP * (k + 1), 0.0, "up", trial=number, kind="velocity", values=tuple(velocity))
        for k, velocity in enumerate(velocities)
    ]


def walk(**parameters):
    rng = np.random.default_rng(1)
    made = decisions(rng.normal(0, 0.2, (400, 2)))
    return analysis.random_walks(replace(TASK, **parameters), made, hop_s=0.05, seed_of="run-1")


@pytest.mark.job
def test_walks_have_the_speed_and_the_persistence_of_the_run_and_are_the_same_for_the_same_run():
    walks = walk()
    assert walks.speed == pytest.approx(0.2, rel=0.1)
    assert walks.persistence < 0.1
    assert walk() == walks
    steady = [(0.3, -0.1)] * 100
    assert analysis.random_walks(TASK, decisions(steady), hop_s=0.05, seed_of="a").persistence > 0.95


@pytest.mark.job
def test_faster_walks_reach_more_and_no_target_is_reached_more_often_than_by_choosing_one():
    slow, fast = walk(gain=0.5), walk(gain=8.0)
    assert slow.share < fast.share <= 0.25 + 0.04
    assert slow.share < 0.02


def test_evidence_outside_of_trials_or_unsound_says_nothing_of_movement():
    still = [replace(d, trial=-1) for d in decisions([(1.0, 1.0)] * 50)]
    still += [replace(d, valid=False) for d in decisions([(1.0, 1.0)] * 50)]
    still += [replace(d, label="") for d in decisions([(1.0, 1.0)] * 50)]
    assert analysis.random_walks(TASK, still, hop_s=0.05, seed_of="a") is None
    assert analysis.random_walks(TASK, decisions([(0.0, 0.0)] * 50), hop_s=0.05, seed_of="a") is None


def test_what_is_counted_of_a_run():
    trials = [trial(k, latency_s=1.0 + 0.5 * k, efficiency=0.8 + 0.02 * k) for k in range(8)]
    trials += [trial(8, "wrong", 3.0), trial(9, "missed", None), trial(10, "excluded", None)]
    walks = analysis.RandomWalks(0.1, 500, 0.2, 0.9)
    found = analysis.reaching(trials, targets=4, fs=FS, walks=walks)
    assert (found.hits, found.n, found.time.median) == (8, 10, 2.75)
    assert found.efficiency.median == pytest.approx(0.87)
    # The eighth of ten cues apart by 10 s, the last trial cut off after 5 s.
    assert found.bits_per_min == pytest.approx(analysis.itr(0.8, classes=4, selection_s=9.5))
    # 4 or more of 10 at a tenth: 1.3 %; 3 or more: 7 %.
    assert found.limit == 4
    assert found.time_interval == (1.0, 4.5)
    assert "random walks reach 4 of 10 with at most 5 %" in found.line()


def test_without_a_hit_or_walks_nothing_is_made_up():
    found = analysis.reaching([trial(0, "missed", None)], targets=4, fs=FS)
    assert (found.time, found.efficiency, found.limit) == (None, None, None)
    assert found.line() == "reaching: no target of 1 was reached"
    assert analysis.reaching([], targets=4, fs=FS).bits_per_min is None


@pytest.mark.parametrize(("n", "interval"), [(5, None), (6, (1, 6)), (9, (2, 8)), (20, (6, 15))])
def test_the_interval_of_a_median_is_that_of_its_order_statistics(n, interval):
    # Ranks as in tables of the sign test.
    assert analysis.median_interval(list(range(1, n + 1))) == interval
