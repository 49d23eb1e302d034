"""The display ring: readers see whole rows or none, never wait, and always know how old the data are."""

from __future__ import annotations

import stat

import numpy as np
import pytest

from tests.doors import SteppedClock
from workbench import world
from workbench.errors import EngineFault
from workbench.live._display import DisplayReader, DisplayWriter


@pytest.fixture
def ring(tmp_path):
    path = tmp_path / "live.bin"
    writer = DisplayWriter(path, names=("a", "b"), fs=10.0, unit="uV")
    reader = DisplayReader(path)
    yield writer, reader, path
    reader.close()
    writer.close()


def push(writer, first, n):
    rows = np.arange(first, first + n)
    writer.write(np.stack([rows, -rows], axis=1), rows / 10.0, local=0.0)


def test_rows_come_once_and_in_order(ring):
    writer, reader, _ = ring
    push(writer, 0, 5)
    block = reader.read(0, max_seconds=10, now=0.4)
    assert block.data[:, 0].tolist() == [0, 1, 2, 3, 4]
    assert block.data.dtype == np.float32
    assert (block.first, block.fs, block.names, block.unit) == (0, 10.0, ("a", "b"), "uV")
    assert block.age_s == pytest.approx(0.0)
    push(writer, 5, 3)
    assert reader.read(5, max_seconds=10, now=1.0).data[:, 1].tolist() == [-5, -6, -7]
    assert len(reader.read(8, max_seconds=10, now=1.0).data) == 0


def test_nothing_yet_has_no_age(ring):
    _, reader, _ = ring
    block = reader.read(0, max_seconds=10, now=1.0)
    assert block.age_s is None
    assert len(block.data) == 0


@pytest.mark.parametrize("sizes", [[1] * 3000, [7] * 400, [1000, 900, 800], [5000]])
def test_any_blocks_around_the_ring_give_the_same_rows(ring, sizes):
    writer, reader, _ = ring
    total = 0
    for size in sizes:
        push(writer, total, size)
        total += size
    block = reader.read(0, max_seconds=1e9, now=0.0)
    assert block.first == total - writer.capacity
    assert block.data[:, 0].tolist() == list(range(total - writer.capacity, total))


def test_at_most_the_newest_seconds(ring):
    writer, reader, _ = ring
    push(writer, 0, 200)
    assert reader.read(0, max_seconds=2.0, now=0.0).data[:, 0].tolist() == list(range(180, 200))


def test_a_reader_ahead_of_a_new_engine_starts_over(ring):
    writer, reader, _ = ring
    push(writer, 0, 5)
    assert reader.read(10_000, max_seconds=10, now=0.0).first == 0


def test_rows_claimed_while_they_are_read_are_dropped(ring):
    writer, reader, _ = ring
    push(writer, 0, writer.capacity)
    writer._counters[0] = writer.capacity + 100  # the writer has begun to overwrite the oldest 100 rows
    block = reader.read(0, max_seconds=1e9, now=0.0)
    assert block.first == 100
    assert block.data[0, 0] == 100


def test_age_counts_real_seconds_where_the_stream_runs_faster(tmp_path):
    writer = DisplayWriter(tmp_path / "live.bin", names=("a",), fs=10.0, unit="uV", speed=4.0, t0=100.0)
    reader = DisplayReader(tmp_path / "live.bin")
    writer.write(np.zeros((1, 1)), np.array([108.0]), local=0.0)
    assert reader.read(0, max_seconds=1, now=102.5).age_s == pytest.approx(0.5)
    reader.close()
    writer.close()


def test_a_reader_knows_the_time_of_lsl_without_lsl(tmp_path):
    writer = DisplayWriter(tmp_path / "live.bin", names=("a",), fs=10.0, unit="uV", lead_s=2.5)
    reader = DisplayReader(tmp_path / "live.bin")
    with world.entered(clock=SteppedClock(100.0)):
        assert reader.local_clock() == 102.5
    reader.close()
    writer.close()


def test_the_file_is_private_and_outlives_its_readers(ring):
    writer, _, path = ring
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    other = DisplayReader(path)
    other.close()
    push(writer, 0, 1)
    third = DisplayReader(path)
    assert third.read(0, max_seconds=1, now=0.0).data[:, 0].tolist() == [0]
    third.close()


def test_a_reader_keeps_its_ring_when_the_engine_makes_a_new_one(ring):
    writer, reader, path = ring
    push(writer, 0, 2)
    newer = DisplayWriter(path, names=("a",), fs=20.0, unit="uV")
    assert reader.inode != path.stat().st_ino
    assert len(reader.read(0, max_seconds=1, now=0.0).data) == 2
    newer.close()


def test_no_display_is_a_sentence(tmp_path):
    with pytest.raises(EngineFault, match="still connecting"):
        DisplayReader(tmp_path / "none")
    (tmp_path / "empty").touch()
    with pytest.raises(EngineFault, match="still connecting"):
        DisplayReader(tmp_path / "empty")
    (tmp_path / "other").write_bytes(bytes(5000))
    with pytest.raises(EngineFault, match="no signal display of this version"):
        DisplayReader(tmp_path / "other")
