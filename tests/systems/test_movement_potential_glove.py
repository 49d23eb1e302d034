"""The potential before a movement closes a glove."""

from __future__ import annotations

from dataclasses import replace

import pytest

from workbench import commands, decoders
from workbench.recording import RunFile
from workbench.systems import movement_potential_glove, simulate
from workbench.systems.movement_potential_glove import EDGE_S, PREPARE_S, SYSTEM


@pytest.mark.parametrize("task", ["cued", "self_paced"])
def test_the_edge_comes_from_the_task_and_not_from_the_decoder(task):
    bound = simulate(SYSTEM, task=task)
    assert "edge" not in " ".join(decoders.load("mrcp_lda").parameter_names())
    params = bound.paradigm_params
    decided_s = params["stop_s"] if task == "cued" else params["prepare_s"] + params["edge_s"]
    assert decided_s == PREPARE_S + EDGE_S
    assert bound.task.law.law == "trigger"


@pytest.mark.release
@pytest.mark.timeout(240)
def test_a_decided_movement_closes_the_glove_once_and_the_session_replays_equal(tmp_path, monkeypatch):
    cued = replace(SYSTEM.tasks[0], trials=(16, 8))
    monkeypatch.setattr(movement_potential_glove, "SYSTEM", replace(SYSTEM, tasks=(cued, *SYSTEM.tasks[1:])))
    folder = tmp_path / "study"
    asked = [
        "demo",
        "--system",
        "movement_potential_glove",
        "--no-browser",
        "--speed",
        "6",
        "--study",
        str(folder),
    ]
    assert commands.main(asked) == 0
    assert commands.main(["replay", str(folder)]) == 0
    (online,) = [run for path in (folder / "recordings").glob("*.xdf") if (run := RunFile(path)).decisions()]
    hand = {decision.sample for decision in online.decisions() if decision.label == "hand"}
    closed = {command.sample for command in online.commands() if command.action == "close"}
    assert closed
    assert closed <= hand
