"""No change is computed across the options and test conditions that a measure declares: every one of each."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.shares import some
from workbench import outcomes
from workbench.analysis import change, isncsci_change, own_mdc
from workbench.analysis._possible import additive, possible
from workbench.errors import Refused
from workbench.outcomes import isncsci
from workbench.vocabulary import Assessment, Condition

OTHERS = {
    "cap_s": (60, 120),
    "hand_tests": ([3, 5], [3, 6]),
    "mean_of": (["left_elbow_flexors"], ["right_elbow_flexors"]),
    "norms": ({"carpet": 5.0}, {"carpet": 6.0}),
    "r": (0.3, 0.5),
    "table": ({"label": "one", "sha256": "1" * 64}, {"label": "two", "sha256": "2" * 64}),
}
"""Two values of the options that have no list; a contract test of a new option needs its pair here."""
EVERY = [one for name in outcomes.available() for one in outcomes.load(name).definitions]
OPTIONS = [
    pytest.param(one, option, id=f"{one.name}-{one.version}-{option.name}")
    for one in EVERY
    for option in one.options
    if option.agree
]
CONDITIONS = [
    pytest.param(one, code, id=f"{one.name}-{code}")
    for one in EVERY
    for code in one.conditions
    if one is outcomes.load(one.name).definition
]


def value_of(item):
    return item.allowed[-1] if item.allowed else item.high


def assessment(definition, **more):
    """An assessment with the best-known value everywhere, scored with the options that a score needs."""
    items = {item.code: value_of(item) for item in definition.items}
    options = {option.name: option.allowed[0] for option in definition.options if option.required}
    if definition.name == "isncsci":
        items |= {isncsci.VAC: "Yes", isncsci.DAP: "Yes"}
    return Assessment(
        visit_id="v1",
        measure=definition.name,
        version=definition.version,
        condition=Condition(False, False, False),
        items=items,
        score=outcomes.score(definition.name, items, version=definition.version, **options).to_json(),
        rater="Li",
        side=definition.sides[0],
        **({"id": "a", "options": options} | more),
    )


SUMS = [
    pytest.param(one, part, id=f"{one.name}-{one.version}-{part}")
    for one in EVERY
    for part in (*(scale.code for scale in one.subscales), "total")
    if additive(one, part)
]


@pytest.mark.parametrize(("definition", "part"), some(SUMS))
def test_what_a_sum_can_be_with_an_item_untested_holds_what_it_is(definition, part):
    """For every part that is bounded so, and for each of its items, at its least and its greatest value."""
    plain = assessment(definition, options={"hand_tests": [1, 2]} if part.endswith(("_hand", "_arm")) else {})
    scale = next((scale for scale in definition.subscales if scale.code == part), None)
    for code in scale.items if scale else [item.code for item in definition.items]:
        numbers = [value for value in definition.item(code).allowed if not isinstance(value, str)]
        hidden = scored(plain, code, None)
        bounds = possible(replace(plain, items={**plain.items, code: None}, score=hidden), part)
        if part_in(hidden, part)["status"] != outcomes.ND:
            continue  # the measure's own rule forms a score without this item
        for value in (min(numbers), max(numbers)):
            true = part_in(scored(plain, code, value), part)
            assert true["status"] != outcomes.OK or bounds.low <= true["value"] <= bounds.high


def scored(one, code, value):
    """The score with another value of one item."""
    items = {**one.items, code: value}
    return outcomes.score(one.measure, items, version=one.version, **one.options).to_json()


def part_in(score, part):
    return score["total"] if part == "total" else score["subscores"][part]


def part_of(definition, option=None):
    if option is not None and option.parts:
        return option.parts[0]
    return definition.subscales[0].code


@pytest.mark.parametrize(("definition", "option"), OPTIONS)
def test_a_change_across_an_option_is_refused_and_both_values_are_named(definition, option):
    one = assessment(definition)
    first, second = option.allowed[:2] if option.allowed else OTHERS[option.name]
    pair = [
        replace(one, id=name, options={**one.options, option.name: value})
        for name, value in (("a", first), ("b", second))
    ]
    part = part_of(definition, option)
    if part in isncsci.FIELDS:
        with pytest.raises(Refused, match="one reading"):
            isncsci_change(*pair)
        return
    with pytest.raises(Refused, match=f"option {option.name} is .*, then .*same one"):
        change(*pair, part=part)
    with pytest.raises(Refused, match=f"option {option.name}"):
        own_mdc([pair], part=part)


@pytest.mark.parametrize(("definition", "code"), CONDITIONS)
def test_a_change_across_a_test_condition_is_refused_and_one_that_is_not_recorded_too(definition, code):
    one, item = assessment(definition), definition.item(code)
    low = item.allowed[0] if item.allowed else item.low
    part = part_of(definition)
    first = replace(one, items={**one.items, code: low})
    for other in (value_of(item), None):
        if other is None and definition.conditions[code] == low:
            continue
        second = replace(one, id="b", items={**one.items, code: other})
        with pytest.raises(Refused, match=f"condition {code} is .*, then "):
            change(first, second, part=part)


@pytest.mark.parametrize("definition", EVERY, ids=lambda one: f"{one.name}-{one.version}")
def test_the_same_options_and_conditions_are_compared(definition):
    """The other direction of the contract: nothing is refused for a difference that there is not."""
    one = assessment(definition)
    part = next((s.code for s in definition.subscales if one.score["subscores"][s.code]["status"] == "ok"), "")
    if part:
        assert change(one, replace(one, id="b"), part=part).value == 0
