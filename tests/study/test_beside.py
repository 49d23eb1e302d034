"""Verify looks at every file beside the record: decoders, ledgers, recordings that never entered."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest

from workbench import decoders
from workbench.errors import RecordFault
from workbench.recording.session_ledger import append_rows
from workbench.study import Study, verify
from workbench.study.files import decoder_hash
from workbench.study.migrate import migrate
from workbench.vocabulary import LedgerRow, Montage

FIXTURES = Path(__file__).parents[1] / "fixtures" / "studies"
OLD = (1_600_000_000, 1_600_000_000)


def decoder_folder(study):
    return study.folder / study.rows("decoder")[0]["path"]


def problems(study):
    return verify(study.folder).problems


def test_the_hash_of_a_decoder_is_the_one_that_was_saved(study):
    folder = decoder_folder(study)
    assert decoder_hash(folder) == decoders.read(folder).sha256_ == study.ids["sha256"]


def test_the_hash_of_a_decoder_depends_on_its_values_and_not_on_how_its_description_is_written(tmp_path):
    """Both ways to write the same: keys in any order, a letter beyond ASCII as it is or escaped."""
    epochs, cues = np.random.default_rng(1).normal(0.0, 10.0, (12, 2, 500)), ["grasp", "rest"] * 6
    fitted = decoders.load("bandpower_lda")(250.0).fit(epochs, cues, lead_in=0.0)
    sha256 = decoders.save(fitted, tmp_path, montage=Montage(("FC\u03b1", "Cz"), 250.0))
    described = json.loads((tmp_path / "decoder.json").read_text("utf-8"))
    assert "FC\u03b1" in described["decoder"]["montage"]["channels"]
    assert decoder_hash(tmp_path) == sha256
    turned = {**described, "decoder": dict(reversed(described["decoder"].items()))}
    for ascii_only in (True, False):
        text = json.dumps(turned, ensure_ascii=ascii_only)
        (tmp_path / "decoder.json").write_text(text, encoding="utf-8")
        assert decoder_hash(tmp_path) == sha256


@pytest.mark.parametrize("name", ["decoder.json", "arrays.npz"])
def test_a_decoder_that_was_changed_or_deleted_is_named(study, name):
    path = decoder_folder(study) / name
    whole = bytearray(path.read_bytes())
    if name == "decoder.json":
        changed = bytes(whole).replace(b'"fs": 250.0', b'"fs": 251.0', 1)
        assert changed != bytes(whole)
        path.write_bytes(changed)
        (problem,) = (problem for problem in problems(study) if "is not the one in the record" in problem)
        assert problem.endswith(f", the record says {study.rows('decoder')[0]['sha256'][:12]}")
        assert re.search("has the hash [0-9a-f]{12},", problem)
    for data in (b"", b"[" * 100_000, bytes(whole[: len(whole) // 2])):
        path.write_bytes(data)
        assert any(problem.startswith("decoder decoders/") for problem in problems(study)), data[:10]
    path.write_bytes(whole)
    assert problems(study) == ()
    shutil.rmtree(study.folder / "decoders")
    assert any("cannot be read" in problem for problem in problems(study))


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_whatever_bit_of_a_decoders_arrays_is_flipped_the_answer_is_a_hash_or_a_record_fault(tmp_path, save):
    (tmp_path / "decoder.json").write_text('{"decoder": {}}')
    path = tmp_path / "arrays.npz"
    save(path, w=np.arange(6.0).reshape(2, 3))
    whole = path.read_bytes()
    refused = 0
    for at in range(len(whole)):
        for bit in range(8):
            changed = bytearray(whole)
            changed[at] ^= 1 << bit
            path.write_bytes(changed)
            try:
                decoder_hash(tmp_path)
            except RecordFault:
                refused += 1
    assert 0 < refused < 8 * len(whole), "what no reader needs, such as a date, may change"


def test_a_decoder_whose_arrays_are_a_pipe_or_pack_another_kind_is_named(study):
    path = decoder_folder(study) / "arrays.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("w.npy", b"x" * 1000)
    assert any("no decoder" in p or "cannot be read" in p for p in problems(study))
    path.unlink()
    os.mkfifo(path)
    assert any("it is a pipe" in problem for problem in problems(study))


def test_one_bit_of_one_array_of_a_decoder_is_found(study):
    path = decoder_folder(study) / "arrays.npz"
    whole = path.read_bytes()
    at = whole.index(b"\x93NUMPY") + 130
    path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
    assert any("decoder decoders/" in problem for problem in problems(study))


def test_a_recording_that_never_entered_the_record_is_a_problem_unless_it_grows(study):
    path = study.folder / "recordings" / "r2.xdf"
    path.write_bytes(b"XDF: never taken in")
    found = verify(study.folder)
    assert found.ok
    assert any("recordings/r2.xdf is being recorded" in warning for warning in found.warnings)
    os.utime(path, OLD)
    with path.open("rb") as writer:
        fcntl.flock(writer, fcntl.LOCK_EX)
        assert verify(study.folder).ok
    assert any("recordings/r2.xdf never entered the record; take it in" in p for p in problems(study))
    assert verify(study.folder, files=False).ok


def test_a_recording_that_somebody_only_reads_does_not_pass_for_one_that_grows(study):
    path = study.folder / "recordings" / "r2.xdf"
    path.write_bytes(b"XDF: never taken in")
    os.utime(path, OLD)
    with path.open("rb") as reader:
        fcntl.flock(reader, fcntl.LOCK_SH)
        assert any("recordings/r2.xdf never entered the record" in problem for problem in problems(study))


def test_a_recording_dated_in_the_future_does_not_pass_for_one_that_grows(study):
    path = study.folder / "recordings" / "r2.xdf"
    path.write_bytes(b"XDF: never taken in")
    os.utime(path, (time.time() + 1e6, time.time() + 1e6))
    assert any("recordings/r2.xdf never entered the record" in problem for problem in problems(study))


def test_session_ledgers_are_compared_line_by_line(study):
    path = study.folder / "recordings" / f"{study.ids['session']}.ledger.jsonl"
    whole = path.read_bytes()
    assert problems(study) == ()
    append_rows(path, [LedgerRow("note", 0.5, 2.5, extent="after the last run")])
    assert any("1 rows of recordings/" in p and "workbench end" in p for p in problems(study))
    path.unlink()
    append_rows(path, [LedgerRow("note", 0.5, 1.5, extent="something else")])
    assert any("line 1 is not what the record says" in p for p in problems(study))
    path.write_bytes(whole.replace(b"before", b"behind"))
    assert any("line 1 is not what the record says" in p for p in problems(study))
    path.write_bytes(b"")
    assert any("its end was cut" in p for p in problems(study))


def test_rows_of_a_session_that_runs_are_not_missing_yet(study):
    path = study.folder / "recordings" / f"{study.ids['session']}.ledger.jsonl"
    append_rows(path, [LedgerRow("note", 0.5, 2.5, extent="after the last run")])
    engine = study.folder / "engine"
    engine.mkdir(exist_ok=True)
    for session, runs in ((study.ids["session"], True), ("another", False)):
        lock = {"session_id": session, "pid": os.getpid()}
        (engine / "lock.json").write_text(json.dumps(lock), encoding="utf-8")
        found = verify(study.folder)
        assert found.ok == runs
        assert any("are not in the record yet; the session runs" in warning for warning in found.warnings) == runs


def test_a_session_ledger_that_was_deleted_is_a_problem_until_it_is_restored(study):
    path = study.folder / "recordings" / f"{study.ids['session']}.ledger.jsonl"
    whole = path.read_bytes()
    path.unlink()
    found = verify(study.folder)
    assert not found.ok
    assert found.text().startswith("the record does NOT hold: 1 problem\n")
    assert found.problems[0].startswith(f"recordings/{path.name} is gone; the record has ")
    assert found.problems[0].endswith("restore the file from the backup")
    path.write_bytes(whole)
    assert verify(study.folder).ok


def test_a_migrated_study_holds_without_a_ledger_it_never_had_and_not_without_one_it_had(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_KEYS", str(tmp_path / "keys"))
    folder = tmp_path / "study"
    shutil.copytree(FIXTURES / "v2", folder)
    migrate(folder, actor="tests")
    assert verify(folder).ok
    row = LedgerRow("note", 0.5, 1.5, extent="between the runs")
    with Study.open(folder, actor="tests") as study:
        session = study.rows("session")[0]["id"]
        path = folder / "recordings" / f"{session}.ledger.jsonl"
        append_rows(path, [row])
        study.append_session_ledger(session, [row])
    assert verify(folder).ok
    path.unlink()
    assert any(f"{path.name} is gone" in problem for problem in verify(folder).problems)
