"""The onset of a muscle stimulates its hot-spot: bound, limited, felt by the legs, and replayed."""

from __future__ import annotations

from dataclasses import asdict, replace

import pytest

from workbench import commands, control, devices
from workbench.devices.simulated_spinal_participant import Participant, specs
from workbench.engine.players import player_options
from workbench.errors import BadValue, Refused
from workbench.physiology import MUSCLES, Person
from workbench.recording import RunFile
from workbench.study import Study
from workbench.study.changes.stimulating import AdoptStimulationLimits
from workbench.systems import emg_closed_loop_stimulation, simulate
from workbench.systems.emg_closed_loop_stimulation import MUSCLE, SYSTEM, TRACK
from workbench.vocabulary import Participant as Enrolled
from workbench.vocabulary import Visit

(EXAMPLE,) = SYSTEM.stimulation.example


@pytest.fixture
def study(tmp_path):
    with Study.create(tmp_path / "study", code="T", title="t", actor="tests") as study:
        yield study


def begin(study, **entries):
    visit = study.append(Visit(study.append(Enrolled("P01", simulated=True, injury_level="T10")), "V1"))
    return simulate(SYSTEM, seed=7).new_session(study, visit=visit, operator="Chen L.", seed=7, **entries)


def adopt(study):
    signers = [study.script_signer(name).confirm() for name in ("Chen L.", "Lin Q.")]
    study.apply(AdoptStimulationLimits(EXAMPLE.definition()), signers, "tests")


def test_nothing_begins_before_two_people_have_signed_the_limits_of_the_lead(study):
    with pytest.raises(Refused, match="paddle-16 has no limits"):
        begin(study)
    assert study.rows("session") == []


def test_the_participant_plays_the_streams_of_the_plan_and_feels_the_stimulator_of_its_session(study):
    adopt(study)
    plan = begin(study)
    legs, stimulator = plan.players
    assert (legs["device"], stimulator["device"]) == ("simulated_spinal_participant", "simulated_epidural")
    options = player_options(plan, legs)
    played = {line.source_id for line in specs(options)}
    assert {line.source_id for line in plan.contract} <= played
    assert options["stimulator"] == str(devices.pairing(study.folder, "epidural").path)
    assert options["effector"] == "epidural"
    assert options["programme"] == [asdict(channel) for channel in plan.stimulation.programme.channels]
    # As the stimulator itself is told it, so that one knows the other's currents.
    participant = Participant({**options, "cue_source_id": ""})
    assert participant._stimulator._programme.sha256 == plan.stimulation.programme.sha256
    assert participant.person == Person(seed=7, lesion="T10", grade="D")
    participant.close()


def test_a_session_that_stimulates_nobody_gives_the_participant_no_stimulator(study):
    adopt(study)
    plan = replace(begin(study), effector=None, stimulation=None)
    assert "stimulator" not in player_options(plan, plan.players[0])


def test_the_decoder_reads_the_muscle_that_the_cue_asks_for_or_the_first_where_none_is_named_so():
    bound = simulate(SYSTEM)
    assert bound.source.player["options"]["conditions"] == dict.fromkeys(
        (bound.paradigm_params["condition"], *TRACK.conditions), MUSCLE
    )
    assert bound.decoder_params["channel"] == bound.signal.measured.index(MUSCLE) == MUSCLES.index(MUSCLE)
    single = replace(bound.signal, channels=("vastus", "pulses"))
    assert SYSTEM.task().decoder_params(single)["channel"] == 0


def test_a_cue_with_an_effort_of_its_own_asks_for_less():
    sizes = []
    for efforts in ({}, {"extend": 0.3}):
        person = {"seed": 4, "residual": 0.5, "spasms_per_h": 0.0}
        participant = Participant({"person": person, "conditions": {"extend": MUSCLE}, "efforts": efforts})
        participant.cue(0.0, "extend", 0.0)
        sizes.append(participant.samples("emg", 0, 4000)[2000:, 0].std())
    assert sizes[1] == pytest.approx(0.3 * sizes[0], rel=0.1)


@pytest.mark.parametrize("efforts", [{"extend": 1.2}, {"extend": float("nan")}, {"extend": True}, ["extend"]])
def test_efforts_that_nobody_can_make_are_refused(efforts):
    with pytest.raises(BadValue, match="efforts of simulated_spinal_participant must be a table of numbers"):
        Participant({"person": {"seed": 4}, "efforts": efforts})


def test_the_law_moves_the_hot_spot_of_the_programme_alone_and_keeps_the_limits_of_the_profile():
    law, profile = simulate(SYSTEM).task.law, control.load(SYSTEM.effector)
    assert control.check_law(law, control.profile_limits(profile), profile) is law
    assert [n for n, share in enumerate(law.pattern("extend")) if share] == [0]
    assert len(SYSTEM.stimulation.programme.channels) == 1
    assert SYSTEM.limits is None


@pytest.mark.release
@pytest.mark.timeout(240)
def test_an_onset_stimulates_visits_follow_and_the_run_replays_with_its_commands(tmp_path, monkeypatch, capsys):
    fewer = replace(SYSTEM.tasks[0], trials=(8, 3))
    monkeypatch.setattr(emg_closed_loop_stimulation, "SYSTEM", replace(SYSTEM, tasks=(fewer,)))
    folder = tmp_path / "emg"
    asked = ["--system", SYSTEM.name, "--speed", "4", "--no-browser", "--study", str(folder)]
    assert commands.main(["demo", *asked]) == 0
    said = capsys.readouterr().out
    assert said.count("commands recomputed, equal") == 2
    assert "event F1" in said
    assert "Endpoint   walking_speed, carry_over: 10mwt, preferred_speed 0.25 → " in said
    assert "Endpoint   walking_speed, carry_over: 10mwt, stimulation on, preferred_speed " in said
    run = RunFile(sorted((folder / "recordings").glob("*.xdf"))[-1])
    given = control.given(run.control(), run.decisions())
    assert [one for one in given if any(one.asked_ma)]
    approved = SYSTEM.stimulation.programme.approved_ma
    assert max(max(one.given_ma) for one in given) <= approved[0]
    # The legs felt it: their trigger line counts pulses while current flows, and none in the calibration.
    pulses = [f.signal.values[:, -1].sum() for f in map(RunFile, sorted((folder / "recordings").glob("*.xdf")))]
    assert pulses[0] == 0 < pulses[1]
    with Study.open(folder, actor="tests") as study:
        assert [row["name"] for row in study.rows("visit")] == [visit.name for visit in SYSTEM.visits]
        measures = {row["measure"] for row in study.rows("assessment")}
    assert measures == {*SYSTEM.asked_forms} - {one.name for one in SYSTEM.own_forms}


def test_a_current_that_follows_has_no_scheduled_run_and_stands_beside_a_task_that_has():
    followed = SYSTEM.task("followed")
    assert followed.law.guided
    with pytest.raises(BadValue, match="open_loop needs an effector that a law closes"):
        replace(SYSTEM, tasks=(followed,))


@pytest.mark.release
@pytest.mark.timeout(240)
def test_the_current_follows_the_envelope_within_an_attempt_and_the_run_replays_with_its_commands(
    tmp_path, monkeypatch, capsys
):
    fewer = replace(SYSTEM.task("followed"), trials=(8, 3))
    monkeypatch.setattr(emg_closed_loop_stimulation, "SYSTEM", replace(SYSTEM, tasks=(SYSTEM.tasks[0], fewer)))
    folder = tmp_path / "emg"
    asked = ["--system", SYSTEM.name, "--task", "followed", "--speed", "4", "--no-browser", "--study", str(folder)]
    assert commands.main(["demo", *asked]) == 0
    said = capsys.readouterr().out
    assert said.count("commands recomputed, equal") == 2
    assert "level tracking: RMSE " in said
    run = RunFile(sorted((folder / "recordings").glob("*.xdf"))[-1])
    given = control.given(run.control(), run.decisions())
    approved = SYSTEM.stimulation.programme.approved_ma
    # An order at nearly every hop of an attempt, which no fault ended.
    assert len([one for one in given if any(one.asked_ma)]) > 100
    assert 0.2 * approved[0] < max(max(one.given_ma) for one in given) <= approved[0]
    # Each of the three attempts ends its current.
    releases = [one for one in given if one.action == "release"]
    assert [one.given_ma for one in releases] == [(0.0,)] * 3
    assert given[-1] == releases[-1]
    with Study.open(folder, actor="tests") as study:
        kinds = {row["kind"] for row in study.rows("ledger")}
    assert not kinds & {"fault", "estop"}
