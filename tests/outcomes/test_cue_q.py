"""CUE-Q: 32 answers, versions of 1–7 and 0–4, per cent of normal function for version 1 only."""

from __future__ import annotations

import pytest

from workbench import outcomes
from workbench.errors import BadValue

CUE = outcomes.load("cue_q")
CODES = [item.code for item in CUE.definition.items]


def every(value):
    return dict.fromkeys(CODES, value)


def test_15_actions_of_each_side_and_2_of_both_are_32_answers():
    assert len(CODES) == 32
    sizes = {s.code: len(s.items) for s in CUE.definition.subscales}
    assert {code: sizes[code] for code in ("right", "left", "bilateral")} == {
        "right": 15,
        "left": 15,
        "bilateral": 2,
    }
    assert [one.version for one in CUE.definitions] == ["1", "2"]


@pytest.mark.parametrize(
    ("answer", "total", "percent"), [(1, 32, 0), (4, 128, 50), (7, 224, 100), (2, 64, 100 / 6)]
)
def test_version_1_is_32_to_224_and_0_to_100_per_cent(answer, total, percent):
    score = CUE.score(every(answer), version="1")
    assert score.total.value == total
    assert score.subscores["percent"].value == pytest.approx(percent, abs=1e-9)


def test_the_maximum_of_version_1_is_224_and_not_the_printed_124():
    """32 × 7 = 224, and only 224 makes (total − 32) / 192 × 100 equal 100."""
    assert next(one.high for one in CUE.definitions if one.version == "1") == 224
    assert CUE.score(every(7), version="1").subscores["percent"].value == 100


def test_version_2_is_0_to_128_without_a_per_cent():
    score = CUE.score(every(4), version="2")
    assert (score.total.value, CUE.score(every(0), version="2").total.value) == (128, 0)
    assert set(score.subscores) == {"right", "left", "bilateral"}


def test_a_worked_example_of_version_1():
    """Right 15 × 5 = 75, left 15 × 3 = 45, both 2 + 1 = 3: 123, that is 91 / 192 = 47.3958 %."""
    items = {code: 5 if code.startswith("right") else 3 for code in CODES}
    score = CUE.score({**items, "lift_both": 2, "push_down_both": 1}, version="1")
    assert {code: sub.value for code, sub in score.subscores.items() if code != "percent"} == {
        "right": 75,
        "left": 45,
        "bilateral": 3,
    }
    assert score.total.value == 123
    assert score.subscores["percent"].value == pytest.approx(47.3958333, abs=1e-6)


def test_all_answers_are_needed():
    score = CUE.score({**every(3), "left_pinch": None}, version="1")
    assert {code: sub.status for code, sub in score.subscores.items()} == {
        "right": "ok",
        "left": "ND",
        "bilateral": "ok",
        "percent": "ND",
    }
    assert score.total.status == "ND"


@pytest.mark.parametrize(("version", "value"), [("1", 0), ("1", 8), ("2", 5), ("2", -1), ("2", 1.0), ("1", "4")])
def test_an_answer_of_the_other_version_is_refused(version, value):
    with pytest.raises(BadValue, match="right_pinch must be one of"):
        CUE.score({"right_pinch": value}, version=version)
