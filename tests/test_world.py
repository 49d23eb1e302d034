"""The doors to the world: the real ones do what they say, and others can be handed in."""

from __future__ import annotations

import os
import threading

import pytest

from tests.doors import SteppedClock, WatchedDisk
from workbench import world
from workbench.recording import Journal


class Still(world.Clock):
    """A clock on which nothing passes."""

    def monotonic(self) -> float:
        return 7.0


def test_another_door_is_met_by_everybody_until_it_is_left():
    real = world.clock
    with world.entered(clock=Still()):
        assert world.clock.monotonic() == 7.0
    assert world.clock is real


def test_what_is_no_door_cannot_be_handed_in():
    with pytest.raises(KeyError, match="weather"), world.entered(weather=None):
        pass


def test_a_file_that_is_locked_is_refused_to_another_descriptor_until_it_is_closed(tmp_path):
    path = tmp_path / "held"
    first = world.disk.descriptor(path, os.O_RDWR | os.O_CREAT)
    second = world.disk.descriptor(path, os.O_RDWR)
    world.disk.lock(first)
    with pytest.raises(BlockingIOError):
        world.disk.lock(second)
    world.disk.close(first)
    world.disk.lock(second, shared=True)
    world.disk.close(second)


def test_a_seed_gives_the_same_numbers_and_none_gives_others():
    drawn = [world.chance.generator(seed).integers(0, 2**62, 4).tolist() for seed in (3, 3, None, None)]
    assert drawn[0] == drawn[1]
    assert len({tuple(numbers) for numbers in drawn}) == 3


def test_a_system_without_a_boot_id_gives_none(tmp_path, monkeypatch):
    monkeypatch.setattr(world, "BOOT_ID", tmp_path / "none")
    assert world.clock.boot_id() == ""


def test_a_condition_is_waited_for_until_it_holds_or_the_time_is_over():
    clock = SteppedClock()
    assert clock.until(lambda: clock.now_s >= 3.0, 5.0)
    assert 3.0 <= clock.now_s < 3.1
    assert not clock.until(lambda: False, 5.0)
    assert 8.0 < clock.now_s < 8.1


def test_a_thread_that_a_room_starts_is_made_by_the_clock(tmp_path):
    started = []

    class Watched(world.Clock):
        def thread(self, body, *, name, daemon=True):
            started.append(name)
            return super().thread(body, name=name, daemon=daemon)

    with world.entered(clock=Watched()):
        Journal(tmp_path / "r.xdf").close()
    assert started == ["journal-sync"]


def test_a_saved_file_replaces_the_one_before_and_only_its_owner_reads_it(tmp_path):
    path = tmp_path / "key"
    path.write_bytes(b"old")
    path.chmod(0o644)
    world.disk.save(path, b"new")
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o600
    world.disk.save(path, b"never", keep=True)
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_is_handed_out_is_read_by_others_as_far_as_the_account_allows(tmp_path):
    before = os.umask(0o027)
    try:
        world.disk.save(tmp_path / "report", b"new", mode=0o666)
    finally:
        os.umask(before)
    assert (tmp_path / "report").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("call", ["os.replace", "os.fsync", "workbench.world.Disk.sync_folder"])
def test_a_disk_that_refuses_leaves_no_half_file(tmp_path, monkeypatch, call):
    path = tmp_path / "plan.json"
    world.disk.save(path, b"old")

    def refused(*_):
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as disk:
        disk.setattr(call, refused)
        with pytest.raises(OSError, match="Input/output error"):
            world.disk.save(path, b"new")
    assert path.read_bytes() in ((b"old",) if call != "workbench.world.Disk.sync_folder" else (b"new",))
    assert os.listdir(tmp_path) == ["plan.json"]


@pytest.mark.parametrize("through", [False, True])
def test_nothing_is_saved_over_a_pipe_or_a_device(tmp_path, through):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    path = pipe
    if through:
        path = tmp_path / "link"
        path.symlink_to(pipe)
    with pytest.raises(OSError, match="a device, a pipe or a socket is no place for a file"):
        world.disk.save(path, b"new")
    assert pipe.is_fifo()
    assert path.is_symlink() == through
    assert set(os.listdir(tmp_path)) <= {"pipe", "link"}


def test_threads_that_save_at_once_do_not_meet(tmp_path):
    path, begin = tmp_path / "both", threading.Barrier(4)
    texts = [bytes([65 + n]) * 100_000 for n in range(4)]

    def write(text):
        begin.wait()
        for _ in range(10):
            world.disk.save(path, text)

    threads = [threading.Thread(target=write, args=(text,)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert path.read_bytes() in texts
    assert os.listdir(tmp_path) == ["both"]


def test_a_torn_write_leaves_the_file_as_it_was_and_nothing_beside_it(tmp_path):
    path = tmp_path / "plan.json"
    world.disk.save(path, b"old")
    with world.entered(disk=WatchedDisk(whole=0)), pytest.raises(OSError, match="input/output"):
        world.disk.save(path, b"new and longer")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["plan.json"]


def test_what_was_saved_is_synced_before_it_is_renamed_and_its_folder_after(tmp_path):
    disk = WatchedDisk()
    with world.entered(disk=disk):
        world.disk.save(tmp_path / "plan.json", b"new")
    assert disk.steps == ["write", "sync", "replace", "sync"]
