"""Grip force: mean of three trials in N, kilogram-force converted, unable is 0."""

from __future__ import annotations

import pytest

from workbench import outcomes
from workbench.errors import BadValue

GRIP = outcomes.load("grip")


def score_of(items, *, unit="N", **options):
    return GRIP.score(items, unit=unit, **options)


def trials(*values, side="right"):
    return {f"{side}_grip_{n}": value for n, value in enumerate(values, start=1)}


def test_the_mean_of_three_trials():
    score = score_of({**trials(30, 36, 33.0), **trials(0, 0, 0, side="left")})
    assert score.subscores["right_grip"].value == pytest.approx(33.0, abs=1e-12)
    assert score.subscores["left_grip"].value == 0
    assert score.warnings == ()


def test_the_maximum_when_the_protocol_says_so():
    score = score_of(trials(30, 36, 33), statistic="max")
    assert score.subscores["right_grip"].value == 36
    assert score.subscores["right_grip"].rule.startswith("max of the valid trials")
    assert score.options == {"unit": "N", "statistic": "max"}


def test_one_kilogram_force_is_9_80665_newton():
    assert score_of(trials(1, 1, 1), unit="kg").subscores["right_grip"].value == pytest.approx(9.80665, abs=1e-12)
    assert score_of(trials(10, 20, 30), unit="kg").subscores["right_grip"].value == pytest.approx(
        196.133, abs=1e-9
    )


def test_no_grip_possible_is_0_and_not_missing():
    score = score_of(trials("unable", "unable", "unable"))
    sub = score.subscores["right_grip"]
    assert (sub.value, sub.status, sub.n_valid) == (0, "ok", 3)
    assert score.items["right_grip_1"] == "unable"
    assert score_of(trials(12, "unable", 6)).subscores["right_grip"].value == pytest.approx(6.0)


def test_fewer_than_three_trials_score_and_are_flagged():
    score = score_of(trials(10, None, 20))
    sub = score.subscores["right_grip"]
    assert (sub.value, sub.n_valid, sub.n_items) == (15, 2, 3)
    assert score.warnings == ("Right grip: 2 of 3 trials are valid",)


def test_no_trial_is_not_determinable():
    score = score_of(trials(None, None, None))
    assert score.subscores["right_grip"].status == "ND"
    assert score.warnings == ()


def test_kilograms_beyond_the_range_in_newton_are_refused():
    assert score_of(trials(101)).subscores["right_grip"].value == 101
    with pytest.raises(BadValue, match="right_grip must be at most 101.972 kg, got 300; is the unit right?"):
        score_of(trials(300), unit="kg")


@pytest.mark.parametrize("value", [-0.1, 1000.1, float("inf"), float("nan"), "30", True])
def test_a_force_is_a_number_of_newtons(value):
    with pytest.raises(BadValue, match="right_grip_1 must be 0 to 1000 N or kg or unable"):
        score_of(trials(value))


def test_13_typed_without_a_unit_is_neither_newtons_nor_kilograms():
    told = r"option unit \(unit of the entered forces\) is not chosen and has no default; choose one of 'N', 'kg'"
    with pytest.raises(BadValue, match=told):
        GRIP.score(trials(13, 13, 13))
    assert GRIP.score(trials(None)).subscores["right_grip"].status == "ND"


def test_another_unit_is_refused():
    with pytest.raises(BadValue, match="option unit must be one of 'N', 'kg', got 'lb'"):
        score_of(trials(1), unit="lb")


def test_the_rule_says_in_which_unit_the_force_was_entered():
    newton, kilograms = (score_of(trials(30, 30, 30), unit=unit).subscores["right_grip"] for unit in ("N", "kg"))
    assert "entered in N;" in newton.rule
    assert "entered in kg, 1 kgf = 9.80665 N;" in kilograms.rule
    assert kilograms.value == pytest.approx(294.1995)


def test_minus_zero_is_zero():
    assert str(score_of(trials(-0.0, -0.0, -0.0)).subscores["right_grip"].value) == "0.0"
