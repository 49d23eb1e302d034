"""A velocity from a grid moves a cursor."""

from __future__ import annotations

from dataclasses import replace

import pytest

from workbench import commands, control
from workbench.commands.systems import law_of
from workbench.errors import BadValue
from workbench.paradigms.centre_out import CentreOut
from workbench.recording import RunFile
from workbench.study import Study
from workbench.systems import cursor_velocity, simulate
from workbench.systems.cursor_velocity import SYSTEM


def test_the_decoder_is_fitted_on_the_velocities_that_its_calibration_shows():
    bound = simulate(SYSTEM)
    shown = CentreOut(**bound.paradigm_params).velocities
    assert bound.decoder_params == {"fs": 500.0, "window_s": 0.2, "velocities": shown}
    assert set(shown) == {"rest", "right", "up", "left", "down"}


def test_the_level_follows_the_velocity_within_the_profile():
    law = simulate(SYSTEM).task.law
    profile = control.load(SYSTEM.effector)
    assert (law.law, law.slew_per_s <= profile.slew_per_s) == ("proportional", True)
    # The speed that the calibration shows asks for less than everything.
    assert 0 < max(law.levels((0.2, 0.0))) < 1
    assert len(law.levels((0.2, 0.0))) == profile.channels


def test_a_decoder_of_classes_and_a_law_that_follows_no_velocity_are_refused_before_anything_starts():
    task = SYSTEM.tasks[0]
    classes = replace(task, decoder="bandpower_lda", decoder_params=lambda signal: {"fs": signal.fs})
    with pytest.raises(BadValue, match="centre_out decides on velocity, and this decoder gives probabilities"):
        simulate(replace(SYSTEM, tasks=(classes,)))
    followed = "the law proportional, and no other, follows velocity, force, amplitude, state_level; got hold"
    with pytest.raises(BadValue, match=followed):
        replace(task, law=control.ControlLaw("hold"))


def test_assistance_is_said_of_a_task_and_bounded_by_the_profile():
    task = SYSTEM.tasks[0]
    targets = tuple(CentreOut().targets.items())

    def assisted(share):
        law = replace(task.law, share=share, assist_s=1.0, targets=targets)
        return replace(SYSTEM, tasks=(replace(task, law=law),))

    assert law_of(assisted(0.5).tasks[0]) == ", law proportional, 0.5 of it assistance"
    assert law_of(task) == ", law proportional"
    with pytest.raises(BadValue, match=r"share of 0\.6 of assistance is more than cursor_2d allows"):
        assisted(0.6)


@pytest.mark.release
@pytest.mark.timeout(240)
def test_a_velocity_moves_a_cursor_and_the_run_replays_with_its_commands(tmp_path, monkeypatch, capsys):
    # Sixteen trials: arming takes time, and at a speed of 20 half of eight were over before it.
    fewer = replace(SYSTEM.tasks[0], trials=(16, 16))
    monkeypatch.setattr(cursor_velocity, "SYSTEM", replace(SYSTEM, tasks=(fewer,)))
    folder = tmp_path / "cursor"
    options = ["--system", "cursor_velocity", "--speed", "6", "--no-browser", "--study", str(folder)]
    assert commands.main(["demo", *options]) == 0
    said = capsys.readouterr().out
    assert "random walks reach" in said
    assert said.count("commands recomputed, equal") == 2
    run = RunFile(sorted((folder / "recordings").glob("*.xdf"))[-1])
    assert run.evidence.names == ("x", "y")
    assert all(trial.result["nearest"] <= 0.3 for trial in run.trials() if trial.outcome == "correct")
    closes = [command for command in run.commands() if command.action == "close"]
    levels = [command.level for command in closes]
    armed = 0
    for trial in run.trials():
        during = [one.level for one in closes if trial.cue_sample <= one.sample < trial.end_sample]
        # A busy machine arms late, and a device that lapsed is not armed again: those trials moved nothing.
        if max(map(max, during), default=0.0) > 0.1:
            armed += 1
            moved = [sum(level[way] for level in during) for way in range(4)]
            assert moved.index(max(moved)) == ("right", "left", "up", "down").index(trial.condition), trial
    assert armed
    # No two ways of a dimension at once.
    assert not any((level[0] and level[1]) or (level[2] and level[3]) for level in levels)
    with Study.open(folder, actor="test") as study:
        online = study.rows("run", kind="online")[0]
        assert study.nouns("trial", run_id=online["id"]) == run.trials()
        assert online["summary"]["random_walks"]["share"] < 0.25
