"""What breaks a recording, and what is left: kills, cuts, flips, full disks, folders that refuse."""

from __future__ import annotations

import contextlib
import logging
import os
import resource
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import pyxdf

from tests.shares import some
from workbench.errors import BadValue, RecordingFault
from workbench.recording import Journal, index, read
from workbench.recording.recover import inspect, recover
from workbench.stress.recording import TornFigures, torn_files
from workbench.vocabulary import StreamSpec

SIGNAL = StreamSpec("ECoG", "EEG", 250.0, ("a", "b"), source_id="amp")


def write(path: Path, *, n_chunks: int = 4, finish: bool = True) -> list[int]:
    """A small recording; the ends of its chunks. Without ``finish`` as a killed writer leaves it."""
    journal = Journal(path)
    ends = [journal.size]
    signal = journal.add_stream(SIGNAL)
    ends.append(journal.size)
    texts = journal.add_stream(StreamSpec("events", "Markers", 0.0), dtype="string")
    ends.append(journal.size)
    for k in range(n_chunks):
        journal.samples(signal, np.full((3, 2), k, np.float32), 10.0 + (3 * k + np.arange(3)) / 250.0)
        ends.append(journal.size)
    journal.samples(texts, ["抓"], np.array([10.0]))
    ends.append(journal.size)
    entries = index.path_of(path).stat().st_size
    journal.close()
    if not finish:
        os.truncate(path, ends[-1])
        os.truncate(index.path_of(path), entries)
    return ends


def copy(path: Path, folder: Path) -> Path:
    """Recording and index in a fresh folder."""
    folder.mkdir()
    shutil.copy2(index.path_of(path), folder)
    return Path(shutil.copy2(path, folder))


def opens_in_pyxdf(path: Path) -> bool:
    """Whether pyxdf reads the file without a word."""
    records: list[logging.LogRecord] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = records.append  # type: ignore[method-assign]
    logger = logging.getLogger("pyxdf.pyxdf")
    logger.addHandler(handler)
    try:
        pyxdf.load_xdf(path, synchronize_clocks=False, dejitter_timestamps=False)
    finally:
        logger.removeHandler(handler)
    return not records


def test_kill_9_at_random_moments_loses_at_most_1_s_and_nothing_before():
    figures = torn_files(8, seed=2, torn_per_kill=3, longest_s=0.9)
    assert figures.passed, figures.text()
    assert figures.n_killed == 8
    assert figures.n_torn == 24
    assert figures.max_lost_s <= 1.0
    assert figures.text().startswith("8 writers killed with SIGKILL: at most 0.")


def test_figures_that_break_the_promise_do_not_pass():
    good = {f: 0 for f in TornFigures.__dataclass_fields__}
    assert TornFigures(**good).passed
    for name in set(good) - {"n_killed", "n_torn", "max_lost_s"}:
        assert not TornFigures(**{**good, name: 1}).passed
    with pytest.raises(BadValue, match="1 or more, got 0"):
        torn_files(0, seed=1)


@pytest.mark.job
@pytest.mark.parametrize("indexed", some(["whole index", "short index", "no index"]))
def test_a_cut_at_every_byte_is_recovered_to_the_last_whole_chunk(tmp_path, indexed):
    whole = tmp_path / "whole.xdf"
    ends = write(whole, finish=False)
    data, entries = whole.read_bytes(), index.path_of(whole).read_bytes()
    opened = set()
    for cut in range(len(data)):
        path = tmp_path / "cut.xdf"
        path.write_bytes(data[:cut])
        if indexed != "no index":
            n = len(entries) if indexed == "whole index" else 8 + index.SIZE * sum(e <= cut for e in ends)
            index.path_of(path).write_bytes(entries[:n])
        result = recover(path)
        kept = max([e for e in ends if e <= cut], default=4 if cut >= 4 else 0)
        assert path.read_bytes() == (data[:kept] or b"XDF:")
        assert result.n_chunks == sum(e <= cut for e in ends)
        assert result.lost_bytes >= cut - kept
        # What is kept is a few files only: the same bytes need not be read by pyxdf again.
        assert kept in opened or opens_in_pyxdf(path)
        opened.add(kept)
        assert recover(path).sentence == result.sentence or result.state == "clean"
        if cut != kept:
            assert result.state == "recovered"
            assert result.quarantined
            assert inspect(path).quarantined
            assert result.tail.read_bytes() == data[kept:cut]
            result.tail.unlink()
        index.path_of(path).unlink(missing_ok=True)


def test_a_second_recovery_gives_the_same_answer_and_changes_nothing(tmp_path):
    path = tmp_path / "r.xdf"
    write(path, finish=False)
    os.truncate(path, path.stat().st_size - 5)
    first = recover(path)
    files = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    assert recover(path) == first
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == files
    assert sorted(files) == ["r.xdf", "r.xdf.idx", first.tail.name]


def test_the_cut_and_the_saved_tail_together_are_the_original(tmp_path):
    path = tmp_path / "r.xdf"
    write(path, finish=False)
    os.truncate(path, path.stat().st_size - 5)
    original = path.read_bytes()
    result = recover(path)
    assert path.read_bytes() + result.tail.read_bytes() == original
    assert stat.S_IMODE(result.tail.stat().st_mode) == 0o600


def test_a_recovery_that_died_before_its_index_was_written_is_completed(tmp_path):
    path = tmp_path / "r.xdf"
    write(path, finish=False)
    os.truncate(path, path.stat().st_size - 5)
    before = index.path_of(path).read_bytes()
    first = recover(path)
    index.path_of(path).write_bytes(before)
    again = recover(path)
    assert (again.lost_bytes, again.tail, again.kept_bytes) == (first.lost_bytes, first.tail, first.kept_bytes)


def test_the_sentence_says_what_was_lost(tmp_path):
    path = tmp_path / "r.xdf"
    ends = write(path, finish=False)
    os.truncate(path, ends[-2] - 5)
    result = recover(path)
    assert result.lost_s == 3 / 250
    for part in (
        "was never closed: the program that wrote it ended during the recording",
        "at most 1 s of signal",
        "3 samples of 'ECoG' (0.012 s), 1 sample of 'events'.",
        f"{ends[-3]:,} bytes in 6 whole chunks, in r.xdf.",
        f"are kept in {result.tail.name}",
    ):
        assert part in result.sentence
    assert inspect(path).sentence == result.sentence


def test_without_an_index_the_head_of_the_torn_chunk_tells_what_was_lost(tmp_path):
    path = tmp_path / "r.xdf"
    ends = write(path, finish=False)
    os.truncate(path, ends[-2] - 5)
    index.path_of(path).unlink()
    result = recover(path)
    assert "3 samples of 'ECoG' (0.012 s)." in result.sentence
    assert result.lost_s == 3 / 250


def test_a_file_closed_and_cut_afterwards_says_so(tmp_path):
    path = tmp_path / "r.xdf"
    write(path)
    os.truncate(path, path.stat().st_size - 5)
    assert "was closed, but its end was cut off afterwards" in recover(path).sentence


def test_a_writer_that_ended_between_two_chunks_leaves_a_whole_but_quarantined_file(tmp_path):
    path = tmp_path / "r.xdf"
    write(path, finish=False)
    assert inspect(path).state == "unfinished"
    result = recover(path)
    assert (result.state, result.lost_bytes, result.tail) == ("recovered", 0, None)
    assert result.account.lost == ("What had not been written by then, at most 1 s of signal.",)
    assert inspect(path).quarantined


def test_a_clean_recording_is_left_alone(tmp_path):
    path = tmp_path / "r.xdf"
    write(path)
    before = path.read_bytes(), index.path_of(path).read_bytes()
    result = recover(path)
    assert (result.state, result.quarantined) == ("clean", False)
    assert "is whole" in result.sentence
    assert (path.read_bytes(), index.path_of(path).read_bytes()) == before


def test_the_tail_is_on_the_disk_with_its_name_before_anything_is_cut(tmp_path, monkeypatch):
    path = tmp_path / "r.xdf"
    write(path, finish=False)
    os.truncate(path, path.stat().st_size - 5)
    before = path.read_bytes()

    def refused(_disk, folder):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("workbench.world.Disk.sync_folder", refused)
    with pytest.raises(RecordingFault, match="cannot be recovered .Input/output error"):
        recover(path)
    assert path.read_bytes() == before


def test_zeros_at_the_end_are_cut_off(tmp_path):
    """After a power cut a file can have its length but not its content."""
    path = tmp_path / "r.xdf"
    ends = write(path, finish=False)
    with open(path, "r+b") as file:
        file.seek(ends[4])
        file.write(b"\0" * (ends[-1] - ends[4]))
    result = recover(path)
    assert result.kept_bytes == ends[4]
    assert result.tail is not None
    assert result.damaged
    assert opens_in_pyxdf(path)


def test_zeros_before_whole_chunks_cost_only_themselves(tmp_path):
    """After a power cut a later block of a file can be on the disk and an earlier one not."""
    path = tmp_path / "r.xdf"
    ends = write(path, finish=False)
    with open(path, "r+b") as file:
        file.seek(ends[4])
        file.write(b"\0" * (ends[5] - ends[4]))
    result = recover(path)
    assert result.lost_bytes == ends[5] - ends[4]
    assert result.n_chunks == len(ends) - 1
    assert "3 samples of 'ECoG' (0.012 s)" in result.sentence
    assert opens_in_pyxdf(result.salvaged)


def test_reading_a_torn_file_says_what_to_do(tmp_path):
    path = tmp_path / "r.xdf"
    write(path, finish=False)
    os.truncate(path, path.stat().st_size - 5)
    with pytest.raises(RecordingFault, match=r"cut off at byte .* run 'workbench recover r\.xdf'"):
        read(path)
    assert len(read(path, damaged="skip").stream("ECoG").stamps) == 12
    assert "run 'workbench recover r.xdf'" in inspect(path).text()


@pytest.mark.job
def test_every_flipped_bit_is_found_and_its_chunk_named(tmp_path):
    path = tmp_path / "r.xdf"
    write(path)
    data = path.read_bytes()
    entries = index.read(path).chunks
    rng = np.random.default_rng(4)
    for at in range(4, len(data)):
        flipped = bytearray(data)
        flipped[at] ^= 1 << int(rng.integers(8))
        path.write_bytes(flipped)
        number = next(k for k, e in enumerate(entries, start=1) if e.start <= at < e.start + e.length)
        found = inspect(path)
        assert found.state == "damaged"
        assert found.quarantined
        assert len(found.damage) == 1
        assert found.damage[0].startswith(f"chunk {number} (")
        with pytest.raises(RecordingFault, match=f"changed after it was written: chunk {number} "):
            read(path)


def test_a_flipped_recording_is_not_changed_by_recover_and_the_rest_of_it_is_saved(tmp_path):
    path = tmp_path / "r.xdf"
    ends = write(path)
    data = bytearray(path.read_bytes())
    data[ends[4] + 30] ^= 1
    path.write_bytes(data)
    result = recover(path)
    assert result.state == "salvaged"
    assert result.damaged
    assert "samples of 'ECoG'" in result.sentence
    assert path.read_bytes() == data
    assert len(read(path, damaged="skip").stream("ECoG").stamps) == 9
    assert len(read(result.salvaged).stream("ECoG").stamps) == 9
    assert recover(path) == result


def test_a_flip_in_a_torn_recording_loses_one_chunk_and_the_tail(tmp_path):
    path = tmp_path / "r.xdf"
    ends = write(path)
    data = bytearray(path.read_bytes()[:-5])
    data[ends[4] + 30] ^= 1
    path.write_bytes(data)
    result = recover(path)
    assert result.state == "salvaged"
    assert len(result.damage) == 1
    assert (
        "was changed after it was written, in 2 places, the first of them chunk 6 (samples of 'ECoG')"
        in result.sentence
    )
    assert path.read_bytes() == data
    assert opens_in_pyxdf(result.salvaged)


@pytest.mark.release
def test_a_flip_in_the_index_leaves_the_recording_readable(tmp_path):
    path = tmp_path / "r.xdf"
    write(path)
    entries = index.path_of(path).read_bytes()
    for at in range(len(entries)):
        flipped = bytearray(entries)
        flipped[at] ^= 4
        index.path_of(path).write_bytes(flipped)
        assert len(read(path).stream("ECoG").stamps) == 12
        assert inspect(path).damage == ()


def test_a_damaged_index_is_told(tmp_path):
    path = tmp_path / "r.xdf"
    write(path)
    entries = bytearray(index.path_of(path).read_bytes())
    entries[60] ^= 1
    index.path_of(path).write_bytes(entries)
    assert inspect(path).indexed is False
    assert "checked by structure" in inspect(path).text()


def test_recover_refuses_what_is_no_recording(tmp_path):
    path = tmp_path / "r.xdf"
    path.write_bytes(b"%PDF-1.7 ....")
    with pytest.raises(RecordingFault, match="not an XDF file"):
        recover(path)
    with pytest.raises(RecordingFault, match="No such file"):
        recover(tmp_path / "nothing.xdf")
    with pytest.raises(RecordingFault, match="unpack it"):
        recover(tmp_path / "packed.xdfz")


def test_inspect_describes_each_stream(tmp_path):
    path = tmp_path / "r.xdf"
    write(path)
    text = inspect(path).text()
    assert "r.xdf: finished" in text
    assert "each checked by its CRC" in text
    assert "ECoG (EEG): 2 × float32, 250 Hz, 12 samples, 10.000 to 10.044 s" in text
    assert "events (Markers): 1 × string, irregular, 1 samples" in text


def test_inspect_of_a_foreign_file(shared_data):
    found = inspect(shared_data / "xdf" / "clock_resets.xdf")
    assert (found.state, found.quarantined, found.indexed) == ("foreign", False, False)
    assert {s.name: s.n_samples for s in found.streams} == {"MyMarkerStream": 175, "BioSemi": 27815}


# ------------------------------------------------------------------------------------ full disks
FILL = """
import resource, sys
import numpy as np
from workbench.errors import RecordingFault
from workbench.recording import Journal
from workbench.vocabulary import StreamSpec

path, limit = sys.argv[1], int(sys.argv[2])
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
journal = Journal(path)
stream = journal.add_stream(StreamSpec("s", "EEG", 1000.0, tuple("c%d" % k for k in range(64))))
n = 0
try:
    while True:
        journal.samples(stream, np.full((100, 64), n, np.float32), n + np.arange(100) / 1000)
        n += 1
except RecordingFault as fault:
    print(n)
    print(fault)
try:
    journal.samples(stream, np.zeros((1, 64), np.float32), np.zeros(1))
except RecordingFault as fault:
    print(fault)
journal.close()
"""


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """A finished process with its output; the caller looks at what it returned."""
    return subprocess.run(command, capture_output=True, text=True, check=False)


def check_filled(path: Path, limit: int) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", FILL, str(path), str(limit)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.returncode == 0, done.stderr
    written, first, second = done.stdout.splitlines()
    assert first == second
    assert "cannot be written further" in first
    assert "Free space or choose another folder" in first
    assert opens_in_pyxdf(path)
    result = recover(path)
    assert result.quarantined
    stream = read(path).stream("s")
    assert stream.values[::100, 0].tolist() == list(range(int(written)))


def test_a_file_size_limit_gives_a_sentence_and_keeps_every_whole_chunk(tmp_path):
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
    check_filled(tmp_path / "r.xdf", 300_000)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A tmpfs of 600 kB; skips where mounting is not allowed."""
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.skip(f"no tmpfs can be mounted here: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_gives_a_sentence_and_keeps_every_whole_chunk(small_disk):
    path = small_disk / "r.xdf"
    done = run(sys.executable, "-W", "error", "-c", FILL, str(path), "0")
    assert done.returncode == 0, done.stderr
    written, sentence, _ = done.stdout.splitlines()
    assert "No space left on device" in sentence
    assert opens_in_pyxdf(path)
    fill(small_disk)
    with pytest.raises(RecordingFault, match="cannot be recovered .No space left on device"):
        recover(path)
    assert opens_in_pyxdf(path)
    (small_disk / "filler").unlink()
    assert recover(path).quarantined
    assert sorted(p.name for p in small_disk.iterdir()) == ["r.xdf", "r.xdf.idx"]
    assert len(read(path).stream("s").stamps) == 100 * int(written)


def fill(folder: Path) -> None:
    """Use the disk up."""
    with contextlib.suppress(OSError), open(folder / "filler", "ab", buffering=0) as file:
        while file.write(b"x" * 4096):
            pass
    assert shutil.disk_usage(folder).free == 0


def test_a_full_disk_at_the_start_leaves_no_empty_recording(small_disk):
    fill(small_disk)
    with pytest.raises(RecordingFault, match="No space left"):
        Journal(small_disk / "r.xdf")
    assert not list(small_disk.glob("r.xdf*"))


@pytest.fixture
def nobody() -> Iterator[None]:
    """Rights of an ordinary user, also where the tests run as root."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    yield
    os.seteuid(0)


def test_an_unwritable_folder_is_named_with_the_remedy(tmp_path, nobody):
    if os.getuid() != 0:
        tmp_path.chmod(0o500)
    with pytest.raises(RecordingFault, match=r"cannot be created .Permission denied.*that you may write to"):
        Journal(tmp_path / "r.xdf")


def test_a_folder_that_is_a_file_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordingFault, match="Not a directory"):
        Journal(tmp_path / "file" / "r.xdf")


def test_a_read_only_recording_can_be_inspected_but_not_recovered(tmp_path):
    folder = tmp_path / "ro"
    folder.mkdir()
    path = folder / "r.xdf"
    write(path, finish=False)
    os.truncate(path, path.stat().st_size - 5)
    before = path.read_bytes()
    done = subprocess.run(
        ["mount", "--bind", "-o", "ro", str(folder), str(folder)], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip("no read-only mount is allowed here")
    try:
        assert inspect(path).quarantined
        with pytest.raises(RecordingFault, match=r"cannot be recovered .Read-only file system"):
            recover(path)
        with pytest.raises(RecordingFault, match="Read-only file system"):
            Journal(folder / "new.xdf")
    finally:
        subprocess.run(["umount", str(folder)], check=True)
    assert path.read_bytes() == before
