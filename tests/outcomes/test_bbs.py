"""Berg Balance Scale: 14 tasks 0–4, total 0–56."""

from __future__ import annotations

import pytest

from workbench import outcomes
from workbench.errors import BadValue

BERG = outcomes.load("bbs")
CODES = [item.code for item in BERG.definition.items]


@pytest.mark.parametrize(("value", "total"), [(0, 0), (1, 14), (3, 42), (4, 56)])
def test_fourteen_tasks_of_the_same_value(value, total):
    assert len(CODES) == 14
    score = BERG.score(dict.fromkeys(CODES, value))
    assert score.total.value == score.subscores["balance"].value == total


def test_a_worked_example():
    """4+4+4+3+3+4+3+2+3+2+1+0+1+0 = 34."""
    score = BERG.score(dict(zip(CODES, [4, 4, 4, 3, 3, 4, 3, 2, 3, 2, 1, 0, 1, 0])))
    assert score.total.value == 34
    assert score.steps[-1] == "Total: 34 of 56"


@pytest.mark.parametrize("code", CODES)
def test_a_missing_task_is_not_determinable(code):
    score = BERG.score({**dict.fromkeys(CODES, 4), code: None})
    assert (score.total.value, score.total.status, score.total.n_valid) == (None, "ND", 13)


@pytest.mark.parametrize("value", [5, -1, 2.0, "4", True])
def test_a_value_outside_0_to_4_is_refused(value):
    with pytest.raises(BadValue, match="task_14 must be one of 0, 1, 2, 3, 4"):
        BERG.score({"task_14": value})
