"""ISNCSCI: what holds for every exam, and the factorised enumeration against the plain one."""

from __future__ import annotations

import copy
import re
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.shares import examples
from workbench.outcomes.isncsci import FIELDS, Options, classify
from workbench.outcomes.isncsci.classify import deciding_cells

SEGMENTS = [*(f"C{n}" for n in range(2, 9)), *(f"T{n}" for n in range(1, 13)), *(f"L{n}" for n in range(1, 6))]
SEGMENTS += ["S1", "S2", "S3", "S4_5"]
MUSCLES = ["C5", "C6", "C7", "C8", "T1", "L2", "L3", "L4", "L5", "S1"]
ORDER = ["NA", "C1", *SEGMENTS[:-1], "INT"]
LEVELS = ["sensory_right", "sensory_left", "motor_right", "motor_left", "nli"]
NON_KEY = "lowestNonKeyMuscleWithMotorFunction"
GRIDS = {"motor": (MUSCLES, "012345"), "lightTouch": (SEGMENTS, "012"), "pinPrick": (SEGMENTS, "012")}
JOINT = Options(nonkey_zpp="motor_level")
"""The reading in which every result is the plain set of what the substitutions give."""


@st.composite
def sides(draw):
    """A side with a normal stretch of random length in each grid: levels spread over the whole cord."""
    made = {}
    for grid, (segments, scores) in GRIDS.items():
        normal = draw(st.integers(0, len(segments)))
        rest = draw(st.lists(st.sampled_from(scores), min_size=len(segments), max_size=len(segments)))
        made[grid] = dict(zip(segments, [scores[-1]] * normal + rest[normal:]))
    if draw(st.booleans()):
        made[NON_KEY] = draw(st.sampled_from(MUSCLES))
    return made


@st.composite
def exams(draw):
    answers = st.sampled_from(["Yes", "No"])
    return {
        "right": draw(sides()),
        "left": draw(sides()),
        "voluntaryAnalContraction": draw(answers),
        "deepAnalPressure": draw(answers),
    }


def cells(exam):
    return [
        *((side, grid, name) for side in ("right", "left") for grid in GRIDS for name in exam[side][grid]),
        ("voluntaryAnalContraction",),
        ("deepAnalPressure",),
    ]


def get(exam, cell):
    for step in cell:
        exam = exam[step]
    return exam


def put(exam, cell, value):
    for step in cell[:-1]:
        exam = exam[step]
    exam[cell[-1]] = value


def scores_of(cell):
    return list(GRIDS[cell[1]][1]) if len(cell) > 1 else ["Yes", "No"]


def meaning(cell, code):
    """Every score that a code stands for, in the exam form: written out again from the rule."""
    scores = scores_of(cell)
    if len(cell) == 1:
        return scores if code == "NT" else [code]
    number, tags = code.rstrip("*"), code.count("*")
    if tags == 2:
        return scores[-1:]
    if tags == 1:
        return scores[:-1] if number == "NT" else [score for score in scores[:-1] if score >= number]
    return scores if number == "NT" else [number]


def substitutions(exam):
    """Every exam of numbers that an exam stands for."""
    unsure = [(cell, values) for cell in cells(exam) if len(values := meaning(cell, get(exam, cell))) > 1]
    base = copy.deepcopy(exam)
    for cell in cells(exam):
        put(base, cell, meaning(cell, get(exam, cell))[-1])
    for values in product(*(values for _, values in unsure)):
        one = copy.deepcopy(base)
        for (cell, _), value in zip(unsure, values):
            put(one, cell, value)
        yield one


def values_of(result, field):
    return [value.rstrip("*") for value in result[field].split(",")]


@st.composite
def open_exams(draw, *, codes=("NT",), most=3):
    """An exam in which up to ``most`` cells are untested or tagged."""
    exam = draw(exams())
    chosen = draw(st.lists(st.sampled_from(cells(exam)), min_size=1, max_size=most, unique=True))
    for cell in chosen:
        code = draw(st.sampled_from(codes)) if len(cell) > 1 else "NT"
        number = get(exam, cell)
        if code.startswith("n"):
            number = "0" if number == scores_of(cell)[-1] else number
            code = number + code[1:]
        put(exam, cell, code)
    return exam


def raised(exam, cell):
    better = copy.deepcopy(exam)
    scores = scores_of(cell)
    put(better, cell, scores[scores.index(get(exam, cell)) + 1])
    return better


@settings(max_examples=examples(80))
@given(exams(), st.data())
def test_raising_a_score_moves_no_level_and_not_the_nli_rostrally(exam, data):
    room = [cell for cell in cells(exam) if len(cell) > 1 and get(exam, cell) != scores_of(cell)[-1]]
    if not room:
        return
    cell = data.draw(st.sampled_from(room))
    before, after = classify(exam).result, classify(raised(exam, cell)).result
    for field in LEVELS:
        assert ORDER.index(after[field]) >= ORDER.index(before[field]), (field, cell)


@settings(max_examples=examples(80))
@given(exams())
def test_vac_moves_no_level_rostrally_and_makes_it_incomplete(exam):
    without, with_vac = ({**exam, "voluntaryAnalContraction": answer} for answer in ("No", "Yes"))
    before, after = classify(without).result, classify(with_vac).result
    for field in LEVELS:
        assert ORDER.index(after[field]) >= ORDER.index(before[field]), field
    assert after["complete"] == "I"
    assert after["ais"] in "CDE"
    assert after["zpp_motor_right"] == after["zpp_motor_left"] == "NA"


def test_raising_a_score_can_worsen_the_grade_when_the_nli_moves_down(make):
    """Named counter-example: C2 becomes normal, the arms leave the count, and D turns into C."""
    side = {"motor": "5555410000", "normal_to": "T3", "below": "1", "cells": {"lightTouch.C2": "1"}}
    before = make(side, vac="Yes")
    after = raised(raised(before, ("right", "lightTouch", "C2")), ("left", "lightTouch", "C2"))
    assert (classify(before).result["nli"], classify(before).result["ais"]) == ("C1", "D")
    assert (classify(after).result["nli"], classify(after).result["ais"]) == ("T1", "C")


def mirrored(result):
    swap = {"right": "left", "left": "right"}
    named = {"_".join(swap.get(part, part) for part in name.split("_")): value for name, value in result.items()}
    named["totals"] = {swap.get(name, name): value for name, value in result["totals"].items()}
    return named


ANY = ("NT", "NT*", "NT**", "n*", "n**")


@settings(max_examples=examples(80))
@given(open_exams(codes=ANY, most=6), st.sampled_from([Options(), Options("strict", "motor_level")]))
def test_exchanging_the_sides_exchanges_the_results(exam, options):
    turned = {**exam, "right": exam["left"], "left": exam["right"]}
    assert classify(turned, options=options).result == mirrored(classify(exam, options=options).result)


@settings(max_examples=examples(80))
@given(open_exams())
def test_an_nt_result_is_exactly_what_the_substitutions_give(exam):
    for options in (JOINT, Options("strict", "motor_level")):
        ours = classify(exam, options=options).result
        every = [classify(one, options=options).result for one in substitutions(exam)]
        for field in FIELDS:
            assert set(values_of(ours, field)) == {result[field] for result in every}, field


@settings(max_examples=examples(80))
@given(open_exams(codes=ANY))
def test_a_tagged_result_is_exactly_what_the_handled_scores_give(exam):
    ours = classify(exam, options=JOINT).result
    every = [classify(one, options=JOINT).result for one in substitutions(exam)]
    for field in FIELDS:
        assert set(values_of(ours, field)) == {result[field] for result in every}, field


@settings(max_examples=examples(80))
@given(exams(), st.floats(0, 1), st.randoms(use_true_random=False))
def test_an_nt_result_contains_every_substitution_however_many_cells_are_untested(exam, share, random):
    hidden = copy.deepcopy(exam)
    for cell in cells(exam):
        if random.random() < share:
            put(hidden, cell, "NT")
    ours, known = classify(hidden, options=JOINT).result, classify(exam, options=JOINT).result
    for field in FIELDS:
        assert known[field] in values_of(ours, field), field
    default, known = classify(hidden).result, classify(exam).result
    for field in FIELDS:
        if not field.startswith("zpp_motor"):
            assert known[field] in values_of(default, field), field


@settings(max_examples=examples(80))
@given(open_exams(codes=ANY, most=12))
def test_lists_are_sorted_rostral_to_caudal_with_na_first_and_hold_no_value_twice(exam):
    result = classify(exam).result
    for field in FIELDS:
        values = values_of(result, field)
        order = "ABCDE" if field == "ais" else "CI" if field == "complete" else ORDER
        places = [order.index(value) for value in values]
        assert places == sorted(set(places)), field


@settings(max_examples=examples(80))
@given(open_exams(codes=ANY, most=12))
def test_a_star_or_an_affected_field_only_with_a_tag_and_a_tag_on_nothing_else(exam):
    tagged = any("*" in str(get(exam, cell)) for cell in cells(exam))
    found = classify(exam)
    if not tagged:
        assert found.affected == ()
        assert "*" not in "".join(found.result[field] for field in FIELDS)
    for field in found.affected:
        assert "*" in found.result[field] or ("tags_narrow" in {code for code, _ in found.warnings})


@settings(max_examples=examples(80))
@given(exams())
def test_zones_are_not_rostral_to_the_motor_level_and_follow_the_gates(exam):
    result = classify(exam).result
    for side in ("right", "left"):
        zone, level = result[f"zpp_motor_{side}"], result[f"motor_{side}"]
        assert (zone == "NA") == (exam["voluntaryAnalContraction"] == "Yes")
        assert zone == "NA" or ORDER.index(zone) >= ORDER.index(level)
        felt = any(exam[side][grid]["S4_5"] != "0" for grid in ("lightTouch", "pinPrick"))
        assert (result[f"zpp_sensory_{side}"] == "NA") == (felt or exam["deepAnalPressure"] == "Yes")


@settings(max_examples=examples(80))
@given(open_exams(codes=ANY, most=8))
def test_every_reason_names_the_result_it_explains(exam):
    found = classify(exam)
    steps = {step.field: step.text for step in found.steps}
    for field in FIELDS:
        if field == "complete" or found.result[field] == "NA":
            continue
        # A star says that the tags changed the result; the sentence of a single value says what it was without.
        text = found.result[field].replace(",", ", ")
        text = text if "," in text else text.replace("*", "")
        assert text in steps[field].en, field
        assert text in steps[field].zh, field


@settings(max_examples=examples(80))
@given(open_exams(codes=ANY, most=3))
def test_deciding_cells_are_those_on_which_some_substitution_depends(exam):
    """Against the plain enumeration: none is named that never matters, and an open result names at least one."""
    open_ = [
        cell for cell in cells(exam) if not get(exam, cell).isdigit() and get(exam, cell) not in ("Yes", "No")
    ]
    kept = list(substitutions(exam))
    results = [classify(one, options=JOINT).result for one in kept]
    for field in FIELDS:
        matter = {
            ".".join(cell)
            for cell in open_
            for one, result in zip(kept, results)
            for other, different in zip(kept, results)
            if result[field] != different[field] and all(get(one, c) == get(other, c) for c in open_ if c != cell)
        }
        named = set(deciding_cells(exam, field, options=JOINT))
        assert named <= matter, field
        assert bool(named) == bool(matter), field


@settings(max_examples=examples(80))
@given(open_exams(codes=ANY, most=3))
def test_a_determined_result_gives_the_reason_that_every_substitution_gives(exam):
    """What a substitution prints in place of a code may differ; the sentence and its numbers may not."""
    found = classify(exam)
    steps = {step.field: step.text.en for step in found.steps}
    for one in list(substitutions(exam))[:40]:
        plain = {step.field: step.text.en for step in classify(one).steps}
        for field in FIELDS:
            if "in every substitution" in steps[field] or "Not determinable" in steps[field]:
                continue
            sentence = steps[field].split(" With the tags ignored")[0]
            words = [without_codes(text) for text in (sentence, plain[field])]
            assert words[0] == words[1], field


def without_codes(sentence):
    """A sentence with the codes of cells taken out, so that ``3*`` and the 3 or 4 behind it read alike."""
    return re.sub(r"(light touch|pin prick|grade) (NT|\d)\**", r"\1", sentence)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_the_extremes_untested_everywhere_and_nowhere(make, share):
    exam = make(vac="Yes", dap="Yes")
    if share:
        for cell in cells(exam):
            put(exam, cell, "NT")
    result = classify(exam).result
    if share:
        assert result["nli"].split(",") == ORDER[1:]
        assert result["ais"] == "A,B,C,D,E"
        assert result["zpp_sensory_right"].split(",") == ORDER[:-1]
        assert result["totals"]["uems"] == "ND"
    else:
        assert (result["nli"], result["ais"]) == ("INT", "E")
