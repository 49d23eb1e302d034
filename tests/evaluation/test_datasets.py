"""The readers on real recordings: how many epochs of which class, and defaults above chance."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from workbench import evaluation
from workbench.errors import BadSignal
from workbench.evaluation._emg_myo import stretches

pytestmark = pytest.mark.job

HELD = {
    "eegmmidb_hands_feet_imagined": ("eegmmidb", "S001", (30, 64), {"hands": 14, "feet": 16}, 2),
    "eegmmidb_hands_feet_executed": ("eegmmidb", "S001", (30, 64), {"hands": 16, "feet": 14}, 2),
    "eegmmidb_left_right_imagined": ("eegmmidb", "S001", (30, 64), {"left": 16, "right": 14}, 2),
    "eegmmidb_left_right_executed": ("eegmmidb", "S001", (30, 64), {"left": 16, "right": 14}, 2),
    "eegmmidb_rest_movement_executed": ("eegmmidb", "S001", (120, 64), {"rest": 60, "movement": 60}, 4),
    "eegmmidb_rest_movement_imagined": ("eegmmidb", "S001", (120, 64), {"rest": 60, "movement": 60}, 4),
    "emg_myo_within": ("emg_myo", "12345-1", (936, 8), dict.fromkeys("01234567", None), 6),
    "emg_myo_across": ("emg_myo", "12345", (2808, 8), dict.fromkeys("01234567", None), 3),
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
    counts = Counter(epochs.y.tolist())
    assert set(counts) == set(classes)
    # Without a number they are as many as one another, up to the windows that a stretch has no room for.
    fixed = {label: n for label, n in classes.items() if n is not None}
    assert fixed == counts if fixed else max(counts.values()) < 1.1 * min(counts.values())
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


def test_emg_that_has_other_columns_or_lies_in_no_session_is_named(tmp_path):
    (tmp_path / "A-1").mkdir()
    (tmp_path / "A-1" / "0.txt").write_text("1,2,0\n")
    with pytest.raises(BadSignal, match=r"0\.txt cannot be read \(3 columns in place of 9\)"):
        list(evaluation.load("emg_myo_within").read(tmp_path))
    (tmp_path / "A-1").rename(tmp_path / "gestures")
    with pytest.raises(BadSignal, match="gestures is no folder of a session; its name is PERSON-SESSION"):
        list(evaluation.load("emg_myo_across").read(tmp_path))


def test_windows_of_emg_lie_in_one_cue_and_rest_is_every_second_stretch():
    labels = np.zeros(6000, dtype=int)
    assert stretches(labels, "0") == [(0, 1000), (2000, 3000), (4000, 5000)]
    labels[1000:2000] = labels[4500:6000] = 3
    assert stretches(labels, "3") == [(1000, 2000), (4500, 6000)]


def test_a_table_of_arrays_that_lacks_one_is_named(tmp_path):
    np.savez(tmp_path / "scp1.npz", fs=256.0)
    with pytest.raises(BadSignal, match=r"scp1\.npz cannot be read.*x_train"):
        list(evaluation.load("scp1").read(tmp_path))
