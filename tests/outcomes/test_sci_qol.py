"""SCI-QOL: 22 banks, T from the developer's table (made up here) of a complete form, or from the adaptive test."""

from __future__ import annotations

import pytest

from workbench import outcomes
from workbench.errors import BadValue
from workbench.outcomes._tables import read_table

QOL = outcomes.load("sci_qol")
BANKS = {one.version: one for one in QOL.definitions}


def look_up(folder, n):
    """No real table: T is 70 - raw."""
    path = folder / "made_up_t.csv"
    lines = [f"{raw},{70 - raw}" for raw in range(n, 5 * n + 1)]
    path.write_text("\n".join(["# made-up T scores for tests", "raw,t", *lines]), encoding="utf-8")
    return read_table(path)


def test_twenty_two_banks_half_of_them_better_downwards():
    assert len(BANKS) == 22
    assert [one.direction for one in BANKS.values()].count("down") == 11
    assert (BANKS["stigma"].direction, BANKS["resilience"].direction) == ("down", "up")


@pytest.mark.parametrize("n", [5, 8, 10, 12])
def test_the_table_tells_how_many_items_the_form_has(tmp_path, n):
    table = look_up(tmp_path, n)
    items = {f"q{k}": 2 for k in range(1, n + 1)}
    score = QOL.score(items, version="resilience", table=table)
    assert (score.subscores["raw"].value, score.subscores["t"].value) == (2 * n, 70 - 2 * n)
    assert score.subscores["t"].n_items == n
    del items["q1"]
    missing = QOL.score(items, version="resilience", table=table).subscores["t"]
    assert (missing.value, missing.status, missing.rule.endswith("missing q1")) == (None, "ND", True)


def test_an_answer_beyond_the_form_is_refused(tmp_path):
    with pytest.raises(BadValue, match="sci_qol q9 was answered, and table 'made-up .*' is of 8 items"):
        QOL.score({f"q{k}": 1 for k in range(1, 10)}, version="grief", table=look_up(tmp_path, 8))


def test_a_table_that_is_longer_than_any_form_is_refused(tmp_path):
    with pytest.raises(BadValue, match="n to 5 n with n up to 12; got 53 rows from '13'"):
        QOL.score({"q1": 1}, version="grief", table=look_up(tmp_path, 13))


def test_without_a_table_nothing_is_known_of_the_form():
    score = QOL.score({"q1": 3}, version="stigma")
    assert {sub.status for sub in score.subscores.values()} == {"ND"}
    assert "needs the table 'T scores of stigma, columns raw,t'" in score.warnings[0]


def test_the_t_score_of_the_adaptive_test_is_taken_as_it_is():
    assert QOL.score({"t_entered": 47}, version="anxiety").subscores["t"].value == 47


@pytest.mark.parametrize(("code", "value"), [("q1", 0), ("q12", 6), ("t_entered", 101)])
def test_a_value_outside_its_range_is_refused(code, value):
    with pytest.raises(BadValue, match=f"sci_qol item {code} must be"):
        QOL.score({code: value}, version="stigma")
