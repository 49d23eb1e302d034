"""`workbench score`: one answer a line, in the same order, and an error for what cannot be scored."""

from __future__ import annotations

import json
import subprocess
import sys

from workbench import outcomes


def score(measure, lines, *arguments):
    command = [sys.executable, "-m", "workbench", "score", measure, *arguments]
    return subprocess.run(command, input="\n".join(lines), capture_output=True, text=True, check=False)


def test_every_reference_exam_gets_its_classification(shared_data):
    cases = json.loads((shared_data / "isncsci" / "praxis_2019_cases.json").read_text(encoding="utf-8"))["cases"]
    lines = [json.dumps({"id": number, "exam": case["exam"]}) for number, case in enumerate(cases)]
    done = score("isncsci", lines)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert (done.returncode, done.stderr) == (0, "")
    assert [answer["id"] for answer in answers] == list(range(len(cases)))
    assert all("result" in answer for answer in answers)


def test_a_measure_is_scored_and_a_broken_line_is_an_error_between_two_answers():
    items = {item.code: 2 for item in outcomes.load("arat").definition.items}
    lines = [json.dumps({"id": "a", "responses": items}), "{", json.dumps({"id": "c", "responses": items})]
    done = score("arat", lines)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [answer["id"] for answer in answers] == ["a", None, "c"]
    assert answers[0]["result"]["total"]["value"] == 38
    assert "no JSON" in answers[1]["error"]


def test_the_options_of_the_protocol_are_set_and_stand_in_the_result():
    done = score("arat", [json.dumps({"id": 1, "responses": {"grasp_1": 3}})], "--set", "skip_rule=true")
    result = json.loads(done.stdout)["result"]
    assert result["subscores"]["grasp"]["value"] == 18
    assert result["options"] == {"skip_rule": True}


def test_an_unknown_option_or_version_is_refused_before_any_line_is_read():
    for wrong, told in (
        (("--set", "cap=1"), "no option 'cap'"),
        (("--version", "3"), "never mixed"),
        (("--set", "x"), "NAME=VALUE"),
    ):
        done = score("arat", ["{}"], *wrong)
        assert (done.returncode, done.stdout) == (2, "")
        assert told in done.stderr


def test_an_unknown_measure_lists_those_there_are():
    done = score("nothing", [])
    assert done.returncode == 2
    assert "arat" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_line_that_cannot_be_scored_makes_the_exit_code_and_the_count():
    good = json.dumps({"id": 1, "responses": {"grasp_1": 3}})
    done = score("arat", [good, "{", json.dumps({"id": 3, "responses": {"grasp_1": 9}})])
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == 3
    assert done.stderr == "2 of 3 lines could not be scored; their answers say why\n"
    done = score("arat", [])
    assert (done.returncode, done.stdout) == (1, "")
    assert "nothing was scored: the input holds no line" in done.stderr


def test_a_foreign_or_empty_table_in_place_of_an_export_is_refused(tmp_path):
    for name, text in (("empty.csv", ""), ("foreign.csv", "name;age\nAnna;3\n")):
        (tmp_path / name).write_text(text, encoding="utf-8")
        done = score("isncsci", [], "--from", "redcap", str(tmp_path / name))
        assert (done.returncode, done.stdout) == (2, "")
        assert "REDCap export" in done.stderr
