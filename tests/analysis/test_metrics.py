"""Kappa, area under the curve and information transfer rate, against worked examples and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score, roc_auc_score

from workbench import analysis
from workbench.errors import BadValue


def test_kappa_of_the_worked_example():
    truth = ["a"] * 25 + ["b"] * 25
    decided = ["a"] * 20 + ["b"] * 5 + ["a"] * 10 + ["b"] * 15
    found = analysis.kappa(truth, decided)
    assert (found.observed, found.expected) == (0.7, 0.5)
    assert found.value == pytest.approx(0.4)
    assert found.interval[0] < 0.4 < found.interval[1]
    assert "n = 50" in found.line()


def test_kappa_equals_scikit_learn_over_random_tables():
    rng = np.random.Generator(np.random.PCG64(1))
    for classes in (2, 3, 4):
        truth, decided = (rng.integers(0, classes, 60).astype(str) for _ in range(2))
        assert analysis.kappa(list(truth), list(decided)).value == pytest.approx(cohen_kappa_score(truth, decided))


def test_kappa_of_one_class_is_not_defined_and_says_so():
    assert "not defined" in analysis.kappa(["a", "a"], ["a", "a"]).line()
    with pytest.raises(BadValue, match="pairs"):
        analysis.kappa(["a"], [])


def test_auc_counts_ties_half_and_equals_scikit_learn():
    assert analysis.auc([1, 2, 2, 3], [False, True, False, True]).value == pytest.approx(3.5 / 4)
    rng = np.random.Generator(np.random.PCG64(2))
    for _ in range(10):
        scores, target = rng.integers(0, 6, 80) / 3.0, rng.random(80) < 0.3
        assert analysis.auc(scores, target).value == pytest.approx(roc_auc_score(target, scores))


def test_auc_interval_of_hanley_and_mcneil():
    # Hanley and McNeil 1982: area .893 with 51 abnormal and 58 normal images has standard error .032
    found = analysis.auc(*_with_area(51, 58, 0.893))
    assert found.value == pytest.approx(0.893, abs=0.002)
    assert (found.interval[1] - found.interval[0]) / 2 / 1.96 == pytest.approx(0.032, abs=0.001)
    assert "51 targets, 58 others" in found.line()


def _with_area(m, n, area):
    """Evidence of n others and m targets whose area is close to a number."""
    below = round(area * m * n)
    positions = [below // m + (1 if i < below % m else 0) for i in range(m)]
    return [*(2.0 * i + 1 for i in range(n)), *(2.0 * p for p in positions)], [False] * n + [True] * m


@pytest.mark.parametrize(
    ("scores", "target"), [([1.0, 2.0], [True, True]), ([1.0, np.nan], [True, False]), ([1.0], [True, False])]
)
def test_auc_refuses_what_has_none(scores, target):
    with pytest.raises(BadValue, match="AUC needs"):
        analysis.auc(scores, target)


@pytest.mark.parametrize(
    ("accuracy", "classes", "seconds", "bits"),
    [(1.0, 2, 60.0, 1.0), (0.5, 2, 1.0, 0.0), (0.9, 4, 60.0, 1.3725), (1.0, 4, 2.0, 60.0), (0.1, 4, 1.0, 0.0)],
)
def test_itr_of_worked_examples(accuracy, classes, seconds, bits):
    assert analysis.itr(accuracy, classes=classes, selection_s=seconds) == pytest.approx(bits, abs=1e-3)


@pytest.mark.parametrize("wrong", [{"accuracy": 1.1}, {"classes": 1}, {"selection_s": 0.0}])
def test_itr_refuses_what_is_no_rate(wrong):
    usual = {"accuracy": 0.9, "classes": 2, "selection_s": 1.0} | wrong
    with pytest.raises(BadValue):
        analysis.itr(usual.pop("accuracy"), **usual)


def test_kappa_interval_by_hand():
    """Agreement 35 of 50 has the Wilson interval 0.5625–0.8090; with 0.5 by chance that is 0.125–0.618."""
    truth = ["a"] * 25 + ["b"] * 25
    found = analysis.kappa(truth, ["a"] * 20 + ["b"] * 5 + ["a"] * 10 + ["b"] * 15)
    assert found.interval == pytest.approx((0.1250, 0.6179), abs=5e-5)


def test_kappa_of_a_few_pairs_that_all_agree_is_not_certain():
    """Wilson for 10 of 10 begins at 10 / (10 + 1.96²) = 0.7225; with 0.5 by chance that is 0.4449."""
    pairs = ["a"] * 5 + ["b"] * 5
    assert analysis.kappa(pairs, pairs).interval == pytest.approx((0.4449, 1.0), abs=5e-5)


@pytest.mark.parametrize("turn", [False, True])
def test_an_area_without_any_error_is_not_certain_either(turn):
    """One target, one other: the variance is A(1 − A), so 1 − A = z²A has the end 1 / (1 + 1.96²) = 0.2065."""
    found = analysis.auc([2.0, 1.0] if turn else [1.0, 2.0], [False, True])
    assert found.value == (0.0 if turn else 1.0)
    assert found.interval == pytest.approx((0.0, 0.7935) if turn else (0.2065, 1.0), abs=5e-5)


def test_more_epochs_without_error_make_the_area_surer():
    lows = [analysis.auc([0.0] * n + [1.0] * n, [False] * n + [True] * n).interval.low for n in (3, 10, 50)]
    assert lows == sorted(lows)
    assert lows[-1] > 0.9
