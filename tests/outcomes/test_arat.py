"""ARAT: ranges, sums, missing items, and implied scores only where the protocol says so (Lyle 1981)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench import outcomes
from workbench.errors import BadValue

ARAT = outcomes.load("arat")
CODES = [item.code for item in ARAT.definition.items]
SUBSCALES = {s.code: s for s in ARAT.definition.subscales}
VALUES = st.fixed_dictionaries(dict.fromkeys(CODES, st.integers(0, 3)))
WITH_GAPS = st.fixed_dictionaries({}, optional=dict.fromkeys(CODES, st.none() | st.integers(0, 3)))

"""No limits in time: the machine may be busy."""


def every(value):
    return dict.fromkeys(CODES, value)


def test_nineteen_items_in_four_subscales_of_18_12_18_and_9():
    assert len(CODES) == 19
    assert {code: (len(s.items), s.low, s.high) for code, s in SUBSCALES.items()} == {
        "grasp": (6, 0, 18),
        "grip": (4, 0, 12),
        "pinch": (6, 0, 18),
        "gross": (3, 0, 9),
    }
    assert (ARAT.definition.low, ARAT.definition.high, ARAT.definition.direction) == (0, 57, "up")
    assert ARAT.definition.sides == ("left", "right")


@pytest.mark.parametrize(("value", "total"), [(0, 0), (1, 19), (2, 38), (3, 57)])
def test_the_same_value_everywhere(value, total):
    score = ARAT.score(every(value))
    assert score.total.value == total
    assert [s.value for s in score.subscores.values()] == [6 * value, 4 * value, 6 * value, 3 * value]
    assert score.warnings == ()
    assert score.implied == ()
    assert score.administered == tuple(CODES)
    assert score.steps[-1] == f"Total: {total} of 57"


@given(VALUES)
def test_the_total_is_the_sum_and_stays_in_its_range(items):
    score = ARAT.score(items)
    assert score.total.value == sum(items.values()) == sum(s.value for s in score.subscores.values())
    for code, sub in score.subscores.items():
        assert sub.low <= sub.value <= sub.high
        assert sub.value == sum(items[c] for c in SUBSCALES[code].items)


@given(VALUES, st.sampled_from(CODES))
def test_a_better_item_never_lowers_a_score(items, code):
    better = {**items, code: min(items[code] + 1, 3)}
    before, after = ARAT.score(items), ARAT.score(better)
    assert after.total.value - before.total.value == better[code] - items[code]
    assert all(after.subscores[name].value >= before.subscores[name].value for name in SUBSCALES)


@given(WITH_GAPS)
def test_a_missing_item_is_never_a_zero(items):
    score = ARAT.score(items)
    missing = {code for code in CODES if items.get(code) is None}
    for name, subscale in SUBSCALES.items():
        sub = score.subscores[name]
        gaps = missing & set(subscale.items)
        assert (sub.value is None, sub.status) == (bool(gaps), "ND" if gaps else "ok")
        assert sub.n_valid == sub.n_items - len(gaps)
    assert (score.total.value is None) == bool(missing)
    assert all(score.items[code] is None for code in missing)
    assert not missing & set(score.administered)


@given(WITH_GAPS)
def test_the_rule_only_fills_gaps_and_marks_what_it_filled(items):
    plain, ruled = ARAT.score(items), ARAT.score(items, skip_rule=True)
    for code in CODES:
        if items.get(code) is not None:
            assert ruled.items[code] == items[code]
        assert (code in ruled.implied) == (ruled.items[code] is not None and items.get(code) is None)
    assert ruled.administered == plain.administered
    assert not [c for c in ruled.implied if c.startswith("gross") and ruled.items[c] == 0]
    assert "not for tetraplegia" in ruled.warnings[0]


def test_by_default_nothing_is_implied():
    score = ARAT.score({"grasp_1": 3, "grip_1": 3, "pinch_1": 3, "gross_1": 3})
    assert score.total.status == "ND"
    assert score.implied == ()
    assert "Grasp: not determinable, missing grasp_2, grasp_3, grasp_4, grasp_5, grasp_6" in score.steps


def test_with_the_rule_four_hardest_items_at_3_make_57():
    score = ARAT.score({"grasp_1": 3, "grip_1": 3, "pinch_1": 3, "gross_1": 3}, skip_rule=True)
    assert score.total.value == 57
    assert len(score.implied) == 15
    assert score.administered == ("grasp_1", "grip_1", "pinch_1", "gross_1")
    assert score.subscores["grip"].implied == ("grip_2", "grip_3", "grip_4")


@pytest.mark.parametrize("first", [0, 1, 2])
@pytest.mark.parametrize("name", ["grasp", "grip", "pinch"])
def test_with_the_rule_a_zero_in_the_easiest_item_ends_the_subscale(name, first):
    score = ARAT.score({f"{name}_1": first, f"{name}_2": 0}, skip_rule=True)
    assert score.subscores[name].value == first


@pytest.mark.parametrize("second", [1, 2, 3])
def test_with_the_rule_anything_else_has_to_be_administered(second):
    assert ARAT.score({"grasp_1": 2, "grasp_2": second}, skip_rule=True).subscores["grasp"].status == "ND"
    assert ARAT.score({"grasp_2": 0}, skip_rule=True).subscores["grasp"].status == "ND"


def test_gross_movement_never_gets_an_implied_zero():
    score = ARAT.score({"gross_1": 0, "gross_2": 0}, skip_rule=True)
    assert score.subscores["gross"].status == "ND"
    with pytest.raises(
        BadValue, match="gross_3 is marked as implied with value 0; the rule implies nothing there"
    ):
        ARAT.score({"gross_1": 0, "gross_2": 0, "gross_3": 0}, implied=["gross_3"], skip_rule=True)


def test_items_marked_as_implied_need_the_rule_and_must_follow_it():
    items = {**every(1), "grip_1": 1, "grip_2": 0, "grip_3": 0, "grip_4": 0}
    with pytest.raises(BadValue, match="pass skip_rule=True when the protocol says so"):
        ARAT.score(items, implied=("grip_3", "grip_4"))
    score = ARAT.score(items, implied=("grip_3", "grip_4"), skip_rule=True)
    assert score.implied == ("grip_3", "grip_4")
    assert score.subscores["grip"].value == 1
    assert not {"grip_3", "grip_4"} & set(score.administered)
    with pytest.raises(BadValue, match="the rule implies 0 there; administer the item"):
        ARAT.score({**items, "grip_4": 2}, implied=("grip_3", "grip_4"), skip_rule=True)
    with pytest.raises(BadValue, match="no item 'grip_9'"):
        ARAT.score(items, implied=("grip_9",), skip_rule=True)


def test_an_implied_item_may_be_marked_and_left_empty():
    score = ARAT.score({"gross_1": 3, "gross_2": None}, implied=("gross_2", "gross_3"), skip_rule=True)
    assert score.subscores["gross"].value == 9


def test_an_administered_value_stands_against_the_rule_and_is_reported():
    score = ARAT.score({**every(3), "pinch_2": 2}, skip_rule=True)
    assert score.total.value == 56
    assert score.implied == ()
    assert "pinch_2 was administered as 2 where the rule implies 3: kept" in score.warnings


@pytest.mark.parametrize("value", [4, -1, 2.0, "2", True, float("nan"), [1]])
def test_a_value_outside_the_list_is_refused(value):
    with pytest.raises(BadValue, match="arat item grip_2 must be one of 0, 1, 2, 3, got"):
        ARAT.score({**every(1), "grip_2": value})


def test_an_unknown_code_is_refused_with_the_codes_there_are():
    with pytest.raises(BadValue, match="has no item 'grasp_7'; allowed: grasp_1, grasp_2"):
        ARAT.score({"grasp_7": 1})


def test_numpy_integers_are_values():
    assert ARAT.score({code: np.int64(2) for code in CODES}).total.value == 38


def test_another_version_is_refused():
    assert outcomes.score("arat", every(3), version="1981").total.value == 57
    with pytest.raises(BadValue, match="versions are never mixed"):
        outcomes.score("arat", every(3), version="2008")


@pytest.mark.parametrize("said", ["grasp_2", 5, None])
def test_implied_is_a_list_of_codes(said):
    with pytest.raises(BadValue, match="arat option implied must be a list of item codes, got"):
        ARAT.score(every(1), implied=said, skip_rule=True)
