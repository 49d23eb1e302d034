"""Properties of every upper limb, function, gait and balance measure: range, monotony, missing items."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.shares import examples
from workbench import outcomes
from workbench.outcomes._tables import Table

NAMES = (
    *("grassp_v1", "grassp_v2", "cue_q", "cue_t", "bbt", "jthft", "nhpt", "grip", "pinch", "tri_hft"),
    *("scim3", "scar", "wisci2", "10mwt", "6mwt", "tug", "scifap", "bbs", "tass", "mrc"),
)


def made_up_scar_table():
    """No licensed number: muscles are halved, tasks shared out over 0–3, the sum of 64 stretched to 100."""
    items = outcomes.load("scar").definition.items
    rows = {
        f"{item.code}:{value}": float(round((2 if "_C" in item.code else 3) * value / max(item.allowed)))
        for item in items
        for value in item.allowed
    }
    rows |= {f"sum:{n}": n / 64 * 100 for n in range(65)}
    return Table(rows, "0" * 64, "made up")


VERSIONS = [(name, one.version) for name in NAMES for one in outcomes.load(name).definitions]
NORMS = dict.fromkeys(("carpet", "up_and_go", "obstacles", "stairs", "carry", "step", "door"), 5.0)
OPTIONS = {
    "cue_t": {"hand_tests": [3, 5, 9]},
    "jthft": {"cap_s": 300},
    "tug": {"cap_s": 300},
    "grip": {"unit": "N"},
    "pinch": {"unit": "N"},
    "scifap": {"norms": NORMS},
    "scar": {"table": made_up_scar_table()},
}
"""What a protocol would settle, where a score needs it."""

DONE_OR_300 = ("scifap",)
"""A task that could not be done scores 300, even when its other item is missing."""

ANY_TRIAL = ("grip", "pinch")
"""Measures in which the valid trials count, so that one missing trial leaves a score."""

"""No limits in time: the machine may be busy."""


def define(name, version):
    return next(one for one in outcomes.load(name).definitions if one.version == version)


def ladder(item):
    """Values of an item from the worst to the best; a time is better when it is shorter."""
    if item.code.endswith("_factor"):
        return list(reversed(item.allowed))
    if item.allowed:
        return list(item.allowed)
    steps = [item.low + (item.high - item.low) * k / 8 for k in range(9)]
    if item.unit == "s":
        steps = [time for time in reversed(steps) if time <= 300]
    return [*item.codes, *steps]


def draw_items(dice, definition):
    return {item.code: dice.choice(ladder(item)) for item in definition.items}


def score_of(definition, items):
    pegs = {f"{code}_pegs": 4 for code in items if definition.name == "nhpt" and items[code] == "unable"}
    options = OPTIONS.get(definition.name, {})
    score = outcomes.score(definition.name, {**items, **pegs}, version=definition.version, **options)
    return {**score.subscores, **({"total": score.total} if score.total else {})}


def directions(definition):
    ways = {one.code: one.direction or definition.direction for one in definition.subscales}
    return ways if definition.low is None else {**ways, "total": definition.direction}


@pytest.mark.parametrize(("name", "version"), VERSIONS)
@settings(max_examples=examples(25))
@given(dice=st.randoms(use_true_random=True))
def test_every_score_lies_in_its_range(name, version, dice):
    definition = define(name, version)
    for sub in score_of(definition, draw_items(dice, definition)).values():
        assert sub.value is None or sub.low <= sub.value <= sub.high
        assert sub.value is not None or sub.status == outcomes.STRUCTURAL


@pytest.mark.parametrize(("name", "version"), VERSIONS)
@settings(max_examples=examples(25))
@given(dice=st.randoms(use_true_random=True))
def test_a_better_item_worsens_no_score(name, version, dice):
    definition = define(name, version)
    items = draw_items(dice, definition)
    item = dice.choice(definition.items)
    steps = ladder(item)
    better = dice.choice(steps[steps.index(items[item.code]) :])
    before, after = score_of(definition, items), score_of(definition, {**items, item.code: better})
    for code, way in directions(definition).items():
        if before[code].value is None or after[code].value is None:
            assert item.codes
            continue
        gain = after[code].value - before[code].value
        assert (gain if way == "up" else -gain) >= -1e-9


@pytest.mark.parametrize(("name", "version"), VERSIONS)
@settings(max_examples=examples(25))
@given(dice=st.randoms(use_true_random=True))
def test_a_missing_item_is_never_a_zero_and_touches_only_its_scores(name, version, dice):
    definition = define(name, version)
    items = draw_items(dice, definition)
    item = dice.choice(definition.items)
    whole, lacking = score_of(definition, items), score_of(definition, {**items, item.code: None})
    for scale in definition.subscales:
        sub = lacking[scale.code]
        if name == "cue_t" and scale.code.endswith(("_hand", "_arm")):
            assert sub.value == whole[scale.code].value or sub.status == outcomes.ND
        elif item.code not in scale.items:
            assert sub == whole[scale.code]
        elif name not in ANY_TRIAL and not (name in DONE_OR_300 and sub.value == 300):
            assert (sub.value, sub.status) == (None, outcomes.ND)
            assert sub.n_valid < sub.n_items
    if "total" in lacking and name not in DONE_OR_300:
        assert (lacking["total"].value, lacking["total"].status) == (None, outcomes.ND)
