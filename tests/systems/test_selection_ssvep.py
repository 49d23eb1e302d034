"""Selection by flicker as a system."""

from __future__ import annotations

from tests.systems.evoked import check_free, check_plan
from workbench import live, paradigms, systems
from workbench.recording import RunFile
from workbench.runs.replaying import replay_run
from workbench.study import Study
from workbench.vocabulary import Participant, Visit


def test_the_presenter_sends_the_markers_that_the_participant_and_the_engine_follow(tmp_path):
    check_plan("selection_ssvep", tmp_path)


def test_its_windows_are_those_of_its_paradigm():
    bound = systems.simulate(systems.load("selection_ssvep"))
    assert bound.decoder_params["window_s"] == bound.paradigm_params["window_s"]


def test_a_presenters_markers_become_choices_and_the_run_replays_equal(tmp_path):
    quick = {"window_s": 0.5, "windows": [1, 1], "lead_in_s": 1.0, "frequencies_hz": [8, 10, 12, 14] * 2}
    system = systems.load("selection_ssvep")
    played = systems.simulate(system)
    bound = systems.bind(system, played.contract, source=played.source, params=quick)
    with Study.create(tmp_path / "study", code="T", title="t", actor="tests") as study:
        visit = study.append(Visit(study.append(Participant("P1", simulated=True)), "V1"))
        plan = bound.new_session(study, visit=visit, operator="tests", speed=4.0)
    client = live.start(plan)
    try:
        run_id = client.start_run("calibration", bound.paradigm, bound.paradigm_params, n_trials=4, seed=2)
        run = client.wait("run", timeout=60.0)["run"]
    finally:
        client.shutdown()
    assert run["state"] == "finished"
    path = tmp_path / "study" / "recordings" / f"{run_id}.xdf"
    recorded = RunFile(path)
    planned = paradigms.from_params(bound.paradigm, bound.paradigm_params).schedule(4, seed=2)
    asked = [cue.label for cue in planned if cue.label in bound.paradigm_params["items"]]
    assert [(trial.condition, trial.outcome) for trial in recorded.trials()] == [(a, "recorded") for a in asked]
    shown = [m for m in recorded.markers() if m.kind == "cue" and m.label in asked]
    assert all((m.detail["refresh_hz"], m.detail["frames"]) == (60.0, 30.0) for m in shown)
    assert replay_run(path).equal


def test_free_choices_come_after_a_calibration_on_what_is_asked_for():
    check_free("selection_ssvep")
