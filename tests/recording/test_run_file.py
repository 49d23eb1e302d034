"""The run-file convention: what is written comes back, bit for bit, in the order in which it took effect."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import struct
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from workbench import world
from workbench.errors import BadValue, RecordingFault
from workbench.messages import Message, translate
from workbench.recording import Corrector, Journal, RunFile, RunWriter, decision_hash, file_sha256, index
from workbench.recording.recover import inspect, recover
from workbench.signals import Timebase
from workbench.vocabulary import (
    Acknowledgement,
    Chunk,
    Command,
    Decision,
    DeviceStatus,
    EvidenceType,
    LedgerRow,
    Marker,
    Snapshot,
    StreamSpec,
    Trial,
)

FS = 200.0
SIGNAL = StreamSpec("ECoG", "EEG", FS, ("a", "b"), source_id="amp")
AUX = StreamSpec("IMU", "IMU", 50.0, ("x",), unit="g", source_id="imu", role="aux")
PLAN = {
    "run": "r1",
    "kind": "online",
    "paradigm": "grasp_rest",
    "classes": ["rest", "grasp"],
    "params": {"a": 0.1},
}
N = 1000
AWKWARD = (0.1 + 0.2, 5e-324, np.nextafter(1.0, 0.0), -0.0, float("nan"), float("inf"))


def raw_stamps() -> np.ndarray:
    """Stamps with jitter, a gap before sample 400 and a clock that jumps back before sample 700."""
    stamps = 50.0 + np.arange(N) / FS + np.random.default_rng(5).uniform(0, 0.002, N)
    stamps[400:] += 0.5
    stamps[700:] -= 20.0
    return stamps


def markers() -> list[Marker]:
    return [
        Marker("clock_offset", 0, 50.0, detail={"offset_s": -1.5}),
        Marker("cue", 100, 49.0, "grasp", {"trial": 0, "duration_s": 3.0}),
        Marker("clock_offset", 333, 51.0, detail={"offset_s": -1.501}),
        Marker("cue", 400, 51.0, "rest", {"trial": 0}),
        Marker("note", N, 60.0, detail={"text": "end"}),
    ]


def decisions() -> list[Decision]:
    labels, changes = ("", "rest", "grasp"), ("", "activate", "release", "cued")
    return [
        Decision(10 * k, 48.5 + k / 3, labels[k % 3], (value, 1 - value), k % 2 == 0, changes[k % 4], k - 1)
        for k, value in enumerate(AWKWARD)
    ]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    path = tmp_path / "run.xdf"
    samples = np.random.default_rng(6).normal(size=(N, 2)).astype(np.float32)
    stamps = raw_stamps()
    with RunWriter(path, plan=PLAN, stamp=48.5, signal=SIGNAL, others=[(AUX, "float32")]) as writer:
        at = 0
        for marker in markers():
            writer.signal(samples[at : marker.sample], stamps[at : marker.sample])
            at = marker.sample
            writer.marker(marker)
        writer.samples("IMU", np.ones((3, 1), np.float32), np.arange(3.0))
        writer.clock_offset("ECoG", 49.0, -1.5, uncertainty=1e-4)
        for k, decision in enumerate(decisions()):
            writer.decision(decision, acquired=k + 0.1, decided=k + 0.2, emitted=k + 0.3)
        writer.trial(Trial(0, "grasp", 100, 49.0, 400, "correct", "grasp", 150, 0.1 + 0.2, None))
        writer.ledger(LedgerRow("gap", 51.0, 1.0, 400, "ECoG", "100 samples (500 ms)", "trial excluded", "medium"))
        writer.command(Command(1, 50.0, 50.0, 150, "glove", "glove", "close", (0.5, 1 / 3), 300, 500, "ACTIVE"))
        writer.ack(Acknowledgement(1, 50.1, 50.2, "clipped", (0.5, 0.25)))
    return path


def test_decisions_come_back_bit_for_bit(run):
    back = RunFile(run).decisions()
    for mine, other in zip(back, decisions(), strict=True):
        assert replace(mine, probabilities=()) == replace(other, probabilities=())
        assert struct.pack("<2d", *mine.probabilities) == struct.pack("<2d", *other.probabilities)
        assert isinstance(mine.sample, int)
        assert isinstance(mine.valid, bool)
    assert decision_hash(back) == decision_hash(decisions())


def test_times_of_decisions_are_kept_and_enter_no_hash(run, tmp_path):
    assert RunFile(run).decision_times()[2].tolist() == [2.1, 2.2, 2.3]
    path = tmp_path / "other.xdf"
    with RunWriter(path, plan=PLAN, stamp=0.0, signal=SIGNAL) as writer:
        for decision in decisions():
            writer.decision(decision)
    assert decision_hash(RunFile(path).decisions()) == decision_hash(RunFile(run).decisions())


@pytest.mark.parametrize(
    "change",
    [
        {"sample": 11},
        {"stamp": np.nextafter(48.5, 49)},
        {"label": "grasp"},
        {"probabilities": (np.nextafter(0.25, 1), 0.75)},
        {"probabilities": (0.25, 0.5, 0.25)},
        {"valid": False},
        {"change": "cued"},
        {"trial": 3},
    ],
)
def test_every_field_of_a_decision_enters_its_hash(change):
    one = Decision(10, 48.5, "rest", (0.25, 0.75), True, "", -1)
    assert decision_hash([one]) != decision_hash([replace(one, **change)])


def test_the_hash_tells_order_count_zero_signs_and_where_texts_end():
    one = Decision(1, 0.0, "a", (0.0,), change="cued")
    two = replace(one, sample=2)
    hashes = [[], [one], [one, one], [one, two], [two, one], [replace(one, stamp=-0.0)], [replace(one, label="")]]
    assert len({decision_hash(h) for h in hashes}) == len(hashes)
    assert decision_hash([]) == hashlib.sha256().hexdigest()


def test_the_hash_is_the_same_for_numpy_and_python_numbers():
    one = Decision(10, 48.5, "rest", (0.25, 0.75))
    two = Decision(np.int64(10), np.float64(48.5), "rest", (np.float64(0.25), np.float64(0.75)), np.bool_(True))
    assert decision_hash([one]) == decision_hash([two])


def test_everything_else_comes_back(run):
    file = RunFile(run)
    tolerances = {"rule": 2, "gap_tolerance_s": 0.02, "jitter_s": 1.0}
    assert file.plan == {**PLAN, "signal": "ECoG", "timebase": tolerances}
    assert file.state == "finished"
    assert file.classes == ("rest", "grasp")
    assert file.markers()[1:] == markers()
    assert file.trials() == [Trial(0, "grasp", 100, 49.0, 400, "correct", "grasp", 150, 0.1 + 0.2, None)]
    assert file.ledger()[0].extent == "100 samples (500 ms)"
    assert file.commands()[0].level == (0.5, 1 / 3)
    assert file.acks() == [Acknowledgement(1, 50.1, 50.2, "clipped", (0.5, 0.25))]
    assert [s.name for s in file.aux] == ["IMU"]
    assert file.signal.stamps.tobytes() == raw_stamps().tobytes()


def test_what_the_effector_confirmed_comes_back_and_needs_an_effector_in_the_plan(tmp_path):
    said = [DeviceStatus(1, 10.0, "following", 0.75, False, 1.0), DeviceStatus(2, 10.1, "safe", 0.0, True)]
    with RunWriter(tmp_path / "r.xdf", plan={**PLAN, "effector": "glove"}, stamp=10.0, signal=SIGNAL) as writer:
        for status in said:
            writer.effector(status)
    assert RunFile(tmp_path / "r.xdf").effector_statuses() == said
    with (
        RunWriter(tmp_path / "none.xdf", plan=PLAN, stamp=10.0, signal=SIGNAL) as writer,
        pytest.raises(BadValue, match="names no effector"),
    ):
        writer.effector(said[0])
    assert RunFile(tmp_path / "none.xdf").effector_statuses() == []


def flat(items) -> tuple[np.ndarray, np.ndarray, list[tuple[int, Marker]]]:
    """Samples, stamps, and each marker with the number of samples before it."""
    samples, stamps, events, seen = [], [], [], 0
    for item in items:
        if isinstance(item, Chunk):
            assert item.first == seen
            assert item.samples.dtype == np.float64
            assert len(item.samples) == len(item.stamps) > 0
            samples.append(item.samples)
            stamps.append(item.stamps)
            seen += len(item.stamps)
        else:
            events.append((seen, item))
    return np.concatenate(samples), np.concatenate(stamps), events


@pytest.mark.parametrize("block", [1, 7, 100, 333, 999, 1000, 5000])
def test_block_size_changes_no_bit_and_markers_stand_at_their_sample(run, block):
    file = RunFile(run)
    samples, stamps, events = flat(file.items(block=block))
    whole_samples, whole_stamps, whole_events = flat(file.items())
    assert samples.tobytes() == whole_samples.tobytes()
    assert stamps.tobytes() == whole_stamps.tobytes()
    assert events == whole_events
    assert all(seen == marker.sample for seen, marker in events)
    assert [m for _, m in events if m.kind not in ("gap", "run")] == markers()


def test_chunks_are_no_longer_than_the_block(run):
    assert max(len(i.stamps) for i in RunFile(run).items(block=64) if isinstance(i, Chunk)) == 64


def test_gaps_that_the_stamps_show_are_markers_before_the_sample_behind_them(run):
    _, stamps, events = flat(RunFile(run).items(block=50))
    gaps = [m for _, m in events if m.kind == "gap"]
    assert [g.sample for g in gaps] == [599, 700]
    assert gaps[0].detail["missing_s"] == pytest.approx(0.5, abs=0.01)
    assert gaps[1].detail["missing_s"] == pytest.approx(-20.0, abs=0.01)
    assert [g.stamp for g in gaps] == [stamps[599], stamps[700]]


def test_clock_offsets_take_effect_at_their_sample(run):
    stamps = flat(RunFile(run).items(block=17))[1]
    timebase, expected, at = Timebase(FS), [], 0
    for sample, offset in ((0, 0.0), (333, -1.5), (N, -1.501)):
        expected.append(timebase.step(raw_stamps()[at:sample])[0])
        timebase.set_offset({0: -1.5, 333: -1.501, N: 0.0}[sample])
        at = sample
        assert offset in (0.0, -1.5, -1.501)
    assert stamps.tobytes() == np.concatenate(expected).tobytes()


def test_a_replay_of_what_a_live_corrector_gave_is_the_same(tmp_path):
    """Live: chunks of random length, markers as they come, gap markers written to the file as they are made."""
    rng = np.random.default_rng(8)
    path = tmp_path / "live.xdf"
    samples, stamps = rng.normal(size=(N, 2)).astype(np.float32), raw_stamps()
    live = []
    with RunWriter(path, plan=PLAN, stamp=0.0, signal=SIGNAL) as writer:
        corrector, at = Corrector(Timebase(FS)), 0
        coming = [replace(m, sample=0) for m in markers()]
        while at < N:
            n = int(rng.integers(1, 60))
            writer.signal(samples[at : at + n], stamps[at : at + n])
            for item in corrector.samples(samples[at : at + n].astype(np.float64), stamps[at : at + n]):
                live.append(item)
                if isinstance(item, Marker):
                    writer.marker(item)
            at += n
            if coming and rng.random() < 0.5:
                marker = replace(coming.pop(0), sample=corrector.seen)
                writer.marker(marker)
                live.extend(corrector.marker(marker))
    replayed = flat(RunFile(path).items(block=31))
    expected = flat(live)
    assert replayed[0].tobytes() == expected[0].tobytes()
    assert replayed[1].tobytes() == expected[1].tobytes()
    assert [e for e in replayed[2] if e[1].kind != "run"] == expected[2]
    gaps = [round(m.detail["missing_s"], 1) for _, m in expected[2] if m.kind == "gap"]
    assert gaps == [-1.5, 0.5, -20.0], "a clock offset that comes late, and the two jumps of the stamps"


def test_a_recorded_gap_is_not_reported_twice(tmp_path):
    path = tmp_path / "r.xdf"
    stamps = raw_stamps()
    with RunWriter(path, plan=PLAN, stamp=0.0, signal=SIGNAL) as writer:
        writer.signal(np.zeros((N, 2), np.float32), stamps)
        writer.marker(Marker("gap", 400, 1.0, detail={"missing_s": 0.5, "samples": 100}))
        writer.marker(Marker("gap", 600, 1.0, detail={"missing_s": 0.01, "samples": 2}))
    gaps = [m for m in RunFile(path).items(block=9) if isinstance(m, Marker) and m.kind == "gap"]
    assert [g.sample for g in gaps] == [400, 600, 700]
    assert gaps[0].detail == {"missing_s": 0.5, "samples": 100}


def test_a_calibration_run_has_no_decisions(tmp_path):
    path = tmp_path / "r.xdf"
    with RunWriter(path, plan={"kind": "calibration"}, stamp=0.0, signal=SIGNAL) as writer:
        writer.signal(np.zeros((5, 2), np.float32), np.arange(5) / FS)
    file = RunFile(path)
    assert file.decisions() == []
    assert file.decision_times().shape == (0, 3)


@pytest.mark.parametrize(
    ("decision", "text"),
    [
        (Decision(1, 0.0, "feet", (0.5, 0.5)), "'feet' is not a class of this run; rest, grasp are"),
        (Decision(1, 0.0, "rest", (1.0,)), "1 probabilities for 2 classes"),
    ],
)
def test_a_decision_of_another_run_is_refused(tmp_path, decision, text):
    with RunWriter(tmp_path / "r.xdf", plan=PLAN, stamp=0.0, signal=SIGNAL) as writer:
        with pytest.raises(BadValue, match=text):
            writer.decision(decision)
        with pytest.raises(BadValue, match="stream 'EEG' is not in this recording"):
            writer.samples("EEG", np.zeros((1, 2)), np.zeros(1))


def test_two_streams_of_one_name_are_refused(tmp_path):
    with pytest.raises(BadValue, match="two streams are named 'ECoG'"):
        RunWriter(tmp_path / "r.xdf", plan=PLAN, stamp=0.0, signal=SIGNAL, others=[(SIGNAL, "float32")])


def test_numpy_numbers_are_stored_and_other_objects_refused(tmp_path):
    path = tmp_path / "r.xdf"
    with RunWriter(path, plan=PLAN, stamp=0.0, signal=SIGNAL) as writer:
        writer.marker(Marker("note", 0, 0.0, detail={"a": np.float64(0.1), "b": np.arange(2)}))
        with pytest.raises(BadValue, match="object cannot be stored"):
            writer.marker(Marker("note", 0, 0.0, detail={"a": object()}))
    assert RunFile(path).markers()[1].detail == {"a": 0.1, "b": [0, 1]}


def test_a_recording_that_is_no_run_is_named(recording):
    with pytest.raises(RecordingFault, match="contains no run of this workbench"):
        RunFile(recording())


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ({"kind": "run", "sample": 0, "stamp": 0.0, "colour": 1}, "unknown field 'colour'.*newer workbench"),
        ({"kind": "run"}, "an entry of wb.events is no Marker: its sample is None"),
        ("not a mapping", "an entry of wb.events is no Marker: "),
    ],
)
def test_entries_of_another_shape_are_named(tmp_path, content, text):
    path = tmp_path / "r.xdf"
    with Journal(path) as journal:
        events = journal.add_stream(StreamSpec("wb.events", "Workbench", 0.0), dtype="string")
        journal.samples(events, [json.dumps(content)], np.zeros(1))
    with pytest.raises(RecordingFault, match=text):
        RunFile(path)


@pytest.mark.parametrize(
    "odd",
    [
        {"units": []}, {"units": {"ECoG": 3}}, {"units": {"ECoG": {}}},
        {"units": {"ECoG": {"factors": [1.0] * 3}}}, {"timebase": {"rule": 2}},
        {"timebase": {"rule": 2, "gap_tolerance_s": "x", "jitter_s": 0.1}}, {"timebase": [1]}, {"timebase": "x"},
    ],
)  # fmt: skip
def test_a_plan_with_odd_units_or_an_odd_time_base_is_a_fault_of_the_file(tmp_path, odd):
    path = tmp_path / "odd.xdf"
    with RunWriter(path, plan={**PLAN, **odd}, stamp=10.0, signal=SIGNAL) as writer:
        writer.signal(np.zeros((5, len(SIGNAL.channels)), np.float32), np.arange(5.0))
    with pytest.raises(RecordingFault, match="odd.xdf: .* in the plan .*; restore the file from its backup"):
        list(RunFile(path).items())


def test_a_run_with_two_signals_and_no_plan_for_them_is_refused(tmp_path):
    path = tmp_path / "r.xdf"
    with Journal(path) as journal:
        events = journal.add_stream(StreamSpec("wb.events", "Workbench", 0.0, role="markers"), dtype="string")
        for name in ("A", "B"):
            journal.add_stream(replace(SIGNAL, name=name))
        journal.samples(events, [json.dumps({"kind": "run", "sample": 0, "stamp": 0.0})], np.zeros(1))
    with pytest.raises(RecordingFault, match="2 signal streams .'A', 'B'.; it must have one"):
        _ = RunFile(path).signal


def test_another_number_of_classes_is_refused(tmp_path):
    path = tmp_path / "r.xdf"
    with Journal(path) as journal:
        events = journal.add_stream(StreamSpec("wb.events", "Workbench", 0.0, role="markers"), dtype="string")
        journal.add_stream(StreamSpec("wb.decisions", "Workbench", 0.0, ("a", "b")), dtype="double64")
        run = {"kind": "run", "sample": 0, "stamp": 0.0, "detail": PLAN}
        journal.samples(events, [json.dumps(run)], np.zeros(1))
    with pytest.raises(RecordingFault, match="2 decision columns; its classes need 11"):
        RunFile(path).decisions()


def test_a_block_below_one_is_refused(run):
    with pytest.raises(BadValue, match="1 or more samples, got 0"):
        list(RunFile(run).items(block=0))


def test_the_hash_of_a_file_is_its_sha256(run, tmp_path):
    assert file_sha256(run) == hashlib.sha256(run.read_bytes()).hexdigest()
    with pytest.raises(RecordingFault, match="cannot be read"):
        file_sha256(tmp_path / "nothing")


# ------------------------------------------------------------------ updates of a decoder that adapts
ADAPTING = {**PLAN, "adapts": "pmean"}


def snapshots(n: int = 4) -> list[Snapshot]:
    heads = [hashlib.sha256(bytes([k])).hexdigest() for k in range(n + 1)]
    return [Snapshot(100 * (k + 1), "pmean", heads[k], heads[k + 1], {"mean": np.ones(3)}) for k in range(n)]


def adapting(path: Path) -> Path:
    with RunWriter(path, plan=ADAPTING, stamp=0.0, signal=SIGNAL) as writer:
        for k, one in enumerate(snapshots()):
            writer.signal(np.zeros((100, 2), np.float32), (100 * k + np.arange(100)) / FS)
            writer.snapshot(one, stamp=one.sample / FS)
    return path


def test_updates_come_back_as_hashes_without_their_arrays(tmp_path):
    file = RunFile(adapting(tmp_path / "r.xdf"))
    assert file.adapts == "pmean"
    assert file.snapshots() == snapshots()
    assert not any(one.arrays for one in file.snapshots())
    assert file.file.stream("wb.snapshots").stamps.tolist() == [0.5, 1.0, 1.5, 2.0]


def test_two_updates_are_compared_by_everything_but_their_arrays():
    one = snapshots()[0]
    assert one == replace(one, arrays={})
    for change in ({"sample": 1}, {"rule": "roll_back"}, {"previous": ""}, {"sha256": ""}):
        assert one != replace(one, **change)


@pytest.mark.parametrize("kept", [0, 1, 3])
def test_a_torn_file_keeps_the_updates_before_the_cut(tmp_path, kept):
    path = adapting(tmp_path / "r.xdf")
    data = path.read_bytes()
    cut = data.index(f'"sample": {snapshots()[kept].sample}, '.encode()) + 5
    path.write_bytes(data[:cut])
    recover(path)
    file = RunFile(path)
    assert file.state == "recovered"
    assert file.snapshots() == snapshots()[:kept]
    assert len(file.signal.stamps) == 100 * (kept + 1)


def test_an_update_in_a_run_whose_plan_names_no_rule_is_refused(tmp_path, run):
    with (
        RunWriter(tmp_path / "r.xdf", plan=PLAN, stamp=0.0, signal=SIGNAL) as writer,
        pytest.raises(BadValue, match="names no rule by which its decoder adapts"),
    ):
        writer.snapshot(snapshots()[0], stamp=0.0)
    assert (RunFile(run).adapts, RunFile(run).snapshots()) == ("", [])
    assert "wb.snapshots" not in RunFile(run).names


def test_what_a_row_an_event_and_a_trial_say_comes_back_with_its_code(tmp_path):
    path = tmp_path / "run.xdf"
    late = Message("engine.decided_late")
    marker = Marker("pause", 0, 0.5, detail={"reason": Message("run.paused_by", who="Lin Q.")})
    trial = Trial(0, "grasp", 0, 0.5, 10, "excluded", excluded=late)
    with RunWriter(path, plan=PLAN, stamp=0.0, signal=SIGNAL) as writer:
        writer.marker(marker)
        writer.trial(trial)
        writer.ledger(LedgerRow("late_marker", 0.5, 1.0, extent="cue", consequence=late))
    run = RunFile(path)
    assert [m for m in run.markers() if m.kind == "pause"] == [marker]
    assert run.trials() == [trial]
    (pause,) = (m for m in run.markers() if m.kind == "pause")
    said = [pause.detail["reason"], run.trials()[0].excluded, run.ledger()[0].consequence]
    assert [translate(text, language="zh-CN") for text in said] == ["由 Lin Q. 暂停", "判定迟到", "判定迟到"]
    assert type(run.ledger()[0].extent) is str


def test_a_row_that_was_recorded_before_messages_had_codes_says_what_it_said_then(tmp_path):
    path = tmp_path / "run.xdf"
    with RunWriter(path, plan=PLAN, stamp=0.0, signal=SIGNAL) as writer:
        writer.ledger(LedgerRow("late_marker", 0.5, 1.0, extent="cue", consequence="decided late"))
    assert b'"said"' not in path.read_bytes()
    (row,) = RunFile(path).ledger()
    assert type(row.consequence) is str
    assert translate(row.consequence, language="zh-CN") == "decided late"


GOLDEN = "4a7ed9653a54bf3e351e02f6677db8289547787aa5c60a435ec43cd12d0be58f"
VELOCITY = EvidenceType("velocity", ("x", "y"), "1/s")
MOVING = PLAN | {"classes": ["rest", "up"], "evidence": {"kind": "velocity", "names": ["x", "y"], "unit": "1/s"}}


def moves() -> list[Decision]:
    return [
        Decision(10 * k, 48.5 + k / 3, "up", (), kind="velocity", values=(value, 0.5), position=(0.1 * k, -0.0))
        for k, value in enumerate(AWKWARD)
    ]


def test_velocities_come_back_bit_for_bit_with_their_type_and_the_place_of_the_cursor(tmp_path):
    nowhere = replace(moves()[0], position=())
    with RunWriter(tmp_path / "run.xdf", plan=MOVING, stamp=0.0, signal=SIGNAL) as writer:
        for decision in [nowhere, *moves()]:
            writer.decision(decision)
        with pytest.raises(BadValue, match="a decision on velocity with 1 values in a run of velocity with 2"):
            writer.decision(replace(nowhere, values=(1.0,)))
        with pytest.raises(BadValue, match="2 probabilities for 0 classes"):
            writer.decision(decisions()[0])
    run = RunFile(tmp_path / "run.xdf")
    assert run.evidence == VELOCITY
    assert run.decisions()[0] == nowhere
    assert decision_hash(run.decisions()[1:], VELOCITY) == decision_hash(moves(), VELOCITY)
    assert [d.kind for d in run.decisions()] == ["velocity"] * 7


def test_the_hash_of_probabilities_stays_what_it_was_and_that_of_values_names_their_type():
    # Made by the version before evidence had types.
    assert decision_hash(decisions()) == GOLDEN
    hashes = [
        decision_hash(moves(), VELOCITY),
        decision_hash(moves(), replace(VELOCITY, unit="m/s")),
        decision_hash(moves(), replace(VELOCITY, names=("y", "x"))),
        decision_hash(moves(), replace(VELOCITY, kind="force")),
        decision_hash([replace(moves()[0], values=(0.3, 0.4)), *moves()[1:]], VELOCITY),
        decision_hash([replace(moves()[0], position=(0.0, 0.1)), *moves()[1:]], VELOCITY),
        decision_hash([replace(moves()[0], position=()), *moves()[1:]], VELOCITY),
    ]
    assert len(set(hashes)) == len(hashes)


def test_a_run_that_has_begun_is_on_the_disk_with_its_plan(tmp_path):
    path = tmp_path / "r.xdf"
    with RunWriter(path, plan=PLAN, stamp=0.0, signal=SIGNAL):
        assert index.read(path).synced == path.stat().st_size
        shutil.copy(path, tmp_path / "cut.xdf")
    assert recover(tmp_path / "cut.xdf").lost_bytes == 0
    assert RunFile(tmp_path / "cut.xdf").plan["run"] == "r1"


class _Unsure(world.Disk):
    """A disk that confirms the folder of a new file and nothing after it."""

    doubt = False

    def sync(self, descriptor: int) -> None:
        if self.doubt:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        super().sync(descriptor)

    def sync_folder(self, folder: Path) -> None:
        super().sync_folder(folder)
        self.doubt = True


def test_a_run_whose_beginning_the_disk_does_not_confirm_is_refused_and_nothing_stays_held(tmp_path):
    threads = threading.active_count()
    with (
        world.entered(disk=_Unsure()),
        pytest.raises(RecordingFault, match=r"the disk did not confirm recording r\.xdf"),
    ):
        RunWriter(tmp_path / "r.xdf", plan=PLAN, stamp=0.0, signal=SIGNAL)
    assert threading.active_count() == threads
    assert inspect(tmp_path / "r.xdf").state == "unfinished"
