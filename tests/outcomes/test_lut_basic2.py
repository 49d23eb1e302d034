"""LUT basic data set: variables are recorded and told, and no score is formed of them."""

from __future__ import annotations

import pytest

from workbench import outcomes
from workbench.errors import BadValue

LUT = outcomes.load("lut_basic2")
VARIABLES = {item.code: item.allowed for item in LUT.definition.items[1:]}


def test_answers_are_classes_and_no_number():
    items = {"emptying_main": "catheter_self", "leakage": "weekly", "appliance_pad": "yes"}
    score = LUT.score(items)
    assert score.classes == items
    sub = score.subscores["variables"]
    assert (sub.value, sub.status, sub.n_valid, sub.n_items) == (None, "structural", 3, len(VARIABLES))
    assert score.total is None


def test_the_number_of_emptyings_is_a_number():
    score = LUT.score({"emptyings_per_day": 5})
    assert score.subscores["emptyings_per_day"].value == 5
    assert score.steps[0] == "Voluntary emptyings: 5 per day"
    assert LUT.score({}).subscores["emptyings_per_day"].status == "ND"


@pytest.mark.parametrize("code", sorted(VARIABLES))
def test_every_answer_of_every_variable_is_accepted_and_unknown_is_one(code):
    for answer in VARIABLES[code]:
        assert LUT.score({code: answer}).classes == {code: answer}
    assert "unknown" in VARIABLES[code]


@pytest.mark.parametrize(("code", "value"), [("leakage", "often"), ("surgery", 1), ("emptying_main", "none")])
def test_an_answer_outside_the_list_is_refused(code, value):
    with pytest.raises(BadValue, match=f"lut_basic2 item {code} must be one of"):
        LUT.score({code: value})


@pytest.mark.parametrize("value", [-1, 51, "5"])
def test_an_impossible_number_of_emptyings_is_refused(value):
    with pytest.raises(BadValue, match="emptyings_per_day must be 0 to 50 per day"):
        LUT.score({"emptyings_per_day": value})
