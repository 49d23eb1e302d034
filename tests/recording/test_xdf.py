"""The own reader against pyxdf, on our files and on others'."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
import pyxdf

from workbench.errors import BadValue, RecordingFault
from workbench.recording import chunks, read
from workbench.recording.recover import inspect, recover
from workbench.recording.xml import document


def _equals_pyxdf(path: Path) -> int:
    """Compare every stream with pyxdf's raw reading; number of streams."""
    streams, header = pyxdf.load_xdf(path, synchronize_clocks=False, dejitter_timestamps=False)
    mine = read(path)
    assert mine.header["version"] == header["info"]["version"][0]
    assert [s.id for s in mine.streams] == [s["info"]["stream_id"] for s in streams]
    for stream, other in zip(mine.streams, streams, strict=True):
        info = other["info"]
        assert (stream.name, stream.type, stream.dtype) == (
            info["name"][0],
            info["type"][0] or "",
            info["channel_format"][0],
        )
        assert stream.fs == float(info["nominal_srate"][0])
        assert stream.stamps.tobytes() == other["time_stamps"].tobytes()
        assert stream.clock_times.tolist() == other["clock_times"]
        assert stream.clock_offsets.tolist() == other["clock_values"]
        if stream.dtype == "string":
            assert stream.values == other["time_series"]
        else:
            assert stream.values.shape == other["time_series"].shape
            assert stream.values.tobytes() == other["time_series"].tobytes()
        assert len(stream.stamps) == len(stream.values) == int(other["footer"]["info"]["sample_count"][0])
    return len(streams)


@pytest.mark.parametrize(("name", "n"), [("clock_resets", 2), ("empty_streams", 4), ("minimal", 2)])
def test_foreign_files_read_as_pyxdf_reads_them(shared_data, name, n):
    assert _equals_pyxdf(shared_data / "xdf" / f"{name}.xdf") == n


def test_our_files_read_as_pyxdf_reads_them(recording):
    assert _equals_pyxdf(recording(n_chunks=30)) == 2


def test_labels_units_and_identity_are_read(recording):
    file = read(recording())
    signal = file.stream("ECoG")
    assert file.state == "finished"
    assert file.header["site"] == "Zürich & 北京"
    assert (signal.channels, signal.unit, signal.source_id, signal.role) == (
        ("C3", "C4", "Cz"),
        "uV",
        "amp-1",
        "signal",
    )
    assert signal.spec.channels == signal.channels
    assert file.stream("events").spec.channels == ()
    assert file.stream("events").texts[2] == 'cue 2 <抓> "&"'
    assert signal.footer["sample_count"] == "30"


def test_mne_takes_what_was_recorded(recording):
    import mne

    streams, _ = pyxdf.load_xdf(recording())
    eeg = next(s for s in streams if s["info"]["type"] == ["EEG"])
    described = eeg["info"]["desc"][0]["channels"][0]["channel"]
    names = [c["label"][0] for c in described]
    assert {c["unit"][0] for c in described} == {"uV"}
    raw = mne.io.RawArray(
        eeg["time_series"].T * 1e-6,
        mne.create_info(names, float(eeg["info"]["nominal_srate"][0]), "eeg"),
        verbose="error",
    )
    assert raw.ch_names == ["C3", "C4", "Cz"]
    assert np.allclose(raw.get_data().T * 1e6, read(recording("again.xdf")).stream("ECoG").values)


def test_packed_files_are_read(recording, tmp_path):
    path = recording()
    packed = tmp_path / "run.xdfz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert read(packed).stream("ECoG").stamps.tolist() == read(path).stream("ECoG").stamps.tolist()


def test_a_packed_file_that_ends_early_is_a_fault(recording, tmp_path):
    packed = tmp_path / "run.xdf.gz"
    packed.write_bytes(gzip.compress(recording().read_bytes())[:-200])
    with pytest.raises(RecordingFault, match="cannot be read"):
        read(packed)


def test_labels_are_numbered_where_the_file_has_none(shared_data):
    assert read(shared_data / "xdf" / "minimal.xdf").streams[0].channels == ("1", "2", "3")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(RecordingFault, match=r"nothing\.xdf cannot be read"):
        read(tmp_path / "nothing.xdf")


def test_a_file_that_is_no_xdf_is_named(tmp_path):
    path = tmp_path / "x.xdf"
    path.write_bytes(b"RIFF....")
    with pytest.raises(RecordingFault, match="not an XDF file: it begins with b'RIFF'"):
        read(path)


def test_a_stream_is_found_by_name_or_the_names_are_listed(recording):
    with pytest.raises(RecordingFault, match="0 streams named 'EEG'; its streams are 'ECoG', 'events'"):
        read(recording()).stream("EEG")


def test_numbers_have_no_texts(recording):
    with pytest.raises(BadValue, match="float32, not text"):
        _ = read(recording()).stream("ECoG").texts


def test_an_unknown_way_to_treat_damage_is_refused(recording):
    with pytest.raises(BadValue, match="'refuse' and 'skip'"):
        read(recording(), damaged="ignore")


@pytest.mark.parametrize("again", [("8", "int8"), ("4", "float32"), ("2", "string")])
def test_a_stream_that_is_announced_again_in_another_format_is_damage_and_reads_no_sample_wrongly(tmp_path, again):
    def header(n_channels: str, dtype: str) -> bytes:
        text = {"name": "s", "channel_count": n_channels, "nominal_srate": "250", "channel_format": dtype}
        return chunks.encode_xml(chunks.Tag.STREAM_HEADER, document("info", text), stream_id=1)

    samples = chunks.encode_numbers(1, np.ones((3, 2), np.float32), np.arange(3.0), dtype="float32")
    path = tmp_path / "twice.xdf"
    path.write_bytes(chunks.MAGIC + header("2", "float32") + samples + header("2", "float32"))
    assert read(path).stream("s").values.tolist() == [[1.0, 1.0]] * 3
    path.write_bytes(chunks.MAGIC + header("2", "float32") + samples + header(*again))
    with pytest.raises(RecordingFault, match="stream 1 is announced twice, as 2 channels of float32 and as"):
        read(path)
    assert read(path, damaged="skip").stream("s").values.tolist() == [[1.0, 1.0]] * 3
    assert inspect(path).quarantined
    assert recover(path).damaged


def test_unknown_chunk_tags_are_passed_over(recording, tmp_path):
    path = tmp_path / "foreign.xdf"
    path.write_bytes(recording().read_bytes() + b"\x01\x06" + b"\x63\x00" + b"abcd")
    assert len(read(path).stream("ECoG").stamps) == 30


def test_a_hole_in_a_foreign_file_is_named_and_skipped_on_request(recording, tmp_path):
    data = bytearray(recording().read_bytes())
    from workbench.recording.chunks import encode_boundary

    path = tmp_path / "foreign.xdf"
    path.write_bytes(bytes(data[:-200]) + b"\x00" * 50 + encode_boundary() + bytes(data[4:]))
    with pytest.raises(RecordingFault, match="a stretch that is no chunk"):
        read(path)
    assert len(read(path, damaged="skip").damaged) == 1


@pytest.mark.job
def test_fuzzed_files_give_a_fault_or_a_file_and_nothing_else(recording, tmp_path):
    rng = np.random.default_rng(11)
    whole = recording().read_bytes()
    path = tmp_path / "fuzzed.xdf"
    outcomes = {"read": 0, "fault": 0}
    for _ in range(400):
        data = bytearray(whole)
        for at in rng.integers(4, len(data), size=int(rng.integers(1, 6))):
            data[at] = int(rng.integers(256))
        path.write_bytes(data[: int(rng.integers(len(data) // 2, len(data) + 1))])
        for damaged in ("refuse", "skip"):
            try:
                read(path, damaged=damaged)
                outcomes["read"] += 1
            except RecordingFault:
                outcomes["fault"] += 1
    assert outcomes["read"] > 0
    assert outcomes["fault"] > 0


def test_samples_of_the_named_streams_alone_are_decoded_and_damage_anywhere_is_told(recording):
    path = recording()
    whole, part = read(path), read(path, only=("events",))
    names = [stream.name for stream in whole.streams]
    assert [stream.name for stream in part.streams] == names
    assert [len(stream.stamps) > 0 for stream in part.streams] == [name == "events" for name in names]
    assert part.stream("events").values == whole.stream("events").values
    assert part.stream("ECoG").channels == whole.stream("ECoG").channels
    data = bytearray(path.read_bytes())
    at = bytes(data).index(np.ascontiguousarray(whole.stream("ECoG").values[5]).tobytes())
    data[at] ^= 1
    path.write_bytes(data)
    assert read(path, damaged="skip", only=("events",)).damaged == read(path, damaged="skip").damaged != ()
