"""Replay: recordings of every format as a source, and as LSL streams from another process."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import uuid
from pathlib import Path

import numpy as np
import pytest

from workbench import devices
from workbench.decode import decode
from workbench.devices import lsl, replay
from workbench.errors import BadValue, EngineFault, RecordingFault
from workbench.paradigms import load as load_paradigm
from workbench.recording import Journal, RunFile, RunWriter
from workbench.vocabulary import Chunk, Decision, Marker, StreamSpec, Trial

FS = 250.0
SIGNAL = StreamSpec("amp", "EEG", FS, ("C3", "C4"), source_id="amp")
TEXTS = StreamSpec("texts", "Markers", 0.0, source_id="texts", role="markers")
HANDS = {"T1": "hands", "T2": "feet"}


def write(path: Path, *, seconds: float = 2.0, seed: int = 0, offset: float = 0.0, fs: float = FS) -> Path:
    """A recording with a counter, noise, annotations every 0.5 s, and jitter on its stamps."""
    rng = np.random.default_rng(seed)
    n = round(seconds * fs)
    stamps = 1000.0 + np.arange(n) / fs + rng.uniform(0, 1e-3, n)
    with Journal(path) as journal:
        signal = journal.add_stream(StreamSpec("amp", "EEG", fs, ("C3", "C4"), source_id="amp"))
        texts = journal.add_stream(TEXTS, dtype="string")
        values = np.stack([np.arange(n), rng.normal(size=n)], axis=1).astype(np.float32)
        journal.samples(signal, values, stamps)
        onsets = 1000.1 + np.arange(0, seconds - 0.2, 0.5)
        journal.samples(texts, [("T1", "T2", "T0")[k % 3] for k in range(len(onsets))], onsets + 7.0)
        if offset:
            journal.clock_offset(signal, 1000.0 + offset, offset)
        journal.clock_offset(texts, 1000.0, offset - 7.0)
    return path


def flat(items):
    """Samples, stamps, and each marker with the number of samples before it."""
    samples, stamps, markers, seen = [], [], [], 0
    for item in items:
        if isinstance(item, Chunk):
            assert item.first == seen
            samples.append(item.samples)
            stamps.append(item.stamps)
            seen += len(item.stamps)
        else:
            assert item.sample == seen
            markers.append(item)
    return np.concatenate(samples), np.concatenate(stamps), markers


# ------------------------------------------------------------------------------------ as a source
def test_edf_samples_are_those_of_mne_in_microvolts(shared_data):
    import mne

    path = shared_data / "eegmmidb" / "S001R06.edf"
    samples, stamps, markers = flat(replay.items(path, conditions=HANDS, block=1000))
    raw = mne.io.read_raw_edf(path, verbose="error")
    expected = (raw.get_data() * 1e6).T.astype(np.float32)
    assert samples.dtype == np.float64
    assert np.array_equal(samples, expected)
    assert np.allclose(stamps, np.arange(len(samples)) / 160.0, atol=1e-9)
    cues = [m for m in markers if m.kind == "cue"]
    assert [(c.label, c.detail["trial"]) for c in cues[:3]] == [("feet", 0), ("hands", 1), ("hands", 2)]
    assert len(cues) == 15
    assert len([m for m in markers if m.kind == "annotation" and m.label == "T0"]) == 15


def test_a_cue_stands_before_the_first_sample_that_is_not_before_its_onset(shared_data):
    _, stamps, markers = flat(replay.items(shared_data / "eegmmidb" / "S001R06.edf", conditions=HANDS))
    for marker in markers:
        assert stamps[marker.sample] >= marker.stamp - 1e-9
        assert marker.sample == 0 or stamps[marker.sample - 1] < marker.stamp


@pytest.mark.parametrize("block", [1, 33, 160, 7777])
def test_block_size_changes_no_bit(tmp_path, block):
    path = write(tmp_path / "a.xdf")
    whole, other = flat(replay.items(path)), flat(replay.items(path, block=block))
    assert whole[0].tobytes() == other[0].tobytes()
    assert whole[1].tobytes() == other[1].tobytes()
    assert whole[2] == other[2]


def test_the_decode_loop_takes_it(shared_data):
    paradigm = load_paradigm("left_right")(conditions=("hands", "feet"))
    source = replay.items(shared_data / "eegmmidb" / "S001R06.edf", conditions=HANDS, block=37)
    found = list(decode(source, paradigm, None, fs=160.0))
    trials = [t for t in found if isinstance(t, Trial)]
    assert [t.outcome for t in trials] == ["recorded"] * 15
    assert not [d for d in found if isinstance(d, Decision)]


@pytest.mark.parametrize(
    ("name", "fs", "n_channels", "n_annotations"),
    [
        ("graz_gdf/sample.gdf", 256.0, 4, 200),
        ("edf/test_generator.bdf", 1000.0, 5, 0),
        ("edf/test_utf8.edf", 128.0, 1, 5),
        ("ecog_gripforce/**/*.vhdr", 1000.0, 9, 0),
        ("ssvep_exo/subject03/*_raw.fif", 256.0, 8, 32),
        ("xdf/clock_resets.xdf", 100.0, 8, 175),
        ("xdf/minimal.xdf", 10.0, 3, 8),
    ],
)
def test_every_format_is_read(shared_data, name, fs, n_channels, n_annotations):
    path = sorted(shared_data.glob(name))[0]
    recorded = replay.load(path)
    head = recorded.head
    assert (head.fs, len(head.channels), len(head.annotations)) == (fs, n_channels, n_annotations)
    assert recorded.samples.shape == (head.n_samples, n_channels)
    assert recorded.samples.dtype == np.float32
    assert recorded.stamps[0] == 0.0
    assert head.seconds == head.n_samples / fs
    assert replay.head(path).annotations == head.annotations


def test_gdf_events_have_their_code_as_text(shared_data):
    cues = {"769": "left", "770": "right"}
    assert replay.head(shared_data / "graz_gdf" / "sample.gdf", conditions=cues).n_cues == 40


def test_utf8_annotations_come_through(shared_data):
    texts = [a.text for a in replay.head(shared_data / "edf" / "test_utf8.edf").annotations]
    assert "中文测试八个字" in texts


def test_stamps_of_a_recording_with_a_clock_reset_go_forward(shared_data):
    """The sender's clock restarted; on the recorder's clock time goes on, and the gap is told."""
    path = shared_data / "xdf" / "clock_resets.xdf"
    recorded = replay.load(path)
    assert np.diff(recorded.stamps).min() > -0.1
    assert recorded.stamps[-1] < 1000
    gaps = [m for m in replay.items(path, block=100) if isinstance(m, Marker) and m.kind == "gap"]
    assert max(g.detail["missing_s"] for g in gaps) > 1


def test_markers_of_another_clock_are_aligned_by_their_offsets(tmp_path):
    plain, shifted = write(tmp_path / "a.xdf"), write(tmp_path / "b.xdf", offset=-3.5)
    first, second = replay.head(plain).annotations, replay.head(shifted).annotations
    assert [a.onset_s for a in second] == pytest.approx([a.onset_s for a in first], abs=1e-9)
    assert first[0].onset_s == pytest.approx(0.1, abs=2e-3)


def test_a_run_of_ours_is_played_with_its_cues(tmp_path):
    path = tmp_path / "run.xdf"
    with RunWriter(path, plan={"kind": "calibration"}, stamp=0.0, signal=SIGNAL) as writer:
        writer.signal(np.zeros((500, 2), np.float32), 5.0 + np.arange(500) / FS)
        writer.marker(Marker("cue", 500, 5.5, "grasp", {"trial": 0, "duration_s": 3.0}))
        writer.marker(Marker("note", 500, 5.6, "", {}))
    cues = [m for m in replay.items(path) if isinstance(m, Marker)]
    assert [(c.kind, c.label, c.sample, c.detail["duration_s"]) for c in cues] == [("cue", "grasp", 125, 3.0)]
    assert len(RunFile(path).markers()) == 3


def test_annotations_outside_the_signal_are_left_out_and_told(shared_data):
    head = replay.head(shared_data / "xdf" / "empty_streams.xdf")
    assert head.annotations == ()
    assert head.notes == ("1 of 1 annotations lie before or behind the signal and are left out",)


def test_a_recording_without_the_named_conditions_says_what_it_has(shared_data):
    with pytest.raises(BadValue, match=r"S001R06\.edf has no annotation 'T3'; it has 'T0' \(15 times\)"):
        replay.head(shared_data / "eegmmidb" / "S001R06.edf", conditions={"T1": "hands", "T3": "feet"})
    with pytest.raises(BadValue, match="none at all"):
        replay.head(shared_data / "edf" / "test_generator.bdf", conditions={"T1": "hands"})


def test_what_cannot_be_read_is_a_sentence(tmp_path, shared_data):
    table, torn = tmp_path / "a.csv", tmp_path / "torn.edf"
    table.write_text("1,2")
    torn.write_bytes((shared_data / "eegmmidb" / "S001R06.edf").read_bytes()[:700])
    with pytest.raises(RecordingFault, match=r"a\.csv is of no format that can be replayed; they are \.bdf"):
        replay.load(table)
    with pytest.raises(RecordingFault, match="is not there; check the path"):
        replay.load(tmp_path / "nothing.edf")
    with pytest.raises(RecordingFault, match=r"torn\.edf cannot be read as edf"):
        replay.load(torn)
    with pytest.raises(BadValue, match="1 or more samples, got 0"):
        next(replay.items(table, block=0))


def test_an_xdf_file_with_several_signals_needs_a_name(tmp_path):
    path = tmp_path / "two.xdf"
    with Journal(path) as journal:
        for name in ("A", "B"):
            stream = journal.add_stream(StreamSpec(name, "EEG", FS, ("x",)))
            journal.samples(stream, np.ones((3, 1), np.float32), np.arange(3) / FS)
        journal.add_stream(StreamSpec("empty", "EEG", FS, ("x",)))
    with pytest.raises(RecordingFault, match="2 regular streams .'A', 'B'.; name the one to play with 'stream'"):
        replay.load(path)
    assert replay.load(path, stream="B").head.n_samples == 3
    with pytest.raises(RecordingFault, match="'empty' of two.xdf has no samples"):
        replay.load(path, stream="empty")


def test_the_offline_source_needs_no_lsl(tmp_path):
    path = write(tmp_path / "a.xdf")
    code = (
        "import sys; from workbench.devices import replay; n = len(list(replay.items(sys.argv[1], block=100)));"
        "print(n > 5, [m for m in ('pylsl', 'mne') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout.split(maxsplit=1) == ["True", "[]\n"]


# ------------------------------------------------------------------------------------ through LSL
def ids(*names: str) -> list[str]:
    return [f"replay-{name}-{uuid.uuid4()}" for name in names]


def receive(inlet: lsl.Inlet, n: int):
    """Exactly ``n`` samples or texts; fails when they do not come."""
    values, stamps = [], []
    while sum(map(len, stamps)) < n:
        got, at = inlet.pull(10.0)
        assert len(at), f"{sum(map(len, stamps))} of {n} came"
        values.append(got)
        stamps.append(at)
    if inlet.is_text:
        return [text for part in values for text in part], np.concatenate(stamps)
    return np.concatenate(values), np.concatenate(stamps)


def test_signal_and_annotations_arrive_whole_with_the_original_time_base(tmp_path):
    path = write(tmp_path / "a.xdf")
    recorded = replay.load(path)
    signal_id, marker_id = ids("signal", "markers")
    options = {
        "files": [str(path)],
        "source_id": signal_id,
        "marker_source_id": marker_id,
        "conditions": HANDS,
        "speed": 4.0,
        "start": "on_receiver",
    }
    player = devices.start("replay", options)
    try:
        assert player.info["files"] == [{"name": "a.xdf", "seconds": 2.0, "n_cues": 3}]
        assert player.streams == (
            recorded.head.signal(signal_id),
            recorded.head.markers(marker_id),
        )
        texts = lsl.connect(marker_id)
        inlet = lsl.connect(signal_id)
        values, stamps = receive(inlet, len(recorded.stamps))
        labels, onsets = receive(texts, 4)
        assert (inlet.seen.speed, inlet.seen.t0) == (4.0, player.info["t0"])
        assert inlet.seen.channels == ("C3", "C4")
        inlet.close()
        texts.close()
    finally:
        devices.stop(player)
    start = stamps[0]
    assert start > player.info["t0"]
    assert np.array_equal(values, recorded.samples)
    assert stamps == pytest.approx(start + recorded.stamps, abs=1e-9)
    assert labels == ["hands", "feet", "T0", "hands"]
    assert onsets == pytest.approx([start + a.onset_s for a in recorded.head.annotations], abs=1e-9)


def test_files_begin_and_end_on_the_engines_command(tmp_path):
    paths = [write(tmp_path / "a.xdf", seed=1), write(tmp_path / "b.xdf", seed=2, seconds=1.0)]
    files = [replay.load(path) for path in paths]
    signal_id, cue_id = ids("signal", "cues")
    cues = lsl.Outlet(StreamSpec("test-cues", "Markers", 0.0, source_id=cue_id, role="markers"))
    options = {"files": [str(p) for p in paths], "source_id": signal_id, "cue_source_id": cue_id, "speed": 10.0}
    player = devices.start("replay", options)

    def say(kind: str, **more: object) -> None:
        stamp = lsl.local_clock()
        cues.push_text(json.dumps({"kind": kind, "stamp": stamp, **more}), stamp)

    try:
        assert cues.has_receiver(), "a player that is ready misses no command"
        inlet = lsl.connect(signal_id)
        say("cue", label="rest")
        assert len(inlet.pull(0.3)[1]) == 0, "it waits for the command"
        starts = []
        for kind, more, file in (("run", {}, 0), ("start", {}, 1), ("run", {"file": 0}, 0)):
            say(kind, **more)
            values, stamps = receive(inlet, len(files[file].stamps))
            assert np.array_equal(values, files[file].samples)
            assert stamps == pytest.approx(stamps[0] + files[file].stamps, abs=1e-9)
            starts.append(stamps[0])
            say("end")
        assert len(inlet.pull(0.3)[1]) == 0, "silent between files"
        assert starts[1] > starts[0] + files[0].head.seconds, "stream time runs on in the silence"
        inlet.close()
    finally:
        devices.stop(player)
        cues.close()


def test_a_file_that_is_ended_is_not_played_to_its_end(tmp_path):
    path = write(tmp_path / "long.xdf", seconds=60.0)
    signal_id, cue_id = ids("signal", "cues")
    cues = lsl.Outlet(StreamSpec("test-cues", "Markers", 0.0, source_id=cue_id, role="markers"))
    player = devices.start("replay", {"files": [str(path)], "source_id": signal_id, "cue_source_id": cue_id})
    try:
        inlet = lsl.connect(signal_id)
        cues.push_text(json.dumps({"kind": "run", "stamp": 0.0}), 0.0)
        receive(inlet, 50)
        cues.push_text(json.dumps({"kind": "stop", "stamp": 0.0}), 0.0)
        while len(inlet.pull(1.0)[1]):
            continue
        inlet.close()
    finally:
        assert devices.stop(player) == 0
        cues.close()


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"source_id": "x"}, "files of replay must be a list of one or more paths, got None"),
        ({"files": ["nothing.xdf"], "source_id": "x"}, "recording nothing.xdf is not there"),
        ({"files": ["a.xdf"]}, "needs the option source_id"),
        ({"files": ["a.xdf"], "source_id": "x", "speed": 0}, "speed of replay must be above 0, got 0"),
        ({"files": ["a.xdf"], "source_id": "x", "start": "later"}, "start of replay is 'later'; allowed are now"),
        ({"files": ["a.xdf"], "source_id": "x", "start": "on_command"}, "needs cue_source_id"),
        ({"files": ["a.xdf", "b.xdf"], "source_id": "x"}, "differ in rate or channel names"),
        ({"files": ["a.xdf"], "source_id": "x", "conditions": {"T9": "x"}}, "no annotation 'T9'"),
    ],
)
def test_options_that_cannot_be_are_refused_in_a_sentence(tmp_path, options, text):
    write(tmp_path / "a.xdf")
    write(tmp_path / "b.xdf", fs=500.0)
    if "files" in options:
        options = {**options, "files": [str(tmp_path / name) for name in options["files"]]}
        text = text.replace("nothing.xdf", str(tmp_path / "nothing.xdf"))
    with pytest.raises((BadValue, RecordingFault)) as caught:
        replay.Player(options, threading.Event())
    assert text in str(caught.value)


def test_a_player_that_cannot_start_says_why_to_its_owner(tmp_path):
    with pytest.raises(EngineFault, match="did not start: recording .* is not there"):
        devices.start("replay", {"files": [str(tmp_path / "a.edf")], "source_id": ids("x")[0]})
