"""BIDS side files say what each channel is; what is no signal of the recording never becomes a decoder's input."""

from __future__ import annotations

import json

import pytest

from workbench.devices import replay
from workbench.devices._bids import side_files
from workbench.errors import RecordingFault

TABLE = "name\ttype\tunits\tstatus\nE1\tECOG\tµV\tgood\nE2\tECOG\tuV\tbad\nACC\tMISC\tg\tgood\nF\tECOG\tN\tgood\n"


@pytest.fixture
def recording(tmp_path):
    """Name of a recording in a data set, with its side files above and beside it."""
    folder = tmp_path / "sub-1" / "ses-a" / "ieeg"
    folder.mkdir(parents=True)
    (tmp_path / "dataset_description.json").write_text("{}")
    (folder / "sub-1_ses-a_task-grip_channels.tsv").write_text("\ufeff" + TABLE, encoding="utf-8")
    (tmp_path / "task-grip_ieeg.json").write_text(json.dumps({"SamplingFrequency": 500.0}))
    return folder / "sub-1_ses-a_task-grip_run-1_ieeg.vhdr"


def test_types_units_and_status_are_those_of_the_nearest_side_files(recording):
    beside = side_files(recording)
    assert beside.types == {"E1": "ECOG", "E2": "ECOG", "ACC": "MISC", "F": "ECOG"}
    assert [name for name in ("E1", "E2", "ACC", "F", "X") if beside.is_decoded(name)] == ["E1", "E2", "X"]
    assert beside.bad == ("E2",)
    first, second, third, fourth = beside.notes(("E1", "E2", "ACC", "F", "X"), 1000.0)
    assert first == "not played, by the BIDS side file: ACC (MISC), F (ECOG, in N)"
    assert "marked bad in the BIDS side file: E2" in second
    assert "X" in third
    assert "states 500 Hz, the recording has 1000 Hz" in fourth


def test_side_files_of_another_subject_task_or_outside_of_the_data_set_do_not_count(recording):
    other = recording.with_name("sub-1_ses-a_task-rest_ieeg.vhdr")
    assert side_files(other).types == {}
    (recording.parents[3] / "dataset_description.json").unlink()
    (recording.parents[4] / "task-grip_channels.tsv").write_text(TABLE)
    assert side_files(recording.with_name("sub-1_task-grip_ieeg.vhdr")).types == {}
    (recording.parents[4] / "task-grip_channels.tsv").unlink()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\xff\xfe\x00", "must be UTF-8 text"),
        (b"label\ttype\nE1\tECOG\n", "no column 'name'"),
        (b"x" * 5_000_000, "bytes"),
    ],
)
def test_a_side_file_that_cannot_be_read_is_a_sentence(recording, content, words):
    recording.with_name("sub-1_ses-a_task-grip_channels.tsv").write_bytes(content)
    with pytest.raises(RecordingFault, match=words):
        side_files(recording)


@pytest.mark.parametrize("content", ["{", "[" * 100_000, "[]"])
def test_a_json_side_file_that_is_none_is_a_sentence(recording, content):
    recording.with_suffix(".json").write_text(content)
    with pytest.raises(RecordingFault, match="JSON"):
        side_files(recording)


def test_a_movement_channel_never_becomes_an_input_of_a_decoder(shared_data):
    (path,) = (shared_data / "ecog_gripforce").glob("**/*.vhdr")
    head = replay.head(path)
    assert "MOV_RIGHT" not in head.channels
    assert len(head.channels) == 9
    assert (head.type, head.unit) == ("ECoG", "uV")
    assert "not played, by the BIDS side file: MOV_RIGHT (MISC)" in head.notes
