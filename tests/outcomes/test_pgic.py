"""PGIC: one ordinal answer; the two codings are versions of opposite direction."""

from __future__ import annotations

import pytest

from workbench import outcomes
from workbench.errors import BadValue

PGIC = outcomes.load("pgic")


@pytest.mark.parametrize(
    ("version", "direction", "words"),
    [
        ("guy-1976", "down", ["improved"] * 3 + ["unchanged"] + ["worse"] * 3),
        ("hurst-2004", "up", ["unchanged or worse"] + ["improved"] * 6),
    ],
)
def test_each_coding_has_its_direction_and_its_categories(version, direction, words):
    (definition,) = [one for one in PGIC.definitions if one.version == version]
    assert definition.direction == direction
    for answer, word in enumerate(words, start=1):
        score = PGIC.score({"change": answer}, version=version)
        assert (score.subscores["change"].value, score.classes["category"]) == (answer, word)
        assert (score.version, score.total) == (version, None)


def test_the_balanced_coding_is_the_current_version():
    assert PGIC.score({"change": 2}).version == "guy-1976"


@pytest.mark.parametrize("version", ["guy-1976", "hurst-2004"])
def test_without_an_answer_there_is_no_category(version):
    score = PGIC.score({}, version=version)
    assert score.subscores["change"].status == "ND"
    assert score.classes == {}


@pytest.mark.parametrize("value", [0, 8, 3.5, "much improved"])
def test_a_value_outside_1_to_7_is_refused(value):
    with pytest.raises(BadValue, match="pgic item change must be one of 1, 2, 3, 4, 5, 6, 7"):
        PGIC.score({"change": value})
