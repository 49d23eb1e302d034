"""The readers on real recordings: how many epochs of which class, and defaults above chance."""

from __future__ import annotations

from collections import Counter

import pytest

from workbench import evaluation

HELD = {
    "eegmmidb_hands_feet_imagined": ("eegmmidb", "S001", (30, 64), {"hands": 14, "feet": 16}, 2),
    "eegmmidb_hands_feet_executed": ("eegmmidb", "S001", (30, 64), {"hands": 16, "feet": 14}, 2),
    "eegmmidb_left_right_imagined": ("eegmmidb", "S001", (30, 64), {"left": 16, "right": 14}, 2),
    "eegmmidb_left_right_executed": ("eegmmidb", "S001", (30, 64), {"left": 16, "right": 14}, 2),
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
