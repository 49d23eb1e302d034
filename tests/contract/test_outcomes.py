"""Every entry of the outcomes folder keeps the contract."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from workbench import outcomes
from workbench.errors import BadValue, UnknownName

NAMES = outcomes.available()


def best(definition, which):
    pick = max if (definition.direction == "up") == (which == "best") else min
    return {item.code: pick(item.allowed) for item in definition.items}


@pytest.mark.parametrize("name", NAMES)
def test_the_definition_is_complete(name):
    definition = outcomes.load(name).definition
    assert definition.name == name
    assert definition.direction in ("up", "down")
    for text in (definition.version, definition.title, definition.missing, definition.licence):
        assert text.strip()
    assert definition.sources
    assert definition.sides in (("",), ("left", "right"))


@pytest.mark.parametrize("name", NAMES)
def test_every_item_has_an_explicit_list_of_values_and_one_subscale(name):
    definition = outcomes.load(name).definition
    codes = [item.code for item in definition.items]
    assert len(set(codes)) == len(codes)
    assert all(len(set(item.allowed)) == len(item.allowed) >= 2 for item in definition.items)
    assert sorted(code for subscale in definition.subscales for code in subscale.items) == sorted(codes)


@pytest.mark.parametrize("name", NAMES)
def test_words_of_an_item_are_short_descriptors_and_not_instructions(name):
    for item in outcomes.load(name).definition.items:
        assert len(item.words.split()) <= 6
        assert not item.words.endswith((".", "?"))


@pytest.mark.parametrize("name", NAMES)
def test_best_and_worst_answers_reach_the_ends_of_the_range(name):
    measure = outcomes.load(name)
    definition = measure.definition
    ends = [measure.score(best(definition, which)).total.value for which in ("worst", "best")]
    assert sorted(ends) == [definition.low, definition.high]


@pytest.mark.parametrize("name", NAMES)
def test_nothing_entered_is_not_determinable_and_never_zero(name):
    score = outcomes.score(name, {})
    assert (score.total.value, score.total.status, score.total.n_valid) == (None, outcomes.ND, 0)
    assert all(sub.value is None for sub in score.subscores.values())
    assert score.administered == score.implied == ()


@pytest.mark.parametrize("name", NAMES)
def test_a_score_is_plain_data_with_its_steps_and_rule(name):
    definition = outcomes.load(name).definition
    score = outcomes.score(name, best(definition, "best"))
    stored = score.to_json()
    assert json.loads(json.dumps(stored)) == stored
    assert (stored["measure"], stored["version"]) == (name, definition.version)
    for sub in (stored["total"], *stored["subscores"].values()):
        assert sub["status"] in outcomes.STATUSES
        assert sub["rule"]
        assert sub["rule_source"]
        assert sub["low"] <= sub["value"] <= sub["high"]
    assert score.steps


@pytest.mark.parametrize("name", NAMES)
def test_unknown_codes_and_values_are_refused(name):
    first = outcomes.load(name).definition.items[0]
    with pytest.raises(BadValue, match="no item 'nothing'"):
        outcomes.score(name, {"nothing": 1})
    with pytest.raises(BadValue, match=f"{first.code} must be one of"):
        outcomes.score(name, {first.code: max(first.allowed) + 1})


@pytest.mark.parametrize("name", NAMES)
def test_scoring_changes_nothing_it_was_given(name):
    items = best(outcomes.load(name).definition, "best")
    kept = dict(items)
    outcomes.score(name, items)
    assert items == kept


@pytest.mark.parametrize("name", NAMES)
def test_every_entry_has_a_test_of_its_own(name):
    assert (Path(__file__).parents[1] / "outcomes" / f"test_{name}.py").is_file()


def test_an_unknown_name_lists_those_there_are():
    with pytest.raises(UnknownName, match="arat"):
        outcomes.load("nothing")


def test_outcomes_score_without_a_database_and_without_amplifier_software():
    code = (
        "import sys\nfrom workbench import outcomes\n"
        "[outcomes.load(name) for name in outcomes.available()]\n"
        "sys.exit(', '.join(sorted({'sqlalchemy', 'numba', 'pylsl', 'scipy', 'pandas'} & set(sys.modules))) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
