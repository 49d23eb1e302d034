"""PSFS: two variables that are not summed; severity is structurally missing without spasms."""

from __future__ import annotations

import itertools

import pytest

from workbench import outcomes
from workbench.errors import BadValue

PSFS = outcomes.load("psfs")


def test_frequency_0_to_4_and_severity_1_to_3_without_a_total():
    assert [item.allowed for item in PSFS.definition.items] == [(0, 1, 2, 3, 4), (1, 2, 3)]
    assert (PSFS.definition.low, PSFS.definition.high, PSFS.definition.direction) == (None, None, "down")
    assert PSFS.score({"frequency": 3, "severity": 2}).total is None


@pytest.mark.parametrize(("frequency", "severity"), list(itertools.product((1, 2, 3, 4), (1, 2, 3))))
def test_both_answers_stand_as_they_are(frequency, severity):
    score = PSFS.score({"frequency": frequency, "severity": severity})
    assert {code: (s.value, s.status) for code, s in score.subscores.items()} == {
        "frequency": (frequency, "ok"),
        "severity": (severity, "ok"),
    }
    assert score.warnings == ()


def test_severity_is_missing_by_structure_when_the_frequency_is_0():
    score = PSFS.score({"frequency": 0})
    assert (score.subscores["frequency"].value, score.subscores["frequency"].status) == (0, "ok")
    severity = score.subscores["severity"]
    assert (severity.value, severity.status, severity.n_valid) == (None, "structural", 0)
    assert score.steps == ("Frequency: 0 of 4", "Severity: structural")
    assert score.warnings == ()


def test_a_severity_beside_a_frequency_of_0_is_invalid_and_reported():
    score = PSFS.score({"frequency": 0, "severity": 2})
    assert (score.subscores["severity"].value, score.subscores["severity"].status) == (None, "invalid")
    assert score.items["severity"] == 2
    assert "severity 2 was entered beside a frequency of 0" in score.warnings[0]


@pytest.mark.parametrize("frequency", [1, 4])
def test_severity_that_was_not_answered_is_not_determinable(frequency):
    assert PSFS.score({"frequency": frequency}).subscores["severity"].status == "ND"


def test_a_missing_frequency_is_not_determinable_and_leaves_the_severity():
    score = PSFS.score({"severity": 3})
    assert score.subscores["frequency"].status == "ND"
    assert score.subscores["severity"].value == 3


@pytest.mark.parametrize(
    ("code", "value"), [("frequency", 5), ("frequency", -1), ("severity", 0), ("severity", 4), ("severity", "2")]
)
def test_a_value_outside_the_list_is_refused(code, value):
    with pytest.raises(BadValue, match=f"psfs item {code} must be one of"):
        PSFS.score({"frequency": 1, code: value})
