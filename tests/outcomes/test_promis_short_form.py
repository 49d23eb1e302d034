"""PROMIS short forms: complete forms only, T from a look-up table (made up here), or a T computed elsewhere."""

from __future__ import annotations

import pytest

from workbench import outcomes
from workbench.errors import BadValue
from workbench.outcomes._tables import read_table

PROMIS = outcomes.load("promis_short_form")
FORMS = {one.version: one for one in PROMIS.definitions}


def look_up(folder, n, *, change=None):
    """No real table: T is 30 + raw / 2."""
    rows = {str(raw): 30 + raw / 2 for raw in range(n, 5 * n + 1)} | (change or {})
    path = folder / "made_up_t.csv"
    lines = [f"{key},{value}" for key, value in rows.items() if value is not None]
    path.write_text("\n".join(["# made-up T scores for tests", "raw,t", *lines]), encoding="utf-8")
    return read_table(path)


@pytest.mark.parametrize(
    ("form", "n", "direction"),
    [
        ("depression-8a", 8, "down"),
        ("anxiety-4a", 4, "down"),
        ("fatigue-8a", 8, "down"),
        ("physical-function-10a", 10, "up"),
        ("physical-function-8b", 8, "up"),
        ("upper-extremity-7a", 7, "up"),
        ("participation-ability-8a", 8, "up"),
    ],
)
def test_a_form_is_a_version_with_its_length_and_direction(form, n, direction):
    assert (len(FORMS[form].items), FORMS[form].direction) == (n, direction)


@pytest.mark.parametrize("form", sorted(FORMS))
def test_every_complete_form_is_looked_up_and_t_rises_with_the_sum(tmp_path, form):
    codes = [item.code for item in FORMS[form].items]
    table = look_up(tmp_path, len(codes))
    previous = -1.0
    for value in range(1, 6):
        score = PROMIS.score(dict.fromkeys(codes, value), version=form, table=table)
        raw, t = score.subscores["raw"], score.subscores["t"]
        assert (raw.value, t.value) == (value * len(codes), 30 + value * len(codes) / 2)
        assert previous < t.value <= t.high
        assert t.rule_source == "made-up T scores for tests"
        previous = t.value


def test_a_missing_item_makes_the_form_unfit_for_the_table(tmp_path):
    items = {f"q{n}": 3 for n in range(1, 8)}
    score = PROMIS.score(items, version="depression-8a", table=look_up(tmp_path, 8))
    assert [(s.value, s.status, s.n_valid) for s in score.subscores.values()] == [(None, "ND", 7)] * 2
    assert score.subscores["t"].rule.endswith("missing q8")


def test_without_a_table_there_is_a_raw_sum_and_no_t():
    score = PROMIS.score({f"q{n}": 2 for n in range(1, 9)}, version="depression-8a")
    assert (score.subscores["raw"].value, score.subscores["t"].status) == (16, "ND")
    assert "needs the table 'T scores of depression-8a, columns raw,t'" in score.warnings[0]


def test_a_t_score_computed_elsewhere_is_taken_as_it_is():
    score = PROMIS.score({"t_entered": 54.3}, version="fatigue-8a")
    assert (score.subscores["t"].value, score.subscores["raw"].status) == (54.3, "ND")
    assert "keep the export" in score.warnings[0]
    with pytest.raises(BadValue, match="has t_entered and answers .q1."):
        PROMIS.score({"t_entered": 54.3, "q1": 2}, version="fatigue-8a")


@pytest.mark.parametrize(
    ("n", "change"),
    [(4, {}), (8, {"40": None}), (8, {"20": None}), (8, {"41": 60}), (8, {"x": 50}), (8, {"08": 50})],
)
def test_a_table_of_another_form_is_refused(tmp_path, n, change):
    table = look_up(tmp_path, n, change=change)
    with pytest.raises(BadValue, match="one row for each raw sum of promis_short_form depression-8a, 8 to 40"):
        PROMIS.score({"q1": 1}, version="depression-8a", table=table)


def test_a_t_score_outside_0_to_100_is_no_t_score(tmp_path):
    with pytest.raises(BadValue, match="T of 9 must be 0 to 100, got 540"):
        PROMIS.score({}, version="depression-8a", table=look_up(tmp_path, 8, change={"9": 540}))


@pytest.mark.parametrize("value", [0, 6, 1.5, "2"])
def test_a_value_outside_1_to_5_is_refused(value):
    with pytest.raises(BadValue, match="promis_short_form item q3 must be one of 1, 2, 3, 4, 5"):
        PROMIS.score({"q3": value}, version="anxiety-8a")
