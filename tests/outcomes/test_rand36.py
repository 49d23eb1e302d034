"""RAND-36: the published recoding key, the published example, and means of the answered items."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench import outcomes
from workbench.errors import BadValue

RAND = outcomes.load("rand36")
ITEMS = {item.code: item.allowed for item in RAND.definition.items}
SCALES = {s.code: s.items for s in RAND.definition.subscales}
WITH_GAPS = st.fixed_dictionaries({}, optional={c: st.none() | st.sampled_from(a) for c, a in ITEMS.items()})
WHOLE = st.fixed_dictionaries({c: st.sampled_from(a) for c, a in ITEMS.items()})

# RAND's table 1 as printed: items, first and last answer, and the points of the first and the last.
TABLE_1 = [
    ((1, 2, 20, 22, 34, 36), 5, 100, 0),
    ((3, 4, 5, 6, 7, 8, 9, 10, 11, 12), 3, 0, 100),
    ((13, 14, 15, 16, 17, 18, 19), 2, 0, 100),
    ((21, 23, 26, 27, 30), 6, 100, 0),
    ((24, 25, 28, 29, 31), 6, 0, 100),
    ((32, 33, 35), 5, 0, 100),
]


def scale_of(code):
    (found,) = [name for name, items in SCALES.items() if code in items]
    return found


def test_scales_have_the_items_of_table_2():
    assert {name: len(items) for name, items in SCALES.items()} == {
        "physical_functioning": 10,
        "role_physical": 4,
        "role_emotional": 3,
        "energy": 4,
        "wellbeing": 5,
        "social": 2,
        "pain": 2,
        "general_health": 5,
        "health_change": 1,
    }
    assert sorted(code for items in SCALES.values() for code in items) == sorted(ITEMS)


@pytest.mark.parametrize(("numbers", "answers", "first", "last"), TABLE_1)
def test_every_answer_is_recoded_as_table_1_says(numbers, answers, first, last):
    for number in numbers:
        code = f"q{number}"
        assert ITEMS[code] == tuple(range(1, answers + 1))
        for answer in ITEMS[code]:
            expected = first + (last - first) * (answer - 1) / (answers - 1)
            assert RAND.score({code: answer}).subscores[scale_of(code)].value == expected


def test_the_published_example_of_energy():
    # 4 in item 23 is 40, 3 in 27 is 60, 3 in 29 is 40, item 31 is blank: 140 / 3 = 46.7
    sub = RAND.score({"q23": 4, "q27": 3, "q29": 3}).subscores["energy"]
    assert sub.value == pytest.approx(140 / 3)
    assert round(sub.value, 1) == 46.7
    assert (sub.n_items, sub.n_valid, sub.imputed) == (4, 3, ())


def test_the_best_health_is_100_on_every_scale_and_the_worst_0():
    best = {f"q{n}": 1 if first == 100 else top for numbers, top, first, _ in TABLE_1 for n in numbers}
    worst = {f"q{n}": top if first == 100 else 1 for numbers, top, first, _ in TABLE_1 for n in numbers}
    assert {sub.value for sub in RAND.score(best).subscores.values()} == {100}
    assert {sub.value for sub in RAND.score(worst).subscores.values()} == {0}


def test_a_mixed_pain_scale_by_hand():
    # item 21 answer 3 is 60, item 22 answer 2 is 75: 67.5
    assert RAND.score({"q21": 3, "q22": 2}).subscores["pain"].value == 67.5


@given(WITH_GAPS)
def test_a_scale_is_the_mean_of_its_answered_items_and_never_counts_a_gap(items):
    score = RAND.score(items)
    assert score.total is None
    for name, codes in SCALES.items():
        sub = score.subscores[name]
        points = [RAND.score({c: items[c]}).subscores[name].value for c in codes if items.get(c) is not None]
        assert sub.n_valid == len(points)
        if points:
            assert sub.value == pytest.approx(sum(points) / len(points))
            assert 0 <= sub.value <= 100
        else:
            assert (sub.value, sub.status) == (None, "ND")


@given(WHOLE, st.sampled_from(sorted(ITEMS)))
def test_one_answer_moves_its_own_scale_only_and_in_one_direction(items, code):
    other = {**items, code: ITEMS[code][0] if items[code] == ITEMS[code][-1] else items[code] + 1}
    before, after = RAND.score(items).subscores, RAND.score(other).subscores
    changed = [name for name in SCALES if before[name].value != after[name].value]
    assert changed == [scale_of(code)]


@pytest.mark.parametrize(("code", "value"), [("q3", 4), ("q13", 3), ("q21", 7), ("q1", 0), ("q36", 2.5)])
def test_each_item_has_its_own_list_of_answers(code, value):
    with pytest.raises(BadValue, match=f"rand36 item {code} must be one of 1, 2"):
        RAND.score({code: value})
