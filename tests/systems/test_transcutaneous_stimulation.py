"""A current that a schedule gives while tasks are practised: nothing is decoded, limits hold, and it replays."""

from __future__ import annotations

from dataclasses import replace

import pytest

from workbench import commands, control
from workbench.errors import BadValue
from workbench.recording import RunFile
from workbench.study import Study
from workbench.systems import described, draft, simulate, transcutaneous_stimulation
from workbench.systems.transcutaneous_stimulation import FUNCTION, RUN_IN, STRENGTH, SYSTEM, THERAPY


def test_a_task_without_a_decoder_is_bound_with_no_parameters_of_one_and_needs_one_run():
    bound = simulate(SYSTEM)
    assert (bound.decoder, bound.decoder_params, bound.trials) == ("", {}, (6,))
    assert simulate(SYSTEM, trials=(2,)).trials == (2,)
    with pytest.raises(BadValue, match="at least 1 trial"):
        simulate(SYSTEM, trials=(0,))


@pytest.mark.parametrize("procedure", ["calibration", "online", "sham"])
def test_a_procedure_about_a_decoder_is_refused_for_a_task_without_one(procedure):
    with pytest.raises(BadValue, match=f"offers {procedure} runs, for which task practice names no decoder"):
        replace(SYSTEM, procedures=(procedure, "open_loop", "mapping"))


def test_amplitude_finding_steps_through_each_pair_alone():
    profile = control.load(SYSTEM.effector)
    assert {len(step) for step in SYSTEM.settings} == {profile.channels}
    assert all(sum(level > 0 for level in step) == 1 for step in SYSTEM.settings)
    assert {step.index(max(step)) for step in SYSTEM.settings} == {0, 1}


def test_a_rest_is_longer_than_what_the_effector_and_its_electrodes_need_before_the_next_practice():
    params, profile = simulate(SYSTEM).params_of("open_loop"), control.load(SYSTEM.effector)
    (limits,) = SYSTEM.stimulation.example
    needed_s = profile.release_ramp_ms / 1000 + profile.refractory_s
    assert params["rest_s"] - params["jitter_s"] > needed_s + limits["refractory_s"]


def test_a_responder_needs_both_domains_and_the_baseline_of_the_therapy_is_the_end_of_the_run_in():
    (primary,) = [one for one in SYSTEM.planned if one.role == "primary"]
    assert {*STRENGTH, *FUNCTION} == set(primary.measured_by)
    assert f"from {RUN_IN} to {THERAPY}" in str(primary.variable)
    assert "at least one outcome of strength" in str(primary.variable)
    assert "at least one of function" in str(primary.variable)
    days = {visit.name: visit.day for visit in SYSTEM.visits}
    assert days[THERAPY] - days[RUN_IN] == days[RUN_IN] - days["Baseline"]
    # No threshold that nobody published stands in the draft of a protocol.
    assert any("thresholds was not found" in str(text) for text in SYSTEM.not_supplied)
    assert [one["name"] for one in draft(SYSTEM)["estimand"]][0] == "responders"


def test_the_description_says_that_nothing_is_decoded_and_that_nobody_feels_it():
    told = described(SYSTEM)
    assert told["tasks"][0]["decoder"] == ""
    assert "feels nothing of this stimulation" in told["published"].replace("\n", " ")


@pytest.mark.release
@pytest.mark.timeout(240)
def test_each_practice_is_stimulated_visits_follow_and_the_run_replays_with_its_commands(
    tmp_path, monkeypatch, capsys
):
    fewer = replace(SYSTEM.tasks[0], trials=(3,))
    monkeypatch.setattr(transcutaneous_stimulation, "SYSTEM", replace(SYSTEM, tasks=(fewer,)))
    folder = tmp_path / "skin"
    asked = ["--system", SYSTEM.name, "--speed", "4", "--no-browser", "--study", str(folder)]
    assert commands.main(["demo", *asked]) == 0
    said = capsys.readouterr().out
    assert said.count("commands recomputed, equal") == 1
    assert "Given      3 bouts of stimulation, at most 20 mA" in said
    assert "Decoder " not in said
    (recording,) = (folder / "recordings").glob("*.xdf")
    run = RunFile(recording)
    given = control.given(run.control(), run.decisions())
    assert [one for one in given if any(one.asked_ma)]
    assert all(one.given_ma == one.asked_ma for one in given)
    assert run.decisions() == []
    with Study.open(folder, actor="tests") as study:
        (row,) = study.rows("run")
        assert (row["kind"], row["decoder_sha256"]) == ("open_loop", "")
        assert [visit["name"] for visit in study.rows("visit")] == [visit.name for visit in SYSTEM.visits]
