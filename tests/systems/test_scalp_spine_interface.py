"""Scalp EEG stimulates the cord, as the third system that one participant goes through in one protocol."""

from __future__ import annotations

import os
import signal

import pytest

from tests.dashboard.test_phases import THREE, of, three_phases
from workbench import commands, control, live, runs, systems
from workbench.dashboard import VisitService
from workbench.recording import RunFile
from workbench.reports.session import session_report
from workbench.runs import approve, grant
from workbench.study.changes.stimulating import AdoptStimulationLimits
from workbench.systems.brain_spine_interface import SYSTEM as IMPLANTED
from workbench.systems.scalp_spine_interface import BOTH_LEGS, FEET, SYSTEM

TRIALS = 28
"""Of a calibration here: enough to fit, and no measure of a decoder."""


def test_it_stimulates_with_the_lead_of_the_implanted_system_and_never_with_more():
    assert SYSTEM.stimulation is IMPLANTED.stimulation
    assert SYSTEM.effector == IMPLANTED.effector
    channels = SYSTEM.stimulation.programme.channels
    assert SYSTEM.tasks[0].law.patterns == ((FEET, BOTH_LEGS),)
    assert [channel.name for channel, share in zip(channels, BOTH_LEGS, strict=False) if share] == [
        "left hip", "right hip",
    ]  # fmt: skip
    implanted = [max(shares) for _, shares in IMPLANTED.tasks[0].law.patterns]
    assert max(BOTH_LEGS) < min(implanted)


def session(service, study, visit):
    """Calibration, a decoder that is approved, and an online run of what the protocol plans at a visit."""
    service.details(visit)
    system = service.system
    plan = system.new_session(study, visit=visit, operator="Chen L.", speed=10.0, script_present=True)
    client = live.start(plan)
    try:
        script = study.script_signer("tests")
        client.use_grants(grant.issuer(study, script))
        if plan.stimulation is not None:
            client.take_pressure(115.0, resting=True, by="Lin Q.")
            client.take_holder("Lin Q.")
        made = []
        for n in range(len(system.trials) - 1):
            trials = min(TRIALS, system.trials[n])
            made.append(
                client.start_run(
                    "calibration", system.paradigm, system.params_of("calibration"), n_trials=trials, seed=n
                )
            )
            assert client.wait("run", timeout=120)["run"]["state"] == "finished"
        runs.ingest_pending(study)
        files = [service.folder / "recordings" / f"{run}.xdf" for run in made]
        fitted = runs.run_fit(service.folder, files, system.decoder, system.decoder_params)
        before = {row["kind"]: row["ok"] for row in service.run_kinds()}["online"]
        approve.approve(
            study, approve.enter(study, fitted), effector=system.system.effector, system=system.key,
            participant_id=study.get("visit", visit)["participant_id"], by=script.confirm(), reason="tests",
        )  # fmt: skip
        after = {row["kind"]: row["ok"] for row in service.run_kinds()}["online"]
        online = client.start_run(
            "online", system.paradigm, system.params_of("online"), n_trials=8, seed=9,
            decoder_folder=fitted["folder"],
        )  # fmt: skip
        client.wait("running", timeout=60)
        client.arm_when_ready("Chen L.")
        assert client.wait("run", timeout=120)["run"]["state"] == "finished"
        client.shutdown()
        runs.ingest_pending(study)
        return online, (before, after)
    finally:
        if (found := live.find(service.folder)) is not None:
            os.kill(found["pid"], signal.SIGKILL)
        client.close()


@pytest.mark.release
@pytest.mark.timeout(600)
def test_one_participant_goes_from_cortex_and_glove_to_cortex_and_cord_to_scalp_and_cord(tmp_path):
    service = VisitService(three_phases(tmp_path / "study", {"P-002": True}), operator="Chen L.")
    visits = of(service, "P-002")
    with service.record() as study:
        signers = [study.script_signer(name).confirm() for name in ("Chen L.", "Lin Q.")]
        for limits in IMPLANTED.stimulation.example:
            study.apply(AdoptStimulationLimits(limits.definition()), signers, "tests")
        online, offered = zip(
            *(session(service, study, visits[f"Phase {n}, Baseline"]) for n in (1, 2, 3)), strict=True
        )
        # A decoder that was approved for one system moves nothing in another.
        assert offered == ((False, True),) * 3
        played = [study.get("session", study.get("run", run)["session_id"]) for run in online]
        assert [one["plan"]["system"]["name"] for one in played] == list(THREE)
        effectors = [systems.load(name).effector for name in THREE]
        assert [one["plan"]["effector"] for one in played] == effectors == ["glove", "epidural", "epidural"]
        replayed = runs.replay_study(service.folder)
        assert [one.sentence for one in replayed if not one.equal] == []
        assert all(session_report(study, session_id=one["id"]).pdf.exists() for one in played)
    scalp = RunFile(service.folder / "recordings" / f"{online[2]}.xdf")
    given = [one for one in control.given(scalp.control(), scalp.decisions()) if any(one.asked_ma)]
    assert given
    share = max(BOTH_LEGS)
    approved = [channel.approved_ma for channel in SYSTEM.stimulation.programme.channels]
    assert all(
        asked <= share * most + 1e-9 for one in given for asked, most in zip(one.asked_ma, approved, strict=False)
    )
    assert commands.main(["verify", str(service.folder)]) == 0
