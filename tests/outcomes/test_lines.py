"""Scoring line by line: same order, one answer a line, errors that name the cell and stop nothing."""

from __future__ import annotations

import json

import pytest

from workbench import outcomes
from workbench.outcomes import isncsci
from workbench.outcomes._lines import score_lines

ARAT = outcomes.load("arat")


def ask(records, **keywords):
    return [json.loads(line) for line in isncsci.score_lines(map(json.dumps, records), **keywords)]


def test_exams_in_and_results_out_in_the_same_order(make):
    exams = [make({"normal_to": level, "motor": "5555500000"}) for level in ("T3", "T9", "T5")]
    answers = ask([{"id": f"e{n}", "exam": exam} for n, exam in enumerate(exams)])
    assert [answer["id"] for answer in answers] == ["e0", "e1", "e2"]
    assert [answer["result"]["nli"] for answer in answers] == ["T3", "T9", "T5"]
    for answer, exam in zip(answers, exams):
        assert list(answer) == ["id", "result", "steps", "warnings"]
        assert {**answer, "id": 0} == {"id": 0, **isncsci.classify(exam).to_json()}


def test_options_reach_every_line(make):
    records = [{"id": 1, "exam": make(dap="Yes")}]
    assert [answer["result"]["nli"] for answer in ask(records)] == ["INT"]
    assert [answer["result"]["nli"] for answer in ask(records, options=isncsci.Options("strict"))] == ["S3"]


def test_a_bad_exam_is_answered_with_its_error_and_the_next_one_is_scored(make):
    bad = make()
    del bad["left"]["pinPrick"]["T4"]
    first, second = ask([{"id": "bad", "exam": bad}, {"id": "good", "exam": make()}])
    assert list(first) == ["id", "error"]
    assert first["id"] == "bad"
    assert "left.pinPrick.T4 is missing" in first["error"]
    assert second["result"]["nli"] == "INT"


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("{", "write one object {'id', …} a line"),
        ("[1]", "line 1 must be an object"),
        ('{"id": NaN, "exam": {}}', "NaN is no JSON number"),
        ('{"id": ' + "9" * 5000 + "}", "line 1 is no JSON"),
        ('{"id": 7}', "line 1 has no 'exam'"),
        ('{"id": 7, "exam": 3}', "isncsci exam: must be a mapping"),
        ('{"id": 7, "exam": {"C5": "1", "C5": "2"}}', "C5 stands twice"),
        ("[" * 100_000, "line 1 is nested too deeply to be a record; a cell holds a value or one list of values"),
    ],
)
def test_a_line_that_is_no_record(line, text):
    (answer,) = map(json.loads, isncsci.score_lines([line]))
    assert answer.keys() == {"id", "error"}
    assert text in answer["error"]
    assert answer["id"] in (None, 7)


def test_answers_are_ascii_whatever_the_id(make):
    records = [{"id": "\ud800 甲", "exam": make()}]
    (line,) = isncsci.score_lines(map(json.dumps, records))
    assert line.isascii()
    assert json.loads(line)["id"] == records[0]["id"]


def test_empty_lines_are_skipped_and_nothing_is_read_ahead(make):
    taken = []

    def lines():
        for n in range(3):
            taken.append(n)
            yield json.dumps({"id": n, "exam": make()}) + "\n"
            yield "\n"

    answers = isncsci.score_lines(lines())
    assert json.loads(next(answers))["id"] == 0
    assert taken == [0]
    assert [json.loads(line)["id"] for line in answers] == [1, 2]


def test_another_measure_scores_responses_by_item_code():
    best = {item.code: 3 for item in ARAT.definition.items}
    records = [
        {"id": "a", "responses": best},
        {"id": "b", "responses": {"grasp_1": 9}},
        {"id": "c", "responses": []},
    ]
    good, bad, none = (json.loads(line) for line in score_lines(ARAT, map(json.dumps, records)))
    assert (good["result"]["total"]["value"], good["result"]["measure"]) == (57, "arat")
    assert good["steps"]
    assert good["warnings"] == []
    assert "grasp_1 must be one of" in bad["error"]
    assert "responses must be an object" in none["error"]


def test_old_exams_are_classified_again_with_what_changed(make):
    exam = make({"normal_to": "T3", "motor": "5555500000"})
    records = [
        {"id": 1, "exam": exam, "result": {"nli": "T4", "ais": "A"}},
        {"id": 2, "exam": exam},
        {"id": 3, "exam": {}},
        {"id": 4},
    ]
    changed, without, bad, empty = isncsci.reclassify(records)
    assert changed.changed == {"nli": ("T4", "T3")}
    assert changed.classification.result["ais"] == "A"
    assert (without.changed, without.error) == ({}, "")
    assert (bad.classification, bad.id) == (None, 3)
    assert "right is missing" in bad.error
    assert "no exam" in empty.error
    strict = next(isncsci.reclassify([{"exam": make()}], options=isncsci.Options("strict")))
    assert (strict.id, strict.classification.result["nli"]) == (None, "S3")


@pytest.mark.parametrize("cells", ['"grasp_1": NaN', '"grasp_1": -Infinity', '"grasp_1": 1, "grasp_1": 2'])
def test_a_line_that_is_no_sound_json_still_answers_under_its_id(cells):
    lines = ['{"id": "first", "responses": {}}', f'{{"id": "P01", "responses": {{{cells}}}}}']
    answer = json.loads(list(score_lines(ARAT, lines))[1])
    assert answer["id"] == "P01"
    assert answer["error"].startswith("line 2: ")
