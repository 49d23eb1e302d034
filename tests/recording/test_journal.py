from __future__ import annotations

import stat
import subprocess
import sys
import threading

import numpy as np
import pytest
import pyxdf

from tests.doors import SteppedClock, WatchedDisk
from workbench import world
from workbench.errors import BadValue, RecordingFault
from workbench.recording import Journal, index, read
from workbench.recording.chunks import Tag
from workbench.recording.recover import inspect, recover
from workbench.vocabulary import StreamSpec

SPEC = StreamSpec("s", "EEG", 100.0, ("a", "b"), source_id="x")


def test_files_are_readable_by_their_owner_only(tmp_path):
    path = tmp_path / "r.xdf"
    Journal(path).close()
    for file in (path, index.path_of(path)):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_recording_is_never_overwritten(tmp_path):
    path = tmp_path / "r.xdf"
    path.write_bytes(b"precious")
    with pytest.raises(RecordingFault, match="never overwritten; choose another name"):
        Journal(path)
    assert path.read_bytes() == b"precious"


def test_a_left_over_index_blocks_and_leaves_nothing_behind(tmp_path):
    path = tmp_path / "r.xdf"
    index.path_of(path).write_bytes(b"")
    with pytest.raises(RecordingFault, match="never overwritten"):
        Journal(path)
    assert not path.exists()


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(RecordingFault, match="create the folder .*nowhere first"):
        Journal(tmp_path / "nowhere" / "r.xdf")


def test_one_write_a_chunk(tmp_path):
    """Each append makes exactly one chunk and one index entry, in step."""
    path = tmp_path / "r.xdf"
    with Journal(path) as journal:
        stream = journal.add_stream(SPEC)
        for k in range(5):
            before = journal.size
            journal.samples(stream, np.full((3, 2), k, np.float32), np.arange(3.0) + k)
            assert path.stat().st_size == journal.size > before
    entries = index.read(path).chunks
    assert [e.tag for e in entries] == [Tag.FILE_HEADER, Tag.STREAM_HEADER] + [Tag.SAMPLES] * 5 + [
        Tag.STREAM_FOOTER
    ]
    assert [e.n_samples for e in entries if e.tag == Tag.SAMPLES] == [3] * 5


def test_no_samples_write_nothing(tmp_path):
    with Journal(tmp_path / "r.xdf") as journal:
        stream = journal.add_stream(SPEC)
        size = journal.size
        journal.samples(stream, np.empty((0, 2), np.float32), np.empty(0))
        assert journal.size == size


def test_a_boundary_chunk_is_written_every_ten_seconds(tmp_path):
    clock = SteppedClock()
    path = tmp_path / "r.xdf"
    with world.entered(clock=clock), Journal(path) as journal:
        stream = journal.add_stream(SPEC)
        for _ in range(35):
            clock.now_s += 1.0
            journal.samples(stream, np.zeros((1, 2), np.float32), np.array([clock.now_s]))
        journal.boundary()
    assert sum(e.tag == Tag.BOUNDARY for e in index.read(path).chunks) == 4


def test_what_was_written_is_on_the_disk_before_long(tmp_path):
    synced: list[int] = []
    enough = threading.Event()
    path = tmp_path / "r.xdf"

    def on_sync(size: int) -> None:
        synced.append(size)
        if size >= wanted:
            enough.set()

    wanted = 1 << 60
    with Journal(path, on_sync=on_sync) as journal:
        stream = journal.add_stream(SPEC)
        journal.samples(stream, np.zeros((10, 2), np.float32), np.arange(10.0))
        wanted = journal.size
        assert enough.wait(30)
        assert index.read(path).synced >= wanted
    assert index.read(path).synced == path.stat().st_size


def test_a_slow_sync_is_reported(tmp_path, monkeypatch):
    told: list[float] = []
    came = threading.Event()
    monkeypatch.setattr("workbench.recording.journal.SYNC_SLOW_S", 0.0)

    def on_slow(seconds: float) -> None:
        told.append(seconds)
        came.set()

    with Journal(tmp_path / "r.xdf", on_slow_sync=on_slow):
        assert came.wait(30)
    assert told[0] > 0


def test_closing_marks_the_index_complete_with_the_state(tmp_path):
    for state in ("finished", "stopped"):
        path = tmp_path / f"{state}.xdf"
        journal = Journal(path)
        assert inspect(path).state == "recording"
        journal.close(state=state)
        journal.close(state="other")
        assert inspect(path).state == state
        assert index.read(path).end == {"state": state, "bytes": path.stat().st_size}


def test_an_exception_inside_marks_the_recording_stopped(tmp_path):
    path = tmp_path / "r.xdf"
    with pytest.raises(ZeroDivisionError), Journal(path):
        _ = 1 / 0
    assert read(path).state == "stopped"


def test_a_closed_journal_takes_nothing_more(tmp_path):
    journal = Journal(tmp_path / "r.xdf")
    stream = journal.add_stream(SPEC)
    journal.close()
    with pytest.raises(RecordingFault, match=r"r\.xdf is closed"):
        journal.samples(stream, np.zeros((1, 2), np.float32), np.zeros(1))


@pytest.mark.parametrize(
    ("values", "stamps", "text"),
    [
        (np.zeros((2, 2), np.float32), np.zeros(3), "2 samples with 3 stamps"),
        (np.zeros((3, 4), np.float32), np.zeros(3), r"shape \(3, 4\); this stream takes \(n, 2\)"),
        (np.zeros(3, np.float32), np.zeros(3), r"shape \(3,\)"),
    ],
)
def test_wrong_shapes_are_refused_and_write_nothing(tmp_path, values, stamps, text):
    with Journal(tmp_path / "r.xdf") as journal:
        stream = journal.add_stream(SPEC)
        size = journal.size
        with pytest.raises(BadValue, match=text):
            journal.samples(stream, values, stamps)
        assert journal.size == size


def test_unknown_streams_and_dtypes_are_refused(tmp_path):
    with Journal(tmp_path / "r.xdf") as journal:
        with pytest.raises(BadValue, match="stream 9 is not announced"):
            journal.samples(9, np.zeros((1, 1)), np.zeros(1))
        with pytest.raises(BadValue, match="'float16'; allowed are float32"):
            journal.add_stream(SPEC, dtype="float16")
        texts = journal.add_stream(SPEC, dtype="string")
        with pytest.raises(BadValue, match="has 2 texts"):
            journal.samples(texts, ["one"], np.zeros(1))


def test_threads_do_not_tear_each_others_chunks(tmp_path):
    path = tmp_path / "r.xdf"
    with Journal(path) as journal:
        ids = [journal.add_stream(StreamSpec(f"s{k}", "EEG", 100.0, ("a",))) for k in range(4)]

        def write(stream: int) -> None:
            for k in range(200):
                journal.samples(stream, np.full((1, 1), k, np.float32), np.array([float(k)]))
                journal.clock_offset(stream, float(k), 0.5)

        threads = [threading.Thread(target=write, args=(i,)) for i in ids]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for stream in read(path).streams:
        assert stream.values[:, 0].tolist() == list(range(200))
        assert len(stream.clock_offsets) == 200


def test_footers_say_first_last_count_and_offsets(recording):
    streams, _ = pyxdf.load_xdf(recording(), synchronize_clocks=False, dejitter_timestamps=False)
    footer = streams[0]["footer"]["info"]
    offsets = footer["clock_offsets"][0]["offset"]
    assert (footer["first_timestamp"], footer["sample_count"]) == (["100.0"], ["30"])
    assert float(footer["last_timestamp"][0]) == 100.0 + 29 / 250
    assert [float(o["value"][0]) for o in offsets] == [-1e-4 / 3, -2e-4 / 3]
    assert float(offsets[0]["uncertainty"][0]) == 2e-5


def test_recording_needs_no_heavy_library():
    """The engine imports it: no scipy, sklearn, mne, pandas, pylsl, and no kernel either."""
    code = (
        "import sys, workbench.recording, workbench.recording.recover; "
        "print([m for m in ('scipy', 'sklearn', 'mne', 'pandas', 'pylsl', 'numba', 'pyxdf') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_lock_keeps_a_writer_and_recover_apart(tmp_path):
    from workbench.recording.recover import recover

    path = tmp_path / "r.xdf"
    with Journal(path), pytest.raises(RecordingFault, match="being written by a running engine"):
        recover(path)
    assert recover(path).state == "clean"


def test_a_write_that_is_torn_is_cut_off_again_and_every_chunk_before_it_stays(tmp_path):
    path = tmp_path / "r.xdf"
    disk = WatchedDisk()
    with world.entered(disk=disk):
        journal = Journal(path)
        stream = journal.add_stream(SPEC)
        journal.samples(stream, np.ones((5, 2), np.float32), np.arange(5.0))
        whole = journal.size
        disk.whole = 0
        with pytest.raises(RecordingFault, match="cannot be written further .*all of them whole chunks"):
            journal.samples(stream, np.ones((5, 2), np.float32), np.arange(5.0, 10.0))
        disk.whole = None
        journal.close()
    assert disk.steps.count("truncate") == 1
    assert path.stat().st_size == whole
    assert recover(path).lost_bytes == 0


def test_a_journal_that_is_closed_has_synced_both_its_files_through_the_disk(tmp_path):
    disk = WatchedDisk()
    with world.entered(disk=disk):
        Journal(tmp_path / "r.xdf").close()
    assert disk.files >= {"r.xdf", "r.xdf.idx", tmp_path.name}
