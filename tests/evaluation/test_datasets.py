"""The readers on real recordings: how many epochs of which class, and defaults above chance."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from workbench import evaluation
from workbench.errors import BadSignal

HELD = {
    "eegmmidb_hands_feet_imagined": ("eegmmidb", "S001", (30, 64), {"hands": 14, "feet": 16}, 2),
    "eegmmidb_hands_feet_executed": ("eegmmidb", "S001", (30, 64), {"hands": 16, "feet": 14}, 2),
    "eegmmidb_left_right_imagined": ("eegmmidb", "S001", (30, 64), {"left": 16, "right": 14}, 2),
    "eegmmidb_left_right_executed": ("eegmmidb", "S001", (30, 64), {"left": 16, "right": 14}, 2),
    "eegmmidb_rest_movement_executed": ("eegmmidb", "S001", (120, 64), {"rest": 60, "movement": 60}, 4),
    "eegmmidb_rest_movement_imagined": ("eegmmidb", "S001", (120, 64), {"rest": 60, "movement": 60}, 4),
    "graz_gdf": ("graz_gdf", "sample", (40, 3), {"left": 20, "right": 20}, 1),
    "scp1": ("scp1", "scp1", (561, 6), {"negativity": 282, "positivity": 279}, 2),
    "ssvep_exo": ("ssvep_exo", "subject01", (48, 8), {"13": 16, "17": 16, "21": 16}, 2),
    "p300_bi2012": ("p300_bi2012", "subject_01_session_01", (768, 17), {"nontarget": 640, "target": 128}, 1),
}


@pytest.mark.parametrize("name", evaluation.available())
def test_a_data_set_is_read_as_it_was_recorded(shared_data, name):
    folder, person, shape, classes, runs = HELD[name]
    epochs = next(iter(evaluation.load(name).read(shared_data / folder)))
    assert epochs.participant == person
    assert epochs.X.shape[:2] == shape
    assert len(epochs.channels) == shape[1]
    assert Counter(epochs.y.tolist()) == classes
    assert len(set(epochs.run)) == runs
    assert 0 <= epochs.lead_in_s < epochs.X.shape[2] / epochs.fs


@pytest.mark.parametrize("name", ["eegmmidb_hands_feet_imagined", "graz_gdf", "scp1"])
def test_the_default_decoder_is_above_chance(shared_data, name):
    dataset = evaluation.load(name)
    for epochs in dataset.read(shared_data / HELD[name][0]):
        found = evaluation.judge(dataset, epochs)
        assert found.correct >= found.limit, found.line()


@pytest.mark.parametrize("content", [b"", b"no recording at all" * 20])
@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("scp1", "scp1.npz"),
        ("p300_bi2012", "subject_01_session_01.npz"),
        ("eegmmidb_hands_feet_imagined", "S001R06.edf"),
        ("graz_gdf", "sample.gdf"),
        ("ssvep_exo", "a_raw.fif"),
    ],
)
def test_a_file_that_is_no_recording_is_named(tmp_path, name, file, content):
    (tmp_path / file).write_bytes(content)
    with pytest.raises(BadSignal, match=f"{file} cannot be read"):
        # A user names a folder in text.
        list(evaluation.load(name).read(str(tmp_path)))


def test_a_table_of_arrays_that_lacks_one_is_named(tmp_path):
    np.savez(tmp_path / "scp1.npz", fs=256.0)
    with pytest.raises(BadSignal, match=r"scp1\.npz cannot be read.*x_train"):
        list(evaluation.load("scp1").read(tmp_path))
