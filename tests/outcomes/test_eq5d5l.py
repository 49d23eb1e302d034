"""EQ-5D-5L: state, index from a value set of 3,125 states, VAS. The value sets of these tests are made up."""

from __future__ import annotations

import itertools

import pytest

from workbench import outcomes
from workbench.errors import BadValue
from workbench.outcomes._tables import read_table

EQ5D = outcomes.load("eq5d5l")
CODES = ["mobility", "self_care", "usual_activities", "pain", "anxiety"]
STATES = ["".join(levels) for levels in itertools.product("12345", repeat=5)]


def made_up_index(state):
    """No real value set: every level costs 0.05."""
    return round(1 - 0.05 * sum(int(level) - 1 for level in state), 4)


def value_set(folder, states=STATES, *, index=made_up_index):
    path = folder / "made_up_value_set.csv"
    rows = [f"{state},{index(state)}" for state in states]
    path.write_text("\n".join(["# made-up value set for tests", "state,index", *rows]), encoding="utf-8")
    return read_table(path)


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    return value_set(tmp_path_factory.mktemp("eq5d"))


def answers(state, **more):
    return {**{code: int(level) for code, level in zip(CODES, state)}, **more}


@pytest.mark.parametrize("state", ["11111", "21345", "55555", "12111"])
def test_the_state_is_a_class_and_the_index_that_of_the_table(table, state):
    score = EQ5D.score(answers(state, vas=70), table=table)
    assert score.classes == {"state": state}
    assert score.subscores["index"].value == made_up_index(state)
    assert score.subscores["vas"].value == 70
    assert score.subscores["index"].rule_source == "made-up value set for tests"
    assert score.options == {"table": {"label": "made-up value set for tests", "sha256": table.sha256}}
    assert score.total is None
    assert score.warnings == ()


def test_a_worse_level_never_raises_the_index(table):
    for at, level in itertools.product(range(5), range(1, 5)):
        state = ["2"] * 5
        state[at] = str(level)
        worse = [*state]
        worse[at] = str(level + 1)
        better = EQ5D.score(answers(state), table=table).subscores["index"].value
        assert EQ5D.score(answers(worse), table=table).subscores["index"].value < better


def test_without_a_table_there_is_a_state_and_no_index():
    score = EQ5D.score(answers("21345", vas=50))
    assert score.classes == {"state": "21345"}
    assert (score.subscores["index"].value, score.subscores["index"].status) == (None, "ND")
    assert "needs the table 'value set, columns state,index, 3,125 rows'" in score.warnings[0]
    assert score.subscores["index"].rule == score.warnings[0]
    assert score.subscores["vas"].value == 50


@pytest.mark.parametrize("gone", CODES)
def test_a_missing_dimension_leaves_no_state_and_no_index(table, gone):
    items = answers("11111", vas=90)
    del items[gone]
    score = EQ5D.score(items, table=table)
    assert (score.subscores["index"].status, score.subscores["index"].n_valid) == ("ND", 4)
    assert score.classes == {}
    assert score.subscores["vas"].value == 90


def test_a_missing_vas_leaves_the_index(table):
    score = EQ5D.score(answers("11111"), table=table)
    assert (score.subscores["index"].value, score.subscores["vas"].status) == (1.0, "ND")


def test_a_value_set_must_have_all_3125_states_and_no_other(tmp_path):
    with pytest.raises(BadValue, match="lacks 1 of 3125 states, such as '55555' and has 0 other rows"):
        EQ5D.score(answers("11111"), table=value_set(tmp_path, STATES[:-1]))
    with pytest.raises(BadValue, match="lacks 0 of 3125 states and has 1 other rows, such as '111111'"):
        EQ5D.score(answers("11111"), table=value_set(tmp_path, [*STATES, "111111"]))


def test_an_index_above_full_health_is_no_value_set(tmp_path):
    with pytest.raises(BadValue, match="the index of 11111 must be -2 to 1, got 100"):
        EQ5D.score(answers("11111"), table=value_set(tmp_path, index=lambda s: 100 if s == "11111" else 0))


@pytest.mark.parametrize(
    ("code", "value"), [("mobility", 0), ("pain", 6), ("anxiety", 1.5), ("vas", 101), ("vas", -1)]
)
def test_a_value_outside_its_range_is_refused(code, value):
    with pytest.raises(BadValue, match=f"eq5d5l item {code} must be"):
        EQ5D.score(answers("11111", **{code: value}))
