"""COPM: means over the problems, and change on the same problems only."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench import outcomes
from workbench.errors import BadValue
from workbench.outcomes.copm import Change, change

COPM = outcomes.load("copm")
RATINGS = st.lists(st.tuples(st.integers(1, 10), st.integers(1, 10)), min_size=1, max_size=5)


def problems(*pairs, numbers=()):
    items = {}
    for place, (performance, satisfaction) in enumerate(pairs, start=1):
        items |= {f"performance_{place}": performance, f"satisfaction_{place}": satisfaction}
    return items | {f"problem_{place}": number for place, number in enumerate(numbers, start=1)}


def values(score):
    return {code: sub.value for code, sub in score.subscores.items()}


def test_means_over_the_problems_by_hand():
    score = COPM.score(problems((2, 1), (4, 3), (3, 5)))
    assert values(score) == {"performance": 3, "satisfaction": 3}
    assert {sub.n_items for sub in score.subscores.values()} == {3}
    assert score.classes == {"problems": [1, 2, 3]}
    assert score.total is None


@given(RATINGS)
def test_the_means_stay_between_1_and_10(pairs):
    found = values(COPM.score(problems(*pairs)))
    assert found["performance"] == pytest.approx(sum(p for p, _ in pairs) / len(pairs))
    assert all(1 <= value <= 10 for value in found.values())


@given(RATINGS)
def test_a_better_rating_raises_its_own_mean_only(pairs):
    (performance, satisfaction), *rest = pairs
    better = [(min(performance + 1, 10), satisfaction), *rest]
    before, after = values(COPM.score(problems(*pairs))), values(COPM.score(problems(*better)))
    assert after["performance"] >= before["performance"]
    assert after["satisfaction"] == before["satisfaction"]


def test_a_named_problem_without_a_rating_is_not_determinable():
    score = COPM.score({**problems((2, 1), (4, None)), "problem_3": 3})
    assert [(s.value, s.status, s.n_items, s.n_valid) for s in score.subscores.values()] == [
        (None, "ND", 3, 2),
        (None, "ND", 3, 1),
    ]


def test_change_on_the_same_problems():
    found = change(problems((2, 1), (4, 3)), problems((5, 4), (5, 7)))
    assert found["performance"] == Change(2, (1, 2), (), ())
    assert found["satisfaction"] == Change(3.5, (1, 2), (), ())


def test_a_dropped_problem_leaves_the_change_and_is_named():
    # problem 2 was dropped; problem 7 took its place and is new
    earlier = problems((2, 1), (1, 1), (3, 3), numbers=(1, 2, 3))
    later = problems((4, 5), (10, 10), (6, 4), numbers=(1, 7, 3))
    found = change(earlier, later)
    assert found["performance"] == Change(2.5, (1, 3), (2,), (7,))
    assert found["satisfaction"] == Change(2.5, (1, 3), (2,), (7,))


def test_a_problem_keeps_its_identity_in_another_place():
    found = change(problems((2, 2), (8, 8), numbers=(1, 2)), problems((9, 9), (4, 4), numbers=(2, 1)))
    assert found["performance"].value == pytest.approx((2 + 1) / 2)


def test_without_a_common_problem_there_is_no_change():
    found = change(problems((2, 2)), problems((5, 5), numbers=(4,)))
    assert found["performance"] == Change(None, (), (1,), (4,))


def test_change_reads_the_items_of_stored_scores():
    earlier, later = COPM.score(problems((2, 2))).items, COPM.score(problems((5, 5))).items
    assert change(earlier, later)["performance"].value == 3


def test_one_problem_in_two_places_is_refused():
    with pytest.raises(BadValue, match="copm problem 2 stands in two places"):
        COPM.score(problems((1, 1), (2, 2), numbers=(2,)))


@pytest.mark.parametrize(("code", "value"), [("performance_1", 0), ("satisfaction_2", 11), ("problem_1", 0)])
def test_a_value_outside_its_list_is_refused(code, value):
    with pytest.raises(BadValue, match=f"copm item {code} must be one of 1, 2, 3"):
        COPM.score({code: value})
