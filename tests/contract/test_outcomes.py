"""Every entry of the outcomes folder keeps the contract."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from workbench import outcomes
from workbench.errors import BadValue, UnknownName
from workbench.outcomes import Subscale, isncsci

NAMES = outcomes.available()


EVERY = [(name, one.version) for name in NAMES for one in outcomes.load(name).definitions]


def define(name, version):
    return next(one for one in outcomes.load(name).definitions if one.version == version)


def end(item, pick):
    """The least or greatest number an item can hold; of a list of words its first or last."""
    numbers = [value for value in item.allowed if isinstance(value, int)] or list(item.allowed)
    if not item.allowed:
        return pick(item.low, item.high)
    return pick(numbers) if isinstance(numbers[0], int) else numbers[0 if pick is min else -1]


def all_at(definition, pick):
    return {item.code: end(item, pick) for item in definition.items}


def settled(definition):
    """The first allowed value of every option without a default that a score needs."""
    return {option.name: option.allowed[0] for option in definition.options if option.required}


@pytest.mark.parametrize("name", NAMES)
def test_versions_differ_and_carry_the_name(name):
    measure = outcomes.load(name)
    assert measure.definition is measure.definitions[0]
    assert {one.name for one in measure.definitions} == {name}
    assert len({one.version for one in measure.definitions}) == len(measure.definitions)


@pytest.mark.parametrize(("name", "version"), EVERY)
def test_the_definition_is_complete(name, version):
    definition = define(name, version)
    assert definition.direction in ("up", "down")
    for text in (definition.version, definition.title, definition.missing, definition.licence, definition.domain):
        assert text.strip()
    assert definition.sources
    assert definition.sides in (("",), ("left", "right"))
    assert (definition.low is None) == (definition.high is None)
    assert all(note.endswith(("[S]", "[T]", "[M]", "[M?]")) for note in definition.notes)
    assert all(not option.allowed or option.default in (None, *option.allowed) for option in definition.options)


@pytest.mark.parametrize(("name", "version"), EVERY)
def test_every_item_is_a_list_of_values_or_a_range_with_its_unit(name, version):
    definition = define(name, version)
    every = (*definition.items, *definition.extras)
    codes = [item.code for item in every]
    assert len(set(codes)) == len(codes)
    for item in every:
        assert len(set(item.allowed)) == len(item.allowed)
        assert len((*item.allowed, *item.codes)) >= 2 if item.allowed else item.unit and item.low < item.high
        assert all(isinstance(code, str) for code in item.codes)


@pytest.mark.parametrize(("name", "version"), EVERY)
def test_every_item_enters_a_subscore_and_no_subscore_has_a_foreign_item(name, version):
    definition = define(name, version)
    entered = {code for subscale in definition.subscales for code in subscale.items}
    assert entered == {item.code for item in definition.items}
    assert all(subscale.direction in ("", "up", "down") for subscale in definition.subscales)


@pytest.mark.parametrize(("name", "version"), EVERY)
def test_words_of_an_item_are_short_descriptors_and_not_instructions(name, version):
    definition = define(name, version)
    for item in (*definition.items, *definition.extras):
        assert len(item.label.split()) <= 6
        assert not item.label.endswith((".", "?"))


@pytest.mark.parametrize(("name", "version"), EVERY)
@pytest.mark.parametrize("pick", [min, max])
def test_the_ends_of_all_items_score_inside_the_ranges(name, version, pick):
    definition = define(name, version)
    score = outcomes.score(name, all_at(definition, pick), version=version, **settled(definition))
    for sub in (*score.subscores.values(), *([score.total] if score.total else [])):
        assert sub.value is None or sub.low <= sub.value <= sub.high


@pytest.mark.parametrize(("name", "version"), EVERY)
def test_nothing_entered_is_not_determinable_and_never_zero(name, version):
    score = outcomes.score(name, {}, version=version)
    for sub in (*score.subscores.values(), *([score.total] if score.total else [])):
        assert sub.value is None
        assert sub.status in (outcomes.ND, outcomes.STRUCTURAL)
        assert sub.n_valid == 0
    assert score.administered == score.implied == score.alerts == ()


@pytest.mark.parametrize(("name", "version"), EVERY)
def test_a_score_is_plain_data_with_its_steps_and_rule(name, version):
    definition = define(name, version)
    score = outcomes.score(name, all_at(definition, max), version=version, **settled(definition))
    stored = score.to_json()
    assert json.loads(json.dumps(stored)) == stored
    assert (stored["measure"], stored["version"]) == (name, version)
    assert (stored["total"] is None) == (definition.low is None)
    assert set(stored["subscores"]) == {subscale.code for subscale in definition.subscales}
    for sub in (*stored["subscores"].values(), *([stored["total"]] if stored["total"] else [])):
        assert sub["status"] in outcomes.STATUSES
        assert sub["rule"]
        assert sub["rule_source"]
    assert score.steps


@pytest.mark.parametrize(("name", "version"), EVERY)
def test_unknown_codes_versions_options_and_values_are_refused(name, version):
    definition = define(name, version)
    first = definition.items[0]
    beyond = max(v for v in first.allowed if isinstance(v, int)) + 1 if first.allowed else first.high + 1
    with pytest.raises(BadValue, match="no item 'nothing'"):
        outcomes.score(name, {"nothing": 1}, version=version)
    with pytest.raises(BadValue, match=f"{first.code} must be "):
        outcomes.score(name, {first.code: beyond}, version=version)
    with pytest.raises(BadValue, match=f"{first.code} must be "):
        outcomes.score(name, {first.code: True}, version=version)
    with pytest.raises(BadValue, match="versions are never mixed"):
        outcomes.score(name, {}, version="no such version")
    with pytest.raises(BadValue, match="has no option 'nothing'"):
        outcomes.score(name, {}, version=version, nothing=1)


@pytest.mark.parametrize(("name", "version"), EVERY)
def test_a_number_beyond_all_arithmetic_is_refused_and_not_a_defect(name, version):
    for item in (*define(name, version).items, *define(name, version).extras):
        for value in (10**400, -(10**400), float("inf"), float("nan"), 1e308):
            with pytest.raises(BadValue, match=f"{item.code} must be "):
                outcomes.score(name, {item.code: value}, version=version)


@pytest.mark.parametrize(("name", "version"), EVERY)
def test_scoring_changes_nothing_it_was_given(name, version):
    definition = define(name, version)
    items = all_at(definition, max)
    kept = dict(items)
    outcomes.score(name, items, version=version, **settled(definition))
    assert items == kept


@pytest.mark.parametrize(("name", "version"), EVERY)
def test_no_measured_quantity_has_a_unit_without_a_choice(name, version):
    """A unit that leaves two open is settled by a required option; a required option has no default."""
    definition = define(name, version)
    required = {option.name: option for option in definition.options if option.required}
    for item in (*definition.items, *definition.extras):
        units = item.unit.replace(",", " or ").split(" or ")
        assert len(units) == 1 or set(units) == set(required["unit"].allowed), item.code
    assert all(option.default is None and len(option.allowed) > 1 for option in required.values())
    if required:
        with pytest.raises(BadValue, match="is not chosen and has no default; choose one of"):
            outcomes.score(name, {definition.items[0].code: end(definition.items[0], max)}, version=version)


@pytest.mark.parametrize(("name", "version"), EVERY)
def test_no_score_is_formed_from_fewer_answers_than_its_rule_asks_for(name, version):
    """Every score of every measure, each time with its items answered one by one up to one less than needed."""
    definition = define(name, version)
    whole = [Subscale("total", "Total", tuple(i.code for i in definition.items), 0, 0, least=definition.least)]
    for scale in (*definition.subscales, *(whole if definition.low is not None else ())):
        assert 1 <= scale.min_answered <= len(scale.items)
        for few in range(scale.min_answered):
            given = {code: end(definition.item(code), max) for code in scale.items[:few]}
            score = outcomes.score(name, given, version=version, **settled(definition))
            sub = score.total if scale.code == "total" else score.subscores[scale.code]
            assert sub is None or sub.value is None, (scale.code, few)


@pytest.mark.parametrize(("name", "version"), EVERY)
def test_every_measure_declares_what_has_to_agree_for_a_change(name, version):
    definition = define(name, version)
    extras = {item.code for item in (*definition.items, *definition.extras)}
    codes = {*(scale.code for scale in definition.subscales), *(isncsci.FIELDS if name == "isncsci" else ())}
    assert set(definition.conditions) | set(definition.noted) <= extras
    assert not set(definition.conditions) & set(definition.noted)
    assert all(isinstance(option.agree, bool) and set(option.parts) <= codes for option in definition.options)


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
