"""ISNCSCI 2019: the errors that implementations make, hand-checked examples, validation, the register's entry."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest

from workbench import outcomes
from workbench.errors import BadValue
from workbench.outcomes import isncsci
from workbench.outcomes.isncsci import Options, classify


def result(exam, **readings):
    return classify(exam, options=Options(**readings)).result


def codes(exam, **readings):
    return {code for code, _ in classify(exam, options=Options(**readings)).warnings}


COMPLETE_C6 = {"motor": "5400000000", "normal_to": "C6"}


# ----- 1.7: what implementations get wrong


def test_error_01_zones_exist_beyond_ais_a(make):
    found = result(make({"motor": "5500010000", "normal_to": "C6", "below": "1"}))
    assert found["ais"] == "C"
    assert (found["zpp_motor_right"], found["zpp_sensory_right"]) == ("L2", "NA")


def test_error_02_sensory_zone_is_per_side_and_only_dap_is_common(make):
    felt = {**COMPLETE_C6, "cells": {"lightTouch.S4_5": "1"}}
    found = result(make(felt, COMPLETE_C6))
    assert (found["zpp_sensory_right"], found["zpp_sensory_left"]) == ("NA", "C6")
    found = result(make(COMPLETE_C6, dap="Yes"))
    assert (found["zpp_sensory_right"], found["zpp_sensory_left"]) == ("NA", "NA")


def test_error_03_motor_zone_is_gated_by_vac_alone(make):
    for vac, dap, zone in (("No", "No", "C6"), ("No", "Yes", "C6"), ("Yes", "No", "NA"), ("Yes", "Yes", "NA")):
        assert result(make(COMPLETE_C6, vac=vac, dap=dap))["zpp_motor_left"] == zone


def test_error_04_thoracic_motor_zone_is_the_motor_level_and_no_dermatome(make):
    found = result(make({"motor": "5555500000", "normal_to": "T6", "cells": {"lightTouch.T10": "1"}}))
    assert (found["zpp_motor_right"], found["zpp_sensory_right"]) == ("T6", "T10")
    found = result(make({"motor": "5555500100", "normal_to": "T6"}))
    assert found["zpp_motor_right"] == "L4"


def test_error_05_motor_zone_is_never_rostral_to_the_motor_level(make):
    found = result(make({"motor": "0000000000", "normal_to": "C4"}))
    assert (found["motor_right"], found["zpp_motor_right"]) == ("C4", "C4")
    found = result(make({"motor": "5555500000", "normal_to": "T9"}))
    assert (found["motor_right"], found["zpp_motor_right"]) == ("T9", "T9")


def test_error_06_t1_and_s1_are_not_passed_with_an_abnormal_dermatome_beside_them(make):
    arm = {"normal_to": "T6", "motor": "5555500000", "cells": {"pinPrick.C7": "1"}}
    assert result(make(arm))["motor_right"] == "T1"
    leg = {"normal_to": "S3", "cells": {"pinPrick.L4": "1"}}
    assert result(make(leg))["motor_right"] == "S1"
    assert result(make({"normal_to": "S2", "below": "1"}))["motor_right"] == "S2"


@pytest.mark.parametrize(("normal_to", "level"), [(None, "C1"), ("C2", "C2"), ("C3", "C3")])
def test_error_07_the_motor_level_follows_the_dermatomes_down_to_c4(make, normal_to, level):
    assert result(make({"motor": "5500000000", "normal_to": normal_to}))["motor_right"] == level


def test_error_08_more_than_three_levels_counts_from_the_motor_level_of_the_same_side(make):
    right = {"motor": "5555500000", "normal_to": "T10", "below": "1"}
    assert result(make(right, {"motor": "5000000000", "normal_to": "C5", "below": "1"}))["ais"] == "B"
    assert result(make({"motor": "5000100000", "normal_to": "C5", "below": "1"}))["ais"] == "C"
    at_three = {"motor": "5300010000", "normal_to": "C5", "below": "1"}
    assert result(make(at_three))["ais"] == "C"
    three_below = {"motor": "5001000000", "normal_to": "C5", "below": "1"}
    assert result(make(three_below))["motor_right"] == "C5"
    assert result(make(three_below))["ais"] == "B"


def test_error_09_the_count_is_below_the_single_nli_on_both_sides(make):
    right = {"motor": "5555533333", "normal_to": "T8", "below": "1"}
    left = {"motor": "5200000000", "normal_to": "C5", "below": "1"}
    found = result(make(right, left, vac="Yes"))
    assert (found["motor_right"], found["motor_left"], found["nli"]) == ("T8", "C5", "C5")
    assert found["ais"] == "D"
    weaker = {**right, "motor": "5555533322"}
    assert result(make(weaker, left, vac="Yes"))["ais"] == "C"


def test_error_10_exactly_half_is_d_and_no_muscle_below_is_d(make):
    half = {"motor": "5555533000", "normal_to": "T8", "below": "1"}
    other = {"motor": "5555533300", "normal_to": "T8", "below": "1"}
    assert result(make(half, other, vac="Yes"))["ais"] == "D"
    assert result(make(half, vac="Yes"))["ais"] == "C"
    found = result(make({"normal_to": "S2", "below": "1"}, vac="Yes"))
    assert (found["nli"], found["ais"]) == ("S2", "D")


def test_error_11_vac_without_sacral_sensation_is_motor_incomplete(make):
    exam = make(COMPLETE_C6, vac="Yes")
    assert (result(exam)["complete"], result(exam)["ais"]) == ("I", "C")
    assert "vac_alone" in codes(exam)
    assert "vac_alone" not in codes(make(COMPLETE_C6, vac="Yes", dap="Yes"))


def test_error_12_ais_a_whatever_the_legs_do(make):
    exam = make({"motor": "5400033333", "normal_to": "C6"})
    assert (result(exam)["ais"], result(exam)["zpp_motor_left"]) == ("A", "S1")
    assert "ais_a_far" in codes(exam)


def test_error_13_dap_alone_makes_it_incomplete(make):
    assert result(make(COMPLETE_C6, dap="Yes"))["complete"] == "I"
    assert result(make(COMPLETE_C6, dap="Yes"))["ais"] == "B"


def test_error_14_no_e_without_vac(make):
    found = result(make(dap="Yes"))
    assert (found["ais"], found["motor_right"], found["zpp_motor_right"]) == ("B", "S3", "S3")
    assert result(make(vac="Yes", dap="Yes"))["ais"] == "E"


def test_error_15_s45_int_and_c1_are_three_things(make):
    assert result(make({"normal_to": None}))["sensory_right"] == "C1"
    assert result(make({"normal_to": "S3", "below": "1"}, vac="Yes"))["sensory_right"] == "S3"
    found = result(make(vac="Yes", dap="Yes"))
    assert (found["sensory_right"], found["nli"]) == ("INT", "INT")
    assert result(make({"normal_to": None, "below": "0"}))["zpp_sensory_left"] == "C1"


@pytest.mark.parametrize("level", ["T10", "T11", "T12"])
def test_error_16_t1_is_not_t10(make, level):
    found = result(make({"motor": "5555500000", "normal_to": level}))
    assert (found["motor_right"], found["zpp_motor_right"], found["nli"]) == (level, level, level)
    assert found["ais"] == "A"


def test_error_17_nt_is_neither_zero_nor_missing_and_sums_are_not_prorated(make):
    found = result(make({**COMPLETE_C6, "motor": ["5", "4", "NT", *"0000000"]}, COMPLETE_C6))
    assert (found["motor_right"], found["zpp_motor_right"]) == ("C6", "C6,C7")
    assert found["totals"]["right"]["uems"] == found["totals"]["right"]["motor"] == found["totals"]["uems"] == "ND"
    assert (found["totals"]["left"]["uems"], found["totals"]["right"]["lems"]) == ("9", "0")
    missing = make(COMPLETE_C6)
    del missing["right"]["motor"]["C7"]
    with pytest.raises(BadValue, match="right.motor.C7 is missing"):
        classify(missing)


@pytest.mark.parametrize(
    ("grid", "code"), [("motor", "5*"), ("motor", "5**"), ("lightTouch", "2*"), ("pinPrick", "2**")]
)
def test_error_18_a_normal_score_carries_no_tag(make, grid, code):
    exam = make()
    exam["left"][grid]["C6"] = code
    with pytest.raises(BadValue, match=rf"left\.{grid}\.C6 is '{code[0]}\*+': a normal score carries no tag"):
        classify(exam)


def test_error_19_a_score_tagged_as_normal_counts_as_function(make):
    right = {"motor": ["5", "4", *"00000", "0**", *"00"], "normal_to": "C6", "below": "1"}
    found = result(make(right, {**COMPLETE_C6, "below": "1"}))
    assert (found["zpp_motor_right"], found["ais"]) == ("L4*", "C*")
    felt = {**COMPLETE_C6, "cells": {"pinPrick.T5": "0**"}}
    assert result(make(felt))["zpp_sensory_right"] == "T5*"


def test_error_20_several_values_come_from_joint_substitutions(make):
    """C2 decides the NLI, and with it C or D; both sides are untested, so four levels meet."""
    strong = {"motor": "5555300000", "cells": {"lightTouch.C2": "NT"}, "normal_to": "T1", "below": "1"}
    found = classify(make(strong, vac="Yes"))
    assert found.result["sensory_right"] == "C1,T1"
    assert found.result["nli"] == "C1,T1"
    assert found.result["ais"] == "C,D"
    both = result(make({**strong, "motor": "5555533333"}, vac="Yes"))
    assert (both["nli"], both["ais"]) == ("C1,T1", "D")


def test_error_21_the_star_survives_a_list_of_values(make):
    left = {"motor": ["5", "NT*", *"00000000"], "normal_to": "C6"}
    found = result(make({"motor": "5500000000", "normal_to": "C6"}, left))
    assert found["motor_left"] == "C5,C6*"
    passed = {"motor": "5555500000", "normal_to": "T3", "cells": {"lightTouch.C6": "1**"}}
    found = result(make(passed))
    assert (found["sensory_right"], found["motor_right"], found["nli"]) == ("T3*", "T3*", "T3*")


def test_error_22_an_expedited_exam_is_no_full_exam(make):
    short = make(COMPLETE_C6)
    del short["voluntaryAnalContraction"], short["deepAnalPressure"]
    with pytest.raises(
        BadValue, match="voluntaryAnalContraction is missing.*full exam includes the anorectal exam"
    ):
        classify(short)
    pins = make(COMPLETE_C6)
    del pins["right"]["lightTouch"], pins["left"]["lightTouch"]
    with pytest.raises(BadValue, match="right.lightTouch is missing"):
        classify(pins)


# ----- 1.9: hand-checked examples


def assert_result(exam, **fields):
    found = result(exam)
    assert {name: found[name] for name in fields} == fields


def test_example_t1_of_grade_4_stops_although_sensation_runs_to_t3(make):
    exam = make({"motor": "5555400000", "normal_to": "T3"}, {"motor": "5555500000", "normal_to": "T3"})
    assert_result(
        exam, ais="A", motor_right="T1", motor_left="T3", nli="T1", zpp_motor_right="T1", zpp_motor_left="T3"
    )


def test_example_a_leg_muscle_without_sacral_sparing(make):
    left = {"motor": "5555500100", "normal_to": "T3", "cells": {"pinPrick.T2": "0"}}
    exam = make({"motor": "5555500000", "normal_to": "T3"}, left)
    assert_result(exam, ais="A", motor_left="T1", nli="T1", zpp_motor_right="T3", zpp_motor_left="L4")


def test_example_s45_on_one_side_only(make):
    right = {"motor": "5555500000", "normal_to": "T2", "below": "1", "cells": {"lightTouch.S4_5": "2"}}
    left = {"motor": "5553000000", "normal_to": "C8", "below": "1"}
    left["cells"] = {"lightTouch.S4_5": "0", "pinPrick.S4_5": "0"}
    exam = make(right, left)
    assert_result(
        exam, ais="B", zpp_sensory_right="NA", zpp_sensory_left="S3", zpp_motor_right="T2", zpp_motor_left="C8"
    )
    assert "dap_no" in codes(exam)


def test_example_motor_incomplete_by_the_legs_and_not_by_vac(make):
    right = {"motor": "0000333333", "normal_to": "C6", "below": "1"}
    left = {"motor": "5433333333", "normal_to": "C6", "below": "1"}
    exam = make(right, left, dap="Yes")
    assert_result(
        exam, motor_right="C4", motor_left="C6", nli="C4", ais="D", zpp_motor_right="S1", zpp_motor_left="S1"
    )
    (reason,) = [step.text.en for step in classify(exam).steps if step.field == "ais"]
    assert "16 of 20 key muscles below the NLI C4" in reason
    assert "more than three levels below the right motor level C4" in reason


def test_example_one_untested_cell_moves_nli_and_grade(make):
    left = {"motor": "5555500000", "normal_to": "T3", "cells": {"lightTouch.C2": "NT"}}
    right = {"motor": "5555333000", "normal_to": "T1", "below": "1"}
    exam = make(right, left, vac="Yes", dap="Yes")
    assert_result(exam, sensory_left="C1,T3", nli="C1,T1", ais="C,D")


def test_example_vac_alone_gives_d_and_a_sensory_zone(make):
    side = {"normal_to": "L5", "motor": "5555555554"}
    assert_result(make(side, vac="Yes"), complete="I", ais="D", zpp_motor_right="NA", zpp_sensory_right="L5")


def test_example_b_with_strong_legs_is_literal_and_warned_about(make):
    exam = make({"normal_to": "L3", "below": "1", "motor": "5555555555"})
    assert_result(exam, motor_right="S1", ais="B", zpp_motor_right="S1")
    assert "ais_b_low" in codes(exam)


# ----- options and warnings


def test_only_vac_missing_has_two_readings_of_the_nli(make):
    for vac, strict in (("No", "S3"), ("NT", "S3,INT")):
        exam = make(vac=vac, dap="Yes")
        assert result(exam)["nli"] == "INT"
        assert result(exam, nli_vac="strict")["nli"] == strict
        assert result(exam)["ais"] == result(exam, nli_vac="strict")["ais"]
        assert "nli_vac" in codes(exam)
        assert "nli_vac" in codes(exam, nli_vac="strict")
    assert "nli_vac" not in codes(make(vac="Yes"))


def test_the_non_key_muscle_has_two_readings(make):
    """Grade D: the motor_level reading counts the muscle, the praxis reading does not."""
    right = {"motor": "5433300000", "normal_to": "C6", "non_key": "L4"}
    left = {"motor": "5433333333", "normal_to": "C6"}
    exam = make(right, left, dap="Yes")
    assert result(exam)["ais"] == "D"
    assert result(exam)["zpp_motor_right"] == "T1"
    assert result(exam, nonkey_zpp="motor_level")["zpp_motor_right"] == "L4"
    assert "nonkey_zpp" in codes(exam)
    open_exam = make({**right, "motor": ["5", "4", "3", "3", "NT", *"00000"]}, left, dap="Yes")
    assert result(open_exam)["zpp_motor_right"] == "C8,T1"
    assert result(open_exam, nonkey_zpp="motor_level")["zpp_motor_right"] == "L4"


def test_the_praxis_reading_measures_from_the_lowest_active_key_muscle(make):
    side = {"motor": "5400010000", "normal_to": "C6", "non_key": "L4"}
    exam = make(side, COMPLETE_C6, dap="Yes")
    assert result(exam)["ais"] == "C"
    assert result(exam)["zpp_motor_right"] == "L2"
    assert result(exam, nonkey_zpp="motor_level")["zpp_motor_right"] == "L4"
    untested = make(side, {**COMPLETE_C6, "motor": ["5", "4", "0", "NT", *"000000"]}, dap="Yes")
    assert result(untested)["zpp_motor_right"] == "L2"


def test_a_non_key_muscle_far_below_makes_the_injury_motor_incomplete(make):
    exam = make({"motor": "5400000000", "normal_to": "C6", "non_key": "L3"}, COMPLETE_C6, dap="Yes")
    assert (result(exam)["ais"], result(exam)["zpp_motor_right"]) == ("C", "L3")
    assert "The non-key muscle at L3 counts" in next(
        step.text.en for step in classify(exam).steps if step.field == "zpp_motor_right"
    )
    assert result(make({"motor": "5400000000", "normal_to": "C6", "non_key": "T1"}, dap="Yes"))["ais"] == "B"
    assert result(make({"motor": "5400000000", "normal_to": "C6", "non_key": "L3"}))["ais"] == "A"


def test_a_non_key_muscle_where_completeness_is_open(make):
    right = {"motor": "5400000000", "normal_to": "C6", "non_key": "L3", "cells": {"lightTouch.S4_5": "NT"}}
    exam = make(right, COMPLETE_C6)
    assert result(exam)["ais"] == "A,C"
    assert result(exam)["zpp_motor_right"] == "L3"
    assert result(exam, nonkey_zpp="motor_level")["zpp_motor_right"] == "C6,L3"
    assert "nonkey_zpp" in codes(exam)


@pytest.mark.parametrize("level", ["T5", "L1"])
def test_an_old_non_key_level_is_taken_with_a_warning(make, level):
    assert "legacy_non_key" in codes(make({**COMPLETE_C6, "non_key": level}))
    exam = make(COMPLETE_C6)
    exam["right"]["lowestNonKeyMuscleWithMotorFunction"] = None
    assert "legacy_non_key" not in codes(exam)


@pytest.mark.parametrize(("name", "value"), [("nli_vac", "asia"), ("nonkey_zpp", "")])
def test_an_unknown_reading_is_refused(name, value):
    with pytest.raises(BadValue, match=f"{name} must be one of praxis, "):
        Options(**{name: value})


def test_e_is_given_with_the_warning_that_it_needs_an_earlier_deficit(make):
    assert codes(make(vac="Yes", dap="Yes")) == {"ais_e"}


# ----- tags


def test_tags_that_only_narrow_a_list_are_named_in_a_warning(make):
    every = {"motor": ["NT*"] * 10, "normal_to": None, "below": "NT*"}
    found = classify(make(every, vac="NT", dap="NT"))
    assert found.result["sensory_right"] == found.result["nli"] == "C1*"
    assert found.result["ais"] == "A,B,C,D"
    assert {"ais", "zpp_motor_left"} <= set(found.affected)
    assert {"tags_narrow", "tagged_nt"} <= {code for code, _ in found.warnings}


def test_the_star_of_a_grade_stands_where_its_own_criterion_changed(make):
    weak = {"motor": ["5", "5", "2", "2", "2", "0*", *"0000"], "normal_to": "C6", "below": "1"}
    assert result(make(weak, {**weak, "motor": "5522200000"}, dap="Yes"))["ais"] == "B*,C"
    sacral = {**COMPLETE_C6, "cells": {"lightTouch.S4_5": "0*"}}
    found = result(make(sacral, COMPLETE_C6))
    assert (found["complete"], found["ais"], found["zpp_sensory_right"]) == ("C*,I*", "A*,B*", "NA*,C6")
    count = {"motor": ["5", "5", "5", "5", "5", "2*", *"3300"], "normal_to": "T4", "below": "1"}
    assert result(make(count, {**count, "motor": "5555533000"}, vac="Yes"))["ais"] == "C*,D*"
    normal = result(make({"cells": {"lightTouch.T9": "0**"}}, vac="NT", dap="Yes"))
    assert (normal["ais"], normal["nli"]) == ("B,E*", "INT*")
    level = {"motor": "5555511111", "normal_to": "S3", "cells": {"lightTouch.C2": "NT", "pinPrick.C3": "0**"}}
    assert "*" in result(make(level, vac="No", dap="Yes"))["nli"]


@pytest.mark.parametrize(
    ("side", "levels"),
    [
        ({"motor": ["5", "5", "5", "NT", "5", *"00000"], "normal_to": "T4"}, "C7,C8,T4*"),
        ({"motor": [*"55555555", "NT", "5"], "normal_to": "S2"}, "L4,L5,S2*"),
    ],
)
def test_a_dermatome_between_key_muscles_stars_only_levels_beyond_the_last_of_them(make, side, levels):
    """The tag at C6 (or L4) opens the way past T1 (or S1); the untested muscle sets its levels without it."""
    segment = "C6" if levels.startswith("C") else "L4"
    tagged = {**side, "below": "1", "cells": {f"lightTouch.{segment}": "1**"}}
    assert result(make(tagged, {"motor": "5555500000", "normal_to": "T4"}))["motor_right"] == levels


def test_a_grade_of_c_that_untagged_muscles_give_carries_no_star_beside_a_d_that_only_the_tags_add(make):
    """Below T4: 3 strong, 1 untested, 1 tagged, 5 weak. 6 of 10 can be weak untagged; 5 are strong by the tag."""
    right = {"motor": ["5", "5", "5", "5", "5", "3", "2*", *"000"], "normal_to": "T4", "below": "1"}
    left = {"motor": ["5", "5", "5", "5", "5", "3", "3", "NT", *"00"], "normal_to": "T4", "below": "1"}
    assert result(make({**right, "motor": "5555532000"}, left, vac="Yes"))["ais"] == "C"
    assert result(make(right, left, vac="Yes"))["ais"] == "C,D*"
    both_by_tag = {**left, "motor": "5555533300"}
    assert result(make(right, both_by_tag, vac="Yes"))["ais"] == "C*,D*"


def test_an_open_grade_names_the_cell_that_decides_and_the_counts(make):
    """Below T1 4 of 10 are strong and right L2 is untested; an untested S2 decides nothing."""
    right = {"motor": ["5", "5", "5", "5", "5", "NT", *"3300"], "normal_to": "T1", "below": "1"}
    left = {"motor": "5555533000", "normal_to": "T1", "below": "1", "cells": {"lightTouch.S2": "NT"}}
    found = classify(make(right, left, vac="Yes"))
    steps = {step.field: step.text for step in found.steps}
    assert found.result["ais"] == "C,D"
    assert "Test right L2: below 3 gives C, 3 or more gives D." in steps["ais"].en
    assert "4 to 5 of 10 below T1 (5 or more give D)" in steps["ais"].en
    assert "检查右侧 L2：低于 3 得 C、3 或以上 得 D。" in steps["ais"].zh
    assert "S2" not in steps["ais"].en
    assert isncsci.deciding_cells(isncsci.items_of(make(right, left, vac="Yes")), "ais") == ("right.motor.L2",)


def test_an_untested_cell_that_decides_nothing_leaves_every_reason_as_it_was(make):
    tested = {"motor": "5552000000", "normal_to": "C7", "cells": {"lightTouch.S2": "0"}}
    untested = {**tested, "cells": {"lightTouch.S2": "NT"}}
    whole, open_ = classify(make(tested, vac="No", dap="Yes")), classify(make(untested, vac="No", dap="Yes"))
    reasons = [{s.field: s.text for s in one.steps if s.field in isncsci.FIELDS} for one in (whole, open_)]
    assert reasons[0] == reasons[1]
    assert open_.result["ais"] == whole.result["ais"] == "B"


def test_the_reason_of_a_zone_never_tells_another_zone(make):
    """AIS A at worst and D at best: the non-key muscle counts in C alone, and is printed by convention."""
    right = {"motor": "5555500000", "normal_to": "T4", "non_key": "S1"}
    left = {"motor": [*"5555553", "NT", *"55"], "normal_to": "T5"}
    found = classify(make(right, left, vac="No", dap="NT"))
    assert (found.result["ais"], found.result["zpp_motor_right"]) == ("A,C,D", "S1")
    step = next(step.text.en for step in found.steps if step.field == "zpp_motor_right")
    assert "T4" not in step
    assert "the non-key muscle at S1 where it counts" in step


def test_a_tagged_cell_that_decides_is_named_with_its_code(make):
    side = {"motor": ["5", "5", "1*", *"0000000"], "normal_to": "T1"}
    found = classify(make(side, COMPLETE_C6))
    assert found.result["motor_right"] == "C6,C7*"
    step = next(step.text.en for step in found.steps if step.field == "motor_right")
    assert "right C7 (1*): below 3 gives C6, 3 or more gives C7." in step


def test_a_run_of_scores_is_named_by_its_ends(make):
    """Sensation is normal to T6: the motor zone lies at C8, at T1, or at T6 where T1 is normal."""
    side = {"motor": ["5", "5", "5", "5", "NT", *"00000"], "normal_to": "T6"}
    found = classify(make(side, side, vac="No", dap="No"))
    steps = {step.field: step.text for step in found.steps}
    assert found.result["zpp_motor_right"] == "C8,T1,T6"
    assert "Test right T1: 0 gives C8, 1 to 4 gives T1, 5 gives T6." in steps["zpp_motor_right"].en
    assert "1 至 4 得 T1" in steps["zpp_motor_right"].zh
    assert "below 3 gives C8, 3 or 4 gives T1, 5 gives T6" in steps["motor_right"].en


def test_cells_that_decide_only_together_are_named_together(make):
    """Two of three untested muscles have to be strong; no single one decides."""
    right = {"motor": ["5", "5", "5", "5", "5", "NT", "NT", "NT", *"00"], "normal_to": "T1", "below": "1"}
    left = {"motor": "5555533300", "normal_to": "T1", "below": "1"}
    found = classify(make(right, left, vac="Yes"))
    step = next(step.text.en for step in found.steps if step.field == "ais")
    assert "These cells decide together: right L2, right L3, right L4." in step
    assert "3 to 6 of 10 below T1 (5 or more give D)" in step


@pytest.mark.parametrize(
    ("field", "open_cell", "named"),
    [
        (
            "sensory_right",
            {"cells": {"lightTouch.C6": "NT"}},
            "Test right light touch C6: below 2 gives C5, 2 gives T4.",
        ),
        ("motor_right", {"motor": [*"555", "NT", *"500000"]}, "Test right C8: below 3 gives C7, 3 or 4 gives C8"),
        ("zpp_sensory_right", {"cells": {"lightTouch.T8": "NT"}}, "Test right light touch T8: 0 gives T4"),
        (
            "zpp_motor_right",
            {"motor": [*"55555", "NT", *"0000"]},
            "Test right L2: 0 gives T4, 1 or more gives L2.",
        ),
        (
            "complete",
            {"cells": {"pinPrick.S4_5": "NT"}},
            "Test right pin prick S4-5: 0 gives C, 1 or more gives I.",
        ),
    ],
)
def test_cells_that_cannot_enter_a_result_do_not_keep_the_one_that_decides_from_being_named(
    make, field, open_cell, named
):
    """Twenty untested cells of the other side are more than are ever tried."""
    others = {f"{grid}.T{n}": "NT" for grid in ("lightTouch", "pinPrick") for n in range(2, 12)}
    right = {"motor": "5555500000", "normal_to": "T4", **open_cell}
    found = classify(make(right, {"motor": "5555500000", "normal_to": "T12", "cells": others}))
    assert named in next(step.text.en for step in found.steps if step.field == field)


@pytest.mark.parametrize(("far", "grades"), [("0**", "A,C*"), ("1", "A,C"), ("0", "A,B,C")])
def test_without_vac_the_grade_carries_the_star_of_the_tag_that_makes_the_first_far_muscle_active(
    make, far, grades
):
    """Right L2 lies more than three levels below the motor level, untested S1 and left L2 do as well."""
    right = {"motor": [*"55050", far, *"000", "NT"], "normal_to": "C7"}
    left = {"motor": [*"55555", "NT", *"0000"], "normal_to": "L1"}
    assert classify(make(right, left, vac="No", dap="NT")).result["ais"] == grades


@pytest.mark.parametrize(
    ("normal_to", "reason"),
    [
        ("C3", "it follows the dermatomes; C4 (light touch 1, pin prick 1) is the first that is not 2/2: C3."),
        (
            "C6",
            "dermatome C7 (light touch 1, pin prick 1) is not 2/2; the level does not pass T1.",
        ),
        ("T1", "it follows the dermatomes; T2 (light touch 1, pin prick 1) is the first that is not 2/2: T1."),
        ("T9", "it follows the dermatomes; T10 (light touch 1, pin prick 1) is the first that is not 2/2: T9."),
        (
            "L3",
            "dermatome L4 (light touch 1, pin prick 1) is not 2/2; the level does not pass S1.",
        ),
        ("S1", "it follows the dermatomes; S2 (light touch 1, pin prick 1) is the first that is not 2/2: S1."),
        ("S3", "it follows the dermatomes; S4-5 (light touch 1, pin prick 1) is the first that is not 2/2: S3."),
    ],
)
def test_where_every_key_muscle_is_5_the_reason_says_whether_muscles_or_dermatomes_end_the_level(
    make, normal_to, reason
):
    found = classify(make({"normal_to": normal_to, "below": "1"}))
    assert reason in next(step.text.en for step in found.steps if step.field == "motor_right")


@pytest.mark.parametrize("place", ["S3", "S4_5"])
@pytest.mark.parametrize("modality", ["lightTouch", "pinPrick"])
@pytest.mark.parametrize("side", ["right", "left"])
def test_sensation_at_s4_5_alone_spares_and_the_reason_names_its_side(make, side, modality, place):
    complete = {"motor": "0" * 10, "normal_to": "T4"}
    sides = {"right": complete, "left": complete, side: {**complete, "cells": {f"{modality}.{place}": "1"}}}
    found = classify(make(sides["right"], sides["left"]))
    reason = next(step.text.en for step in found.steps if step.field == "complete")
    assert (f"S4-5 sensation {side}" in reason) == (place == "S4_5")
    assert ("no sacral sparing" in reason) == (place == "S3")


def test_an_open_motor_level_says_that_everything_but_vac_may_be_normal(make):
    found = classify(make({"cells": {"lightTouch.C2": "NT"}}, vac="No", dap="Yes"))
    reason = next(step.text.en for step in found.steps if step.field == "motor_right")
    assert "S3 where everything but VAC is normal" in reason


def test_an_open_sensory_zone_says_when_each_of_its_values_holds(make):
    """Untested C2 light touch and DAP: not applicable, no dermatome at all, or C2."""
    found = classify(make({"motor": "0" * 10, "normal_to": None, "cells": {"lightTouch.C2": "NT"}}, dap="NT"))
    reason = next(step.text.en for step in found.steps if step.field == "zpp_sensory_right")
    assert found.result["zpp_sensory_right"] == "NA,C1,C2"
    assert (
        "NA where there is DAP, or S4-5 sensation on this side; C1 where no dermatome has sensation; "
        "C2 where C2 (NT, 0) is the most caudal dermatome with sensation."
    ) in reason


def test_an_unknown_result_has_no_deciding_cells(make):
    with pytest.raises(BadValue, match="isncsci has no result 'asia'; allowed: sensory_right"):
        isncsci.deciding_cells(isncsci.items_of(make()), "asia")


def test_the_sacral_exam_stars_no_grade_where_dap_decides(make):
    right = {"motor": "5555555552", "normal_to": "L5", "cells": {"lightTouch.S4_5": "0*"}}
    left = {"motor": ["4", "0", "2*", *"0000000"], "normal_to": "C5"}
    assert result(make(right, left, vac="NT", dap="Yes"))["ais"] == "B,C*,D*"


def test_a_grade_that_only_the_tags_add_is_starred_where_no_criterion_changed(make):
    """The tag moves the motor level down and adds B: neither the exam of S4-5 nor the count changed."""
    side = {
        "motor": "5555555555",
        "normal_to": "S3",
        "below": "1",
        "cells": {"pinPrick.C3": "1**", "lightTouch.C2": "NT"},
    }
    found = result(make(side, dap="Yes"))
    assert found["ais"] == "B*,D"


def test_sensory_zones_are_starred_from_the_tagged_cell_upwards(make):
    side = {"motor": "5550000000", "normal_to": "C7", "cells": {"lightTouch.T6": "0*", "pinPrick.T8": "NT"}}
    assert result(make(side))["zpp_sensory_left"] == "C7*,T6*,T8"


def test_values_reached_past_a_dermatome_taken_as_normal_are_starred(make):
    cells = {"lightTouch.C3": "NT", "lightTouch.T3": "NT**", "lightTouch.T6": "NT"}
    found = result(make({"motor": "5555500000", "normal_to": "T8", "cells": cells}))
    assert found["sensory_right"] == "C2,T5*,T8*"
    assert found["motor_right"] == "C2,T5*,T8*"
    assert found["nli"] == "C2,T5*,T8*"
    arm = {"lightTouch.C3": "NT", "lightTouch.C6": "NT**", "lightTouch.T6": "NT"}
    assert result(make({"motor": "5555500000", "normal_to": "T8", "cells": arm}))["motor_right"] == "C2,T5*,T8*"
    leg = {"lightTouch.C3": "NT", "lightTouch.L3": "NT**"}
    assert result(make({"cells": leg}, vac="Yes"))["motor_right"] == "C2,INT*"
    beside = {"motor": ["5", "5", "NT", "5", "5", *"00000"], "normal_to": "T8", "cells": {"lightTouch.C6": "NT**"}}
    assert result(make(beside))["motor_right"] == "C6,C7,T8*"
    on_it = {"motor": ["5", "NT**", "NT", "3", *"000000"], "normal_to": "T8"}
    assert result(make(on_it))["motor_right"] == "C6,C7*,C8*"
    muscle = {"motor": ["NT", "NT**", "5", "3", *"000000"], "normal_to": "T8"}
    assert result(make(muscle))["motor_right"] == "C4,C5,C8*"


def test_a_muscle_below_taken_as_normal_makes_a_list_without_b(make):
    side = {"motor": ["5", "4", *"00000", "NT**", *"00"], "normal_to": "C6", "cells": {"lightTouch.S4_5": "NT"}}
    found = classify(make(side, COMPLETE_C6))
    assert found.result["ais"] == "A,C"
    assert "ais" in found.affected


def test_reasons_belong_to_tagged_cells_and_only_to_them(make):
    exam = isncsci.read_exam(make({"motor": ["5", "4*", *"00000000"], "normal_to": "C6"}, COMPLETE_C6))
    assert isncsci.tagged_cells(exam) == ("right.motor.C6",)
    isncsci.check_reasons(exam, {"right.motor.C6": "plexopathy"})
    for reasons, text in (
        ({}, "right.motor.C6 is tagged and needs a reason"),
        ({"right.motor.C6": "tired"}, "got 'tired'"),
        ({"right.motor.C6": "cast", "left.motor.C6": "cast"}, "left.motor.C6 carries no tag"),
    ):
        with pytest.raises(BadValue, match=text):
            isncsci.check_reasons(exam, reasons)


# ----- validation


BAD = [
    ("right.motor.C5", "6"),
    ("right.motor.C5", 5),
    ("right.motor.C5", ""),
    ("right.motor.C5", None),
    ("right.motor.C5", "nt"),
    ("left.lightTouch.S4_5", "3"),
    ("left.pinPrick.T7", "1***"),
    ("left.pinPrick.T7", ["1"]),
    ("voluntaryAnalContraction", "Unknown"),
    ("deepAnalPressure", True),
    ("deepAnalPressure", ["No"]),
    ("right.lowestNonKeyMuscleWithMotorFunction", "T3"),
    ("right.lowestNonKeyMuscleWithMotorFunction", ["C5"]),
]


def put(exam, cell, value):
    *path, last = cell.split(".")
    place = exam
    for step in path:
        place = place[step]
    place[last] = value


@pytest.mark.parametrize(("cell", "value"), BAD)
def test_an_unknown_code_is_an_error_that_names_the_cell(make, cell, value):
    exam = make()
    put(exam, cell, value)
    with pytest.raises(BadValue, match=f"{cell} must be one of") as caught:
        classify(exam)
    assert repr(value) in str(caught.value)


@pytest.mark.parametrize(
    "cell", ["right.motor.T2", "left.lightTouch.C1", "left.sensory", "right.pinPrick.S4-5", "eiq"]
)
def test_an_unknown_cell_is_an_error_that_names_it(make, cell):
    exam = make()
    put(exam, cell, "0")
    with pytest.raises(BadValue, match=f"{cell} is unknown"):
        classify(exam)


def cells_of(exam):
    for side in ("right", "left"):
        for grid in ("motor", "lightTouch", "pinPrick"):
            yield from (f"{side}.{grid}.{segment}" for segment in exam[side][grid])
    yield from ("voluntaryAnalContraction", "deepAnalPressure")


def test_every_missing_cell_is_an_error_that_names_it(make):
    whole = make()
    names = list(cells_of(whole))
    assert len(names) == 134
    for name in names:
        exam = copy.deepcopy(whole)
        *path, last = name.split(".")
        del (exam[path[0]][path[1]] if path else exam)[last]
        with pytest.raises(BadValue, match=f"{name} is missing"):
            classify(exam)


@pytest.mark.parametrize("exam", [None, [], "exam", {}, {"right": 1, "left": []}])
def test_something_else_is_no_exam(exam):
    with pytest.raises(BadValue, match="isncsci exam: "):
        classify(exam)


def test_many_faults_are_counted_and_the_first_named(make):
    exam = make({"below": "x", "normal_to": None})
    with pytest.raises(BadValue, match="right.lightTouch.C2 must be one of.*; and 107 more"):
        classify(exam)


# ----- the classification


def test_a_classification_stores_rules_readings_and_a_reason_for_every_result(make):
    for exam in (make(COMPLETE_C6), make({**COMPLETE_C6, "motor": ["NT"] * 10}), make(vac="NT", dap="NT")):
        found = classify(exam)
        assert found.rules == isncsci.RULES
        assert found.options == Options()
        assert [step.field for step in found.steps if step.field != "cells"] == [
            "rules",
            *isncsci.FIELDS,
            "totals",
        ]
        assert isncsci.RULES in found.steps[0].text.en
        for step in found.steps:
            assert step.text.en.endswith(".")
            assert step.text.zh.endswith("。")
            assert "{" not in step.text.en + step.text.zh
        stored = found.to_json()
        assert json.loads(json.dumps(stored)) == stored
        assert stored.keys() == {"result", "steps", "warnings"}
        assert all(step.keys() == {"field", "en", "zh-CN"} for step in stored["steps"])


def test_possible_values_and_their_tags(make):
    found = classify(make({"motor": ["5", "NT*", *"00000000"], "normal_to": "C6"}))
    assert found.possible("motor_left") == (("C5", ""), ("C6", "*"))
    assert (found.determined("motor_left"), found.determined("sensory_left")) == (False, True)
    with pytest.raises(BadValue, match="isncsci has no result 'totals'"):
        found.possible("totals")


def test_sums_use_the_examined_numbers_of_tagged_scores(make):
    side = {"motor": ["5", "3**", "2*", *"0000000"], "normal_to": "C6", "cells": {"lightTouch.C8": "1*"}}
    totals = result(make(side))["totals"]
    assert totals["right"] == {"uems": "10", "lems": "0", "motor": "10", "light_touch": "11", "pin_prick": "10"}
    assert (totals["uems"], totals["light_touch"]) == ("20", "22")
    normal = result(make(vac="Yes"))["totals"]
    assert (normal["uems"], normal["lems"], normal["light_touch"], normal["pin_prick"]) == (
        "50",
        "50",
        "112",
        "112",
    )
    assert normal["left"]["motor"] == "50"


def test_the_exam_is_left_as_it_was(make):
    exam = make({**COMPLETE_C6, "motor": ["NT"] * 10})
    before = copy.deepcopy(exam)
    classify(exam)
    assert exam == before


# ----- the entry of the register


MEASURE = outcomes.load("isncsci")


def test_the_definition_has_every_cell_of_the_worksheet(make):
    assert {item.code for item in MEASURE.definition.items} == set(list(cells_of(make()))[:-2])
    assert {s.code: (len(s.items), s.high) for s in MEASURE.definition.subscales} == {
        "uems": (10, 50),
        "lems": (10, 50),
        "light_touch": (56, 112),
        "pin_prick": (56, 112),
    }
    assert [item.code for item in MEASURE.definition.extras] == [
        "voluntaryAnalContraction",
        "deepAnalPressure",
        "right.lowestNonKeyMuscleWithMotorFunction",
        "left.lowestNonKeyMuscleWithMotorFunction",
        "site_reported.nli",
        "site_reported.ais",
    ]


def test_a_whole_exam_scores_with_its_classification(make):
    exam = make({"motor": ["5", "3*", "NT", *"0000000"], "normal_to": "C6", "non_key": "L4"}, COMPLETE_C6)
    items = isncsci.items_of(exam)
    assert (items["right.motor.C5"], items["right.motor.C6"], items["right.motor.C7"]) == (5, "3*", "NT")
    score = outcomes.score("isncsci", items)
    assert score.classes == {**classify(exam).result, "rules": isncsci.RULES}
    assert (score.subscores["uems"].value, score.subscores["uems"].status) == (None, outcomes.ND)
    assert (score.subscores["lems"].value, score.subscores["light_touch"].value) == (0, 20)
    assert score.subscores["uems"].n_valid == 9
    assert any(step.startswith("ais: ") for step in score.steps)
    assert score.to_json()["classes"]["ais"] == score.classes["ais"]
    assert isncsci.exam_of(items) == exam


def test_a_missing_cell_leaves_the_exam_unclassified(make):
    items = isncsci.items_of(make(COMPLETE_C6))
    items["left.pinPrick.T4"] = None
    score = MEASURE.score(items)
    assert score.classes == {}
    assert score.subscores["pin_prick"].value is None
    assert score.warnings == ("not classified, 1 cells are missing: left.pinPrick.T4",)
    assert "classes" not in score.to_json()


def test_items_are_checked_against_their_lists(make):
    assert MEASURE.score({"right.motor.C5": np.int64(3)}).items["right.motor.C5"] == 3
    for code, value in (("right.motor.C5", True), ("right.motor.C5", "5"), ("voluntaryAnalContraction", 1)):
        with pytest.raises(BadValue, match=f"isncsci item {code} must be one of"):
            MEASURE.score({code: value})
    with pytest.raises(BadValue, match="no item 'right.motor.T2'"):
        isncsci.exam_of({"right.motor.T2": 1})


@pytest.mark.parametrize("said", [{"implied": ["right.motor.C5"]}, {"skip_rule": True}])
def test_nothing_is_implied(said):
    with pytest.raises(BadValue, match="isncsci 2019 has no option"):
        MEASURE.score({}, **said)


@pytest.mark.parametrize("level", ["T5", "L1"])
def test_an_old_non_key_level_is_scored_from_the_record_too(make, level):
    items = isncsci.items_of(make({**COMPLETE_C6, "non_key": level}))
    score = outcomes.score("isncsci", items)
    assert score.classes["ais"] == "A"
    assert any("accepted as an old record" in warning for warning in score.warnings)


def test_a_tag_without_its_reason_is_reported(make):
    tagged = isncsci.items_of(make({"motor": ["5", "4*", *"00000000"], "normal_to": "C6"}, COMPLETE_C6))
    told = "no reason is given for 1 tagged cells: right.motor.C6; each tag needs one"
    assert told in outcomes.score("isncsci", tagged).warnings
    assert told not in outcomes.score("isncsci", tagged, reasons={"right.motor.C6": "cast"}).warnings
    assert outcomes.score("isncsci", isncsci.items_of(make(COMPLETE_C6))).warnings == ()
    with pytest.raises(BadValue, match="isncsci reasons must be a mapping of cell to reason, got list"):
        outcomes.score("isncsci", tagged, reasons=["cast"])
