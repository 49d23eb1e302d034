"""SCI-FAP: time × factor / able-bodied time, at most 300 a task; the specification's formula lacked the norm."""

from __future__ import annotations

import pytest

from workbench import outcomes
from workbench.errors import BadValue

FAP = outcomes.load("scifap")
TASKS = ("carpet", "up_and_go", "obstacles", "stairs", "carry", "step", "door")
NORMS = dict(zip(TASKS, (4.0, 8.0, 5.0, 4.0, 4.0, 2.0, 5.0), strict=True))
"""Made up; the able-bodied times of the worksheet are not held."""


def walk(times, factors):
    items = {f"{task}_s": time for task, time in zip(TASKS, times, strict=True)}
    return items | {f"{task}_factor": factor for task, factor in zip(TASKS, factors, strict=True)}


def test_the_able_bodied_times_without_aid_score_7():
    """As NCT01765153 states: the least score of 7 is every task at the able-bodied time with no aid."""
    score = FAP.score(walk(NORMS.values(), [1] * 7), norms=NORMS)
    assert score.total.value == 7
    assert {sub.value for sub in score.subscores.values()} == {1}


def test_a_task_is_time_times_factor_over_the_able_bodied_time_and_not_time_times_factor():
    """12×3/4 = 9, 24×3/8 = 9, 20×2/5 = 8, 40×4/4 = 40, 6×2/4 = 3, 4×1/2 = 2, 10×2/5 = 4, together 75."""
    score = FAP.score(walk([12, 24, 20, 40, 6, 4, 10], [3, 3, 2, 4, 2, 1, 2]), norms=NORMS)
    assert [score.subscores[task].value for task in TASKS] == [9, 9, 8, 40, 3, 2, 4]
    assert score.total.value == 75
    assert score.total.value != 12 * 3 + 24 * 3 + 20 * 2 + 40 * 4 + 6 * 2 + 4 * 1 + 10 * 2


def test_unable_in_every_task_is_2100():
    score = FAP.score(walk(["unable"] * 7, [6] * 7))
    assert score.total.value == score.total.high == 2100
    assert score.warnings == ()


def test_factor_6_and_unable_score_300_each_alone():
    assert FAP.score({"door_factor": 6}).subscores["door"].value == 300
    assert FAP.score({"door_s": "unable"}).subscores["door"].value == 300
    assert FAP.score({"door_s": 30, "door_factor": 6}).subscores["door"].value == 300


def test_a_task_score_ends_at_300():
    score = FAP.score({"step_s": 400, "step_factor": 5}, norms=NORMS)
    assert score.subscores["step"].value == 300


def test_without_the_able_bodied_times_a_timed_task_is_not_determinable_and_reported():
    score = FAP.score(walk([10] * 7, [1] * 7))
    assert score.total.status == "ND"
    assert "set the option norms" in score.warnings[0]


@pytest.mark.parametrize("lost", ["stairs_s", "stairs_factor"])
def test_a_missing_time_or_factor_is_not_determinable(lost):
    score = FAP.score({**walk([10] * 7, [1] * 7), lost: None}, norms=NORMS)
    assert score.subscores["stairs"].status == score.total.status == "ND"
    assert score.subscores["door"].value == 2


@pytest.mark.parametrize(
    "norms",
    [{}, {**NORMS, "door": 0}, {**NORMS, "door": "5"}, {**NORMS, "door": True}, {**NORMS, "x": 1}, 5, [1] * 7],
)
def test_norms_are_a_number_of_seconds_for_each_task(norms):
    with pytest.raises(BadValue, match="norms must give the mean able-bodied seconds of carpet, up_and_go"):
        FAP.score({}, norms=norms)


@pytest.mark.parametrize("value", [0, 7, 1.5, "1", True])
def test_a_factor_is_1_to_6(value):
    with pytest.raises(BadValue, match="carry_factor must be one of 1, 2, 3, 4, 5, 6"):
        FAP.score({"carry_factor": value})
