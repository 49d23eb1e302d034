"""Pinch force: key, tip and palmar pinch apart from each other, three trials, N."""

from __future__ import annotations

import pytest

from workbench import outcomes
from workbench.errors import BadValue

PINCH = outcomes.load("pinch")


def score_of(items, *, unit="N"):
    return PINCH.score(items, unit=unit)


def trials(kind, *values, side="left"):
    return {f"{side}_{kind}_{n}": value for n, value in enumerate(values, start=1)}


def test_three_kinds_a_side():
    assert [s.code for s in PINCH.definition.subscales] == [
        f"{side}_{kind}" for side in ("right", "left") for kind in ("key", "tip", "palmar")
    ]
    assert len(PINCH.definition.items) == 18


def test_kinds_are_never_mixed():
    score = score_of({**trials("key", 20, 22, 24), **trials("tip", 5, 5, 8)})
    assert score.subscores["left_key"].value == pytest.approx(22)
    assert score.subscores["left_tip"].value == pytest.approx(6)
    assert score.subscores["left_palmar"].status == score.subscores["right_key"].status == "ND"


def test_kilogram_force_is_converted():
    score = score_of(trials("palmar", 2, 2, 2), unit="kg")
    assert score.subscores["left_palmar"].value == pytest.approx(19.6133, abs=1e-12)


def test_unable_is_0_and_missing_is_not():
    score = score_of({**trials("key", "unable", None, None), **trials("tip", None, None, None)})
    assert (score.subscores["left_key"].value, score.subscores["left_key"].n_valid) == (0, 1)
    assert score.subscores["left_tip"].value is None
    assert score.warnings == ("Left key pinch: 1 of 3 trials are valid",)


def test_a_pinch_beyond_400_newton_is_refused():
    with pytest.raises(BadValue, match="left_key_1 must be 0 to 400 N or kg or unable, got 401"):
        score_of(trials("key", 401))
    with pytest.raises(BadValue, match="at most 40.7886 kg"):
        score_of(trials("key", 41), unit="kg")
