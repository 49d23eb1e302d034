"""Fitting on recorded runs: every decoder gets what it needs from one run, and two runs are judged both ways."""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from tests.reference.grasp_simulation import items
from tests.shares import some
from workbench import decoders, paradigms
from workbench.dashboard import SessionPage
from workbench.decode import decode
from workbench.devices import simulated_participant
from workbench.devices.simulated_participant import render
from workbench.errors import EngineFault, Refused
from workbench.recording import RunFile, RunWriter, file_sha256
from workbench.runs import approve, fitting, run_fit
from workbench.runs.comparing import compare
from workbench.study import Study
from workbench.vocabulary import Marker, Montage, Participant, Recording, Run, Session, Trial, Visit

pytestmark = pytest.mark.job

DEMO_GRASPS = 16


def recorded(path, *, seed, n_trials=DEMO_GRASPS):
    """A calibration run of a simulated participant, as the engine records it."""
    paradigm = paradigms.load("grasp_rest")().suited(remembers=True)
    cues = paradigm.schedule(n_trials, seed=seed)
    samples, _ = render(seed, cues, cues[-1].at_s + cues[-1].duration_s)
    spec = simulated_participant.spec({"preset": "neo", "seed": seed, "source_id": "simulated"})
    line = {name: getattr(spec, name) for name in ("name", "type", "fs", "unit", "source_id", "critical", "role")}
    line |= {"channels": list(spec.channels), "counter": spec.counter}
    plan = {
        "run": path.stem, "kind": "calibration", "paradigm": "grasp_rest", "params": paradigm.params(),
        "classes": [], "contract": [line],
    }  # fmt: skip
    with RunWriter(path, plan=plan, stamp=1000.0, signal=spec) as writer:
        for item in items(samples.astype(np.float32), cues):
            if isinstance(item, Marker):
                writer.marker(item)
            else:
                writer.signal(item.samples, item.stamps)
    return path


@pytest.fixture(scope="module")
def demo_run(tmp_path_factory):
    return recorded(tmp_path_factory.mktemp("fit") / "one.xdf", seed=1)


@pytest.fixture(scope="module")
def demo_fit(demo_run, tmp_path_factory):
    """What a fit on the demo's run found, and the shares of the work that it told."""
    folder, shares = tmp_path_factory.mktemp("demo_fit"), []
    fitted = fitting.fit(folder, [demo_run], "bandpower_lda", {"hop_s": 0.1}, progress=shares.append)
    return fitted["metrics"], shares


@pytest.fixture(scope="module")
def two_runs(tmp_path_factory):
    """Two short runs, and what a fit on both found."""
    folder = tmp_path_factory.mktemp("two")
    runs = [recorded(folder / f"{seed}.xdf", seed=seed, n_trials=6) for seed in (1, 2)]
    return runs, fitting.fit(folder, runs, "bandpower_lda", {"hop_s": 0.1})["metrics"]


@pytest.mark.release
@pytest.mark.parametrize(
    ("name", "params"),
    some(
        [
            ("bandpower_svm", {"hop_s": 0.2}),
            ("mrcp_lda", {}),
            ("csp_lda", {"evidence": {"calibrate": "auto", "reject": 0.2}}),
            ("bandpower_lda", {"hop_s": 0.1, "evidence": {"memory": "trigger"}}),
            ("riemann_mdm", {"hop_s": 0.2, "evidence": {"stop": 0.8}}),
        ],
        of=3,
    ),
)
def test_the_16_grasps_of_the_demo_are_enough_for_what_is_held_out(demo_run, tmp_path, name, params):
    fitted = fitting.fit(tmp_path, [demo_run], name, params)
    assert fitted["metrics"]["validation"] == "5 contiguous blocks"
    assert fitted["metrics"]["n"] >= 2 * DEMO_GRASPS
    assert "novelty_limit" in decoders.read(tmp_path / "decoders" / fitted["sha256"][:12]).evidence_


def test_two_runs_are_judged_run_by_run_and_in_blocks_within_each(two_runs):
    metrics = two_runs[1]
    assert metrics["validation"] == "leave one run out"
    assert [table["run"] for table in metrics["confusion"]] == [1, 2]
    within = metrics["within_runs"]
    assert within["validation"] == "5 contiguous blocks of each run"
    assert len(within["confusion"]) == 10
    assert within["n"] == metrics["n"] == 2 * 13


def test_what_is_held_out_is_decided_by_a_decoder_of_the_other_run_and_counted_once(two_runs, tmp_path):
    runs, metrics = two_runs
    trials = []
    for own, other in (runs, runs[::-1]):
        (tmp_path / other.stem).mkdir()
        alone = fitting.fit(tmp_path / other.stem, [other], "bandpower_lda", {"hop_s": 0.1})
        run = RunFile(own)
        paradigm = paradigms.from_params(run.plan["paradigm"], run.plan["params"])
        made = decode(run.items(), paradigm, decoders.read(Path(alone["folder"])), fs=run.signal.fs)
        trials += [one for one in made if isinstance(one, Trial)]
    events = metrics["held_out"]["events"]
    assert events["n"] + events["excluded"] == len(trials) == 12
    assert events["onsets_s"] == [one.latency_s for one in trials if one.outcome == "correct"]
    assert events["false"] == sum(one.false_in_rest for one in trials if one.outcome != "excluded")
    assert events["onset_limit_s"] == 1.5


def test_evidence_is_kept_around_each_held_out_cue_and_rises_for_the_movement_alone(demo_fit):
    held = demo_fit[0]["held_out"]
    assert held["target"] == "grasp"
    assert {name: one["n"] for name, one in held["evidence"].items()} == {"grasp": 16, "rest": 17}
    assert held["thresholds"] == {"release": 0.2, "activate": 0.65}
    before, during = held["times_s"].index(0.0), held["times_s"].index(2.0)
    grasp, rest = held["evidence"]["grasp"], held["evidence"]["rest"]
    assert grasp["mean"][before] < held["thresholds"]["release"] < 0.65 < grasp["mean"][during]
    assert rest["mean"][during] < 0.2
    assert grasp["low"][during] <= grasp["mean"][during] <= grasp["high"][during] <= 1.0


def test_a_positive_weight_says_that_more_power_speaks_for_the_movement(demo_fit):
    weights = demo_fit[0]["weights"]
    assert weights["target"] == "grasp"
    assert weights["bands"][-1][0] >= 55  # high gamma, which rises with an attempt
    assert sum(weights["values"][-1]) > 0


@pytest.mark.release
def test_a_fit_tells_how_far_it_is_and_a_fit_of_its_own_process_hands_that_on(demo_run, demo_fit, tmp_path):
    shares = demo_fit[1]
    assert shares == [k / 6 for k in range(1, 6)]  # five parts, then the fit itself
    seen = []
    fitted = run_fit(tmp_path, [demo_run], "bandpower_lda", {"hop_s": 0.1}, progress=seen.append)
    assert fitted["metrics"]["held_out"]["events"]["n"] == DEMO_GRASPS
    assert seen == sorted(seen)
    assert set(seen) <= {0.0, *(round(share, 4) for share in shares)}


def test_a_fit_that_does_not_end_in_time_is_ended_and_told(demo_run, tmp_path):
    with pytest.raises(EngineFault, match=r"did not end within 0.1 s; use fewer or shorter runs"):
        run_fit(tmp_path, [demo_run], "bandpower_lda", {}, timeout=0.1)


@pytest.mark.release
@pytest.mark.skipif(sys.platform == "win32", reason="a script stands in for the interpreter")
def test_a_fit_computes_on_one_thread_whatever_its_caller_has_so_that_its_hash_is_the_same(
    tmp_path, demo_run, monkeypatch
):
    noted = tmp_path / "threads"
    stand_in = tmp_path / "python"
    note = f'echo "$OPENBLAS_NUM_THREADS" > "{noted}"'
    stand_in.write_text(f'#!/bin/sh\n{note}\nexec "{sys.executable}" "$@"\n')
    stand_in.chmod(0o700)
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "2")
    first = run_fit(tmp_path, [demo_run], "csp_lda", {"hop_s": 0.5})
    monkeypatch.setattr(sys, "executable", str(stand_in))
    again = run_fit(tmp_path, [demo_run], "csp_lda", {"hop_s": 0.5})
    assert noted.read_text() == "1\n"
    assert again["sha256"] == first["sha256"]


def test_a_single_run_has_no_figure_within_runs(demo_run, tmp_path):
    assert fitting.fit(tmp_path, [demo_run], "csp_lda", {"hop_s": 0.2})["metrics"]["within_runs"] is None


def test_runs_from_before_a_parameter_was_known_go_with_later_ones_and_other_parameters_do_not():
    params = paradigms.load("grasp_rest")().suited(remembers=True).params()
    earlier = {name: value for name, value in params.items() if name != "rejected_dwell"}
    assert fitting._same(("grasp_rest", earlier), ("grasp_rest", params))
    assert not fitting._same(("grasp_rest", params | {"attempt_s": 9.0}), ("grasp_rest", params))
    assert not fitting._same(("left_right", params), ("grasp_rest", params))


@pytest.mark.release
def test_a_decoder_is_re_centred_on_another_day_and_compared_with_itself_on_the_same_trials(demo_run, tmp_path):
    params = {"hop_s": 0.2}
    first = fitting.fit(tmp_path, [demo_run], "bandpower_lda", params)
    assert "compared" not in first["metrics"]
    later = recorded(tmp_path / "later.xdf", seed=2)
    again = fitting.fit(tmp_path, [later], "bandpower_lda", params, last=first["folder"])
    moved = fitting.recentre(tmp_path, [later], first["folder"])
    for made in (again, moved):
        compared = made["metrics"]["compared"]
        assert compared["sha256"] == first["sha256"]
        assert compared["n"] == made["metrics"]["n"] == 2 * DEMO_GRASPS + 1
        assert compared["correct"] == made["metrics"]["correct"]
        gained = compared["only_new"] - compared["only_last"]
        assert compared["correct"] - compared["last_correct"] == gained
        assert compared["verdict"] in ("better", "no different", "worse")
    # The trials of the last one are decided by it as it is, whatever it is compared with.
    assert again["metrics"]["compared"]["last_correct"] == moved["metrics"]["compared"]["last_correct"]
    assert moved["metrics"]["recentred_from"] == first["sha256"]
    assert moved["recordings"] == [*first["recordings"], *again["recordings"]]
    assert moved["metrics"]["held_out"]["events"]["n"] == DEMO_GRASPS
    before, after = (decoders.read(Path(made["folder"])) for made in (first, moved))
    np.testing.assert_array_equal(after.weights_, before.weights_)
    assert not np.array_equal(after.mean_, before.mean_)
    text = (Path(moved["folder"]) / "decoder.json").read_text(encoding="utf-8")
    assert json.loads(text)["decoder"]["meta"]["recentred_from"] == first["sha256"]


def test_a_decoder_that_cannot_be_compared_is_named_with_the_reason(demo_run, tmp_path):
    fs_of_another = decoders.load("csp_lda")(fs=250.0)
    samples = np.random.default_rng(1).normal(size=(20, 2, 500))
    fs_of_another.fit(samples, np.array(["grasp", "rest"] * 10))
    decoders.save(fs_of_another, tmp_path / "other", montage=Montage(("C3", "C4"), 250.0))
    run = RunFile(demo_run)
    _, paradigm = fitting.common_plan([run])
    compared = compare({}, tmp_path / "other", [run], paradigm)
    assert compared["sha256"] == fs_of_another.sha256_
    assert "250" in compared["why"]


@pytest.mark.release
def test_the_decoder_in_use_is_re_centred_on_a_new_calibration_and_waits_beside_its_fit(tmp_path):
    folder = tmp_path / "study"
    (folder / "recordings").mkdir(parents=True)
    runs = [recorded(folder / "recordings" / f"c{seed}.xdf", seed=seed, n_trials=8) for seed in (1, 2)]
    params = {"hop_s": 0.2}
    with Study.create(folder, code="W", title="Ward", actor="test") as study:
        person = study.append(Participant("SIM-01", simulated=True))
        visit = study.append(Visit(person, "Month 1"))
        session = study.append(Session(visit, "test", simulated=True))
        for number, path in enumerate(runs, start=1):
            run = Run(session, number, "calibration", "grasp_rest", "finished", id=path.stem)
            name = f"recordings/{path.name}"
            file = Recording(run.id, name, file_sha256(path), path.stat().st_size, 1, 1000.0, "finished")
            study.append_run(run, recordings=[file])
        first = approve.enter(study, fitting.fit(folder, [runs[0]], "bandpower_lda", params))
        signed = study.script_signer("test").confirm()
        use = {"effector": "glove", "participant_id": person}
        approve.approve(study, first, **use, by=signed, reason="first")
        last = folder / study.approved_decoder(**use)["path"]
        second = approve.enter(study, fitting.fit(folder, [runs[1]], "bandpower_lda", params, last=last))
    page = SessionPage(folder, operator="test")
    try:
        page.worklist.choose(visit)
        page.show("approve")
        panel = page.stage.children[-1]
        assert (panel.fit["sha256"], panel.fit["actions"]) == (second, ["another", "recentre"])
        assert panel.answer("recentre", {"sha256": second})["ok"]
        (follow,) = [thread for thread in threading.enumerate() if thread.name == "workbench-recentre"]
        follow.join(300.0)
        shown = page.stage.children[-1].fit
        (first_waiting, moved) = page.service.awaiting()
    finally:
        page.screen.close()
        page.log.close()
    assert (first_waiting["sha256"], moved["sha256"]) == (second, shown["sha256"])
    assert moved["metrics"]["recentred_from"] == first
    assert moved["recordings"] == [file_sha256(path) for path in runs]
    assert shown["fitted_on"].startswith("Re-centred: the centre of")
    assert shown["actions"] == ["another"]
    assert [row["state"] for row in shown["others"]] == ["dot", "dot", "ok"]
    assert "in use" in shown["others"][2]["text"]
    with pytest.raises(Refused, match="does not wait for a decision any more"):
        page.service.recentre(first)
