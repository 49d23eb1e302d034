"""A study's own MDC from baseline repeats, and false responders from it."""

from __future__ import annotations

import numpy as np
import pytest
import scipy

from workbench.analysis import change, false_positive, false_responder, own_mdc
from workbench.errors import BadValue, Refused


def pairs(arat, *values):
    return [
        [arat(value, id=f"p{n}-{k}", repeat=k) for k, value in enumerate(row, 1)] for n, row in enumerate(values)
    ]


def test_own_mdc_by_hand(arat):
    """(10, 14), (20, 20), (30, 28): squares 8 + 0 + 2 over 3 degrees of freedom."""
    found = own_mdc(pairs(arat, (10, 14), (20, 20), (30, 28), (5,)))
    assert (found.participants, found.records, found.df) == (3, 6, 3)
    assert found.sem == pytest.approx((10 / 3) ** 0.5)
    assert found.t == pytest.approx(3.182446305)
    assert found.mdc == pytest.approx(3.182446305 * 2**0.5 * (10 / 3) ** 0.5)
    assert found.shift == pytest.approx(2 / 3)
    assert found.line() == (
        "ARAT right total: own MDC 8.22 = t·√2·SEM, t 3.18, SEM 1.83; 95 % CI of 1.96·√2·SEM 2.87–18.9 (n = 3 "
        "participants, 6 repeats, 3 degrees of freedom; last minus first +0.667; unassisted, device off, "
        "stimulation off)"
    )


def test_three_repeats_count_two_degrees_of_freedom(arat):
    """(10, 13, 16): squares 9 + 0 + 9 over 2."""
    assert own_mdc(pairs(arat, (10, 13, 16))).sem == pytest.approx(3.0)


def test_the_own_mdc_serves_as_a_threshold_and_says_where_it_is_from(arat):
    own = own_mdc(pairs(arat, (10, 14), (20, 20), (30, 28))).threshold(unit="points")
    found = change(arat(10), arat(19, visit="v2"), thresholds=(own,))
    assert found.flags[0].reached is True
    assert "own MDC from 6 baseline repeats of 3 participants [own]" in found.line()


def test_repeats_that_are_all_alike_detect_nothing(arat):
    with pytest.raises(BadValue, match="must be a number above 0, got 0.0"):
        own_mdc(pairs(arat, (10, 10))).threshold(unit="points")


def test_an_own_mdc_needs_repeats_under_one_state(arat):
    with pytest.raises(
        BadValue, match="at least one participant with two baseline records, got 2 with one or none"
    ):
        own_mdc(pairs(arat, (10,), (12,)))
    with pytest.raises(Refused, match="device_on False → True is not declared"):
        own_mdc([[arat(10, id="a"), arat(12, id="b", device_on=True)]])


@pytest.mark.parametrize("df", [1, 3, 5, 10, 20, 100])
def test_the_own_mdc_is_exceeded_upwards_by_chance_in_one_of_forty(arat, df):
    """Whatever the number of people: that of 5 measured twice was exceeded in 5.6 of 100 with 1.96."""
    pair = [(0, 2)] * df
    own = own_mdc(pairs(arat, *pair))
    assert own.df == df
    assert false_positive(own.mdc, sem=own.sem, df=df) == pytest.approx(0.025, abs=1e-12)
    assert own.t == pytest.approx(scipy.stats.t.ppf(0.975, df), rel=1e-12)
    assert false_positive(1.96 * 2**0.5 * 2.5, sem=2.5) == pytest.approx(0.0249979, abs=1e-7)


def test_an_averaged_baseline_makes_chance_rarer():
    """With m baselines the difference has the variance SEM²(1 + 1/m): z = 2 / √1.5."""
    assert false_positive(2.0, sem=1.0, baseline_records=2) == pytest.approx(0.0512353, abs=1e-7)
    assert false_positive(2.0, sem=1.0, df=5, baseline_records=2) == pytest.approx(
        scipy.stats.t.sf(2 / 1.5**0.5, 5)
    )


def test_any_of_several_outcomes_inflates_the_false_responders():
    found = false_responder([dict.fromkeys("abcd", 0.025)])
    assert found.probability == pytest.approx(1 - 0.975**4)
    assert found.bounds == pytest.approx((0.025, 0.1))
    assert found.line() == (
        "false-responder probability 0.096 over 4 outcomes if their errors are independent, 0.025 to 0.100 "
        "whatever their correlation (from baseline repeats; normal errors)"
    )
    assert "correlation" not in false_responder([{"a": 0.025}]).line()


def test_errors_that_go_together_lie_within_the_printed_bounds():
    """Both groups must be met: the product understates what correlated errors give, the bound holds it."""
    draw = np.random.Generator(np.random.PCG64(3))
    limit = scipy.stats.norm.ppf(1 - 0.2)
    found = false_responder([{"a": 0.2, "b": 0.2}, {"c": 0.2, "d": 0.2}])
    for correlation in (0.0, 0.3, 0.7, 0.95):
        common, own = draw.standard_normal((40000, 1)), draw.standard_normal((40000, 4))
        met = correlation**0.5 * common + (1 - correlation) ** 0.5 * own > limit
        rate = float((met[:, :2].any(axis=1) & met[:, 2:].any(axis=1)).mean())
        assert found.bounds.low - 0.01 <= rate <= found.bounds.high + 0.01
        if correlation:
            assert rate > found.probability + 0.01


def test_both_groups_have_to_be_met_by_chance():
    found = false_responder([{"a": 0.1, "b": 0.2}, {"c": 0.5}])
    assert found.probability == pytest.approx((1 - 0.9 * 0.8) * 0.5)
    assert found.components == 3


@pytest.mark.parametrize("groups", [[], [{}], [{"a": 1.5}]])
def test_groups_and_probabilities_are_checked(groups):
    with pytest.raises(BadValue):
        false_responder(groups)


@pytest.mark.parametrize("given", [(0, 1, 1), (1, 0, 1), (1, 1, 0)])
def test_a_false_positive_needs_sizes_above_0(given):
    threshold, sem, records = given
    with pytest.raises(BadValue, match="above 0"):
        false_positive(threshold, sem=sem, baseline_records=records)


def test_an_own_mdc_from_few_repeats_says_how_unsure_it_is(arat):
    """3 degrees of freedom: 0.5665 and 3.7285 times the MDC of 5.06 (chi-square 9.348 and 0.2158)."""
    found = own_mdc(pairs(arat, (10, 14), (20, 20), (30, 28)))
    known = 1.96 * 2**0.5 * found.sem
    assert found.interval == pytest.approx((0.56649 * known, 3.72855 * known), rel=1e-5)
    assert own_mdc(pairs(arat, (10, 10))).interval is None
    assert "own MDC 0 = t" in own_mdc(pairs(arat, (10, 10))).line()


def test_one_component_in_two_groups_is_refused():
    """0.1 · 0.1 would take one chance event for two."""
    with pytest.raises(BadValue, match="uems appears in two groups, which are then not independent"):
        false_responder([{"uems": 0.1}, {"uems": 0.1}])
