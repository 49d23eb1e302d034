"""Answers that a program may read: one shape, whatever the command."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

import pytest

from workbench import commands
from workbench.commands import main
from workbench.commands._answer import as_json, plain
from workbench.stress.hostile import commands as all_commands

ROOT = Path(__file__).resolve().parents[2]
WITH_JSON = [
    words
    for words, parser in all_commands(commands.build_parser()).items()
    if "--json" in {option for action in parser._actions for option in action.option_strings}
]


@pytest.mark.parametrize("words", WITH_JSON)
def test_the_document_describes_the_result_of_each_command_that_has_one(words):
    text = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    assert f"| `{words}`" in text


def test_a_stress_test_and_the_lists_answer_in_the_same_shape(inside):
    figures = inside("stress", "recording", "--n", 1, "--json").answer("stress")
    assert figures["command"] == "workbench stress recording --n 1 --seed 1"
    listed = inside("stress", "list", "--json").answer("stress list")
    assert "record" in [test["name"] for test in listed]
    listed = inside("evaluate", "list", "--json").answer("evaluate list")
    assert all(set(one) == {"name", "title", "source", "terms"} for one in listed)


def test_what_is_refused_prints_no_json(tmp_path, capsys):
    for command in ("verify", "replay", "inspect"):
        assert main([command, str(tmp_path / "absent"), "--json"]) == 2
        said = capsys.readouterr()
        assert said.out == ""
        assert said.err.startswith(f"workbench {command}: ")


def test_values_become_plain():
    @dataclass
    class Found:
        path: Path
        values: tuple[float, ...]

    found = Found(Path("a"), (1.5, math.nan, math.inf))
    assert plain({1: found}) == {"1": {"path": "a", "values": [1.5, None, None]}}
    assert json.loads(as_json("x", found, ok=True))["result"]["values"] == [1.5, None, None]
