"""ISNCSCI exams from a REDCap export. Every export here is made up."""

from __future__ import annotations

import csv
import io
import json

import pytest

from workbench.errors import BadValue
from workbench.exchange import from_redcap, read_redcap, redcap_lines
from workbench.exchange.redcap import _needed
from workbench.outcomes import isncsci
from workbench.outcomes.isncsci.tables import same_result

COMPLETE_C6 = {"motor": "5500000000", "normal_to": "C6"}
PARTS = {"motor": "motor", "lightTouch": "light_touch", "pinPrick": "pinprick"}


def row_of(exam, **changes):
    """A row of the export that holds this exam."""
    row = {
        "voluntary_anal_contraction": exam["voluntaryAnalContraction"],
        "deep_anal_pressure": exam["deepAnalPressure"],
    }
    for side in ("right", "left"):
        key = exam[side].get("lowestNonKeyMuscleWithMotorFunction")
        row[f"lowest_non_key_muscle_with_motor_function_{side}"] = key or ""
        for grid, part in PARTS.items():
            for segment, code in exam[side][grid].items():
                column = f"{side}_{part}_{segment.lower()}"
                score, stars = code.rstrip("*").lower(), code.count("*")
                row[f"{column}_value"] = f"ab-{score}" if stars else score
                row[f"{column}_considernormal"] = {0: "", 1: "2", 2: "1"}[stars]
                row[f"{column}_impairment"] = "2" if stars else ""
    return row | changes


def text_of(*rows):
    """CSV text with the record first."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    file = io.StringIO()
    writer = csv.DictWriter(file, names, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue().splitlines(keepends=True)


@pytest.fixture
def tagged(make):
    """An exam with untested and tagged cells and a non-key muscle."""
    right = {"motor": ["5", "3*", "NT", "4**", "NT*", *"00000"], "normal_to": "C6", "non_key": "L4"}
    return make(
        right, {**COMPLETE_C6, "cells": {"pinPrick.S4_5": "NT**", "lightTouch.C7": "1"}}, vac="NT", dap="Yes"
    )


def test_an_exam_comes_back_as_it_was_entered(make, tagged):
    for exam in (make(COMPLETE_C6), tagged):
        assert from_redcap(row_of(exam)) == exam


def test_every_reference_exam_survives_the_way_through_the_export(reference_cases):
    exams = [case["exam"] for case in reference_cases.values()]
    for exam in exams:
        wanted = {name: {k: v for k, v in side.items() if v} if isinstance(side, dict) else side
                  for name, side in exam.items()}  # fmt: skip
        assert from_redcap(row_of(exam)) == wanted


def test_the_columns_are_those_of_the_instrument():
    names = list(_needed())
    assert len(names) == 2 * (10 + 28 + 28) + 2
    for name in ("right_motor_c5_value", "left_light_touch_s4_5_value", "right_pinprick_t12_value"):
        assert name in names


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"right_motor_c5_value": ""}, r"right\.motor\.C5 is missing"),
        ({"right_motor_c5_value": "7"}, r"right\.motor\.C5 must be one of"),
        ({"right_motor_c5_value": "x"}, "right_motor_c5_value must be 0 to 5, nt"),
        ({"right_motor_c5_value": "3*"}, "right_motor_c5_value must be 0 to 5, nt"),
        ({"right_motor_c5_value": "ab-3"}, "needs right_motor_c5_considernormal 1"),
        ({"right_motor_c5_value": "ab-3", "right_motor_c5_considernormal": "3"}, "got '3'"),
        ({"right_motor_c5_value": "ab-5", "right_motor_c5_considernormal": "1"}, "a normal score carries no tag"),
        ({"left_pinprick_t2_considernormal": "1"}, "carries no tag, got left_pinprick_t2_considernormal '1'"),
        ({"deep_anal_pressure": ""}, "deepAnalPressure is missing"),
        ({"deep_anal_pressure": "2"}, "deepAnalPressure must be one of"),
        ({"lowest_non_key_muscle_with_motor_function_right": "T9"}, "must be one of C5"),
    ],
)
def test_nothing_is_filled_in_and_the_cell_is_named(make, changes, words):
    with pytest.raises(BadValue, match=words):
        from_redcap(row_of(make(COMPLETE_C6), **changes))


def test_absent_columns_are_named(make):
    row = row_of(make(COMPLETE_C6))
    del row["left_motor_l2_value"]
    with pytest.raises(BadValue, match="no column left_motor_l2_value; export the whole instrument"):
        from_redcap(row)


def test_an_export_is_read_row_by_row_and_a_broken_one_stays_between_two_answers(make, tagged):
    event = {"redcap_event_name": "baseline_arm_1", "redcap_repeat_instance": "2"}
    rows = [
        {"record_id": "P01", **event, **row_of(make(COMPLETE_C6))},
        {"record_id": "P02", **row_of(make(COMPLETE_C6), right_motor_c5_value="9")},
        {"record_id": "P03", "redcap_event_name": "followup_arm_1"},
        {"record_id": "P04", **row_of(tagged)},
    ]
    answers = [json.loads(line) for line in redcap_lines(text_of(*rows))]
    assert [answer["id"] for answer in answers] == ["P01/baseline_arm_1/2", "P02", "P03/followup_arm_1", "P04"]
    assert answers[0]["result"] == isncsci.classify(make(COMPLETE_C6)).result
    assert "right.motor.C5 must be one of" in answers[1]["error"]
    assert answers[2]["error"] == "contains no ISNCSCI exam: every cell of it is empty"
    assert answers[3]["result"] == isncsci.classify(tagged).result
    assert answers[3]["reasons"] == dict.fromkeys(
        ("right.motor.C6", "right.motor.C8", "right.motor.T1", "left.pinPrick.S4_5"), "peripheral neuropathy"
    )
    isncsci.check_reasons(isncsci.read_exam(tagged), answers[3]["reasons"])


def test_what_the_site_reported_is_kept_and_the_difference_told(make):
    site = {"neurological_level_of_injury": "C5", "asia_impairment_scale": "A"}
    (line,) = redcap_lines(text_of({"record_id": "1", **row_of(make(COMPLETE_C6), **site)}))
    answer = json.loads(line)
    assert answer["site_reported"] == {"nli": "C5", "ais": "A"}
    assert answer["differs"] == {"nli": ["C5", "C6"]}
    assert answer["result"]["nli"] == "C6"


def test_a_cause_that_is_not_known_is_left_open(make):
    exam = make({**COMPLETE_C6, "cells": {"motor.C8": "3*"}})
    (found,) = read_redcap(text_of({"record_id": "1", **row_of(exam, right_motor_c8_impairment="4")}))
    assert (found.exam, dict(found.reasons)) == (exam, {"left.motor.C8": "peripheral neuropathy"})


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([], "line of column names"),
        (["a,b,a\n", "1,2,3\n"], "each once; got a"),
        (["right_motor_c5_value,b\n", '"1,2'], "is not CSV"),
    ]
    + [(['"a\n'], "is not CSV")],
)
def test_a_file_that_is_no_export_is_refused(lines, words):
    with pytest.raises(BadValue, match=words):
        list(read_redcap(lines))


def test_a_row_with_more_cells_than_names_is_an_error_of_that_row():
    (found,) = read_redcap(["record_id,right_motor_c5_value\n", "1,2,3\n"])
    assert (found.id, found.exam) == ("1", None)
    assert "more cells" in found.error


@pytest.mark.parametrize(
    ("reported", "computed", "same"),
    [
        ("T10", "T10*", True),
        ("ND", "C,D*", True),
        ("t4", "T4", True),
        (" s4-5 ", "S4_5", True),
        ("intact", "INT", True),
        ("D, C", "C,D*", True),
        ("ND", "C", False),
        ("T1", "T10", False),
        ("C", "C,D", False),
        ("", "C", False),
    ],
)
def test_spelling_is_no_difference_between_the_site_and_the_computed_result(reported, computed, same):
    assert same_result(reported, computed) is same


def test_what_the_site_spelled_otherwise_is_not_reported_as_different(make):
    row = {"record_id": "P01", **row_of(make(COMPLETE_C6))}
    alike = row | {"neurological_level_of_injury": "c6", "asia_impairment_scale": "a"}
    other = row | {"neurological_level_of_injury": "c5", "asia_impairment_scale": "A"}
    answers = [json.loads(line) for line in redcap_lines(text_of(alike, other))]
    assert "differs" not in answers[0]
    assert answers[1]["differs"] == {"nli": ["c5", "C6"]}


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_exports_separated_by_commas_semicolons_or_tabs_are_read_alike(make, delimiter):
    row = {"record_id": "P01", **row_of(make(COMPLETE_C6))}
    file = io.StringIO()
    writer = csv.DictWriter(file, list(row), delimiter=delimiter, quoting=csv.QUOTE_ALL)
    writer.writeheader()
    writer.writerow(row)
    (answer,) = map(json.loads, redcap_lines(file.getvalue().splitlines(keepends=True)))
    assert answer["id"] == "P01"
    assert answer["result"]["ais"] == "A"


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([], "needs a line of column names, each once; got none"),
        (["\n"], "needs a line of column names"),
        (["name;age\n", "a;3\n"], r"not a REDCap export of the ISNCSCI instrument: of its 1 columns \(name;age\)"),
        (["record_id,right_motor_c5_value\n"], "column names and no row"),
    ],
)
def test_a_table_that_is_empty_or_of_something_else_is_refused(lines, words):
    with pytest.raises(BadValue, match=words):
        list(read_redcap(lines))
