"""`workbench score`: one answer a line, in the same order, and an error for what cannot be scored."""

from __future__ import annotations

import json
import subprocess
import sys

from workbench import outcomes


def score(measure, lines):
    command = [sys.executable, "-m", "workbench", "score", measure]
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


def test_an_unknown_measure_lists_those_there_are():
    done = score("nothing", [])
    assert done.returncode == 2
    assert "arat" in done.stderr
    assert "Traceback" not in done.stderr
