"""Proportions, tables, means, ranks, time to event, marginal models, sizes: closed forms, limits, refusals."""

from __future__ import annotations

from fractions import Fraction
from math import exp, inf, isnan
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.linalg import fractional_matrix_power

from tests.statistics.conftest import drawn
from workbench.errors import BadValue, Refused, UnknownName
from workbench.statistics import proportions as of
from workbench.statistics.gee import Small, _sandwich, gee
from workbench.statistics.linear import ancova, as_ratio, paired_t_test, t_test
from workbench.statistics.ranks import rank_sum, signed_rank
from workbench.statistics.sizes import equivalence, noninferiority, superiority
from workbench.statistics.survival import cox, kaplan_meier, log_rank
from workbench.statistics.tables import cmh, common_odds_ratio, counts, woolf

counts_of = st.integers(1, 40).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


# ------------------------------------------------------------------ proportions
@pytest.mark.job
@settings(max_examples=40, deadline=None)
@given(counts_of, st.sampled_from(of.OneMethod.__args__))
def test_an_interval_of_a_proportion_lies_in_0_to_1_holds_it_and_turns_with_it(kn, method):
    k, n = kn
    low, high = of.proportion(k, n, method=method)
    assert 0 <= low <= k / n + 1e-12
    assert k / n - 1e-12 <= high <= 1
    other = of.proportion(n - k, n, method=method)
    assert other == pytest.approx((1 - high, 1 - low), abs=1e-9)


@settings(max_examples=30, deadline=None)
@given(counts_of, counts_of, st.sampled_from(of.TwoMethod.__args__))
def test_an_interval_of_a_difference_turns_with_the_groups(a, b, method):
    if method in ("hauck-anderson",) and min(a[1], b[1]) < 2:
        return
    one, two = of.difference(*a, *b, method=method), of.difference(*b, *a, method=method)
    assert (two.low, two.high) == pytest.approx((-one.high, -one.low), abs=1e-7)
    assert one.low - 1e-9 <= one.value <= one.high + 1e-9 or method == "agresti-caffo"


@settings(max_examples=20, deadline=None)
@given(counts_of, counts_of)
def test_a_stratum_alone_is_its_own_score_interval(a, b):
    if a[1] + b[1] > 2:
        one, whole = of.difference(*a, *b), of.stratified_difference([(*a, *b)])
        assert (whole.value, whole.low, whole.high) == pytest.approx((one.value, one.low, one.high), abs=1e-9)


def test_the_end_of_a_score_interval_is_where_the_score_test_is_at_its_level():
    low = of.difference(30, 50, 20, 50, method="mee").low
    p1, p2 = (float(one[0]) for one in of._restricted(np.array([[30.0, 50, 20, 50]]), low))
    z = (0.2 - low) / np.sqrt(p1 * (1 - p1) / 50 + p2 * (1 - p2) / 50)
    assert p1 - p2 == pytest.approx(low)
    assert z == pytest.approx(stats.norm.ppf(0.975), rel=1e-8)


@given(st.integers(0, 25))
def test_an_exact_test_and_its_interval_agree(k):
    low, high = of.proportion(k, 25, method="clopper-pearson")
    assert (low <= 0.37 <= high) is (of.binomial_test(k, 25, 0.37, method="exact-doubled") > 0.05)


@settings(max_examples=25, deadline=None)
@given(st.tuples(*[st.integers(0, 15)] * 4).filter(sum), st.sampled_from(of.PairedMethod.__args__))
def test_a_paired_interval_turns_with_the_pair(cells, method):
    both, first, second, neither = cells
    one = of.paired_difference(both, first, second, neither, method=method)
    two = of.paired_difference(both, second, first, neither, method=method)
    assert (two.low, two.high) == pytest.approx((-one.high, -one.low), abs=1e-7)


def test_rates_with_the_same_events_and_exposure_have_a_symmetric_interval():
    one = of.rate_difference(7, 50.0, 7, 50.0)
    assert one.value == 0
    assert one.high == pytest.approx(-one.low, rel=1e-8)


@pytest.mark.parametrize(
    ("ask", "says"),
    [
        (lambda: of.proportion(3, 0), "total at least 1, got 3 of 0"),
        (lambda: of.proportion(5, 4, method="blaker"), "got 5 of 4"),
        (lambda: of.proportion(1, 4, level=1.0), "between 0 and 1, got 1.0"),
        (lambda: of.binomial_test(1, 4, 0.0), "between 0 and 1, got 0.0"),
        (lambda: of.ratio(0, 4, 1, 4), "a cell of the table is 0"),
        (lambda: of.odds_ratio(4, 4, 1, 4), "a cell of the table is 0"),
        (lambda: of.rate_difference(1, 0.0, 1, 2.0), "exposures above 0"),
        (lambda: cmh(np.array([[[3, 0], [4, 0]]])), "no stratum has two rows and two answers"),
        (lambda: woolf(np.array([[[3, 0], [4, 2]]])), "a cell of the table is 0"),
    ],
)
def test_counts_that_tell_nothing_are_refused(ask, says):
    with pytest.raises(BadValue, match=says):
        ask()


@pytest.mark.parametrize(
    "ask",
    [
        lambda: of.proportion(1, 2, method="exact"),
        lambda: of.binomial_test(1, 2, 0.5, method="score"),
        lambda: of.difference(1, 2, 1, 2, method="exact"),
        lambda: of.paired_difference(1, 2, 1, 2, method="exact"),
        lambda: cox([1.0, 2.0], [True, True], np.eye(2), ties="exact"),
        lambda: gee({}, outcome="y", terms=(), participant="id", family="gamma"),
    ],
)
def test_a_method_that_there_is_not_is_refused_with_those_there_are(ask):
    with pytest.raises(UnknownName, match="there is no .*; choose from "):
        ask()


# ------------------------------------------------------------------ tables
def test_one_stratum_of_two_by_two_is_the_chi_square_with_n_less_1():
    table = np.array([[12.0, 5.0], [7.0, 16.0]])
    plain = stats.chi2_contingency(table, correction=False).statistic
    found = cmh(table[None])
    assert found.general.value == pytest.approx(plain * 39 / 40)
    assert found.correlation.value == pytest.approx(found.row_means.value) == pytest.approx(found.general.value)


def test_relabelling_rows_and_answers_leaves_general_association():
    made = np.random.default_rng(2).integers(1, 9, (3, 3, 4)).astype(float)
    one, two = cmh(made).general, cmh(made[::-1, ::-1, [2, 0, 3, 1]]).general
    assert (two.value, two.df) == (pytest.approx(one.value), 6)


def test_a_common_odds_ratio_of_one_stratum_is_its_own():
    table = np.array([[[12.0, 5.0], [7.0, 16.0]]])
    assert common_odds_ratio(table).value == pytest.approx(12 * 16 / (5 * 7))
    assert woolf(np.repeat(table, 2, axis=0)).value == pytest.approx(0, abs=1e-12)


def test_people_are_counted_with_numbers_in_order():
    made, (arms, grades) = counts({"a": list("xyxy"), "g": [10, 9, 2, 9], "s": ["1"] * 4}, "a", "g", "s")
    assert (arms, grades) == (["x", "y"], ["2", "9", "10"])
    assert made.tolist() == [[[1, 0, 1], [0, 2, 0]]]


# ------------------------------------------------------------------ means
def test_an_ancova_without_covariates_is_students_test():
    draw = np.random.default_rng(4)
    a, b = list(draw.normal(size=7)), list(draw.normal(1, 1, 9))
    one = ancova({"arm": ["a"] * 7 + ["b"] * 9, "y": a + b}, outcome="y", terms=("arm",)).differences("arm")[
        "b", "a"
    ]
    two = t_test(b, a, pooled=True)
    assert (one.value, one.se, one.df, one.p) == pytest.approx((two.value, two.se, two.df, two.p))
    welch, theirs = t_test(b, a), stats.ttest_ind(b, a, equal_var=False)
    assert (welch.p, welch.df) == pytest.approx((theirs.pvalue, theirs.df))


def test_sums_of_squares_add_up_and_a_shifted_covariate_changes_no_mean():
    table = {name: values[::3] for name, values in drawn(7).items()}
    one = ancova(table, outcome="y", terms=("arm", "base"))
    two = ancova({**table, "base": [b + 100 for b in table["base"]]}, outcome="y", terms=("arm", "base"))
    parts = sum(own.value for own in one.type_one().values()) + one.variance * one.df
    assert parts == pytest.approx(float(np.var(table["y"]) * len(table["y"])))
    assert one.type_three()["base"].value == pytest.approx(one.type_one()["base"].value)
    assert two.means("arm")["stim",].value == pytest.approx(one.means("arm")["stim",].value)


def test_pairs_are_one_sample_of_differences():
    a, b = [3.0, 5.0, 8.0, 9.5], [2.0, 5.5, 6.0, 7.0]
    one, theirs = paired_t_test(a, b), stats.ttest_rel(a, b)
    assert (one.t, one.p) == pytest.approx((theirs.statistic, theirs.pvalue))
    assert as_ratio(one).value == pytest.approx(exp(one.value))
    with pytest.raises(BadValue, match="as many first as second values, got 4 and 3"):
        paired_t_test(a, b[:3])
    with pytest.raises(BadValue, match="does not vary"):
        paired_t_test(a, [v - 1 for v in a])
    with pytest.raises(BadValue, match="first has 1 values, and at least 2"):
        t_test([1.0], a)


# ------------------------------------------------------------------ ranks
def test_exact_ranks_without_ties_agree_with_scipy_and_turn_with_the_sign():
    draw = np.random.default_rng(8)
    a, b = list(draw.normal(0.6, 1, 9)), list(draw.normal(size=11))
    one = rank_sum(a, b)
    assert one.p == pytest.approx(stats.mannwhitneyu(a, b, method="exact").pvalue)
    assert (rank_sum(b, a).low, rank_sum(b, a).shift) == pytest.approx((-one.high, -one.shift))
    pairs = signed_rank(a)
    assert pairs.p == pytest.approx(stats.wilcoxon(a, method="exact").pvalue)
    assert pairs.low <= pairs.shift <= pairs.high
    assert signed_rank(a, exact=False, correct=False).p == pytest.approx(
        stats.wilcoxon(a, method="asymptotic").pvalue
    )


def test_ties_are_counted_by_enumeration():
    a, b = [1.0, 2.0, 2.0, 5.0], [2.0, 3.0, 4.0]
    ranks = stats.rankdata(a + b)
    from itertools import combinations

    sums = [sum(ranks[list(own)]) for own in combinations(range(7), 4)]
    far = sum(abs(s - 16) >= abs(sum(ranks[:4]) - 16) for s in sums)
    assert rank_sum(a, b).p == pytest.approx(float(Fraction(far, len(sums))))
    with pytest.raises(BadValue, match="does not vary"):
        rank_sum([1.0, 1.0], [1.0])
    with pytest.raises(BadValue, match="does not vary"):
        signed_rank([0.0, 0.0])


# ------------------------------------------------------------------ time to event
def test_without_censoring_survival_is_a_share():
    curve = kaplan_meier([3.0, 1.0, 2.0, 2.0, 5.0], [True] * 5)
    assert curve.survival.tolist() == pytest.approx([0.8, 0.4, 0.2, 0.0])
    assert curve.at(2.5)[0] == pytest.approx(0.4)
    assert curve.quantile(0.5)[0] == 2.0
    assert curve.at(0.5) == (1.0, 1.0, 1.0)


def test_survival_is_not_told_beyond_the_last_time_seen():
    curve = kaplan_meier([1.0, 2.0, 4.0], [True, False, False])
    assert isnan(curve.at(5.0)[0])
    assert isnan(curve.quantile(0.9)[0])
    with pytest.raises(BadValue, match="no event was seen"):
        kaplan_meier([1.0, 2.0], [False, False])


def test_coxs_score_test_is_the_log_rank_test_and_ties_agree_without_ties():
    draw = np.random.default_rng(9)
    times, events = list(draw.exponential(size=30)), list(draw.random(30) < 0.7)
    arm = np.arange(30) % 2
    efron, breslow = (cox(times, events, arm[:, None], ties=ties).estimates[0] for ties in ("efron", "breslow"))
    assert efron.value == pytest.approx(breslow.value)
    theirs = log_rank(times, events, [str(a) for a in arm])
    assert theirs.df == 1
    assert efron.t**2 == pytest.approx(theirs.value, rel=0.15)
    stretched = cox([t**3 for t in times], events, arm[:, None]).estimates[0]
    assert stretched.value == pytest.approx(efron.value)


def test_an_arm_without_events_has_no_hazard_ratio():
    with pytest.raises(Refused, match="a hazard ratio grows without bound"):
        cox([1.0, 2.0, 3.0, 4.0], [True, True, False, False], np.array([[0.0], [0], [1], [1]]))
    with pytest.raises(BadValue, match="cannot be told apart"):
        cox([1.0, 2.0], [True, True], np.ones((2, 1)))


# ------------------------------------------------------------------ marginal models
def test_a_marginal_model_of_one_row_each_is_a_logistic_regression_of_the_table():
    made = [("a", 1)] * 6 + [("a", 0)] * 14 + [("b", 1)] * 13 + [("b", 0)] * 7
    table = {"arm": [a for a, _ in made], "y": [v for _, v in made], "id": [str(i) for i in range(40)]}
    one = gee(table, outcome="y", terms=("arm",), participant="id").differences("arm")["b", "a"]
    two = of.odds_ratio(13, 20, 6, 20)
    assert (exp(one.value), exp(one.low), exp(one.high)) == pytest.approx((two.value, two.low, two.high))
    assert one.df == inf


def test_rows_in_any_order_give_the_same_marginal_model():
    table = drawn(10)
    order = np.random.default_rng(1).permutation(len(table["y"]))
    ask = {"outcome": "y", "terms": ("arm", "base"), "participant": "id", "family": "gaussian"}
    ask["working"] = "exchangeable"
    one, two = gee(table, **ask), gee({k: [v[i] for i in order] for k, v in table.items()}, **ask)
    assert two.beta == pytest.approx(one.beta)
    assert two.covariance == pytest.approx(one.covariance)
    plain, less, more = (np.diag(gee(table, **ask, small=own).covariance) for own in get_args(Small))
    assert np.all(plain < less)
    assert np.all(less < more)


@pytest.mark.parametrize(("small", "power"), [("kauermann-carroll", -0.5), ("mancl-derouen", -1.0)])
def test_the_scores_of_few_participants_are_blown_up_by_a_power_of_what_leverage_leaves(small, power):
    draw = np.random.default_rng(1)
    x, y = np.column_stack([np.ones(12), draw.normal(size=12)]), (draw.random(12) < 0.5).astype(float)
    people = [np.arange(i, i + 3) for i in range(0, 12, 3)]
    beta, correlation = np.array([0.1, 0.2]), 0.3
    bread, meat = _sandwich(x, y, people, (beta, correlation, "binomial"), small=small)
    mu, naive = 1 / (1 + np.exp(-x @ beta)), np.zeros((2, 2))
    for own in people:
        v = mu[own] * (1 - mu[own])
        d, root = x[own] * v[:, None], np.sqrt(v)
        w = np.linalg.inv(((1 - correlation) * np.eye(3) + correlation) * np.outer(root, root))
        left = np.eye(3) - d @ np.linalg.inv(bread) @ d.T @ w
        score = d.T @ w @ fractional_matrix_power(left, power) @ (y[own] - mu[own])
        naive += np.outer(score, score)
    assert meat == pytest.approx(naive, rel=1e-10)


@pytest.mark.parametrize(
    ("y", "error", "says"),
    [
        ([0, 0, 0, 1, 1, 1], Refused, "an effect grows without bound"),
        ([1] * 6, BadValue, "y does not vary"),
        ([0, 1, 2, 0, 1, 1], BadValue, "does not suit the binomial family"),
        ([""] * 6, BadValue, "no row has a value"),
    ],
)
def test_separation_and_a_wrong_outcome_are_refused(y, error, says):
    table = {"arm": list("aaabbb"), "y": y, "id": list("123456")}
    with pytest.raises(error, match=says):
        gee(table, outcome="y", terms=("arm",), participant="id")


# ------------------------------------------------------------------ sizes
def test_a_size_reaches_its_power_and_halving_the_effect_quadruples_it():
    n = superiority(8, 15)
    away, critical = 8 / 15 * np.sqrt(n / 2), stats.t.ppf(0.975, 2 * (n - 1))
    assert stats.nct.sf(critical, 2 * (n - 1), away) == pytest.approx(0.8, abs=1e-4)
    assert superiority(4, 15) == pytest.approx(4 * n, rel=0.02)
    assert noninferiority(0.05, 0.1) < equivalence(0.05, 0.1)
    with pytest.raises(BadValue, match="no size suffices"):
        equivalence(0.1, 1.0, difference=0.1)
    with pytest.raises(BadValue, match="standard deviation must be above 0"):
        superiority(1.0, 0.0)
