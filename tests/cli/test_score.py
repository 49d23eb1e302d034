"""`workbench score`: one answer a line, in the same order, and an error for what cannot be scored."""

from __future__ import annotations

import io
import json
import subprocess
import sys

import pytest

from workbench import outcomes


@pytest.fixture
def score(inside, monkeypatch):
    """`workbench score MEASURE …` in this process, with lines on its standard input."""

    def call(measure, lines, *arguments):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO("\n".join(lines).encode()), "utf-8"))
        return inside("score", measure, *arguments)

    return call


def test_every_reference_exam_gets_its_classification(shared_data):
    cases = json.loads((shared_data / "isncsci" / "praxis_2019_cases.json").read_text(encoding="utf-8"))["cases"]
    lines = [json.dumps({"id": number, "exam": case["exam"]}) for number, case in enumerate(cases)]
    command = [sys.executable, "-m", "workbench", "score", "isncsci"]
    done = subprocess.run(command, input="\n".join(lines), capture_output=True, text=True, check=False)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert (done.returncode, done.stderr) == (0, "")
    assert [answer["id"] for answer in answers] == list(range(len(cases)))
    assert all("result" in answer for answer in answers)


def test_a_measure_is_scored_and_a_broken_line_is_an_error_between_two_answers(score):
    items = {item.code: 2 for item in outcomes.load("arat").definition.items}
    lines = [json.dumps({"id": "a", "responses": items}), "{", json.dumps({"id": "c", "responses": items})]
    said = score("arat", lines)
    answers = [json.loads(line) for line in said.out.splitlines()]
    assert [answer["id"] for answer in answers] == ["a", None, "c"]
    assert answers[0]["result"]["total"]["value"] == 38
    assert "no JSON" in answers[1]["error"]


def test_the_options_of_the_protocol_are_set_and_stand_in_the_result(score):
    said = score("arat", [json.dumps({"id": 1, "responses": {"grasp_1": 3}})], "--set", "skip_rule=true")
    result = json.loads(said.out)["result"]
    assert result["subscores"]["grasp"]["value"] == 18
    assert result["options"] == {"skip_rule": True}


def test_an_unknown_option_or_version_is_refused_before_any_line_is_read(score):
    for wrong, told in (
        (("--set", "cap=1"), "no option 'cap'"),
        (("--version", "3"), "never mixed"),
        (("--set", "x"), "NAME=VALUE"),
    ):
        said = score("arat", ["{}"], *wrong)
        assert (said.code, said.out) == (2, "")
        assert told in said.err


def test_an_unknown_measure_lists_those_there_are(score):
    said = score("nothing", [])
    assert said.code == 2
    assert "arat" in said.err
    assert "Traceback" not in said.err


def test_a_line_that_cannot_be_scored_makes_the_exit_code_and_the_count(score):
    good = json.dumps({"id": 1, "responses": {"grasp_1": 3}})
    said = score("arat", [good, "{", json.dumps({"id": 3, "responses": {"grasp_1": 9}})])
    assert said.code == 1
    assert len(said.out.splitlines()) == 3
    assert said.err == "2 of 3 lines could not be scored; their answers say why\n"
    said = score("arat", [])
    assert (said.code, said.out) == (1, "")
    assert "nothing was scored: the input has no line" in said.err


def test_a_foreign_or_empty_table_in_place_of_an_export_is_refused(score, tmp_path):
    for name, text in (("empty.csv", ""), ("foreign.csv", "name;age\nAnna;3\n")):
        (tmp_path / name).write_text(text, encoding="utf-8")
        said = score("isncsci", [], "--from", "redcap", str(tmp_path / name))
        assert (said.code, said.out) == (2, "")
        assert "REDCap export" in said.err
