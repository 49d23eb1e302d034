"""A force decoded from ECoG moves the grip of a glove."""

from __future__ import annotations

from dataclasses import replace

import pytest

from workbench import commands, control
from workbench.errors import BadValue
from workbench.paradigms.force_track import ForceTrack
from workbench.recording import RunFile
from workbench.reports import result_of_run
from workbench.study import Study
from workbench.systems import force_glove, neo_hand, simulate
from workbench.systems.force_glove import SYSTEM


def test_the_decoder_is_fitted_on_the_levels_that_its_calibration_shows():
    bound = simulate(SYSTEM)
    shown = ForceTrack(**bound.paradigm_params).levels
    assert bound.decoder_params["levels"] == shown == SYSTEM.simulator.options["efforts"] | {"rest": 0.0}
    assert max(shown.values()) <= 1.0


def test_the_grip_follows_the_force_within_the_profile():
    law, profile = simulate(SYSTEM).task.law, control.load(SYSTEM.effector)
    assert control.check_law(law, control.profile_limits(profile), profile) is law
    assert len(law.levels((0.6,), "force")) == profile.channels
    # A resting hand is decoded with less than the dead band by far.
    assert law.levels((0.05,), "force") == (0.0,)


def test_a_decoder_of_another_kind_of_evidence_is_refused_before_anything_starts():
    task = SYSTEM.tasks[0]
    amplitude = replace(
        task,
        decoder_params=lambda signal: {**force_glove.decoder_params(signal), "quantity": ["amplitude", "mA"]},
    )
    with pytest.raises(BadValue, match="force_track decides on force, and this decoder gives amplitude"):
        simulate(replace(SYSTEM, tasks=(amplitude,)))


def test_a_law_with_a_phase_window_needs_a_task_that_decides_on_a_phase():
    gated = control.ControlLaw("stride_gated", phase_window=(0.2, 0.5))
    grasp = simulate(neo_hand.SYSTEM).task
    with pytest.raises(BadValue, match=r"decides on probabilities; a law with a phase window.*got stride_gated"):
        replace(grasp, law=gated)


@pytest.mark.release
@pytest.mark.timeout(240)
@pytest.mark.parametrize(("quantity", "names"), [("state_level", ("level",)), ("amplitude", ("amplitude",))])
def test_a_level_of_another_kind_moves_the_grip_too_and_replays_with_its_commands(
    quantity, names, tmp_path, monkeypatch, capsys
):
    (task,) = [replace(one, trials=(9, 3)) for one in SYSTEM.tasks if one.name == f"{quantity}_track"]
    monkeypatch.setattr(force_glove, "SYSTEM", replace(SYSTEM, tasks=(task,)))
    folder = tmp_path / quantity
    options = ["--system", "force_glove", "--speed", "8", "--no-browser", "--study", str(folder)]
    assert commands.main(["demo", *options]) == 0
    said = capsys.readouterr().out
    assert "level tracking: RMSE" in said
    assert said.count("commands recomputed, equal") == 2
    run = RunFile(sorted((folder / "recordings").glob("*.xdf"))[-1])
    assert (run.evidence.kind, run.evidence.names) == (quantity, names)
    decided = {decision.sample: decision for decision in run.decisions()}
    assert {len(decision.probabilities) for decision in decided.values()} == {
        4 if quantity == "state_level" else 0
    }
    followed = [command for command in run.commands() if command.reason == quantity and any(command.level)]
    assert len(followed) > 20
    assert all(c.level[0] <= max(0.0, decided[c.sample].values[0] - 0.1) + 1e-12 for c in followed)


@pytest.mark.release
@pytest.mark.timeout(240)
def test_a_force_moves_a_grip_and_the_run_replays_with_its_commands(tmp_path, monkeypatch, capsys):
    fewer = replace(SYSTEM.tasks[0], trials=(12, 8))
    monkeypatch.setattr(force_glove, "SYSTEM", replace(SYSTEM, tasks=(fewer,)))
    folder = tmp_path / "force"
    # No faster, so that the operator still finds the run under way on a computer that does other things.
    options = ["--system", "force_glove", "--speed", "8", "--no-browser", "--study", str(folder)]
    assert commands.main(["demo", *options]) == 0
    said = capsys.readouterr().out
    assert "level tracking: RMSE" in said
    assert said.count("commands recomputed, equal") == 2
    run = RunFile(sorted((folder / "recordings").glob("*.xdf"))[-1])
    assert (run.evidence.kind, run.evidence.names, run.evidence.unit) == ("force", ("force",), "fraction")
    forces = {decision.sample: decision.values[0] for decision in run.decisions()}
    followed = [command for command in run.commands() if command.reason == "force" and any(command.level)]
    assert len(followed) > 50
    # The grip is at most the force itself, above the dead band: it may lag behind, and never runs ahead.
    assert all(command.level[0] <= max(0.0, forces[command.sample] - 0.1) + 1e-12 for command in followed)
    with Study.open(folder, actor="test") as study:
        online = study.rows("run", kind="online")[0]
        assert study.nouns("trial", run_id=online["id"]) == run.trials()
        found = result_of_run(study, online["id"]).tracking
        assert found.rmse < found.limit
