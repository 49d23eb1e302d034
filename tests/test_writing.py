"""A file that is saved is there whole or as it was, belongs to its owner alone, and leaves nothing beside it."""

from __future__ import annotations

import os
import threading

import pytest

from tests.doors import WatchedDisk
from workbench import world
from workbench.writing import save


def test_a_saved_file_replaces_the_one_before_and_only_its_owner_reads_it(tmp_path):
    path = tmp_path / "key"
    path.write_bytes(b"old")
    path.chmod(0o644)
    save(path, b"new")
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o600
    save(path, b"never", keep=True)
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("call", ["os.replace", "os.fsync", "workbench.writing.sync_folder"])
def test_a_disk_that_refuses_leaves_no_half_file(tmp_path, monkeypatch, call):
    path = tmp_path / "plan.json"
    save(path, b"old")

    def refused(*_):
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as disk:
        disk.setattr(call, refused)
        with pytest.raises(OSError, match="Input/output error"):
            save(path, b"new")
    assert path.read_bytes() in ((b"old",) if call != "workbench.writing.sync_folder" else (b"new",))
    assert os.listdir(tmp_path) == ["plan.json"]


def test_threads_that_save_at_once_do_not_meet(tmp_path):
    path, begin = tmp_path / "both", threading.Barrier(4)
    texts = [bytes([65 + n]) * 100_000 for n in range(4)]

    def write(text):
        begin.wait()
        for _ in range(10):
            save(path, text)

    threads = [threading.Thread(target=write, args=(text,)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert path.read_bytes() in texts
    assert os.listdir(tmp_path) == ["both"]


def test_a_torn_write_leaves_the_file_as_it_was_and_nothing_beside_it(tmp_path):
    path = tmp_path / "plan.json"
    save(path, b"old")
    with world.entered(disk=WatchedDisk(whole=0)), pytest.raises(OSError, match="input/output"):
        save(path, b"new and longer")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["plan.json"]


def test_what_was_saved_is_synced_before_it_is_renamed_and_its_folder_after(tmp_path):
    disk = WatchedDisk()
    with world.entered(disk=disk):
        save(tmp_path / "plan.json", b"new")
    assert disk.steps == ["write", "sync", "replace", "sync"]
