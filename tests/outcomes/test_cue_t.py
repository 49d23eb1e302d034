"""CUE-T: versions of 144 and 128 points, sides, hand and arm, raw results kept."""

from __future__ import annotations

import pytest

from workbench import outcomes
from workbench.errors import BadValue

CUE = outcomes.load("cue_t")


def codes(version):
    return [item.code for one in CUE.definitions if one.version == version for item in one.items]


def every(value, version="144"):
    return dict.fromkeys(codes(version), value)


@pytest.mark.parametrize(
    ("version", "tests", "scores", "total", "side"), [("144", 17, 36, 144, 68), ("128", 15, 32, 128, 60)]
)
def test_ranges_of_the_versions(version, tests, scores, total, side):
    assert len(codes(version)) == scores == 2 * tests + 2
    score = CUE.score(every(4, version), version=version)
    assert score.total.value == score.total.high == total
    assert score.subscores["right"].value == score.subscores["left"].value == side
    assert score.subscores["bilateral"].value == 8


def test_the_version_of_144_points_is_the_current_one():
    assert CUE.definition.version == CUE.score({}).version == "144"


def test_a_total_of_135_as_observed_by_marino_2015_is_only_possible_with_144_points():
    items = {**every(4), **{f"right_{n}": 3 for n in range(1, 10)}}
    assert CUE.score(items).total.value == 135
    assert max(one.high for one in CUE.definitions if one.version == "128") < 135


def test_total_is_both_sides_and_the_bilateral_tests():
    score = CUE.score({**every(1), **{f"left_{n}": 3 for n in range(1, 18)}, "bilateral_1": 4, "bilateral_2": 0})
    assert (score.subscores["right"].value, score.subscores["left"].value) == (17, 51)
    assert score.total.value == 17 + 51 + 4


def test_hand_and_arm_wait_until_the_protocol_names_the_hand_tests():
    score = CUE.score(every(2))
    for code in ("right_hand", "right_arm", "left_hand", "left_arm"):
        assert score.subscores[code].status == "ND"
        assert "hand_tests" in score.subscores[code].rule
    assert score.total.value == 72


def test_hand_and_arm_share_the_tests_of_a_side():
    items = {**every(1), **{f"right_{n}": 4 for n in (9, 10, 11)}}
    score = CUE.score(items, hand_tests=(9, 10, 11, 12))
    hand, arm = score.subscores["right_hand"], score.subscores["right_arm"]
    assert (hand.value, hand.high, hand.n_items) == (13, 16, 4)
    assert (arm.value, arm.high, arm.n_items) == (13, 52, 13)
    assert hand.value + arm.value == score.subscores["right"].value


def test_a_missing_hand_test_leaves_the_arm():
    score = CUE.score({**every(2), "left_9": None}, hand_tests=[9, 10])
    assert score.subscores["left_hand"].status == score.subscores["left"].status == score.total.status == "ND"
    assert score.subscores["left_arm"].value == 30
    assert score.subscores["right_hand"].value == 4


@pytest.mark.parametrize("tests", [[], [0], [18], [1, 1], list(range(1, 18)), [True], ["1"], "9", 9, {9: 1}])
def test_hand_tests_are_numbers_of_some_of_the_tests(tests):
    with pytest.raises(BadValue, match="hand_tests must list some of the tests 1 to 17, each once"):
        CUE.score(every(1), hand_tests=tests)


def test_tests_16_and_17_do_not_belong_to_the_version_of_128_points():
    with pytest.raises(BadValue, match="cue_t 128 has no item 'right_16'"):
        CUE.score({"right_16": 1}, version="128")
    with pytest.raises(BadValue, match="tests 1 to 15"):
        CUE.score({}, version="128", hand_tests=[16])


def test_raw_results_are_kept_and_enter_no_score():
    with_raw = CUE.score({**every(2), "right_1_raw": 14, "left_9_raw": 23.5, "bilateral_2_raw": 0})
    assert with_raw.items["left_9_raw"] == 23.5
    assert with_raw.total == CUE.score(every(2)).total


@pytest.mark.parametrize("value", [5, -1, 3.5, "4", True])
def test_a_score_outside_0_to_4_is_refused(value):
    with pytest.raises(BadValue, match="right_3 must be one of 0, 1, 2, 3, 4"):
        CUE.score({**every(1), "right_3": value})
