from __future__ import annotations

import shutil

import pytest

from workbench.errors import RecordingFault
from workbench.recording import ensure_space, free_bytes, needed_bytes
from workbench.vocabulary import StreamSpec


def test_the_need_counts_stamps_values_and_text():
    specs = [
        StreamSpec("a", "EEG", 1000.0, tuple(f"{k}" for k in range(64))),
        StreamSpec("m", "Markers", 0.0),
    ]
    assert needed_bytes(specs, seconds=10.0) == 10 * (1000 * (9 + 4 * 64) + 1000)
    assert needed_bytes(specs[:1], seconds=1.0, dtype="double64") == 1000 * (9 + 8 * 64)


def test_need_and_twenty_per_cent_must_be_free(tmp_path):
    free = free_bytes(tmp_path)
    assert ensure_space(tmp_path, int(free * 0.5)) > 0
    with pytest.raises(RecordingFault, match=r"free; this session needs .* and 20 % more"):
        ensure_space(tmp_path, int(free * 0.9))


def test_the_sentence_says_how_much_to_free(tmp_path):
    with pytest.raises(RecordingFault, match=r"Free at least [\d,.]+ GB or choose another disk"):
        ensure_space(tmp_path, shutil.disk_usage(tmp_path).total + 10**12)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(RecordingFault, match="create it first"):
        ensure_space(tmp_path / "nowhere", 1)
