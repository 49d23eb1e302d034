"""A session that stimulates, in real processes: entered over the door, killed while current flows, then a sham."""

from __future__ import annotations

import os
import signal
from types import SimpleNamespace

import pytest

from workbench import control, devices, live, runs, world
from workbench.engine.stimulating import charge_of_today
from workbench.errors import BadValue, Refused
from workbench.recording import RunFile
from workbench.runs import grant
from workbench.stimulation import as_sham
from workbench.study import Study
from workbench.study.changes.stimulating import AdoptStimulationLimits
from workbench.systems import simulate
from workbench.systems.eeg_fes_rehabilitation import SYSTEM
from workbench.vocabulary import Participant, Visit

BOUND = simulate(SYSTEM)
PARAMS = {"conditions": ["hands", "feet"], "attempt_s": 3.0, "rest_s": 1.0, "jitter_s": 0.0, "lead_in_s": 1.0}
NAMES = ("wrist extensors", "finger extensors")


def seen(client, condition, *, timeout=60.0):
    """The first status that meets a condition."""
    found = []

    def met():
        found[:] = [client.status()]
        return condition(found[0]["effector"])

    assert world.clock.until(met, timeout)
    return found[0]["effector"]


def begun(study, client):
    """A run in which a schedule stimulates, armed."""
    client.use_grants(grant.issuer(study, study.script_signer("tests")))
    run = client.start_run("passive", "left_right", PARAMS, n_trials=8, seed=1)
    client.wait("running")
    client.take_pressure(115.0, resting=True, by="Lin Q.")
    client.arm_when_ready("Chen L.")
    return run


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A session that is killed while current flows, and a sham of the same day after it."""
    folder = tmp_path_factory.mktemp("stimulated") / "study"
    with Study.create(folder, code="T", title="t", actor="tests") as study:
        visit = study.append(Visit(study.append(Participant("P1", simulated=True, injury_level="C6")), "V1"))
        signers = [study.script_signer(name).confirm() for name in ("Chen L.", "Lin Q.")]
        study.apply(AdoptStimulationLimits(SYSTEM.stimulation.example[0].definition()), signers, "tests")
        clients = []
        try:
            plan = BOUND.new_session(study, visit=visit, operator="Chen L.", script_present=True)
            clients.append(client := live.start(plan))
            before = client.status()["effector"]["stimulation"]
            wrong = [refusal(client.take_pressure, 20.0), refusal(client._ask, "set_ceiling", channel=0.5)]
            first = begun(study, client)
            client.set_ceiling(0, 8.0, by="Chen L.")
            raised = refusal(client.set_ceiling, 0, 16.0)
            flows = seen(client, lambda e: all((c["delivered_ma"] or 0) > 5 for c in e["stimulation"]["channels"]))
            os.kill(client.pid, signal.SIGKILL)
            safe = devices.watch_status(devices.pairing(folder, "fes"), timeout=20.0)
            taken = runs.ingest_pending(study)
            charge = charge_of_today(folder, participant="P1")
            of = as_sham(BOUND.set_up(study, study.get("visit", visit)["participant_id"]))
            sham = BOUND.new_session(study, visit=visit, operator="Chen L.", script_present=True, stimulation=of)
            clients.append(client := live.start(sham))
            second = begun(study, client)
            # Held, and not only begun: a stop at the very hop of the beginning leaves an activation of no length.
            blinded = seen(client, lambda e: e["state"] == "HOLD" and e["level"] > 0)
            client.take_symptom("headache", by="Lin Q.")
            stopped = seen(client, lambda e: e["state"] == "ESTOP")
            client.end_run()
            client.wait("run")
            client.shutdown()
            runs.ingest_pending(study)
            replayed = runs.replay_study(folder)
        finally:
            for one in clients:
                if (found := live.find(folder)) is not None and found["pid"] == one.pid:
                    os.kill(one.pid, signal.SIGKILL)
                one.close()
        yield SimpleNamespace(**locals())


def refusal(call, *args, **options):
    with pytest.raises((Refused, BadValue)) as caught:
        call(*args, **options)
    return str(caught.value)


def recording(done, run):
    return RunFile(done.folder / "recordings" / f"{run}.xdf", damaged="skip")


@pytest.mark.job
def test_what_is_entered_over_the_door_reaches_the_supervisor_and_the_recording(done):
    assert "resting blood pressure" in " ".join(one["text"] for one in done.before["forbids"])
    assert "systolic blood pressure is 40 to 320 mmHg, got 20" in done.wrong[0]
    assert "set_ceiling needs channel as int, got 0.5" in done.wrong[1]
    assert "step of the ceiling of wrist extensors would be 8 mA, at most 1 mA" in done.raised
    shown = {one["name"]: one for one in done.flows["stimulation"]["channels"]}
    assert [shown[name]["asked_ma"] for name in NAMES] == [8.0, 14.0]
    kinds = [(kind, content.get("by")) for kind, content in recording(done, done.first).control()]
    assert {("take_pressure", "Lin Q."), ("set_ceiling", "Chen L.")} <= set(kinds)


@pytest.mark.job
def test_a_stimulator_whose_engine_is_killed_while_current_flows_releases_by_itself(done):
    assert (done.safe.level, done.safe.state, done.safe.locked) == (0.0, "safe", True)


@pytest.mark.job
def test_the_charge_of_a_killed_session_counts_for_the_next_of_the_day(done):
    assert all(done.charge[name, 0] > 0 for name in NAMES)
    day = {one["where"]: one for one in done.blinded["stimulation"]["charge"]}
    assert all(day[f"{name} 0"]["day_uc"] >= done.charge[name, 0] for name in NAMES)


@pytest.mark.job
def test_a_sham_looks_like_the_other_and_its_recording_says_what_was_asked_and_that_nothing_was_given(done):
    assert done.blinded["stimulation"]["mode"] == ""
    assert done.stopped["state"] == "ESTOP"
    file = recording(done, done.second)
    assert not any(any(command.level) for command in file.commands())
    given = control.given(file.control(), file.decisions())
    assert (16.0, 14.0) in [one.asked_ma for one in given]
    assert {one.given_ma for one in given} == {(0.0, 0.0)}
    assert file.plan["stimulation"]["programme"]["mode"] == "sham"
    assert grant.activation_s(file) > 0  # the dose of the day
    assert [one.equal for one in done.replayed] == [True, True]
