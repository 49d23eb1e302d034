"""Recordings as the tools of the field read them: no warning, the cues as annotations, and nothing else."""

from __future__ import annotations

import json
import logging

import numpy as np
import pytest

from workbench.recording import RunFile, RunWriter, run_writer
from workbench.signals import timebase
from workbench.vocabulary import Acknowledgement, Command, Decision, LedgerRow, Marker, StreamSpec, Trial

pyxdf = pytest.importorskip("pyxdf")
FS, N = 200.0, 4000
SIGNAL = StreamSpec("ECoG", "ECoG", FS, ("E1", "E2"), source_id="amp")
OUTLET = {
    "uid": "5d1c", "hostname": "lab-3", "created_at": "12.5", "session_id": "default", "version": "1.1",
    "desc": {
        "manufacturer": "Acme", "cap": {"name": "grid"},
        "channels": {"channel": [{"label": "E1", "unit": "microvolts", "impedance": "5"}, {"label": "E2"}]},
    },
}  # fmt: skip
CUES = [("grasp", 1.0), ("rest", 4.0), ("grasp", 9.0)]


def command(seq, stamp):
    return Command(seq, stamp, stamp, 0, "glove", "glove", "close", (1.0,), 100, 250, "ACTIVE")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """A run of 20 s with everything in it; the device's clock runs 2.9 s behind."""
    path = tmp_path_factory.mktemp("others") / "run.xdf"
    plan = {
        "run": "run-1",
        "session": "s-1",
        "classes": ["rest", "grasp"],
        "workbench": "1",
        "cue_source": "engine",
    }
    stamps = 50.0 + np.arange(N) / FS
    with RunWriter(path, plan=plan, stamp=50.0, signal=SIGNAL, headers={"ECoG": OUTLET}) as writer:
        writer.clock_offset("ECoG", 50.0, 1e-4)
        for at in range(0, N, 100):
            writer.signal(np.zeros((100, 2), np.float32), stamps[at : at + 100])
            if at % 1000 == 0:
                writer.clock_offset("ECoG", float(stamps[at]), 1e-4)
        for trial, (label, at) in enumerate(CUES):
            writer.marker(Marker("cue", round(at * FS), 50.0 + at, label, {"trial": trial}))
        writer.marker(Marker("note", 3000, 65.0, "left hand cold"))
        for seq in range(1, 4):
            writer.command(command(seq, 55.0 + seq))
            writer.ack(Acknowledgement(seq, 52.1 + seq, 52.2 + seq, "ok", (1.0,)))
        writer.decision(Decision(100, 50.5, "rest", (0.9, 0.1)))
        writer.ledger(LedgerRow("note", 65.0, 65.0, extent="left hand cold"))
        writer.trial(Trial(0, "grasp", 200, 51.0, 600, "correct"))
    return path


def annotations(streams):
    """What MNELAB's reader makes of a file: every irregular stream of one channel becomes annotations."""
    found = []
    for stream in streams:
        info = stream["info"]
        if float(info["nominal_srate"][0]) == 0 and int(info["channel_count"][0]) == 1:
            found += [
                (text, float(at)) for at, row in zip(stream["time_stamps"], stream["time_series"]) for text in row
            ]
    return found


def test_pyxdf_loads_it_without_a_warning(recorded, caplog):
    with caplog.at_level(logging.WARNING):
        pyxdf.load_xdf(recorded)
    assert caplog.records == []


def test_readers_get_the_cues_as_annotations_and_nothing_else(recorded):
    streams, _ = pyxdf.load_xdf(recorded)
    expected = [(label, pytest.approx(50.0 + at, abs=1e-3)) for label, at in CUES]
    assert annotations(streams) == expected
    by_type = [s for s in streams if s["info"]["type"][0] == "Markers"]
    assert [[row[0] for row in s["time_series"]] for s in by_type] == [[label for label, _ in CUES]]


def test_every_stream_has_clock_offsets_and_a_full_header(recorded):
    streams, header = pyxdf.load_xdf(recorded, synchronize_clocks=False, dejitter_timestamps=False)
    assert header["info"]["datetime"][0]
    for stream in streams:
        info, name = stream["info"], stream["info"]["name"][0]
        assert stream["clock_times"], name
        assert stream["footer"]["info"]["clock_offsets"][0], name
        for element in ("uid", "hostname", "created_at", "session_id"):
            assert info[element][0], (name, element)
        assert info["desc"][0]["manufacturer"][0], name
    assert len({stream["info"]["uid"][0] for stream in streams}) == len(streams)


def test_what_the_outlet_says_of_itself_and_of_its_channels_is_kept(recorded):
    streams, _ = pyxdf.load_xdf(recorded)
    info = next(s["info"] for s in streams if s["info"]["name"][0] == "ECoG")
    first, second = info["desc"][0]["channels"][0]["channel"]
    assert (first["unit"][0], first["impedance"][0]) == ("microvolts", "5")
    assert (second["unit"][0], second["type"][0]) == ("uV", "ECoG")
    assert info["desc"][0]["cap"][0]["name"][0] == "grid"
    assert (info["uid"][0], info["hostname"][0]) == ("5d1c", "lab-3")


def test_no_acknowledgement_is_stamped_before_its_command(recorded):
    file = RunFile(recorded)
    sent = {json.loads(text)["seq"]: at for text, at in entries(file, run_writer.COMMANDS)}
    for text, at in entries(file, run_writer.ACKS):
        assert at >= sent[json.loads(text)["seq"]]
    assert [ack.received for ack in file.acks()] == [53.1, 54.1, 55.1]


def entries(file, name):
    stream = file.file.stream(name)
    return list(zip(stream.texts, stream.stamps.tolist(), strict=True))


def test_cues_that_come_from_a_marker_stream_are_not_there_twice(tmp_path):
    path = tmp_path / "run.xdf"
    texts = StreamSpec("Cues", "Markers", 0.0, source_id="c", role="markers")
    with RunWriter(
        path, plan={"cue_source": "stream"}, stamp=0.0, signal=SIGNAL, others=[(texts, "string")]
    ) as writer:
        writer.signal(np.zeros((10, 2), np.float32), np.arange(10) / FS)
        writer.samples("Cues", ["grasp"], np.array([0.01]))
        writer.clock_offset("Cues", 0.0, 0.0)
        writer.marker(Marker("cue", 2, 0.01, "grasp"))
    assert [text for text, _ in annotations(pyxdf.load_xdf(path)[0])] == ["grasp"]


def test_a_new_recording_names_the_rule_of_its_time_base_and_one_of_before_has_rule_1(recorded):
    assert run_writer.RULE == timebase.RULE
    assert RunFile(recorded).plan["timebase"]["rule"] == timebase.RULE
    jittered = 50.0 + np.arange(N) / FS + np.repeat(np.random.default_rng(0).exponential(0.02, N // 20), 20)
    for described in (None, {"rule": 2, "gap_tolerance_s": 0.02, "jitter_s": 1.0}):
        base = timebase.Timebase.of_plan(FS, described)
        assert bool(base.step(jittered)[1]) == (described is None)


def test_samples_in_volts_are_recorded_as_they_came_and_replayed_in_microvolts(tmp_path):
    path, spec = tmp_path / "run.xdf", StreamSpec("Amp", "EEG", FS, ("C3", "n"), counter="n")
    plan = {
        "contract": [{"name": "Amp", "channels": ["C3", "n"], "counter": "n"}],
        "units": {"Amp": {"units": ["V", ""], "factors": [1e6, 1.0], "source": "announced", "by": ""}},
    }
    values = np.column_stack([np.full(50, 2e-5), np.arange(50)]).astype(np.float32)
    told = {"desc": {"channels": {"channel": [{"label": "C3", "unit": "V"}, {"label": "n"}]}}}
    with RunWriter(path, plan=plan, stamp=0.0, signal=spec, headers={"Amp": told}) as writer:
        writer.signal(values, np.arange(50) / FS)
    run = RunFile(path)
    assert (run.signal.unit, run.signal.values[0].tolist()) == ("V", values[0].tolist())
    chunk = next(item for item in run.items() if not isinstance(item, Marker))
    assert chunk.samples.tobytes() == (values[:, :1].astype(np.float64) * 1e6).tobytes()
