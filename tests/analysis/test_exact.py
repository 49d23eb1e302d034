"""Exact binomial and Poisson arithmetic against published numbers, hand computation and SciPy."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction
from math import comb

import pytest
import scipy

from workbench.analysis import (
    binomial_tail,
    chance_limit,
    chance_limit_of,
    chance_tail,
    clopper_pearson,
    poisson_interval,
    wilson,
)
from workbench.analysis._exact import student_t_quantile, student_t_tail
from workbench.errors import BadValue


def test_analysis_opens_without_scipy():
    program = "import sys, workbench.analysis; sys.exit('scipy' in sys.modules or 'pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_fifteen_trials_of_two_classes_have_a_chance_limit_of_twelve():
    assert chance_limit(15, classes=2) == 12
    assert chance_tail(12, 15, classes=2) == Fraction(455 + 105 + 15 + 1, 2**15)
    assert chance_tail(11, 15, classes=2) > Fraction(1, 20)


@pytest.mark.parametrize(
    ("n", "classes", "reached_by_guessing"),
    [(40, 2, 0.625), (100, 2, 0.58), (288, 4, 0.292), (180, 12, 0.117), (72, 5, 0.278)],
)
def test_one_trial_below_the_limit_is_the_highest_share_that_guessing_still_reaches(
    n, classes, reached_by_guessing
):
    assert round((chance_limit(n, classes=classes) - 1) / n, 3) == pytest.approx(reached_by_guessing, abs=1e-9)


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_the_limit_is_the_smallest_count_with_a_tail_of_at_most_five_percent(classes):
    for n in range(1, 60):
        unlikely = [k for k in range(n + 1) if chance_tail(k, n, classes=classes) <= Fraction(1, 20)]
        assert chance_limit(n, classes=classes) == (min(unlikely) if unlikely else None)


def test_with_four_trials_of_two_classes_no_count_is_unlikely():
    assert chance_tail(4, 4, classes=2) == Fraction(1, 16)
    assert chance_limit(4, classes=2) is None
    assert chance_limit(5, classes=2) == 5
    assert chance_limit(0, classes=2) is None


def test_the_tail_equals_that_of_scipy():
    from scipy.stats import binom

    for k, n, p in [(0, 5, 0.3), (3, 5, 0.3), (5, 5, 0.3), (80, 200, 0.35), (6, 5, 0.3)]:
        assert binomial_tail(k, n, p=p) == pytest.approx(float(binom.sf(k - 1, n, p)), rel=1e-11)
    assert binomial_tail(2, 5, p=0.0) == 0.0
    assert binomial_tail(2, 5, p=1.0) == 1.0


def test_wilson_interval_of_13_of_15_by_hand():
    z2 = 1.959963984540054**2
    centre = (13 + z2 / 2) / (15 + z2)
    half = (z2 * (13 * 2 / 15 + z2 / 4)) ** 0.5 / (15 + z2)
    assert wilson(13, 15) == pytest.approx((centre - half, centre + half), abs=1e-12)
    assert [round(x, 3) for x in wilson(13, 15)] == [0.621, 0.963]


@pytest.mark.parametrize(
    ("k", "n"), [(0, 1), (0, 10), (1, 10), (5, 10), (10, 10), (13, 15), (81, 263), (490, 500)]
)
def test_intervals_of_a_proportion_equal_those_of_scipy(k, n):
    from scipy.stats import binomtest

    test = binomtest(k, n)
    assert wilson(k, n) == pytest.approx(tuple(test.proportion_ci(method="wilson")), abs=1e-12)
    assert clopper_pearson(k, n) == pytest.approx(tuple(test.proportion_ci(method="exact")), abs=1e-9)
    assert clopper_pearson(k, n, level=0.9) == pytest.approx(
        tuple(test.proportion_ci(confidence_level=0.9, method="exact")), abs=1e-9
    )


def test_clopper_pearson_at_the_edges_has_its_closed_form():
    assert clopper_pearson(0, 10) == pytest.approx((0.0, 1 - 0.025**0.1), abs=1e-12)
    assert clopper_pearson(10, 10) == pytest.approx((0.025**0.1, 1.0), abs=1e-12)


@pytest.mark.parametrize("count", [0, 1, 3, 10, 150])
def test_the_poisson_interval_is_that_of_garwood(count):
    from scipy.stats import chi2

    low = chi2.ppf(0.025, 2 * count) / 2 if count else 0.0
    high = chi2.ppf(0.975, 2 * count + 2) / 2
    assert poisson_interval(count) == pytest.approx((low, high), rel=1e-9)
    assert poisson_interval(count, exposure=4.0) == pytest.approx((low / 4, high / 4), rel=1e-9)


def test_no_event_has_the_upper_limit_of_minus_log_alpha_half():
    assert poisson_interval(0).high == pytest.approx(3.6888794541, abs=1e-9)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: chance_limit(15, classes=1),
        lambda: chance_limit(-1, classes=2),
        lambda: chance_limit(15, classes=2, alpha=0.0),
        lambda: chance_tail(16, 15, classes=2),
        lambda: wilson(1, 0),
        lambda: wilson(0, 0),
        lambda: wilson(1, 2, level=1.0),
        lambda: clopper_pearson(0, 0),
        lambda: binomial_tail(1, 2, p=1.5),
        lambda: poisson_interval(-1),
        lambda: poisson_interval(1.5),
        lambda: poisson_interval(1, exposure=0.0),
    ],
)
def test_what_makes_no_sense_is_refused(wrong):
    with pytest.raises(BadValue, match="got"):
        wrong()


@pytest.mark.parametrize("df", [1, 2, 3, 7, 30, 200])
def test_the_interval_of_a_standard_deviation_is_that_of_chi_square(df):
    from scipy.stats import chi2

    from workbench.analysis._exact import chi_square_factors

    expected = [(df / chi2.ppf(tail, df)) ** 0.5 for tail in (0.975, 0.025)]
    assert chi_square_factors(df) == pytest.approx(expected, rel=1e-9)
    with pytest.raises(BadValue, match="at least 1 degree of freedom, got 0"):
        chi_square_factors(0)


def test_the_chance_limit_of_twenty_thousand_trials_is_exact_and_quick():
    """Equal to the plain definition for every small n; large n in linear steps of exact integers."""
    for classes in (2, 3, 5):
        for n in range(40):
            for alpha in (0.05, 0.01, 0.5):
                tails = [
                    sum(comb(n, j) * (classes - 1) ** (n - j) for j in range(k, n + 1)) / Fraction(classes**n)
                    for k in range(n + 1)
                ]
                fitting = [k for k, tail in enumerate(tails) if tail <= Fraction(str(alpha))]
                assert chance_limit(n, classes=classes, alpha=alpha) == (fitting[0] if fitting else None)
    for n, classes in ((6000, 2), (20000, 2), (20000, 4)):
        limit = chance_limit(n, classes=classes)
        assert limit == scipy.stats.binom.isf(0.05, n, 1 / classes) + 1


@pytest.mark.parametrize("df", [1, 2, 4, 9, 30, 1000])
def test_students_t_equals_the_reference(df):
    for t in (-30.0, -1.0, 0.0, 1e-9, 0.5, 2.0, 12.0, 1e4):
        assert student_t_tail(t, df) == pytest.approx(scipy.stats.t.sf(t, df), rel=1e-9, abs=1e-300)
    for p in (0.001, 0.025, 0.4, 0.5, 0.9, 0.975, 0.9995):
        assert student_t_quantile(p, df) == pytest.approx(scipy.stats.t.ppf(p, df), rel=1e-9, abs=1e-9)
    with pytest.raises(BadValue, match="at least 1 degree of freedom, got 0"):
        student_t_tail(1.0, 0)


@pytest.mark.parametrize("counts", [(12, 12), (16, 16, 16), (5, 5)])
def test_classes_of_equal_numbers_have_the_limit_of_fair_guessing(counts):
    assert chance_limit_of(counts) == chance_limit(sum(counts), classes=len(counts))


def test_who_names_the_largest_class_does_not_reach_the_limit_of_unequal_classes():
    assert chance_limit_of([16, 14]) == 21 > chance_limit(30, classes=2)
    assert chance_limit_of([640, 128]) > 640
    assert binomial_tail(21, 30, p=16 / 30) <= 0.05 < binomial_tail(20, 30, p=16 / 30)
    assert chance_limit_of([1, 4]) is None
