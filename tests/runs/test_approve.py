"""Decisions on decoders are made in one place: checks with their limits, who signed, and why."""

from __future__ import annotations

import ast
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import workbench
from workbench import decoders
from workbench.errors import BadValue, Refused, UnknownName
from workbench.messages import translate
from workbench.runs import approve, grant
from workbench.study import Study
from workbench.vocabulary import Montage, Participant, Recording, Run, Session, Visit

RECORDINGS = ("aa" * 32, "bb" * 32)
GOOD = {
    "n": 40, "correct": 36, "accuracy": 0.9, "chance_limit": 26, "validation": "leave one run out",
    "windows": 400, "skipped": 4,
    "confusion": [
        {"run": 1, "labels": ["grasp", "rest"], "counts": [[9, 1], [1, 9]]},
        {"run": 2, "labels": ["grasp", "rest"], "counts": [[9, 1], [1, 9]]},
    ],
}  # fmt: skip
PASSWORD = "correct horse"


@pytest.fixture
def study(tmp_path):
    with Study.create(tmp_path / "study", code="N", title="t", actor="tests") as made:
        made.person = made.append(Participant("P-041"))
        session = made.append(Session(made.append(Visit(made.person, "month 1")), "Lin Q."))
        for number, sha256 in enumerate(RECORDINGS, start=1):
            run = Run(session, number, "calibration", "grasp_rest", "finished", f"run-{number}")
            file = Recording(run.id, f"recordings/{number}.xdf", sha256, 1, 1, 250.0, "finished")
            made.append_run(run, recordings=[file])
        made.add_person("park", "Park J.", PASSWORD, roles=("engineer",))
        made.add_person("lin", "Lin Q.", PASSWORD, roles=("therapist",))
        yield made


def fitted(study, **metrics):
    """What a fit returns, with the decoder on disk."""
    decoder = decoders.load("bandpower_lda")(fs=250.0)
    samples = np.random.default_rng(1).normal(size=(20, 2, 500))
    samples[::2] *= 3.0
    decoder.fit(samples, np.array(["grasp", "rest"] * 10))
    made = study.folder / "decoders" / "new"
    meta = {"recordings": list(RECORDINGS)}
    sha256 = decoders.save(decoder, made, montage=Montage(("C3", "C4"), 250.0), meta=meta)
    found = {
        "sha256": sha256,
        "name": "bandpower_lda",
        "recordings": list(RECORDINGS),
        "metrics": {**GOOD, **metrics},
    }
    (made / approve.FIT).write_text(json.dumps(found))
    folder = made.rename(study.folder / "decoders" / sha256[:12])
    return {**found, "folder": str(folder)}


def use(study, effector="glove"):
    return {"effector": effector, "participant_id": study.person}


def park(study):
    return study.sign_in("park", PASSWORD).confirm(PASSWORD)


def states(study, sha256, **changes):
    return {check.name: check.state for check in approve.checks(study, sha256, **(use(study) | changes))}


def test_an_engineer_approves_and_the_decision_carries_checks_and_signer(study):
    sha256 = approve.enter(study, fitted(study))
    assert [row["sha256"] for row in study.decoders_awaiting(study.person)] == [sha256]
    made = approve.approve(study, sha256, **use(study), by=park(study), limits={"level_max": 0.8})
    decision = study.approval_of(sha256, **use(study))
    assert (decision["id"], decision["signer"], decision["method"]) == (made, "Park J.", "password")
    assert {c["name"]: c["state"] for c in decision["checks"]} == dict.fromkeys(
        ("file", "participant", "accuracy", "accuracy_by_run", "windows"), "pass"
    )
    accuracy = next(c for c in decision["checks"] if c["name"] == "accuracy")
    assert (accuracy["value"], accuracy["limit"]) == ("36 of 40 (90.0 %)", "26 of 40 (65.0 %)")
    assert decision["limits"] == {"level_max": 0.8}
    assert study.decoders_awaiting(study.person) == []
    assert study.is_approved(sha256, **use(study))
    approve.withdraw(study, sha256, **use(study), by=park(study), reason="a new cap")
    assert not study.is_approved(sha256, **use(study))
    with pytest.raises(Refused, match="nothing to withdraw"):
        approve.withdraw(study, sha256, **use(study), by=park(study), reason="again")
    assert study.verify(files=False).ok


EVENTS = {
    "n": 20, "hits": 18, "missed": 2, "excluded": 0, "onset": {"n": 18, "median": 0.81, "low": 0.7, "high": 0.9},
    "onset_limit_s": 1.5, "onsets_s": [], "false": 3, "rest_s": 180.0, "false_per_min": 1.0,
    "false_interval": [0.2, 2.9],
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "state"),
    [
        ({}, {"onset": "pass", "false_starts": "pass"}),
        ({"hits": 10, "missed": 10}, {"onset": "warn", "false_starts": "pass"}),
        ({"hits": 0, "missed": 20, "onset": None}, {"onset": "warn", "false_starts": "pass"}),
        ({"false": 7, "false_per_min": 7 / 3}, {"onset": "pass", "false_starts": "warn"}),
        ({"false": 0, "rest_s": 0.0, "false_per_min": None}, {"onset": "pass", "false_starts": "warn"}),
    ],
)
def test_slow_onsets_and_false_starts_on_held_out_trials_need_a_reason(study, change, state):
    sha256 = approve.enter(study, fitted(study, held_out={"events": EVENTS | change}))
    assert {name: one for name, one in states(study, sha256).items() if name in state} == state
    if "warn" in state.values():
        with pytest.raises(Refused, match="say why it may be used"):
            approve.approve(study, sha256, **use(study), by=park(study))
    approve.approve(study, sha256, **use(study), by=park(study), reason="first week after implantation")
    kept = study.approval_of(sha256, **use(study))["checks"]
    by_name = {one["name"]: one for one in kept}
    assert by_name["onset"]["limit"] == "1.5 s"
    assert by_name["false_starts"]["limit"] == "2 per minute"


def test_a_therapist_may_not_approve_and_a_used_confirmation_signs_nothing_more(study):
    sha256 = approve.enter(study, fitted(study))
    with pytest.raises(Refused, match="Lin Q. may not approve a decoder"):
        approve.approve(study, sha256, **use(study), by=study.sign_in("lin", PASSWORD).confirm(PASSWORD))
    signed = park(study)
    approve.approve(study, sha256, **use(study), by=signed)
    with pytest.raises(Refused, match="was used or is too old"):
        approve.approve(study, sha256, **use(study, "cursor"), by=signed)
    assert len(study.approvals()) == 1


@pytest.mark.parametrize(
    ("metrics", "name"),
    [
        ({"correct": 25}, "accuracy"),
        ({"confusion": [GOOD["confusion"][0], {"run": 2, "counts": [[5, 5], [5, 5]]}]}, "accuracy_by_run"),
    ],
)
def test_a_failed_check_stops_a_person(study, metrics, name):
    sha256 = approve.enter(study, fitted(study, **metrics))
    assert states(study, sha256)[name] == "fail"
    with pytest.raises(Refused, match="not fit to approve: Not better than guessing"):
        approve.approve(study, sha256, **use(study), by=park(study), reason="I like it")
    assert not study.approvals()


@pytest.mark.parametrize("metrics", [{"skipped": 100}, {"correct": None}])
def test_a_warning_needs_a_reason(study, metrics):
    sha256 = approve.enter(study, fitted(study, **metrics))
    assert "warn" in states(study, sha256).values()
    with pytest.raises(Refused, match="say why it may be used all the same"):
        approve.approve(study, sha256, **use(study), by=park(study))
    approve.approve(study, sha256, **use(study), by=park(study), reason="FC3 carries 4 % of the weight")
    assert study.approvals()[0]["reason"] == "FC3 carries 4 % of the weight"


def test_a_decoder_of_somebody_else_or_with_changed_files_is_never_approved(study):
    sha256 = approve.enter(study, fitted(study))
    other = study.append(Participant("P-099", simulated=True))
    assert states(study, sha256, participant_id=other)["participant"] == "fail"
    script = study.script_signer("tests")
    with pytest.raises(Refused, match="Not fitted on recordings of P-099"):
        approve.approve(study, sha256, effector="glove", participant_id=other, by=script.confirm(), reason="x")
    path = study.folder / "decoders" / sha256[:12] / "decoder.json"
    path.write_text(path.read_text().replace('"fs": 250.0', '"fs": 251.0', 1))
    with pytest.raises(Refused, match="The files are not the ones that were fitted"):
        approve.approve(study, sha256, **use(study), by=park(study))
    (path.parent / "arrays.npz").write_bytes(b"PK torn")
    (check,) = [c for c in approve.checks(study, sha256, **use(study)) if c.name == "file"]
    assert (check.value, check.state) == ("unreadable", "fail")
    assert not study.approvals()


def test_a_script_stands_in_for_somebody_in_a_simulation_only(study):
    sha256 = approve.enter(study, fitted(study, correct=20))
    script = study.script_signer("demo script")
    with pytest.raises(Refused, match="a person has to sign in"):
        approve.approve(study, sha256, **use(study), by=script.confirm(), reason="demo")
    study.amend("participant", study.person, {"simulated": True}, reason="it is")
    approve.approve(study, sha256, **use(study), by=script.confirm(), reason="demo")
    decision = study.approvals()[0]
    assert (decision["method"], decision["person_id"], decision["signer"]) == ("script", "", "demo script")
    assert "fail" in {check["state"] for check in decision["checks"]}


def test_a_rejection_needs_a_reason_and_leaves_the_other_decoder_in_use(study):
    sha256 = approve.enter(study, fitted(study))
    with pytest.raises(Refused, match="to reject a decoder needs a reason"):
        approve.reject(study, sha256, **use(study), by=park(study), reason=" ")
    approve.reject(study, sha256, **use(study), by=park(study), reason="pattern over the neck muscles")
    assert study.approved_decoder(**use(study)) is None
    assert study.decoders_awaiting(study.person) == []


@pytest.mark.parametrize("limits", [{"level": 0.8}, {"level_max": "high"}, {"hold_limit_s": 0}, {"dose_s": True}])
def test_only_limits_that_arming_keeps_can_be_approved(study, limits):
    sha256 = approve.enter(study, fitted(study))
    with pytest.raises(BadValue, match="level_max, hold_limit_s, dose_s"):
        approve.approve(study, sha256, **use(study), by=park(study), limits=limits)
    assert not study.approvals()


def test_names_are_checked(study):
    sha256 = approve.enter(study, fitted(study))
    with pytest.raises(UnknownName, match="fit it, then enter it"):
        approve.approve(study, "cd" * 32, **use(study), by=park(study))
    for name in ("", "other arm", "arm@home"):
        with pytest.raises(BadValue, match="no space and no @"):
            approve.approve(study, sha256, **use(study, name), by=park(study), reason="x")


def test_a_fit_whose_process_died_before_entering_it_waits_for_a_decision_all_the_same(study):
    found = fitted(study)
    (study.folder / "decoders" / "junk").mkdir()
    (study.folder / "decoders" / "junk" / approve.FIT).write_text("[" * 100_000)
    torn = study.folder / "decoders" / "torn"
    shutil.copytree(found["folder"], torn)
    (torn / "arrays.npz").write_bytes((torn / "arrays.npz").read_bytes()[:-40])
    (study.folder / "decoders" / "gone").mkdir()
    (study.folder / "decoders" / "gone" / approve.FIT).symlink_to("nowhere")
    assert approve.enter_waiting(study) == [found["sha256"]]
    assert approve.enter_waiting(study) == []
    row = study.decoders_awaiting(study.person)[0]
    assert row["metrics"]["accuracy"] == 0.9
    assert replace(study.nouns("decoder")[0], id="").sha256 == found["sha256"]


def test_only_one_place_makes_an_approval():
    made = []
    for path in Path(workbench.__file__).parent.rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(source)) if "Approval" in source else ():
            if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "Approval":
                made.append(path.name)
    assert made == ["approve.py"]


def test_one_that_is_worse_than_the_last_one_on_the_same_trials_needs_a_reason(study):
    compared = {"sha256": "cd" * 32, "n": 40, "correct": 30, "last_correct": 36, "only_new": 0, "only_last": 6}
    sha256 = approve.enter(study, fitted(study, compared=compared | {"verdict": "worse"}))
    (check,) = [check for check in approve.checks(study, sha256, **use(study)) if check.name == "compared"]
    assert (check.state, check.value, check.limit) == ("warn", "30 of 40 (75.0 %)", "36 of 40 (90.0 %)")
    with pytest.raises(
        Refused, match="Worse than the last one on the same 40 trials: 0 right by this one alone, 6"
    ):
        approve.approve(study, sha256, **use(study), by=park(study))
    approve.approve(study, sha256, **use(study), by=park(study), reason="the cap was moved")


def of_system(study, system, task="self_paced"):
    """Rewrite the plan of the study's only session: it ran this system and task."""
    (session,) = study.rows("session")
    study.amend("session", session["id"], {"plan": {"system": {"name": system, "task": task}}}, reason="test")


def test_a_decoder_made_in_one_system_is_offered_approved_and_granted_in_no_other(study):
    sha256 = approve.enter(study, fitted(study))
    of_system(study, "imagery_glove")
    here, other = "imagery_glove self_paced", "neo_hand self_paced"
    assert [len(study.decoders_awaiting(study.person, system=name)) for name in (here, other, "")] == [1, 0, 1]
    with pytest.raises(Refused, match="Made for imagery_glove self_paced, not for this system and task"):
        approve.approve(study, sha256, **use(study), by=park(study), system=other, reason="same glove")
    approve.approve(study, sha256, **use(study), by=park(study), system=here)
    named = {check["name"]: check for check in study.approval_of(sha256, **use(study))["checks"]}
    assert (named["system"]["value"], named["system"]["limit"]) == (here, here)
    assert study.approved_decoder(**use(study), system=here)["sha256"] == sha256
    assert study.approved_decoder(**use(study), system=other) is None
    of_system(study, "imagery_glove", "cued")
    assert study.approved_decoder(**use(study), system=here) is None
    session = study.append(
        Session(study.append(Visit(study.person, "x")), "L", plan={"system": {"name": "neo_hand", "task": "cued"}})
    )
    request = {
        "session_id": session, "participant": "P-041", "effector": "glove", "decoder_sha256": sha256,
        "engine_nonce": "0",
    }  # fmt: skip
    with pytest.raises(Refused, match="was made for imagery_glove cued and this session runs neo_hand cued"):
        grant.issue(study, request, signer=study.sign_in("park", PASSWORD))


def test_a_decoder_from_before_systems_were_recorded_is_offered_as_before_and_says_so(study):
    sha256 = approve.enter(study, fitted(study))
    (check,) = [
        check for check in approve.checks(study, sha256, **use(study), system="neo_hand self_paced")
        if check.name == "system"
    ]  # fmt: skip
    assert (check.state, check.value) == ("pass", "not known")
    approve.approve(study, sha256, **use(study), by=park(study), system="neo_hand self_paced")
    assert study.approved_decoder(**use(study), system="neo_hand self_paced")["sha256"] == sha256


# ------------------------------------------------------------------------------------ what the signal itself says
SIGNAL = {
    "pattern": {"parts": "runs", "r": 0.89},
    "muscle": {"stream": "wb-emg", "n": 80, "silent": 78},
    "channels": {"n": 80, "noisy": {"FC3": 6, "C5": 2}},
}
SPOILED = {
    "pattern": (
        {"r": 0.31, "parts": "runs"},
        "correlation 0.31",
        "at least 0.5",
        "was another one from run to run",
    ),
    "muscle": (
        {"stream": "wb-emg", "n": 80, "silent": 71},
        "EMG silent in 71 of 80",
        "at least 90% of 80",
        "wb-emg",
    ),
    "channels": ({"n": 40, "noisy": {"C5": 1, "FC3": 6}}, "FC3 in 6 of 40 cued periods", "10% of 40", "FC3"),
}


def test_a_calibration_of_one_pattern_without_muscle_and_noise_passes_with_its_figures(study):
    sha256 = approve.enter(study, fitted(study, signal=SIGNAL))
    found = {check.name: check for check in approve.checks(study, sha256, **use(study))}
    assert {found[name].state for name in SIGNAL} == {"pass"}
    assert found["pattern"].value == "correlation 0.89"
    assert found["muscle"].value == "EMG silent in 78 of 80 attempts"
    # The one that was noisy most often stands there although it may be.
    assert found["channels"].value == "FC3 in 6 of 80 cued periods"


@pytest.mark.parametrize("name", SPOILED)
def test_another_pattern_a_muscle_or_a_noisy_channel_needs_a_reason_that_is_kept_with_its_figure(study, name):
    spoiled, value, limit, named = SPOILED[name]
    sha256 = approve.enter(study, fitted(study, signal=SIGNAL | {name: spoiled}))
    (warned,) = [check for check in approve.checks(study, sha256, **use(study)) if check.state != "pass"]
    assert warned.name == name
    assert value in warned.value
    assert limit in warned.limit
    assert named in warned.text
    assert translate(warned.text, language="zh-CN") != warned.text
    with pytest.raises(Refused, match="say why it may be used all the same"):
        approve.approve(study, sha256, **use(study), by=park(study))
    approve.approve(study, sha256, **use(study), by=park(study), reason="seen, and no matter")
    kept = {check["name"]: check for check in study.approval_of(sha256, **use(study))["checks"]}
    assert kept[name]["state"] == "warn"
    assert value in kept[name]["value"]


def test_a_muscle_of_which_nothing_is_known_needs_a_reason(study):
    unknown = {"stream": "wb-emg", "why": "the run has nothing of it"}
    sha256 = approve.enter(study, fitted(study, signal={"muscle": unknown}))
    (warned,) = [check for check in approve.checks(study, sha256, **use(study)) if check.state != "pass"]
    assert (warned.name, warned.value) == ("muscle", "not known")
    assert "the run has nothing of it" in warned.text
