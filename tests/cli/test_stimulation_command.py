"""Limits of an electrode on the command line."""

from __future__ import annotations

import json

import numpy as np
import pytest
import tomli_w

from tests.control.test_stimulation import setup
from tests.control.test_stimulation_status import armed, followed
from tests.stimulation import worked
from tests.stimulation.worked import definition, limits
from workbench.recording import RunWriter
from workbench.stimulation import as_sham, definition_of, parse_programme
from workbench.study import Study
from workbench.study.changes import AdoptStimulationLimits, RecordContactMap
from workbench.vocabulary import Participant, StreamSpec, Visit


@pytest.fixture
def written(tmp_path):
    def write(name, **changes):
        path = tmp_path / name
        path.write_text(tomli_w.dumps(definition(**changes)), encoding="utf-8")
        return path

    return write


def test_the_programme_of_a_map_in_the_record_is_printed_as_its_file(tmp_path, inside):
    with Study.create(tmp_path / "study", code="LEAD", title="lead", actor="tests") as study:
        visit = study.append(Visit(study.append(Participant("SIM", simulated=True)), "v"))
        signers = [study.script_signer(name).confirm() for name in ("Dr A", "Dr B")]
        study.apply(AdoptStimulationLimits(worked.definition()), signers, "tests")
        source = {"simulated": True, "stimulator": "simulated_epidural"}
        change = RecordContactMap(visit, worked.limits().sha256, worked.LEAD_MAP, source)
        study.apply(change, study.script_signer("Chen L."), "x")
    how = ("--name", "walk", "--rate-hz", "40")
    said = inside("stimulation", "programme", tmp_path / "study", "newest", *how)
    assert said.code == 0, said.err
    (channel,) = parse_programme(said.out, file="printed").channels
    assert (channel.name, channel.cathodes, channel.approved_ma) == ("left quadriceps", (0,), 2.0)
    assert (channel.width_us, channel.rate_hz) == (300.0, 40.0)
    said = inside("stimulation", "programme", tmp_path / "study", "no-map", *how)
    assert said.code != 0
    assert "no map 'no-map'" in said.err
    assert "Traceback" not in said.err


def test_a_file_of_limits_is_checked_and_what_it_raises_is_named(inside, written):
    first = written("first.toml")
    said = inside("stimulation", "check", first)
    assert said.code == 0, said.err
    assert f"sha256     {limits().sha256}" in said.out
    assert "to be signed by two people, one of them an investigator" in said.out
    wider = {"limits": {"burst_s": 12.0, "density_uc_cm2": 50.0}, "version": 2, "replaces": limits().sha256}
    reason = {"limit": "density_uc_cm2", "value": 50.0, "reason": "ethics committee, ref. 7"}
    second = written("second.toml", **wider, override=[reason])
    said = inside("stimulation", "check", second, "--against", first)
    assert said.code == 0
    assert "beyond     density_uc_cm2 = 50: ethics committee, ref. 7" in said.out
    assert "raised     density_uc_cm2 30 → 50, burst_s 10 → 12" in said.out
    answer = inside("stimulation", "check", first, "--against", second, "--json")
    assert answer.answer("stimulation check", code=1)["follows"] is False


def test_limits_are_shown_with_the_current_that_they_allow(inside, written):
    said = inside("stimulation", "show", written("limits.toml"))
    assert said.code == 0
    assert "shannon_k            at most 1.75 (usual 1.75): Shannon k" in said.out
    assert "refractory_s         at least 0.5 s" in said.out
    assert "ceiling_rise_per_s   at most 0.1 (10 %/s) (usual 0.1): rise of the ceiling" in said.out
    assert "delivery_tolerance   at most 0.1 (10 %) (usual 0.1): delivered current" in said.out
    assert "duty                 at most 0.5 (50 %): duty" in said.out
    assert "greatest charge of a phase on one contact: 1.80 µC" in said.out
    assert "at 300 µs up to 6.00 mA" in said.out
    result = inside("stimulation", "show", written("limits.toml"), "--json").answer("stimulation show")
    assert result["current_ma"][2] == {"width_us": 300.0, "current_ma": pytest.approx(6.0)}
    assert result["definition"]["electrode"] == "paddle-16"


def test_two_people_put_limits_into_force_in_a_study(run, written, tmp_path):
    folder, file = tmp_path / "trial", written("limits.toml")
    assert run("new", folder, "--code", "X")[0] == 0
    for login, role in (("lin", "investigator"), ("he", "engineer")):
        added = ("people", "add", folder, login, "--name", f"Dr {login}", "--roles", role)
        assert run(*added, stdin="correct horse\n")[0] == 0
    adopt = ("stimulation", "adopt", folder, file, "--as", "lin", "--reason", "the paddle of the trial")
    code, _, err = run(*adopt, stdin="correct horse\n")
    assert (code, "needs 2 fresh signatures" in err) == (2, True)
    code, out, _ = run(*adopt, "--as", "he", "--json", stdin="correct horse\n" * 2)
    result = json.loads(out)["result"]
    assert (code, result["sha256"], result["raised"]) == (0, limits().sha256, [])
    code, _, err = run(*adopt, "--as", "he", stdin="correct horse\n" * 2)
    assert (code, "continue with version 2" in err) == (2, True)


def test_a_file_that_is_wrong_is_refused_with_everything_that_is(inside, written):
    refused = inside("stimulation", "check", written("wrong.toml", limits={"duty": 2.0, "charge_uc": None}))
    refused.refused("charge_uc is missing", "duty is a fraction")


def test_a_recording_of_a_sham_says_what_was_asked_and_that_nothing_was_given(inside, tmp_path):
    of = as_sham(setup())
    entries, decisions = followed(armed(of))
    spec = StreamSpec("eeg", "EEG", 250.0, ("C3",), source_id="x")
    path = tmp_path / "sham.xdf"
    plan = {"classes": ["rest", "grasp"], "effector": "epidural", "stimulation": definition_of(of)}
    with RunWriter(path, plan=plan, stamp=100.0, signal=spec) as writer:
        writer.signal(np.zeros((250, 1), np.float32), 100.0 + np.arange(250) / 250.0)
        for decision in decisions:
            writer.decision(decision)
        writer.control([(kind, content, 100.0) for kind, content in entries])
    for options in ((), ("--json",)):
        refused = inside("stimulation", "given", path, *options)
        assert (refused.code, "a sham; add --unblinded" in refused.err) == (2, True)
        assert "mA" not in refused.out + refused.err
    said = inside("stimulation", "given", path, "--unblinded")
    assert said.code == 0, said.err
    assert "sham.xdf: sham, programme " in said.out
    assert "paddle-16" in said.out
    assert "signed by chen, lin" in said.out
    assert "close    asked 5 4 mA, given 0 0 mA" in said.out
    answer = inside("stimulation", "given", path, "--unblinded", "--json").answer("stimulation given")
    assert (answer["mode"], answer["orders"][0]["asked_ma"]) == ("sham", [5.0, 4.0])


def test_a_recording_without_stimulation_is_said_to_be_one(inside, tmp_path):
    path = tmp_path / "other.xdf"
    with RunWriter(path, plan={"classes": []}, stamp=1.0, signal=StreamSpec("e", "EEG", 250.0, ("C3",))) as writer:
        writer.signal(np.zeros((9, 1), np.float32), 1.0 + np.arange(9) / 250.0)
    said = inside("stimulation", "given", path)
    assert (said.code, said.out) == (1, "other.xdf says nothing of stimulation\n")
