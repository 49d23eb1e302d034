"""ISAFSCI: a profile of eleven components 0–2; NT is kept; only the bladder has a composite."""

from __future__ import annotations

import itertools

import pytest

from workbench import outcomes
from workbench.errors import BadValue

ISAFSCI = outcomes.load("isafsci2")
CODES = [item.code for item in ISAFSCI.definition.items]


def test_eleven_components_and_no_total():
    assert len(CODES) == 11
    assert (ISAFSCI.definition.low, ISAFSCI.definition.direction) == (None, "up")


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("grade", [0, 1, 2])
def test_a_component_is_its_grade(code, grade):
    score = ISAFSCI.score({code: grade})
    assert score.subscores[code].value == grade
    assert [c for c in CODES if score.subscores[c].value is not None] == [code]


@pytest.mark.parametrize(("awareness", "continence"), list(itertools.product((0, 1, 2), repeat=2)))
def test_the_bladder_composite_is_the_sum_of_two(awareness, continence):
    sub = ISAFSCI.score({"bladder_awareness": awareness, "bladder_continence": continence}).subscores["bladder"]
    assert (sub.value, sub.low, sub.high) == (awareness + continence, 0, 4)


@pytest.mark.parametrize("value", ["NT", None])
def test_nt_and_missing_are_no_zero_and_take_the_composite_with_them(value):
    score = ISAFSCI.score({"bladder_awareness": 2, "bladder_continence": value})
    assert score.subscores["bladder_continence"].status == score.subscores["bladder"].status == "ND"
    assert score.items["bladder_continence"] == value
    assert ("bladder_continence" in score.administered) == (value == "NT")


@pytest.mark.parametrize("value", [3, -1, "nt", 0.5])
def test_a_value_outside_the_list_is_refused(value):
    with pytest.raises(BadValue, match="isafsci2 item heart must be one of 0, 1, 2, NT"):
        ISAFSCI.score({"heart": value})
