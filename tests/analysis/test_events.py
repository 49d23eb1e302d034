"""Event metrics against cases computed by hand."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.analysis import event_metrics, f1_of, spread
from workbench.errors import BadValue
from workbench.vocabulary import Trial


def trial(index, outcome="correct", *, latency=0.8, release=0.2, false=0, rest=0, rest_s=5.0):
    hit = outcome == "correct"
    return Trial(
        index=index,
        condition="grasp",
        cue_sample=index * 2000,
        cue_stamp=index * 8.0,
        end_sample=index * 2000 + 2000,
        outcome=outcome,
        decided="grasp" if hit else "",
        onset_sample=index * 2000 + 200 if hit else None,
        latency_s=latency if hit else None,
        release_s=release if hit else None,
        held_s=2.0 if hit else None,
        false_activations=false,
        false_in_rest=rest,
        rest_s=rest_s,
        excluded="gap of 40 ms" if outcome == "excluded" else "",
    )


def metrics(trials, **options):
    return event_metrics(trials, **({"onset_window_s": 1.5, "fs": 250.0} | options))


def test_ten_attempts_by_hand():
    trials = [trial(i, latency=0.4 + 0.1 * i) for i in range(8)]
    trials += [trial(8, "missed", false=1, rest=1), trial(9, "missed", false=1)]
    trials.append(trial(10, "excluded", false=3, rest=3))
    m = metrics(trials)
    assert (m.hits, m.misses, m.false, m.n, m.excluded) == (8, 2, 2, 10, 1)
    assert m.precision == pytest.approx(0.8)
    assert m.recall == pytest.approx(0.8)
    assert m.f1 == pytest.approx(0.8)
    assert (m.false_in_rest, m.rest_s) == (1, 50.0)
    assert m.false_per_min == pytest.approx(1.2)
    assert m.false_per_min_interval == pytest.approx((0.0253178 * 1.2, 5.5716434 * 1.2), abs=1e-6)
    assert (m.onset.median, m.onset.low, m.onset.high) == pytest.approx((0.75, 0.575, 0.925))
    assert (m.release.n, m.held_through, m.held.median) == (8, 8, 2.0)


def test_f1_is_the_harmonic_mean_of_precision_and_recall():
    precision, recall = 7 / (7 + 3), 7 / (7 + 5)
    assert f1_of(7, false=3, missed=5) == pytest.approx(2 * precision * recall / (precision + recall))
    with pytest.raises(BadValue, match="at least one"):
        f1_of(0, false=0, missed=0)


def test_the_interval_is_a_seeded_trial_bootstrap_as_an_obvious_loop_finds_it():
    trials = [trial(i, "correct" if i % 4 else "missed", false=int(i % 5 == 0)) for i in range(15)]
    m = metrics(trials, seed=7, resamples=500)
    drawn = np.random.Generator(np.random.PCG64(7)).integers(0, 15, size=(500, 15))
    values = []
    for row in drawn:
        picked = [trials[i] for i in row]
        hits = sum(t.outcome == "correct" for t in picked)
        false = sum(t.false_activations for t in picked)
        values.append(2 * hits / (2 * hits + false + 15 - hits))
    assert m.f1_interval == pytest.approx(tuple(np.quantile(values, [0.025, 0.975])), abs=1e-12)
    assert m.f1_interval.low < m.f1 < m.f1_interval.high
    assert (m.seed, m.resamples) == (7, 500)
    assert metrics(trials, seed=7, resamples=500) == m
    assert metrics(trials, seed=8, resamples=500).f1_interval != m.f1_interval


def test_the_line_prints_value_interval_n_and_definition():
    trials = [trial(i, "correct" if i else "missed", false=int(i == 1)) for i in range(15)]
    trials.append(trial(15, "excluded"))
    m = metrics(trials)
    low, high = m.f1_interval
    assert m.line() == (
        f"event F1 0.933 (95 % CI {low:.3f}–{high:.3f}, trial bootstrap, seed 1; 14 of 15 attempts hit, "
        "1 false; hit = first onset within 1.5 s of the cue; 1 excluded)"
    )


def test_trials_that_are_all_alike_give_no_bootstrap_interval_but_one_of_recall():
    m = metrics([trial(i) for i in range(15)])
    assert m.f1 == 1.0
    assert m.f1_interval is None
    assert "all trials alike; recall 95 % CI 0.796–1.000, Wilson" in m.line()


def test_a_hold_is_through_when_it_is_not_released_before_the_attempt_ended():
    trials = [trial(0, release=-0.5), trial(1, release=0.0), trial(2, release=None), trial(3, "missed")]
    m = metrics(trials)
    assert (m.held_through, m.release.n) == (2, 2)
    assert m.timing_line().endswith("held to the end of the attempt 2 of 3")


def test_without_a_release_the_line_says_so():
    assert "release after the attempt none seen" in metrics([trial(0, release=None)]).timing_line()


def test_nothing_to_judge_gives_no_numbers():
    m = metrics([trial(0, "excluded"), trial(1, "recorded")])
    assert (m.n, m.excluded) == (0, 1)
    assert m.f1 is m.precision is m.recall is m.f1_interval is m.recall_interval is m.false_per_min is None
    assert m.line() == "event F1: no judged attempt (hit = first onset within 1.5 s of the cue; 1 excluded)"
    assert m.rest_line() == "false activations in rest: no rest time was recorded"
    assert m.timing_line() == "onset latency: no hit"


def test_no_activation_at_all_has_no_precision_and_an_f1_of_zero():
    m = metrics([trial(i, "missed") for i in range(3)])
    assert m.precision is None
    assert (m.recall, m.f1) == (0.0, 0.0)
    assert m.line().startswith("event F1 0.000 (all trials alike; recall 95 % CI 0.000–")


def test_the_line_on_rest_prints_count_time_rate_and_interval():
    trials = [trial(i, "correct", false=int(i < 2), rest=int(i < 2), rest_s=6.0) for i in range(10)]
    assert metrics(trials).rest_line() == (
        "false activations in rest 2 in 1.0 min = 2.00 per min (95 % CI 0.24–7.22, Poisson)"
    )


@pytest.mark.parametrize("latency", [1.51, -0.1, None])
def test_a_hit_outside_the_window_was_judged_by_another_definition(latency):
    with pytest.raises(BadValue, match="outside the window of 1.5 s"):
        metrics([trial(0, latency=latency)])


def test_a_hit_one_sample_outside_through_rounding_is_taken():
    assert metrics([trial(0, latency=1.504)]).hits == 1


@pytest.mark.parametrize("options", [{"onset_window_s": 0.0}, {"fs": 0.0}, {"resamples": 0}])
def test_a_definition_that_makes_no_sense_is_refused(options):
    with pytest.raises(BadValue, match="must be above 0"):
        metrics([trial(0)], **options)


def test_spread_is_linear_between_order_statistics():
    assert spread([]) is None
    s = spread([4.0, 1.0, 3.0, 2.0])
    assert (s.n, s.low, s.median, s.high) == (4, 1.75, 2.5, 3.25)
    assert s.words() == "2.50 s (IQR 1.75–3.25, n = 4)"
