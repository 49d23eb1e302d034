"""A fit of several streams needs its parameters whole, and streams that the runs have."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.runs import limb_runs
from workbench import decoders, paradigms
from workbench.decode import decode
from workbench.errors import BadValue
from workbench.recording import RunFile, RunWriter
from workbench.runs.fitting import fit, recentre
from workbench.vocabulary import StreamSpec, Trial

pytestmark = pytest.mark.job

SIGNAL = StreamSpec("eeg", "EEG", 250.0, ("C3", "C4"), source_id="x")


@pytest.fixture
def recording(tmp_path):
    """A calibration of two seconds without another stream."""
    plan = {
        "run": "r1", "kind": "calibration", "paradigm": "grasp_rest", "params": {}, "classes": [],
        "contract": [{"name": "eeg", "type": "EEG", "fs": 250.0, "channels": ["C3", "C4"], "role": "signal"}],
    }  # fmt: skip
    with RunWriter(tmp_path / "r1.xdf", plan=plan, stamp=1.0, signal=SIGNAL) as writer:
        writer.signal(np.zeros((500, 2), dtype=np.float32), 1.0 + np.arange(500) / 250.0)
    return tmp_path / "r1.xdf"


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"members": {"emg": {"decoder": "bandpower_lda"}}},
        {"members": {"signal": "bandpower_lda"}},
        {"members": {"signal": {"decoder": "bandpower_lda"}}, "weights": {"signal": 1}},
        {"members": {"signal": {"decoder": "bandpower_lda"}}, "gates": {"emg": ["grasp"]}},
        {"members": {"signal": {"decoder": "bandpower_lda"}, "load": {"decoder": "csp_lda", "channels": "C3"}}},
        {"members": {"signal": {"decoder": "bandpower_lda", "channels": ["C3"]}}},
    ],
)
def test_parameters_that_are_not_whole_are_refused_in_a_sentence(recording, params):
    with pytest.raises(BadValue, match="takes members, each a role with its decoder and parameters"):
        fit(recording.parent, [recording], "late_fusion", params)


def test_a_stream_that_the_run_does_not_have_is_named(recording):
    members = {"signal": {"decoder": "bandpower_lda"}, "emg": {"decoder": "bandpower_lda"}}
    with pytest.raises(BadValue, match=r"r1\.xdf has no stream of the role 'emg'"):
        fit(recording.parent, [recording], "late_fusion", {"members": members})


# ------------------------------------------------------------------------------------ on runs of several streams
@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Two calibrations of one person, and a gated decoder of the first."""
    folder = tmp_path_factory.mktemp("limb")
    first, second = (limb_runs.record(folder, f"r{k}", schedule=k) for k in (1, 2))
    return folder, first, second, fit(folder, [first], "gating", limb_runs.AT_ONSET)


def test_a_gate_is_fitted_on_the_calibration_and_its_fit_states_in_which_periods_it_opened(study):
    *_, fitted = study
    streams = fitted["metrics"]["streams"]
    assert streams["emg"]["opened"] == {"rest": [0, 9], "hands": [8, 8]}
    assert streams["emg"]["auc"] is None
    decoder = decoders.read(fitted_folder(study))
    assert decoder.gates == {"emg": ("above", 1.0)}
    assert (decoder.members["emg"].distance_ > 0).all()
    # A period counts as an attempt only where the muscle opened the gate.
    assert fitted["metrics"]["correct"] >= fitted["metrics"]["chance_limit"]


def test_the_fit_of_several_streams_states_the_onsets_that_it_would_have_found_in_periods_it_had_not_seen(study):
    folder, first, _, fitted = study
    held_out = fitted["metrics"]["held_out"]
    events = held_out["events"]
    assert events["n"] == events["hits"] + events["missed"] == 8
    assert events["hits"] == len(events["onsets_s"]) > 0
    assert set(held_out["evidence"]) == {"rest", "hands"}
    # The EEG alone, without a gate, has the same attempts and the same rest, and is not false less often.
    alone = fit(folder, [first], "tangent_space_lda", limb_runs.EEG["params"])["metrics"]["held_out"]["events"]
    assert (alone["n"], alone["rest_s"]) == (events["n"], events["rest_s"])
    assert alone["false"] >= events["false"]


def test_each_run_is_decided_as_a_decoder_of_the_other_run_decides_it_live(study, tmp_path):
    _, first, second, _ = study
    params = limb_runs.AT_ONSET | {"members": {"signal": POWER, "emg": limb_runs.MUSCLE}}
    together = fit(tmp_path, [first, second], "gating", params)["metrics"]["held_out"]["events"]
    trials = []
    for own, other in ((first, second), (second, first)):
        decoder = decoders.read(Path(fit(tmp_path, [other], "gating", params)["folder"]))
        run = RunFile(own)
        items, paradigm = run.items(inputs=decoder.inputs), paradigms.from_params("grasp_rest", limb_runs.PARAMS)
        trials += [made for made in decode(items, paradigm, decoder, fs=250.0) if isinstance(made, Trial)]
    assert together["onsets_s"] == [one.latency_s for one in trials if one.outcome == "correct"]
    assert together["false"] == sum(one.false_in_rest for one in trials)
    assert 0 < together["hits"] < together["n"] == 16


def fitted_folder(study):
    return Path(study[3]["folder"])


@pytest.mark.release
def test_a_muscle_that_never_moves_leaves_every_period_at_rest(study, tmp_path):
    still = limb_runs.record(tmp_path, "still", still=True)
    streams = fit(tmp_path, [still], "gating", limb_runs.AT_ONSET)["metrics"]
    assert streams["streams"]["emg"]["opened"]["hands"] == [0, 8]
    ((rest, hands),) = [table["counts"] for table in streams["confusion"]]
    assert (rest[1], hands[1]) == (0, 0)


def test_a_decoder_of_several_streams_is_compared_with_the_last_one_period_by_period(study):
    folder, _, second, fitted = study
    again = fit(folder, [second], "gating", limb_runs.AT_ONSET, last=fitted["folder"])["metrics"]
    compared = again["compared"]
    assert (compared["sha256"], compared["n"]) == (fitted["sha256"], again["n"])
    assert compared["correct"] == again["correct"]
    alone = fit(folder, [second], "tangent_space_lda", limb_runs.EEG["params"], last=fitted["folder"])["metrics"]
    assert alone["compared"]["n"] == alone["n"]
    assert alone["compared"]["last_correct"] == compared["last_correct"]


@pytest.mark.release
def test_a_decoder_of_other_streams_is_said_not_to_be_comparable(study, tmp_path):
    alone = limb_runs.record(tmp_path, "alone", streams=1)
    compared = fit(tmp_path, [alone], "bandpower_lda", {"window_s": 1.0}, last=fitted_folder(study))["metrics"]
    assert "no stream of the role 'emg'" in compared["compared"]["why"]


def test_re_centring_moves_each_stream_that_has_a_centre_and_leaves_what_tells_the_classes_apart(study):
    folder, _, second, fitted = study
    params = {"members": {**limb_runs.AT_ONSET["members"], "signal": POWER}, "gates": limb_runs.AT_ONSET["gates"]}
    origin = fit(folder, [study[1]], "gating", params)
    made = recentre(folder, [second], origin["folder"])
    before, after = (decoders.read(Path(one["folder"])) for one in (origin, made))
    assert made["metrics"]["recentred"] == ["signal", "emg"]
    assert made["metrics"]["recentred_from"] == origin["sha256"] != made["sha256"]
    assert made["recordings"][0] == origin["recordings"][0]
    assert np.array_equal(after.members["signal"].weights_, before.members["signal"].weights_)
    assert not np.array_equal(after.members["signal"].mean_, before.members["signal"].mean_)
    assert not np.array_equal(after.members["emg"].usual_, before.members["emg"].usual_)
    assert after.gates == before.gates
    assert made["metrics"]["compared"]["sha256"] == origin["sha256"]


POWER = {"decoder": "bandpower_ridge", "params": {"bands": [[8, 12], [12, 30]], "window_s": 1.0, "hop_s": 0.25}}


@pytest.mark.release
def test_a_signal_without_a_centre_is_not_re_centred(study):
    folder, first, second, _ = study
    members = limb_runs.AT_ONSET["members"] | {"signal": {"decoder": "csp_lda", "params": {"window_s": 1.0}}}
    origin = fit(folder, [first], "gating", limb_runs.AT_ONSET | {"members": members})
    with pytest.raises(BadValue, match="csp_lda has no centre"):
        recentre(folder, [second], origin["folder"])


@pytest.mark.release
def test_runs_are_aligned_where_the_decoder_of_the_signal_recentres(study):
    folder, first, second, _ = study
    params = {"window_s": 1.0, "hop_s": 1.0, "adapt": {"rule": "recentre"}}
    members = limb_runs.AT_ONSET["members"] | {"signal": {"decoder": "riemann_mdm", "params": params}}
    made = fit(folder, [first, second], "gating", limb_runs.AT_ONSET | {"members": members})
    alone = fit(folder, [first, second], "riemann_mdm", params)
    assert made["metrics"]["adapts"] == alone["metrics"]["adapts"]
    joint, single = (decoders.read(Path(one["folder"])) for one in (made, alone))
    for name in single.learned:
        assert np.array_equal(getattr(joint.members["signal"], name), getattr(single, name)), name


def test_a_gate_that_looks_back_further_than_a_cue_lasts_is_fitted_and_opens_once_a_breath(tmp_path):
    breathing = limb_runs.record(tmp_path, "breath", n_trials=9, breath=True)
    breath = {"bands": [[0.2, 0.8]], "channel": 0, "window_s": 8.0, "mains_hz": 0, "evidence": {"novelty": None}}
    members = {"signal": POWER, "imu": {"decoder": "cycle_phase", "params": breath}}
    expiration = fit(tmp_path, [breathing], "gating", {"members": members, "gates": {"imu": [0.5, 0.95]}})
    opened = expiration["metrics"]["streams"]["imu"]["opened"]
    # A cue of 3 s holds a breath: some window of each period lies in expiration; the first are not known yet.
    assert all(n == total >= 7 for n, total in opened.values())
    decoder = decoders.read(Path(expiration["folder"]))
    assert decoder.gates == {"imu": (0.5, 0.95)}
    assert decoder.members["imu"].settings.window_s > limb_runs.PARAMS["attempt_s"]


WORKLOAD = {
    "decoder": "activity_level",
    "params": {"measure": "workload", "window_s": 2.0, "hop_s": 0.25},
    "channels": ["Cz", "FCz"],
}
"""A load told from two channels of the EEG that is decoded."""


def test_a_gate_of_the_signals_own_channels_is_fitted_without_another_stream_and_decides_however_it_is_read(
    tmp_path,
):
    alone = limb_runs.record(tmp_path, "alone", streams=1)
    members, gates = {"signal": POWER, "load": WORKLOAD}, {"load": ["below", 1.0]}
    made = fit(tmp_path, [alone], "gating", {"members": members, "gates": gates})
    assert set(made["metrics"]["streams"]["load"]["opened"]) == {"rest", "hands"}
    assert made["metrics"]["held_out"]["events"]["n"] == 8
    decoder = decoders.read(Path(made["folder"]))
    assert decoder.inputs == ("signal",)
    assert decoder.members["load"].montage_.channels == ("Cz", "FCz")
    run, paradigm = RunFile(alone), paradigms.from_params("grasp_rest", limb_runs.PARAMS)
    decided = [
        list(decode(run.items(block=block, inputs=decoder.inputs), paradigm, decoder, fs=250.0))
        for block in (None, 61)
    ]
    assert decided[0] == decided[1]
    moved = recentre(tmp_path, [alone], made["folder"])
    assert moved["metrics"]["recentred"] == ["signal", "load"]
    assert decoders.read(Path(moved["folder"])).picks == decoder.picks


@pytest.mark.parametrize("names", [[], ["Cz", "Cz"], ["Oz9"]])
def test_channels_that_the_signal_does_not_have_are_refused_in_a_sentence(recording, names):
    members = {"signal": {"decoder": "bandpower_lda"}, "load": WORKLOAD | {"channels": names}}
    with pytest.raises(BadValue, match="'load' reads channels of the signal, each once, of C3, C4, got"):
        fit(recording.parent, [recording], "gating", {"members": members, "gates": {"load": ["below", 1.0]}})
