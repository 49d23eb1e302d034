"""Every command with bad values of every argument: a clear sentence, never a traceback, a hang, a false defect."""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys

import pytest

from tests.shares import examples
from workbench.commands import build_parser
from workbench.errors import UnknownName
from workbench.stress import hostile
from workbench.stress.hostile import Answer, Case
from workbench.stress.hostile._cases import LASTING, kind_of

SAMPLE = examples(110)
"""Of more than a thousand cases; `workbench stress hostile` tries all of them."""


@pytest.fixture(scope="module")
def every(tmp_path_factory):
    return hostile.cases(build_parser(), tmp_path_factory.mktemp("hostile") / "material")


@pytest.mark.job
def test_every_argument_of_every_command_has_hostile_cases(every):
    names = {case.name.split(": ")[0] for case in every}
    for words, parser in hostile.commands(build_parser()).items():
        for action in parser._actions:
            if kind_of(action) != "flag" and not isinstance(action, argparse._HelpAction):
                option = action.option_strings[0] if action.option_strings else str(action.metavar or action.dest)
                assert f"{words} {option}" in names, (
                    "a new argument needs a kind in workbench/stress/hostile/_cases.py"
                )


@pytest.mark.job
def test_what_one_case_makes_is_met_by_no_other(every):
    """Else a study that `new` makes at an absent path is verified there, and that would count as mishandled."""
    users = {}
    for case in every:
        for word in case.argv:
            path = word.partition("=")[2] or word
            if path.endswith(("/absent", "/folder", "/empty")):
                users.setdefault(path, set()).add(case.name.split(": ")[0])
    assert len(users) > 50
    assert {path: names for path, names in users.items() if len(names) > 1} == {}


def test_an_argument_of_an_unknown_kind_is_an_error():
    parser = argparse.ArgumentParser()
    with pytest.raises(UnknownName, match="no hostile cases are known for the argument 'colour'"):
        kind_of(parser.add_argument("--colour", type=bytes))


@pytest.mark.job
def test_a_sample_of_bad_inputs_gets_a_clear_answer_each():
    figures = hostile.hostile(build_parser(), SAMPLE, seed=5)
    assert figures.tried == SAMPLE
    assert figures.passed, figures.text()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer("x", -1, "", "", 20.0), "no answer within"),
        (Answer("x", 1, "", "Traceback (most recent call last)", 0.0), "a traceback"),
        (Answer("x", 1, "", "workbench: this is a defect of the workbench, not of your data", 0.0), "a defect"),
        (Answer("x", 0, "done", "", 0.0), "exit 0"),
        (Answer("x", 2, "", "", 0.0), "0 sentences"),
        (Answer("x", 2, "", "workbench a: b\nworkbench a: c", 0.0), "2 sentences"),
        (Answer("x", 1, "", "", 0.0), "without a word"),
        (Answer("x", -9, "", "killed", 0.0), "exit -9"),
    ],
)
def test_each_kind_of_bad_answer_is_found(answer, words):
    assert words in hostile.fault_of(Case("x", ()), answer)


def test_a_clear_answer_is_none():
    assert (
        hostile.fault_of(Case("x", ()), Answer("x", 2, "", "workbench x: no such thing; name another\n", 0.1))
        == ""
    )
    assert hostile.fault_of(Case("x", (), fine="it may be empty"), Answer("x", 0, "", "", 0.1)) == ""


@pytest.mark.parametrize("command", ["inspect", "verify"])
@pytest.mark.parametrize("what", ["pipe", "device"])
def test_what_never_ends_is_refused_at_once_by_a_process_of_its_own(tmp_path, command, what):
    path = tmp_path / "study.db"
    os.mkfifo(path) if what == "pipe" else path.symlink_to("/dev/zero")
    done = subprocess.run(
        [sys.executable, "-m", "workbench", command, str(path if command == "inspect" else tmp_path)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 2
    assert hostile.fault_of(Case("", ()), Answer("", done.returncode, done.stdout, done.stderr, 0.0)) == ""
    assert f"cannot be read (it is a {what}); name a regular file" in done.stderr


def test_standard_input_that_never_ends_its_line_is_refused_before_it_fills_the_memory():
    with open("/dev/zero", "rb") as endless:
        done = subprocess.run(
            [sys.executable, "-m", "workbench", "score", "arat"],
            stdin=endless, capture_output=True, text=True, timeout=120, check=False,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (4 * 2**30, 4 * 2**30)),
        )  # fmt: skip
    assert done.returncode == 2
    assert "line 1 of standard input has more than 16,777,216 bytes" in done.stderr


def test_a_command_that_lasts_is_given_only_what_it_refuses_at_once(every):
    tried = [case for case in every if case.argv[0] in LASTING]
    assert {"demo", "dashboard", "bench"} <= {case.argv[0] for case in tried} <= set(LASTING)
    assert not any(case.argv[0] == "dashboard" and case.name.endswith("= []") for case in tried)
