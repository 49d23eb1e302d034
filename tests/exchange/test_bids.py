"""Recordings as BIDS: valid, equal to what was recorded, and without anybody's name, day or arm."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
from pathlib import Path

import mne
import numpy as np
import pytest

from workbench.errors import BadValue, RecordFault, Refused
from workbench.exchange import bids, datasets
from workbench.exchange._signal_files import bdf
from workbench.recording import RunFile, RunWriter, file_sha256
from workbench.study import Study, changes, protocol
from workbench.vocabulary import Marker, Participant, Recording, Run, Session, StreamSpec, Visit

SAMPLE = Path(__file__).resolve().parents[2] / "data_samples"
CANARY = "Canary Wang"
FS, N = 200.0, 450


def recorded(path, kind):
    """A short run whose outlet, plan and notes name somebody."""
    spec = StreamSpec(kind, kind, FS, ("A1", "A2"), source_id=CANARY)
    plan = {"run": path.stem, "session": CANARY, "classes": ["rest", "grasp"], "cue_source": "engine",
            "operator": CANARY}  # fmt: skip
    stamps = 50.0 + np.arange(N) / FS
    samples = np.random.default_rng(3).normal(scale=80.0, size=(N, 2)).astype(np.float32)
    told = {kind: {"hostname": CANARY, "desc": {"manufacturer": CANARY}}}
    with RunWriter(path, plan=plan, stamp=50.0, signal=spec, headers=told) as writer:
        writer.clock_offset(kind, 50.0, 1e-4)
        writer.signal(samples, stamps)
        writer.marker(Marker("cue", 100, 50.5, "grasp", {"trial": 0, "duration_s": 1.0}))
        writer.marker(Marker("note", 300, 51.5, f"{CANARY} coughed"))
    return Recording("", f"recordings/{path.name}", file_sha256(path), path.stat().st_size, N, FS, "finished")


def with_run(study, visit, number, kind):
    session = study.append(Session(visit, CANARY, simulated=True, started="2026-03-01T09:00:00Z"))
    recording = recorded(study.folder / "recordings" / f"{kind.lower()}-{number}.xdf", kind)
    run = Run(session, 1, "calibration", "left_right", "finished", id=f"run-{number}-{kind}")
    study.append_run(run, recordings=[recording])


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """The sample study with scalp and muscle recordings, and somebody who withdrew."""
    folder = shutil.copytree(SAMPLE / "study", tmp_path_factory.mktemp("b") / "study")
    with Study.open(folder, actor=CANARY) as one:
        someone, other = one.script_signer(CANARY), one.script_signer("Dr C")
        adopt = changes.AdoptProtocol(protocol.read(SAMPLE / "protocol_neo_hand.toml").definition())
        one.apply(adopt, [someone.confirm(), other.confirm()])
        person = one.append(Participant("患者-7", simulated=True))
        visit = one.append(Visit(person, "Week 1", started="2026-03-01T09:00:00Z"))
        with_run(one, visit, 1, "EEG")
        with_run(one, visit, 2, "EMG")
        gone = one.append(Participant("SIM-GONE", simulated=True))
        one.apply(changes.GiveConsent(gone, ("neural_data_use",), "1.0", "2026-03-01"), someone)
        one.apply(changes.WithdrawConsent(gone, ("neural_data_use",), "2026-03-02"), someone)
        with_run(one, one.append(Visit(gone, "Week 1")), 3, "EEG")
        yield one


@pytest.fixture(scope="module")
def folder(study, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    made = bids.write(datasets.release(study, purposes=bids.NEEDS), out)
    assert (made.recordings, made.participants, made.skipped) == (4, 2, [])
    return out


def table(path):
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines(), delimiter="\t"))


def test_the_validator_of_bids_finds_no_error_without_a_network(folder, request):
    validator = shutil.which("bids-validator-deno")
    if validator is None:
        pytest.skip("bids-validator-deno is not installed")
    offline = ["unshare", "-rn"]
    if shutil.which("unshare") is None or subprocess.run([*offline, "true"], capture_output=True).returncode:
        offline = []
    # Its runtime reads nothing below /dev, where temporary folders may lie in memory.
    readable = request.config.cache.mkdir("bids") / str(os.getpid())
    shutil.copytree(folder, readable)
    try:
        done = subprocess.run([*offline, validator, "--json", readable], capture_output=True, text=True)
    finally:
        shutil.rmtree(readable)
    issues = json.loads(done.stdout)["issues"]["issues"]
    assert [one for one in issues if one["severity"] == "error"] == []
    assert sorted(json.loads(done.stdout)["summary"]["dataTypes"]) == ["eeg", "emg", "ieeg"]
    assert done.returncode == 0


def test_signals_are_those_of_the_recording(study, folder):
    read = {".vhdr": mne.io.read_raw_brainvision, ".bdf": mne.io.read_raw_bdf}
    found = sorted(path for path in folder.rglob("sub-*") if path.suffix in read)
    assert [path.parent.name for path in found] == ["eeg", "emg", "ieeg", "ieeg"]
    for path in found:
        name = {"eeg": "eeg-1", "emg": "emg-2"}.get(path.parent.name) or (
            "sample-online" if "acq-online" in path.name else "sample-calibration"
        )
        run = RunFile(study.folder / "recordings" / f"{name}.xdf")
        recorded_uv = np.asarray(run.signal.values, dtype=np.float64)
        raw = read[path.suffix](path, verbose="ERROR")
        got = raw.get_data()[:, : len(recorded_uv)].T * 1e6
        assert raw.info["sfreq"] == run.signal.fs
        # float32 in BrainVision; in BDF a step is the range of the channel over 2**24.
        near = np.ptp(recorded_uv, axis=0).max() / 2**23 if path.suffix == ".bdf" else 1e-3
        assert np.abs(got - recorded_uv).max() <= near


def test_cues_are_events_with_what_came_of_their_trials(study, folder):
    (path,) = folder.rglob("*acq-online*_events.tsv")
    (run,) = study.rows("run", kind="online")
    trials = {str(row["index"]): row for row in study.rows("trial", run_id=run["id"])}
    rows = [row for row in table(path) if row["trial"] != "n/a"]
    assert len(rows) == len(trials)
    for row in rows:
        trial = trials[row["trial"]]
        assert (row["outcome"], row["trial_type"]) == (trial["outcome"], trial["condition"])
        assert int(row["sample"]) == trial["cue_sample"]
    (path,) = [one for one in folder.rglob("*_task-leftright*_events.tsv") if one.parent.name == "eeg"]
    assert [row["trial_type"] for row in table(path)] == ["grasp", "note"]


def test_no_name_day_or_person_who_withdrew_is_anywhere_in_the_folder(folder):
    for path in folder.rglob("*"):
        assert "GONE" not in path.name
        data = path.read_bytes() if path.is_file() else b""
        assert not any(word in data for word in (CANARY.encode(), b"GONE", b"2026-03", b"coughed"))
    people = table(folder / "participants.tsv")
    assert [(row["participant_id"], row["pseudonym"]) for row in people] == [
        ("sub-SIM01", "SIM-01"), ("sub-P001", "患者-7"),
    ]  # fmt: skip


def test_pseudonyms_that_bids_would_spell_alike_are_told_apart_by_numbers():
    people = [{"id": str(n), "pseudonym": name} for n, name in enumerate(("A-1", "a1", "P001", "B.2", "éé"))]
    assert bids._labels(people) == {"0": "P002", "1": "P003", "2": "P001", "3": "B2", "4": "P004"}


def test_a_recording_that_was_changed_stops_the_export_and_one_that_is_gone_is_named(study, tmp_path):
    path = study.folder / "recordings" / "eeg-1.xdf"
    data = path.read_bytes()
    given = datasets.release(study, purposes=bids.NEEDS)
    try:
        path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        (tmp_path / "a").mkdir()
        with pytest.raises(RecordFault, match=r"eeg-1\.xdf is not the recording that the record knows"):
            bids.write(given, tmp_path / "a")
        path.unlink()
        (tmp_path / "b").mkdir()
        (said,) = bids.write(given, tmp_path / "b").skipped
        assert said.startswith("not in the folder: eeg-1.xdf")
    finally:
        path.write_bytes(data)


def test_somebody_from_whom_the_arm_is_kept_gets_no_recording(study, tmp_path):
    blind = datasets.Release(study, study, True, {}, (), {}, study.head())
    with pytest.raises(Refused, match="recordings tell the arm"):
        bids.write(blind, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_rate_that_bdf_cannot_hold_and_values_that_are_none_are_refused(tmp_path):
    with pytest.raises(BadValue, match=r"whole rates in Hz; got 512\.5"):
        bdf(tmp_path / "a.bdf", np.zeros((10, 1)), ["A"], ["µV"], 512.5)
    with pytest.raises(BadValue, match="no numbers"):
        bdf(tmp_path / "a.bdf", np.full((10, 1), np.nan), ["A"], ["µV"], 512.0)
