"""Accuracy, confusion, latency, change and the verb ``estimate``."""

from __future__ import annotations

import numpy as np
import pytest

from workbench import analysis
from workbench.analysis import accuracy, change, confusion, confusion_by_run, estimate, latency
from workbench.errors import BadValue, UnknownName
from workbench.vocabulary import Condition, Trial

CLASSES = ("left", "right")


def trial(index, condition, decided, outcome=""):
    outcome = outcome or ("correct" if decided == condition else "wrong" if decided else "missed")
    return Trial(index, condition, 0, 0.0, 1, outcome, decided)


def run(right, wrong, undecided=0, excluded=0):
    decided = ["left"] * right + ["right"] * wrong + [""] * undecided
    trials = [trial(i, "left", d) for i, d in enumerate(decided)]
    return trials + [trial(99, "left", "", "excluded") for _ in range(excluded)]


def test_accuracy_stands_beside_n_interval_and_chance_limit():
    found = accuracy(run(13, 2), CLASSES)
    assert found.line() == "accuracy 13/15 = 0.867 (95 % CI 0.621–0.963, Wilson; 95 % chance limit 12/15)"
    assert found.above_chance
    assert accuracy(run(13, 2), 2) == found


def test_the_limit_is_reached_at_twelve_of_fifteen_and_not_at_eleven():
    assert accuracy(run(12, 3), 2).above_chance
    assert not accuracy(run(11, 4), 2).above_chance


def test_a_trial_without_a_decision_is_not_right_and_an_excluded_one_is_not_counted():
    found = accuracy(run(10, 2, undecided=3, excluded=2), CLASSES)
    assert (found.correct, found.n, found.excluded) == (10, 15, 2)
    assert found.line().endswith("95 % chance limit 12/15; 2 excluded)")


def test_few_trials_have_no_limit_and_none_has_no_accuracy():
    few = accuracy(run(4, 0), 2)
    assert "95 % chance limit none with 4 trials" in few.line()
    assert not few.above_chance
    none = accuracy([trial(0, "left", "", "recorded")], 2)
    assert (none.value, none.interval, none.n) == (None, None, 0)
    assert none.line() == "accuracy: no judged trial"


def test_a_condition_that_is_no_class_is_refused():
    with pytest.raises(BadValue, match="condition 'feet'; allowed are left, right"):
        accuracy([trial(0, "feet", "left")], CLASSES)
    with pytest.raises(BadValue, match="classes must differ"):
        accuracy([], ("left", "left"))
    with pytest.raises(BadValue, match="at least 2 classes"):
        accuracy([], 1)


def test_confusion_counts_cued_rows_and_decided_columns():
    trials = [
        trial(0, "left", "left"),
        trial(1, "left", "right"),
        trial(2, "right", "right"),
        trial(3, "right", "right"),
        trial(4, "right", ""),
        trial(5, "right", "", "excluded"),
    ]
    found = confusion(trials, CLASSES, run="2")
    assert found.counts == ((1, 1), (0, 2))
    assert found.undecided == (0, 1)
    assert (found.n, found.run, found.labels) == (5, "2", CLASSES)
    assert confusion(trials, ("right", "left")).counts == ((2, 0), (1, 1))


def test_confusion_is_kept_by_run():
    first, second = confusion_by_run({"run 1": run(3, 1), "run 2": run(2, 2)}, CLASSES)
    assert (first.run, first.counts) == ("run 1", ((3, 1), (0, 0)))
    assert (second.run, second.counts) == ("run 2", ((2, 2), (0, 0)))


def test_latency_percentiles_by_hand():
    found = latency([i / 1000 for i in range(101)])
    assert (found.n, found.p50_ms, found.p95_ms, found.p99_ms, found.max_ms) == pytest.approx(
        (101, 50, 95, 99, 100)
    )
    assert found.line() == "latency acquire to emit: p50 50.0 ms, p95 95.0 ms, p99 99.0 ms, max 100.0 ms (n = 101)"


def test_latency_at_another_speed_is_not_representative():
    found = latency(np.array([0.004]), speed=8.0)
    assert not found.representative
    assert "latency not representative" in found.line()


@pytest.mark.parametrize("values", [[], [0.1, float("nan")]])
def test_latency_needs_numbers(values):
    with pytest.raises(BadValue, match="at least one; got"):
        latency(values)


def test_conditions_are_spelt_out():
    words = analysis.condition_words(Condition(assisted=True, device_on=True, stimulation_on=True))
    assert words == "assisted, device on, stimulation on"


def test_estimate_answers_by_the_name_of_the_endpoint():
    trials = run(13, 2)
    assert estimate("accuracy", trials, CLASSES) == accuracy(trials, CLASSES)
    assert estimate("latency", [0.1], speed=1.0) == latency([0.1])
    with pytest.raises(
        UnknownName, match="available: accuracy, event_metrics, selections, tracking, latency, change"
    ):
        estimate("happiness")


def test_every_result_has_a_line(arat):
    results = [accuracy(run(1, 0), 2), latency([0.1]), change(arat(1), arat(2, visit="v2"))]
    results.append(estimate("event_metrics", [], onset_window_s=1.5, fs=250.0))
    assert all(result.line() for result in results)
