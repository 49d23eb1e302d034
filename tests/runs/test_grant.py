"""Arming is granted by the record: the right decoder, person, session and engine, once, and within its life."""

from __future__ import annotations

import copy
import dataclasses
import json
import os
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from tests.control import test_stimulation_status as stimulation
from tests.doors import SteppedClock
from workbench import control, world
from workbench.engine.grants import GrantGate
from workbench.errors import RecordFault, RecordingFault, Refused
from workbench.live import SessionPlan
from workbench.recording import RunFile, RunWriter, chunks, index
from workbench.runs import grant
from workbench.stimulation import Wearer, as_sham, definition_of
from workbench.study import Study, people, protocol
from workbench.study.changes.protocols import AdoptProtocol
from workbench.study.changes.stimulating import AdoptStimulationLimits
from workbench.systems import eeg_fes_rehabilitation, simulate
from workbench.vocabulary import Approval, Command, FittedDecoder, Participant, Session, StreamSpec, Visit

SHA, OTHER = "a" * 64, "b" * 64
EXAMPLE = Path(__file__).parents[2] / "data_samples" / "protocol_neo_hand.toml"


@pytest.fixture
def clinic(tmp_path):
    """A record with two simulated people, a session of each, and a decoder approved for the first."""
    with Study.create(tmp_path / "study", code="T", title="tests", actor="tests") as study:
        people = [study.append(Participant(code, simulated=True)) for code in ("P1", "P2")]
        visits = [study.append(Visit(person, "V1")) for person in people]
        sessions = [study.append(Session(visit, "tests", simulated=True)) for visit in visits]
        study.append(FittedDecoder(SHA, "bandpower_lda", "decoders/a", ("c" * 64,)))
        made = SimpleNamespace(
            study=study, folder=study.folder, session=sessions[0], other=sessions[1], people=people
        )
        decide(made, "approve", id="ap-1", limits={"level_max": 0.5})
        yield made


def decide(clinic, decision, **changes):
    """A decision on the decoder as ``approve`` leaves it, which has tests of its own."""
    usual = {"method": "script", "utc": "2026-03-01T09:30:00.000Z", "signer": "tests"}
    clinic.study.append(Approval(SHA, clinic.people[0], "glove", decision, **(usual | changes)))


def plan_of(clinic, **changes):
    usual = {
        "study_folder": str(clinic.folder),
        "study": "T",
        "participant": "P1",
        "visit": "V1",
        "session_id": clinic.session,
        "operator": "tests",
        "contract": (StreamSpec("eeg", "EEG", 250.0, ("C3",), source_id="x"),),
        "effector": "glove",
    }
    return SessionPlan(**(usual | changes))


def request_of(gate, plan, sha256=SHA):
    return {
        "session_id": plan.session_id,
        "participant": plan.participant,
        "effector": plan.effector,
        "decoder_sha256": sha256,
        "engine_nonce": gate.nonce,
    }


def issued(clinic, gate, plan, sha256=SHA):
    signer = clinic.study.script_signer("tests")
    return grant.issue(clinic.study, request_of(gate, plan, sha256), signer=signer)


@pytest.fixture
def gate(clinic):
    plan = plan_of(clinic)
    return GrantGate(plan), plan


def arm(gate, envelope, sha256=SHA, own=()):
    return gate.arming(envelope, decoder_sha256=sha256, own_runs=own)


def test_a_grant_of_the_record_arms_with_the_limits_of_the_approval_and_only_once(clinic, gate):
    gate, plan = gate
    envelope = issued(clinic, gate, plan)
    found = arm(gate, envelope)
    assert (found.approval_id, found.participant, found.effector) == ("ap-1", "P1", "glove")
    assert found.level_max == 0.5
    assert found.dose_s == control.profile_limits(control.load("glove")).dose_s
    with pytest.raises(Refused, match="another or an earlier engine"):
        arm(gate, envelope)


def test_a_schedule_is_granted_by_name_within_what_was_approved_for_the_person(clinic, gate):
    gate, plan = gate
    passive = f"{control.SCHEDULE}passive"
    found = arm(gate, issued(clinic, gate, plan, passive), passive)
    assert (found.approval_id, found.decoder_sha256, found.level_max) == (passive, passive, 0.5)
    other = plan_of(clinic, participant="P2", session_id=clinic.other)
    theirs = GrantGate(other)
    profile = control.profile_limits(control.load("glove"))
    assert arm(theirs, issued(clinic, theirs, other, passive), passive).level_max == profile.level_max
    with pytest.raises(Refused, match="another decoder"):
        arm(gate, issued(clinic, gate, plan, passive), f"{control.SCHEDULE}sham")
    with pytest.raises(Refused, match="has not been approved"):
        issued(clinic, gate, plan, f"{control.SCHEDULE}calibration")


def test_a_decoder_approved_for_another_person_is_granted_to_nobody_else(clinic):
    plan = plan_of(clinic, participant="P2", session_id=clinic.other)
    gate = GrantGate(plan)
    with pytest.raises(Refused, match="has not been approved for effector glove and participant P2"):
        issued(clinic, gate, plan)
    stolen = issued(clinic, gate, plan_of(clinic))
    with pytest.raises(Refused, match="for another session"):
        arm(gate, stolen)


def test_a_session_of_another_person_in_the_record_is_refused(clinic):
    plan = plan_of(clinic, session_id=clinic.other)
    with pytest.raises(Refused, match="start it for the right person"):
        issued(clinic, GrantGate(plan), plan)


def test_an_approval_that_was_withdrawn_grants_nothing(clinic, gate):
    gate, plan = gate
    decide(clinic, "withdraw")
    with pytest.raises(Refused, match="'withdraw'"):
        issued(clinic, gate, plan)


def test_an_approval_by_a_script_grants_nothing_once_the_participant_is_no_simulation(clinic, gate):
    gate, plan = gate
    clinic.study.amend("participant", clinic.people[0], {"simulated": False}, reason="a person after all")
    with pytest.raises(Refused, match="approved by a script"):
        issued(clinic, gate, plan)


def test_who_has_left_the_study_is_granted_nothing_from_a_page_that_is_still_open(clinic, gate):
    gate, plan = gate
    clinic.study.add_person("lin", "Lin Q.", "a long enough password")
    signer = clinic.study.sign_in("lin", "a long enough password")
    assert grant.issue(clinic.study, request_of(gate, plan), signer=signer)["payload"]["by"] == "Lin Q."
    people.set_state(clinic.study, "lin", "closed", reason="left the team")
    with pytest.raises(Refused, match="the access of Lin Q. was closed"):
        grant.issue(clinic.study, request_of(gate, plan), signer=signer)


def test_a_limit_that_nobody_keeps_grants_nothing(clinic, gate):
    gate, plan = gate
    decide(clinic, "approve", limits={"level": 0.1})
    with pytest.raises(Refused, match="the limit 'level', which nobody keeps"):
        issued(clinic, gate, plan)


CHANGES = {
    "decoder": ("payload", "decoder_sha256", OTHER),
    "level": ("payload", "limits", {"level_max": 1.0, "hold_limit_s": 30.0, "dose_s": 1e6}),
    "life": ("payload", "expires", 1e12),
    "purpose": (None, "purpose", "head"),
    "epoch": (None, "epoch", 7),
    "signature": (None, "signature", "0" * 128),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_grant_changed_in_any_place_arms_nothing(clinic, gate, name):
    gate, plan = gate
    forged = copy.deepcopy(issued(clinic, gate, plan))
    part, key, value = CHANGES[name]
    (forged if part is None else forged[part])[key] = value
    with pytest.raises(Refused):
        arm(gate, forged)
    arm(gate, issued(clinic, gate, plan))


@pytest.mark.parametrize("envelope", [None, "yes", 1, [], {}, {"payload": 1, "epoch": 1}])
def test_what_is_no_grant_arms_nothing(clinic, gate, envelope):
    with pytest.raises(Refused):
        arm(gate[0], envelope)


def test_a_grant_for_another_decoder_than_the_loaded_one_arms_nothing(clinic, gate):
    gate, plan = gate
    with pytest.raises(Refused, match="for another decoder; ask"):
        arm(gate, issued(clinic, gate, plan), sha256=OTHER)


def test_a_grant_that_waited_too_long_arms_nothing(clinic):
    plan = plan_of(clinic)
    gate = GrantGate(plan)
    envelope = issued(clinic, gate, plan)
    later = SteppedClock(time.monotonic() + grant.LIFE_S + 1.0, boot=world.clock.boot_id())
    with world.entered(clock=later), pytest.raises(Refused, match="expired"):
        arm(gate, envelope)


def test_a_record_that_cannot_be_read_means_no_arming(clinic, gate, tmp_path):
    gate, plan = gate
    envelope = issued(clinic, gate, plan)
    gone = GrantGate(plan_of(clinic, study_folder=str(tmp_path)))
    gone.nonce = gate.nonce
    with pytest.raises(RecordFault):
        arm(gone, envelope)


def test_a_script_is_never_granted_a_real_effector(clinic):
    plan = plan_of(clinic, effector_simulated=False)
    gate = GrantGate(plan)
    with pytest.raises(Refused, match="a script cannot be granted a real effector"):
        arm(gate, issued(clinic, gate, plan))


def recorded(clinic, run, *, participant="P1", effector="glove", held=2.0):
    """A recording in which the effector was held closed for so many s of its 10 s."""
    (clinic.folder / "recordings").mkdir(exist_ok=True)
    path = clinic.folder / "recordings" / f"{run}.xdf"
    plan = {"run": run, "session": "s", "participant": participant, "effector": effector}
    writer = RunWriter(path, plan=plan, stamp=10.0, signal=StreamSpec("eeg", "EEG", 250.0, ("C3",), source_id="x"))
    stamps = 10.0 + np.arange(2500) / 250.0
    writer.signal(np.zeros((2500, 1), np.float32), stamps)
    for seq, (stamp, level) in enumerate([(11.0, 1.0), (11.0 + held, 0.0)], start=1):
        writer.command(order(seq, stamp, level))
    writer.close(state="finished")
    return path


def dose(clinic):
    return grant.dose_of_today(clinic.folder, participant="P1", effector="glove")


def test_the_dose_of_the_day_is_that_of_other_engines_and_of_runs_not_yet_in_the_record(clinic, gate):
    gate, plan = gate
    for run, held in (("run-a", 2.0), ("run-b", 3.0), ("run-mine", 4.0)):
        recorded(clinic, run, held=held)
    recorded(clinic, "other-person", participant="P2")
    recorded(clinic, "other-effector", effector="cursor")
    os.utime(recorded(clinic, "last-week"), (time.time() - 7 * 86400,) * 2)
    assert not clinic.study.rows("run")
    assert dose(clinic) == {"run-a": 2.0, "run-b": 3.0, "run-mine": 4.0}
    assert arm(gate, issued(clinic, gate, plan), own=["run-mine"]).dose_used_s == 5.0


def test_a_recording_of_today_is_read_once_for_all_grants_and_again_when_it_changed(clinic, monkeypatch):
    read = []
    monkeypatch.setattr(grant, "RunFile", lambda path, **more: read.append(path) or RunFile(path, **more))
    path = recorded(clinic, "run-a", held=2.0)
    assert [dose(clinic) for _ in range(3)] == [{"run-a": 2.0}] * 3
    assert read == [path]
    path.unlink()
    index.path_of(path).unlink()
    recorded(clinic, "run-a", held=3.0)
    assert dose(clinic) == {"run-a": 3.0}
    index.path_of(path).write_bytes(b"")
    dose(clinic)
    assert read == [path] * 3


def test_the_dose_of_a_whole_recording_is_read_without_its_samples(clinic, monkeypatch):
    def unread(*_, **__):
        raise AssertionError

    recorded(clinic, "run-a", held=2.0)
    monkeypatch.setattr(chunks, "decode_numbers", unread)
    assert dose(clinic) == {"run-a": 2.0}


def test_a_recording_dated_in_the_future_counts_towards_the_dose_of_today(clinic):
    os.utime(recorded(clinic, "run-a"), (time.time() + 2 * 86400,) * 2)
    assert dose(clinic) == {"run-a": 2.0}


def test_a_damaged_recording_counts_its_whole_length_and_one_that_cannot_be_read_means_no_arming(clinic, gate):
    path = recorded(clinic, "run-a")
    whole = path.read_bytes()
    at = whole.index(b'"seq": 1')
    path.write_bytes(whole[:at] + b"X" + whole[at + 1 :])
    assert dose(clinic)["run-a"] == pytest.approx(10.0 - 1 / 250.0 + grant.LAPSE_S)
    path.write_bytes(b"no recording")
    index.path_of(path).unlink()
    with pytest.raises(RecordingFault, match="so that the dose is not known"):
        issued(clinic, *gate)


def order(seq, stamp, level):
    return Command(seq, stamp, stamp, -1, "glove", "glove", "close", (level,), 0, 250, "ACTIVE")


def activation_s(commands, control=(), decisions=(), **plan):
    file = SimpleNamespace(
        plan=plan, commands=lambda: commands, control=lambda: control, decisions=lambda: decisions
    )
    return grant.activation_s(file)


def test_activation_is_the_time_with_a_level_and_a_cut_recording_counts_its_safe_state():
    closed = [order(1, 10.0, 0.0), order(2, 11.0, 1.0), order(3, 14.0, 1.0), order(4, 15.0, 0.0)]
    assert activation_s(closed) == 4.0
    assert activation_s(closed[:3]) == 3.0 + grant.LAPSE_S
    assert activation_s([]) == 0.0


def test_a_sham_uses_up_the_dose_of_the_day_like_the_other_though_it_commands_nothing():
    used = []
    for of in (stimulation.setup(), as_sham(stimulation.setup())):
        bench = stimulation.armed(of)
        entries, decisions = stimulation.followed(bench)
        used.append(activation_s(bench.sent, entries, decisions, stimulation=definition_of(of)))
    assert not any(any(command.level) for command in bench.sent)
    assert used[0] == pytest.approx(used[1])
    assert used[1] > 0


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"script_present": True, "effector_simulated": False}, "simulated effector only"),
        ({"absence_s": 61.0}, "from 2 to 60"),
        ({"absence_s": 1.0}, "from 2 to 60"),
        ({"place": "garden"}, "clinic, lab, home"),
    ],
)
def test_a_plan_that_leaves_nobody_to_watch_is_refused(clinic, changes, words):
    with pytest.raises(Exception, match=words):
        plan_of(clinic, **changes)


HOME_USE = """
[home_use]
present = ["caregiver"]
reset = ["caregiver", "site"]
present_min = 60
day_min = 60
skin_min = 90
call = "Study line 010-5550-0100"
emergency = "120"
release = "Open the grey valve at the wrist."
"""


def adopt(study, text):
    """A version of the example's protocol with a rule for use at home."""
    signers = [study.script_signer(name).confirm() for name in ("Chen L.", "Lin Q.")]
    study.apply(AdoptProtocol(protocol.parse(text, "p.toml").definition()), signers, "tests")


def test_a_session_at_home_is_granted_by_the_rule_that_is_in_force_and_by_no_other(clinic):
    example_text = EXAMPLE.read_text(encoding="utf-8")
    home = ("place", "home"), ("effector", "glove"), ("script_present", True)
    adopt(clinic.study, example_text + HOME_USE)
    rule = protocol.parse(example_text + HOME_USE, "p.toml").home_use
    visit = clinic.study.get("session", clinic.session)["visit_id"]
    plan = plan_of(clinic, **dict(home), home=rule)
    session = clinic.study.append(
        Session(visit, "tests", id="home-1", simulated=True, plan=json.loads(plan.to_json()))
    )
    plan = dataclasses.replace(plan, session_id=session)
    gate = GrantGate(plan)
    other = GrantGate(dataclasses.replace(plan, home=dataclasses.replace(rule, day_min=600.0)))
    other.nonce = gate.nonce
    envelope = issued(clinic, gate, plan)
    with pytest.raises(Refused, match="another rule for use at home"):
        arm(other, envelope)
    assert arm(gate, envelope).participant == "P1"
    later = (example_text + HOME_USE).replace("day_min = 60", "day_min = 30").replace('"1.0.0"', '"1.1.0"')
    adopt(clinic.study, later)
    with pytest.raises(Refused, match="has changed since this session began"):
        issued(clinic, gate, plan)


def test_without_a_rule_in_force_nothing_is_granted_at_home(clinic):
    visit = clinic.study.get("session", clinic.session)["visit_id"]
    session = clinic.study.append(Session(visit, "tests", id="home-2", simulated=True, plan={"place": "home"}))
    plan = plan_of(clinic, session_id=session, place="home", script_present=True)
    with pytest.raises(Refused, match=r"the protocol needs a section \[home_use\]"):
        issued(clinic, GrantGate(plan), plan)


def stimulated(clinic):
    """A session in the record that stimulates, with its plan, and the gate of its engine."""
    signers = [clinic.study.script_signer(name).confirm() for name in ("Chen L.", "Lin Q.")]
    (example,) = eeg_fes_rehabilitation.SYSTEM.stimulation.example
    clinic.study.apply(AdoptStimulationLimits(example.definition()), signers, "tests")
    visit = clinic.study.get("session", clinic.session)["visit_id"]
    bound = simulate(eeg_fes_rehabilitation.SYSTEM)
    plan = bound.new_session(clinic.study, visit=visit, operator="tests", script_present=True)
    return plan, example


PASSIVE = f"{control.SCHEDULE}passive"


def test_a_grant_arms_the_stimulation_that_stands_in_the_record_and_no_other(clinic):
    plan, example = stimulated(clinic)
    gate = GrantGate(plan)
    assert arm(gate, issued(clinic, gate, plan, PASSIVE), PASSIVE).effector == "fes"
    lower = dataclasses.replace(plan.stimulation, wearer=Wearer("T10"))
    other = GrantGate(dataclasses.replace(plan, stimulation=lower))
    with pytest.raises(Refused, match="another set-up of stimulation"):
        arm(other, issued(clinic, other, plan, PASSIVE), PASSIVE)
    signers = [clinic.study.script_signer(name).confirm() for name in ("Chen L.", "Lin Q.")]
    newer = dataclasses.replace(example, version=2, replaces=example.sha256)
    clinic.study.apply(AdoptStimulationLimits(newer.definition()), signers, "tests")
    with pytest.raises(Refused, match="not those in force in the record; begin a new session"):
        issued(clinic, gate, plan, PASSIVE)
