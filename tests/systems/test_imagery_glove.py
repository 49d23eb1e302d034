"""Imagery in EEG that closes a glove."""

from __future__ import annotations

from dataclasses import replace

import pytest

from workbench import commands
from workbench.recording import RunFile
from workbench.systems import imagery_glove, simulate
from workbench.systems.imagery_glove import SYSTEM


def test_a_cue_for_the_hands_triggers_and_one_for_the_feet_does_not():
    law = simulate(SYSTEM).task.law
    assert (law.law, law.conditions, law.trigger_s) == ("trigger", ("hands",), 2.0)


def test_self_paced_imagery_of_the_hands_is_told_from_rest_and_holds():
    bound = simulate(SYSTEM, task="self_paced")
    assert bound.paradigm_params["condition"] == "hands"
    assert bound.task.law.law == "hold"


@pytest.mark.release
@pytest.mark.timeout(240)
def test_a_decided_cue_closes_the_glove_once_and_the_session_replays_equal(tmp_path, monkeypatch, capsys):
    cued = replace(SYSTEM.tasks[0], trials=(16, 10))
    monkeypatch.setattr(imagery_glove, "SYSTEM", replace(SYSTEM, tasks=(cued, *SYSTEM.tasks[1:])))
    folder = tmp_path / "study"
    asked = ["demo", "--system", "imagery_glove", "--no-browser", "--speed", "6", "--study", str(folder)]
    assert commands.main(asked) == 0
    assert commands.main(["replay", str(folder)]) == 0
    (online,) = [run for path in (folder / "recordings").glob("*.xdf") if (run := RunFile(path)).decisions()]
    hands = {decision.sample for decision in online.decisions() if decision.label == "hands"}
    closed = {command.sample for command in online.commands() if command.action == "close"}
    assert closed
    assert closed <= hands
    assert {c.reason for c in online.commands() if c.action == "release"} == {"trigger over"}
    assert online.plan["system"]["name"] == "imagery_glove"
    law = {"law": "trigger", "conditions": ["hands"], "trigger_s": 2.0}
    assert online.plan["law"] | law == online.plan["law"]
