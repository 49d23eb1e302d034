"""EEG at 250 Hz, EMG at 2 kHz and an accelerometer at 100 Hz, fused live on real LSL and replayed to the bit."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from workbench import runs
from workbench.devices import simulated_limb
from workbench.recording import RunFile
from workbench.vocabulary import Chunk

pytestmark = pytest.mark.job

MEMBERS = {
    "signal": {"decoder": "bandpower_lda"},
    "emg": {"decoder": "bandpower_lda", "params": {"bands": [[20, 90], [110, 190]], "reference": "none"}},
    "imu": {
        "decoder": "bandpower_lda",
        "params": {"bands": [[2, 8], [8, 20]], "reference": "none", "mains_hz": 0},
    },
}
OPTIONS = {
    "source_id": "limb",
    "seed": 5,
    "conditions": {"grasp": "hands"},
    "stalls": [{"stream": "emg", "at_s": 6, "for_s": 1.2, "every_s": 9}],
    "faults": {"imu": [{"kind": "packet_loss", "at_s": 2, "fraction": 0.03, "packet": 40}]},
}


@pytest.fixture(scope="module")
def done(make_room, fast):
    """A calibration, a fit of three streams, and an online run in which the EMG stalls again and again."""
    room = make_room()
    plan = room.plan(
        speed=4.0,
        contract=lambda spec: simulated_limb.specs(OPTIONS),
        players=({"device": "simulated_limb", "options": OPTIONS},),
    )
    client = room.start(plan)
    names = []
    for kind, n_trials, more in (("calibration", 8, {}), ("online", 4, {})):
        if kind == "online":
            path = room.folder / "recordings" / f"{names[0]}.xdf"
            fitted = runs.run_fit(room.folder, [path], "late_fusion", {"members": MEMBERS})
            more = {"decoder_folder": fitted["folder"]}
        names.append(client.start_run(kind, "grasp_rest", fast, n_trials=n_trials, seed=1, **more))
        client.wait("running")
        assert client.wait("run", timeout=120)["run"]["state"] == "finished"
    client.shutdown()
    return SimpleNamespace(
        fitted=fitted, online=RunFile(room.folder / "recordings" / f"{names[1]}.xdf"), folder=room.folder
    )


def test_the_fit_states_what_each_stream_is_worth(done):
    streams = done.fitted["metrics"]["streams"]
    assert set(streams) == {"signal", "emg", "imu"}
    assert sum(stream["weight"] for stream in streams.values()) == pytest.approx(1.0)
    assert streams["emg"]["auc"] > 0.9
    assert done.fitted["metrics"]["accuracy"] >= 0.8


@pytest.mark.parametrize("block", [None, 333])
def test_the_run_is_replayed_to_the_bit_with_its_timeouts(done, block):
    timeouts = [marker for marker in done.online.markers() if marker.kind == "hop_timeout"]
    stalled = [m for m in timeouts if m.detail["streams"]["emg"]["absent"]]
    assert stalled
    assert all(set(m.detail["streams"]) == {"emg", "imu"} for m in timeouts)
    result = runs.replay_run(done.online.path, done.fitted["folder"], block=block)
    assert result.equal, result.sentence
    assert result.n > 300


def test_a_stall_and_a_gap_are_rows_that_name_their_stream_and_evidence_without_a_stream_is_not_valid(done):
    rows = {(row.kind, row.stream) for row in done.online.ledger()}
    assert ("late_stream", "wb-sim-emg") in rows
    assert ("gap", "wb-sim-imu") in rows
    assert ("gap", "wb-sim-eeg") not in rows
    decisions = done.online.decisions()
    invalid = {decision.sample for decision in decisions if not decision.valid}
    hop = min(b.sample - a.sample for a, b in zip(decisions, decisions[1:], strict=False))
    for marker in done.online.markers():
        if marker.kind == "hop_timeout" and marker.detail["streams"]["emg"]["absent"]:
            inside = range(marker.sample - marker.sample % hop + hop, int(marker.detail["until"]) + 1, hop)
            assert set(inside) <= invalid


FILLS_S = 1.2
"""Of how many samples a stream's window holds only what came after a gap, in s of its rate: 1 s, and its hops."""


def test_evidence_is_not_valid_at_a_timeout_or_until_the_windows_hold_no_gap_and_nowhere_else(done):
    decisions = done.online.decisions()
    hop = min(b.sample - a.sample for a, b in zip(decisions, decisions[1:], strict=False))
    absent = [
        range(marker.sample - hop, int(marker.detail["until"]) + hop + 1)
        for marker in done.online.markers()
        if marker.kind == "hop_timeout" and any(one["absent"] for one in marker.detail["streams"].values())
    ]
    # Each stream begins in its own time. Samples are counted: a player that is late stretches their stamps.
    gaps = [(0.0, decisions[round(FILLS_S * done.online.signal.fs / hop)].stamp)]
    for role, fs in (("emg", 2000.0), ("imu", 100.0)):
        chunks = [item for item in done.online.items_of(role) if isinstance(item, Chunk) and len(item.stamps)]
        stamps = np.concatenate([chunk.stamps for chunk in chunks])
        full = np.append(stamps[round(FILLS_S * fs) :], [np.inf] * round(FILLS_S * fs))
        gaps += [(0.0, full[0])]
        gaps += [(stamps[k], full[k + 1]) for k in np.flatnonzero(np.diff(stamps) > 2.0 / fs)]

    def is_explained(decision):
        late = any(decision.sample in samples for samples in absent)
        return late or any(begins <= decision.stamp <= ends for begins, ends in gaps)

    invalid = [decision for decision in decisions if not decision.valid]
    assert [decision.sample for decision in invalid if not is_explained(decision)] == []
    assert len(gaps) > 3
    assert any(decision.valid for decision in decisions)
