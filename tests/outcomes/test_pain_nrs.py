"""Pain NRS: integers 0–10, each window a variable of its own."""

from __future__ import annotations

import pytest

from workbench import outcomes
from workbench.errors import BadValue

NRS = outcomes.load("pain_nrs")
WINDOWS = ("now", "average_7d", "worst_7d")


def test_three_windows_and_no_total():
    assert tuple(s.code for s in NRS.definition.subscales) == WINDOWS
    assert (NRS.definition.low, NRS.definition.direction) == (None, "down")


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("value", range(11))
def test_the_answer_is_the_score_of_its_window_and_of_no_other(window, value):
    score = NRS.score({window: value})
    for code, sub in score.subscores.items():
        assert (sub.value, sub.status) == ((value, "ok") if code == window else (None, "ND"))
        assert (sub.low, sub.high) == (0, 10)


@pytest.mark.parametrize("value", [-1, 11, 4.5, "4", True, float("nan")])
def test_only_integers_from_0_to_10_are_answers(value):
    with pytest.raises(BadValue, match="pain_nrs item now must be one of 0, 1, 2"):
        NRS.score({"now": value})
