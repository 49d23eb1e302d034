"""Event metrics against cases computed by hand."""

from __future__ import annotations

import numpy as np
import pytest
import scipy

from workbench.analysis import event_metrics, f1_of, poisson_interval, spread, wilson
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


def test_the_interval_of_one_run_is_that_of_hits_among_all_events_carried_over():
    """14 of 15 hit and 1 false: q = 14/16, Wilson 0.640–0.965, F1 = 2q/(1+q)."""
    trials = [trial(i, "correct" if i else "missed", false=int(i == 1)) for i in range(15)]
    m = metrics(trials)
    low, high = wilson(14, 16)
    assert m.f1_interval.low <= 2 * low / (1 + low) < m.f1 < 2 * high / (1 + high) <= m.f1_interval.high
    assert m.recall_interval.low <= wilson(14, 15).low
    assert m.precision_interval.high >= wilson(14, 15).high
    assert m.clusters == 1


def test_trials_that_vary_more_than_chance_widen_the_interval_of_their_run():
    """All 12 false activations fall into two of twenty trials."""
    even = [trial(i, "correct" if i % 4 else "missed", false=int(i < 12)) for i in range(20)]
    clumped = [trial(i, "correct" if i % 4 else "missed", false=6 * (i < 2)) for i in range(20)]
    one, two = metrics(even).f1_interval, metrics(clumped).f1_interval
    assert metrics(even).f1 == metrics(clumped).f1
    assert two.low < one.low
    assert two.high > one.high


def test_runs_are_the_unit_of_several_runs_and_nothing_narrows_by_naming_them():
    """Five runs of 20, hit rates .95, .9, .6, .95, .6: t of 4 degrees of freedom on the logit scale, by hand."""
    hits = (19, 18, 12, 19, 12)
    trials = [trial(i, "correct" if i < h else "missed") for h in hits for i in range(20)]
    runs = [str(run) for run in range(5) for _ in range(20)]
    whole = metrics(trials, runs=runs)
    q, b = 80 / 100, 100
    se = (5 / 4 * sum((h - q * 20) ** 2 for h in hits)) ** 0.5 / b
    half = scipy.stats.t.ppf(0.975, 4) * se / (q * (1 - q))
    low, high = (1 / (1 + np.exp(-(np.log(q / (1 - q)) + side * half))) for side in (-1, 1))
    assert whole.f1_interval == pytest.approx((2 * low / (1 + low), 2 * high / (1 + high)))
    assert whole.clusters == 5
    alone = metrics(trials)
    assert whole.f1 == alone.f1
    assert whole.f1_interval.low < alone.f1_interval.low
    assert "clustered by 5 runs" in whole.line()
    assert "of this run alone" in alone.line()
    alike = metrics([trial(i, "correct" if i < 16 else "missed") for _ in range(5) for i in range(20)], runs=runs)
    assert alike.f1_interval == metrics(trials).f1_interval
    with pytest.raises(BadValue, match="each trial needs its run, got 100 trials and 99 runs"):
        metrics(trials, runs=runs[1:])
    people = metrics(trials, runs=runs, unit="participant")
    assert people.f1_interval == whole.f1_interval
    assert "clustered by 5 participants" in people.line()
    with pytest.raises(BadValue, match="unit must be one of run, participant, got 'session'"):
        metrics(trials, runs=runs, unit="session")


def test_false_activations_of_runs_that_differ_have_a_wider_rate_than_poisson():
    trials = [trial(i, "correct", false=n, rest=n, rest_s=60.0) for n in (0, 0, 6) for i in range(10)]
    runs = [str(run) for run in range(3) for _ in range(10)]
    low, high = metrics(trials, runs=runs).false_per_min_interval
    exact = poisson_interval(60, exposure=30.0)
    assert low < exact.low
    assert high > exact.high


def test_the_line_prints_value_interval_n_and_definition():
    trials = [trial(i, "correct" if i else "missed", false=int(i == 1)) for i in range(15)]
    trials.append(trial(15, "excluded"))
    m = metrics(trials)
    low, high = m.f1_interval
    assert m.line() == (
        f"event F1 0.933 (95 % CI {low:.3f}–{high:.3f}, of this run alone; 14 of 15 attempts hit, 1 false; hit = "
        "first onset within 1.5 s of the cue; 1 excluded)"
    )


def test_trials_that_are_all_alike_have_an_interval_too():
    m = metrics([trial(i) for i in range(15)])
    low, high = wilson(15, 15)
    assert m.f1 == 1.0
    assert m.f1_interval == pytest.approx((2 * low / (1 + low), 1.0))
    assert "event F1 1.000 (95 % CI 0.886–1.000, of this run alone; 15 of 15" in m.line()


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
    assert m.line().startswith("event F1 0.000 (95 % CI 0.000–")


def test_the_line_on_rest_prints_count_time_rate_and_interval():
    trials = [trial(i, "correct", false=int(i < 2), rest=int(i < 2), rest_s=6.0) for i in range(10)]
    assert metrics(trials).rest_line() == (
        "false activations in rest 2 in 1.0 min = 2.00 per min (95 % CI 0.24–7.22, Poisson, of this run alone)"
    )


@pytest.mark.parametrize("latency", [1.51, -0.1, None])
def test_a_hit_outside_the_window_was_judged_by_another_definition(latency):
    with pytest.raises(BadValue, match="outside the window of 1.5 s"):
        metrics([trial(0, latency=latency)])


def test_a_hit_one_sample_outside_through_rounding_is_taken():
    assert metrics([trial(0, latency=1.504)]).hits == 1


@pytest.mark.parametrize("options", [{"onset_window_s": 0.0}, {"fs": 0.0}])
def test_a_definition_that_makes_no_sense_is_refused(options):
    with pytest.raises(BadValue, match="must be above 0"):
        metrics([trial(0)], **options)


def test_spread_is_linear_between_order_statistics():
    assert spread([]) is None
    s = spread([4.0, 1.0, 3.0, 2.0])
    assert (s.n, s.low, s.median, s.high) == (4, 1.75, 2.5, 3.25)
    assert s.words() == "2.50 s (IQR 1.75–3.25, n = 4)"
