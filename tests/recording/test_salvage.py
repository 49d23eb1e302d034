"""Any flipped bit of a recording is reported, and costs at most the chunk it stands in."""

from __future__ import annotations

import logging
import os
import shutil
from dataclasses import astuple
from pathlib import Path

import numpy as np
import pytest
import pyxdf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.shares import examples
from workbench import commands
from workbench.errors import RecordingFault
from workbench.messages import translate
from workbench.recording import Journal, RunFile, RunWriter, chunks, index, read
from workbench.recording.account import Account
from workbench.recording.chunks import Tag
from workbench.recording.recover import inspect, recover
from workbench.recording.xdf import load
from workbench.vocabulary import Decision, Marker, StreamSpec, Trial

SIGNAL = StreamSpec("ECoG", "EEG", 1000.0, ("a", "b", "c", "d"), source_id="amp-1")
PLAN = {
    "run": "r1",
    "session": "s1",
    "number": 1,
    "kind": "online",
    "paradigm": "grasp_rest",
    "params": {"a": 0.1},
}
PLAN |= {"classes": ["rest", "grasp"], "text": "抓握 " * 40}
N_CHUNKS, BLOCK = 250, 20
POSITIONS = 75


def killed_run(folder: Path, *, n_chunks: int = N_CHUNKS) -> Path:
    """A run as a killed engine leaves it: no footers, an index without an end, whole chunks only."""
    path = folder / "run.xdf"
    rng = np.random.default_rng(7)
    writer = RunWriter(path, plan=PLAN, stamp=100.0, signal=SIGNAL)
    for k in range(n_chunks):
        at = k * BLOCK
        writer.signal(rng.normal(size=(BLOCK, 4)).astype(np.float32), 100.0 + np.arange(at, at + BLOCK) / 1000.0)
        writer.decision(Decision(at + BLOCK, 100.0 + (at + BLOCK) / 1000.0, "rest", (0.9, 0.1)), acquired=100.0)
        if k % 25 == 24:
            writer.marker(Marker("cue", at, 100.0 + at / 1000.0, "grasp", {"trial": k // 25}))
            writer.trial(Trial(k // 25, "grasp", at, 100.0, at + BLOCK, "correct"))
    side = index.path_of(path)
    size, entries = writer.journal.size, side.stat().st_size
    writer.close()
    os.truncate(path, size)
    os.truncate(side, entries)
    return path


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    return killed_run(tmp_path_factory.mktemp("killed"))


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return killed_run(tmp_path_factory.mktemp("small"), n_chunks=8)


def copy_of(path: Path, folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    shutil.copy2(index.path_of(path), folder)
    return Path(shutil.copy2(path, folder))


def flip(path: Path, at: int, bit: int = 0) -> None:
    with open(path, "r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ (1 << bit)]))


def whole_chunks(path: Path) -> list[bytes]:
    """The bytes of every chunk, by walking the lengths."""
    data, at, found = memoryview(path.read_bytes()), len(chunks.MAGIC), []
    while at < len(data):
        _, _, end = chunks.decode_chunk(data, at)
        found.append(bytes(data[at:end]))
        at = end
    return found


def opens_in_pyxdf(path: Path) -> bool:
    said: list[logging.LogRecord] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = said.append  # type: ignore[method-assign]
    logging.getLogger("pyxdf.pyxdf").addHandler(handler)
    try:
        pyxdf.load_xdf(path, synchronize_clocks=False, dejitter_timestamps=False)
    finally:
        logging.getLogger("pyxdf.pyxdf").removeHandler(handler)
    return not said


@pytest.mark.job
def test_each_of_75_flips_in_a_killed_recording_costs_at_most_its_chunk_and_is_reported(original, tmp_path):
    """The reproduction of the finding: 67 of 75 such flips lost the whole run, with exit 0."""
    every = whole_chunks(original)
    assert len(every) > 500
    positions = np.linspace(0, original.stat().st_size - 1, POSITIONS).astype(int)
    for at in positions.tolist():
        path = copy_of(original, tmp_path / "flipped")
        flip(path, at, at % 8)
        before = path.read_bytes()
        result = recover(path)
        assert result.damaged, at
        assert result.sentence
        saved = result.salvaged or path
        kept = whole_chunks(saved)
        assert len(kept) >= len(every) - 1, at
        assert set(kept) <= set(every)
        if result.salvaged:
            assert path.read_bytes() == before, "the damaged file is evidence"
        assert RunFile(saved).state == "recovered"
        assert opens_in_pyxdf(saved)


def test_a_flip_in_a_header_or_in_the_plan_costs_nothing(small, tmp_path):
    """Without them nothing else could be read; the index holds a copy of each."""
    every = whole_chunks(small)
    vital = len(chunks.MAGIC) + sum(len(chunk) for chunk in every[:9])
    for at in range(0, vital, 97):
        path = copy_of(small, tmp_path / "flipped")
        flip(path, at)
        result = recover(path)
        assert result.state == "salvaged"
        assert result.lost_bytes == 0
        assert result.account.lost == ("Nothing; the bytes that were damaged are known.",)
        assert result.salvaged.read_bytes() == small.read_bytes()
        assert RunFile(result.salvaged).plan["text"] == PLAN["text"]


@pytest.mark.parametrize("command", ["recover", "inspect"])
def test_a_command_that_met_damage_never_exits_with_0(small, tmp_path, capsys, command):
    middle = len(small.read_bytes()) - 300
    for name, places in {"file": [20, middle], "index": [3, 40, 200]}.items():
        for at in places:
            path = copy_of(small, tmp_path / "flipped")
            flip(path if name == "file" else index.path_of(path), at)
            assert commands.main([command, str(path)]) == 1, (name, at)
            said = capsys.readouterr()
            assert "damaged" in said.out or "changed after" in said.out
            assert "lost:  What had not been written" not in said.out or name == "index"


def test_what_is_lost_is_said_in_bytes_chunks_samples_seconds_and_streams(original, tmp_path):
    path = copy_of(original, tmp_path / "flipped")
    entries = [e for e in index.read(path).chunks if e.tag == chunks.Tag.SAMPLES and e.n_samples == BLOCK]
    for entry in entries[10:13]:
        flip(path, entry.start + entry.length // 2)
    said = recover(path).account
    lost = sum(e.length for e in entries[10:13])
    assert said.found[0].startswith("run.xdf is damaged in 3 places, the first of them chunk ")
    assert said.lost == (f"{lost:,} bytes in 3 chunks: 60 samples of 'ECoG' (0.060 s).",)
    assert said.saved[0].endswith(" whole chunks, in salvaged/run.xdf.")
    assert said.saved[1] == "The damaged file itself was not changed."
    assert said.next[0].startswith("Restore the file from its backup.")
    assert recover(path).lost_s == pytest.approx(0.06)


def test_without_an_index_everything_behind_a_broken_chunk_is_found_again(original, tmp_path):
    path = copy_of(original, tmp_path / "flipped")
    entries = [e for e in index.read(path).chunks if e.tag == chunks.Tag.SAMPLES and e.n_samples == BLOCK]
    index.path_of(path).unlink()
    flip(path, entries[100].start + 1, 6)  # the length of the chunk
    result = recover(path)
    assert result.state == "salvaged"
    assert result.n_chunks == len(whole_chunks(original)) - 1
    assert "a part of 'ECoG' (0.020 s)" in result.sentence
    assert len(read(result.salvaged).stream("ECoG").stamps) == (N_CHUNKS - 1) * BLOCK


def test_a_damaged_index_of_a_whole_recording_is_reported_and_nothing_is_changed(tmp_path):
    path = tmp_path / "r.xdf"
    with Journal(path) as journal:
        stream = journal.add_stream(SIGNAL)
        journal.samples(stream, np.zeros((5, 4), np.float32), np.arange(5.0))
    before = path.read_bytes()
    for at in range(0, index.path_of(path).stat().st_size, 11):
        copied = copy_of(path, tmp_path / "copy")
        flip(index.path_of(copied), at)
        assert inspect(copied).quarantined, at
        result = recover(copied)
        assert result.quarantined, at
        assert "index r.xdf.idx is damaged" in result.sentence
        assert copied.read_bytes() == before


def test_what_became_of_a_recording_is_said_in_every_language_and_again_on_a_second_call(original, tmp_path):
    path = copy_of(original, tmp_path / "torn")
    os.truncate(path, path.stat().st_size - 100)
    first, again = recover(path).account, recover(path).account
    text = first.text(path.name).splitlines()
    labels = [line.split()[0] for line in text if line[2] != " "]
    assert labels == ["run.xdf", "found:", "saved:", "lost:", "next:"]
    assert again == first
    chinese = [[translate(s, language="zh-CN") for s in part] for part in astuple(first)]
    assert chinese == [[translate(s, language="zh-CN") for s in part] for part in astuple(again)]
    assert chinese[0] == ["run.xdf 未曾关闭：写入程序在记录期间结束。"]


def test_an_account_that_an_index_of_a_version_before_does_not_have_is_its_sentence(small, tmp_path):
    path = copy_of(small, tmp_path / "copy")
    recover(path)
    side = index.read(path)
    note = {name: value for name, value in side.end.items() if name != "account"}
    index.replace(path, side.chunks, note | {"sentence": "It lost its end."}, copies=side.copies)
    assert recover(path).account == Account(("It lost its end.",))
    assert inspect(path).sentence == "It lost its end."


@pytest.mark.parametrize(
    "account", [{"found": 3}, {"found": []}, {"found": [None]}, {"found": ["a"], "lost": "b"}]
)
def test_an_account_that_no_recovery_writes_is_refused(small, tmp_path, account):
    path = copy_of(small, tmp_path / "copy")
    recover(path)
    side = index.read(path)
    index.replace(path, side.chunks, side.end | {"account": account}, copies=side.copies)
    with pytest.raises(RecordingFault, match="end entry of the index has account = "):
        recover(path)


def test_a_damaged_index_of_a_recovered_recording_is_reported_too(small, tmp_path, capsys):
    path = copy_of(small, tmp_path / "copy")
    first = recover(path)
    assert (first.state, first.damaged) == ("recovered", False)
    assert recover(path) == first
    flip(index.path_of(path), len(index.MAGIC) + 3)
    assert commands.main(["recover", str(path)]) == 1
    assert "index run.xdf.idx is damaged in 1 place" in capsys.readouterr().out
    assert commands.main(["inspect", str(path)]) == 1
    assert "index run.xdf.idx is damaged in 1 place" in capsys.readouterr().out


def test_stamps_that_count_on_from_a_lost_chunk_are_not_made_up(tmp_path):
    """A recorder may leave the stamps of later samples out; behind a hole they would be wrong by its length."""
    header = (
        "<info><name>s</name><type>EEG</type><channel_count>1</channel_count><nominal_srate>10</nominal_srate>"
        "<channel_format>float32</channel_format></info>"
    )

    def samples(first: float | None) -> bytes:
        stamp = b"\x00" if first is None else b"\x08" + np.float64(first).tobytes()
        content = (1).to_bytes(4, "little") + b"\x01\x02" + stamp + b"\0\0\0\0" + b"\x00" + b"\0\0\0\0"
        return chunks.encode_chunk(chunks.Tag.SAMPLES, content)

    head = chunks.encode_xml(chunks.Tag.STREAM_HEADER, header, stream_id=1)
    parts = [samples(0.0), samples(None), samples(None), samples(0.6), samples(None)]
    broken = bytearray(parts[1])
    broken[0] = 99
    path = tmp_path / "foreign.xdf"
    path.write_bytes(chunks.MAGIC + head + parts[0] + bytes(broken) + b"".join(parts[2:]))
    result = recover(path)
    assert read(result.salvaged).stream("s").stamps.tolist() == pytest.approx([0.0, 0.1, 0.6, 0.7, 0.8, 0.9])
    assert "1 whole chunk cannot be read without lost ones and was left out." in result.account.saved


places = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 7)), max_size=4)


@settings(
    max_examples=examples(60), suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(flips=places, index_flips=places, cut=st.floats(0.02, 1.0), index_cut=st.floats(0.0, 1.0))
def test_whatever_is_flipped_or_cut_every_whole_chunk_is_saved_and_the_loss_is_said(
    small, tmp_path, flips, index_flips, cut, index_cut
):
    path = copy_of(small, tmp_path / "torn")
    side = index.path_of(path)
    ends = np.cumsum([len(chunks.MAGIC), *map(len, whole_chunks(small))])
    for file, places_, share in ((path, flips, cut), (side, index_flips, index_cut)):
        size = file.stat().st_size
        for where, bit in places_:
            flip(file, int(where * size), bit)
        os.truncate(file, int(np.ceil(share * size)))
    now, was = path.read_bytes(), small.read_bytes()
    untouched = [was[a:b] for a, b in zip(ends, ends[1:]) if now[a:b] == was[a:b] and b <= len(now)]
    try:
        result = recover(path)
    except RecordingFault:
        assert now != was
        return
    saved = result.salvaged or path
    kept = set(whole_chunks(saved))
    if now != was and not (was.startswith(now) and len(now) in ends):
        assert (
            result.damaged or "missing from its index and were checked by their structure only" in result.sentence
        )
    readable = untouched if not _header_lost(now, was, ends, load(path)[1]) else []
    for chunk in readable:
        assert chunk in kept, "a whole chunk was left behind"
    assert opens_in_pyxdf(saved)


def _header_lost(now: bytes, was: bytes, ends: np.ndarray, side: index.Index | None) -> bool:
    """Whether a stream's header is damaged of which the index holds no copy; its samples cannot be read."""
    copies = side.copies if side is not None else {}
    spans = [(int(a), int(b)) for a, b in zip(ends, ends[1:])]
    headers = [(a, b) for a, b in spans if chunks.decode_chunk(memoryview(was), a)[0] == Tag.STREAM_HEADER]
    return any(now[a:b] != was[a:b] and a not in copies for a, b in headers)


def test_an_index_that_was_emptied_is_a_damaged_index(small, tmp_path):
    path = copy_of(small, tmp_path / "run")
    index.path_of(path).write_bytes(b"")
    assert inspect(path).quarantined
    result = recover(path)
    assert (result.damaged, result.index_damaged) == (True, True)
    assert "Its index run.xdf.idx is damaged" in result.sentence


def test_a_copy_in_the_index_that_is_no_chunk_costs_no_recording(small, tmp_path):
    path = copy_of(small, tmp_path / "run")
    side = index.path_of(path)
    data = side.read_bytes()
    head = len(index.MAGIC)
    side.write_bytes(data[:head] + index.encode_copy(10**6, b"\xff no chunk") + data[head:])
    result, same = recover(path), recover(copy_of(small, tmp_path / "same"))
    assert (result.n_chunks, result.lost_bytes, result.damage) == (same.n_chunks, same.lost_bytes, same.damage)
