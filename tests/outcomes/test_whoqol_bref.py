"""WHOQOL-BREF: domains by hand, reversal of 3, 4 and 26, and the manual's limits of missing items."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench import outcomes
from workbench.errors import BadValue

WHOQOL = outcomes.load("whoqol_bref")
CODES = [f"q{n}" for n in range(1, 27)]
DOMAINS = {
    "physical": (3, 4, 10, 15, 16, 17, 18),
    "psychological": (5, 6, 7, 11, 19, 26),
    "social": (20, 21, 22),
    "environment": (8, 9, 12, 13, 14, 23, 24, 25),
}
REVERSED = (3, 4, 26)
ANSWERS = st.fixed_dictionaries(dict.fromkeys(CODES, st.integers(1, 5)))


def every(value, **other):
    return {**dict.fromkeys(CODES, value), **other}


def without(items, *numbers):
    return {code: value for code, value in items.items() if code not in {f"q{n}" for n in numbers}}


def values(score):
    return {code: sub.value for code, sub in score.subscores.items()}


def test_four_domains_on_two_ranges_two_single_items_and_no_total():
    for code, numbers in DOMAINS.items():
        for top, low in ((20, 4), (100, 0)):
            (scale,) = [s for s in WHOQOL.definition.subscales if s.code == f"{code}_{top}"]
            assert scale.items == tuple(f"q{n}" for n in numbers)
            assert (scale.low, scale.high) == (low, top)
    assert WHOQOL.score(every(3)).total is None
    assert sorted(n for numbers in DOMAINS.values() for n in numbers) == list(range(3, 27))


def test_a_mixed_answer_by_hand():
    items = every(4, q3=2, q4=1, q10=3, q15=5, q26=2, q5=3, q20=5, q21=2, q22=4, q8=1)
    found = values(WHOQOL.score(items))
    # physical: 4 + 5 + 3 + 5 + 4 + 4 + 4 = 29, 29/7 * 4 = 16.571…
    assert found["physical_20"] == pytest.approx(4 * 29 / 7)
    assert found["physical_100"] == pytest.approx((4 * 29 / 7 - 4) * 100 / 16)
    # psychological: 3 + 4 + 4 + 4 + 4 + 4 = 23, 23/6 * 4 = 15.333…; (15.333 - 4) * 6.25 = 70.833…
    assert found["psychological_100"] == pytest.approx(70.8333333)
    # social: 11/3 * 4 = 14.667; environment: 29/8 * 4 = 14.5 -> 65.625
    assert found["social_20"] == pytest.approx(44 / 3)
    assert (found["environment_20"], found["environment_100"]) == (14.5, 65.625)
    assert (found["overall"], found["health"]) == (4, 4)


@pytest.mark.parametrize(("value", "low", "high"), [(1, 4, 0), (3, 12, 50), (5, 20, 100)])
def test_ends_and_middle(value, low, high):
    items = every(value, **{f"q{n}": 6 - value for n in REVERSED})
    found = values(WHOQOL.score(items))
    assert {found[f"{code}_20"] for code in DOMAINS} == {low}
    assert {found[f"{code}_100"] for code in DOMAINS} == {high}


@given(ANSWERS, st.integers(3, 26))
def test_a_higher_answer_moves_its_domain_only_and_down_for_reversed_items(items, number):
    code = f"q{number}"
    more = {**items, code: min(items[code] + 1, 5)}
    before, after = values(WHOQOL.score(items)), values(WHOQOL.score(more))
    for domain, numbers in DOMAINS.items():
        change = after[f"{domain}_100"] - before[f"{domain}_100"]
        assert 0 <= after[f"{domain}_100"] <= 100
        if number not in numbers or more == items:
            assert change == 0
        else:
            assert change == pytest.approx((-25 if number in REVERSED else 25) / len(numbers))


@pytest.mark.parametrize(("domain", "allowed"), [("physical", 2), ("psychological", 2), ("social", 1)])
def test_missing_items_of_a_domain_are_replaced_up_to_its_limit(domain, allowed):
    numbers = DOMAINS[domain]
    items = every(2, **{f"q{numbers[-1]}": 4})
    fine = WHOQOL.score(without(items, *numbers[:allowed])).subscores[f"{domain}_20"]
    assert fine.status == "ok"
    assert fine.imputed == tuple(f"q{n}" for n in numbers[:allowed])
    assert fine.n_valid == len(numbers) - allowed
    worse = WHOQOL.score(without(items, *numbers[: allowed + 1]))
    assert worse.subscores[f"{domain}_20"].status == "ND"
    assert worse.subscores[f"{domain}_100"].imputed == ()
    assert worse.subscores["environment_20"].value == 8


def test_a_replaced_item_is_the_mean_of_the_others_after_reversal():
    items = without(every(2), 3, 4)
    sub = WHOQOL.score(items).subscores["physical_20"]
    assert sub.value == 8
    assert WHOQOL.score(items).warnings == ("replaced by the mean of the domain: q3, q4",)


def test_more_than_a_fifth_missing_is_no_score_at_all():
    five = without(every(3), 1, 2, 3, 5, 8)
    assert WHOQOL.score(five).subscores["physical_20"].value == 12
    six = WHOQOL.score(without(five, 20))
    assert {sub.status for sub in six.subscores.values()} == {"ND"}
    assert "6 of 26 items are missing, which is more than 20 %" in six.warnings[0]
    assert "more than 20 %" in six.subscores["social_100"].rule


@pytest.mark.parametrize("value", [0, 6, 2.5, "3"])
def test_a_value_outside_1_to_5_is_refused(value):
    with pytest.raises(BadValue, match="whoqol_bref item q9 must be one of 1, 2, 3, 4, 5"):
        WHOQOL.score(every(3, q9=value))
