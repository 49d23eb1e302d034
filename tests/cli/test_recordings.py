"""The demo on real recordings that are played through LSL, and recordings that it cannot use."""

from __future__ import annotations

import re
import shutil

import numpy as np
import pytest

from workbench.recording import Journal, RunFile
from workbench.study import Study
from workbench.vocabulary import StreamSpec

NAMES = "T1=hands,T2=feet"


@pytest.fixture
def files(shared_data):
    """Runs 06 and 10 of one person, hands or feet imagined."""
    found = [shared_data / "eegmmidb" / f"S001R{number}.edf" for number in ("06", "10")]
    if not all(path.is_file() for path in found):
        pytest.skip(f"no recordings {found[0].name} and {found[1].name} in {found[0].parent}")
    return found


def demo(workbench, folder, *recordings, conditions=NAMES, speed="15"):
    # At 40 × a busy computer is late by the whole history of a decoder within 0.1 s, and refuses the cue in words.
    return workbench(
        "demo", "--no-browser", "--study", folder, "--speed", speed,
        "--recordings", *recordings, "--conditions", conditions,
    )  # fmt: skip


@pytest.mark.release
def test_real_recordings_end_to_end_and_replay_equals(files, workbench, inside, tmp_path):
    folder = tmp_path / "study"
    said = demo(workbench, folder, *files)
    assert said.code == 0, said.out + said.err
    found = re.search(
        r"^accuracy (\d+)/15 = (\S+) \(95 % CI (\S+)–(\S+), Wilson; 95 % chance limit 12/15\)$", said.out, re.M
    )
    assert found, said.out
    hits, share, low, high = int(found[1]), *(float(found[i]) for i in (2, 3, 4))
    assert hits >= 12
    assert share == pytest.approx(hits / 15, abs=5e-4)
    assert low < share < high
    assert "replayed recordings S001R06.edf, S001R10.edf; no effector" in said.out
    assert said.out.count("equal the recording bit for bit") == 2
    again = inside("replay", folder)
    assert again.code == 0, again.out
    assert again.out.splitlines()[-1] == "2 of 2 runs equal the record bit for bit"
    assert inside("verify", folder).code == 0


def test_recordings_that_cannot_be_used(files, inside, tmp_path, shared_data):
    first, last = files
    folder = tmp_path / "study"

    def refused(*recordings, words, conditions=NAMES):
        said = demo(inside, folder, *recordings, conditions=conditions).refused(*words)
        assert not folder.exists()
        return said

    refused(first, words=("needs two files or more", "got 1"))
    refused(first, last, conditions="T1=hands,T7=feet", words=("has no annotation 'T7'", "'T1' (7 times)", "Name"))
    refused(first, tmp_path / "gone.edf", words=("gone.edf is not there; check the path",))
    (tmp_path / "note.edf").write_text("this is no recording")
    refused(first, tmp_path / "note.edf", words=("note.edf cannot be read as edf", "check that the file is whole"))
    (tmp_path / "empty.edf").touch()
    refused(first, tmp_path / "empty.edf", words=("empty.edf cannot be read as edf",))
    (tmp_path / "note.txt").write_text("this is no recording")
    refused(tmp_path / "note.txt", last, words=("note.txt is of no format that can be replayed", ".edf"))
    refused(first, shared_data, words=(f"{shared_data.name} is of no format",))
    shutil.copyfile(first, tmp_path / "same.edf")
    refused(first, tmp_path / "same.edf", words=("same.edf is the same recording as S001R06.edf",))
    other = bytearray(last.read_bytes())
    other[256:272] = b"Nose".ljust(16)
    (tmp_path / "nose.edf").write_bytes(other)
    refused(first, tmp_path / "nose.edf", words=("nose.edf has another montage", "channel 1 is 'Nose' instead of"))
    (tmp_path / "cut.edf").write_bytes(first.read_bytes()[:500_000])
    refused(
        tmp_path / "cut.edf", last, words=("too few trials", "at least 2 are needed; add a calibration recording")
    )


# ----------------------------------------------------------------- recordings that state no unit
FS, N_TRIALS, TRIAL_S = 160.0, 12, 4.0
CHANNELS = ("FC3", "FC4", "C3", "C4", "CP3", "CP4")


def no_unit(path, *, seed, millivolts=True, unit=""):
    """An XDF recording of noise in mV (or µV) with alternating cues; of its unit it says ``unit``."""
    rng = np.random.default_rng(seed)
    n = round((N_TRIALS * TRIAL_S + 4.0) * FS)
    spec = StreamSpec("amp", "EEG", FS, CHANNELS, unit=unit, source_id="amp")
    cues = StreamSpec("cues", "Markers", 0.0, source_id="cues", role="markers")
    with Journal(path) as journal:
        signal = journal.add_stream(spec)
        texts = journal.add_stream(cues, dtype="string")
        values = rng.normal(0.0, 0.02 if millivolts else 20.0, (n, len(CHANNELS)))
        journal.samples(signal, values.astype(np.float32), 1000.0 + np.arange(n) / FS)
        onsets = 1002.0 + TRIAL_S * np.arange(N_TRIALS)
        journal.samples(texts, [("T1", "T2")[k % 2] for k in range(N_TRIALS)], onsets)
        journal.clock_offset(signal, 1000.0, 0.0)
        journal.clock_offset(texts, 1000.0, 0.0)
    return path


@pytest.mark.release
def test_a_recording_that_states_no_unit_is_played_once_somebody_declares_it_by_name(workbench, tmp_path):
    files = [no_unit(tmp_path / "a.xdf", seed=1), no_unit(tmp_path / "b.xdf", seed=2)]
    folder = tmp_path / "study"
    said = workbench(
        "demo", "--no-browser", "--study", folder, "--speed", "12", "--recordings", *files, "--conditions", NAMES,
        "--unit", "mV", "--declared-by", "Lin Q.",
    )  # fmt: skip
    assert said.code == 0, said.out + said.err
    assert said.out.count("equal the recording bit for bit") == 2
    with Study.open(folder, actor="tests") as study:
        (session,) = study.rows("session")
        signal = session["plan"]["contract"][0]
    recordings = [RunFile(path) for path in sorted((folder / "recordings").glob("*.xdf"))]
    assert len(recordings) == 2
    assert (signal["unit"], signal["unit_declared_by"]) == ("mV", "Lin Q.")
    assert {(run.units.source, run.units.by, *run.units.factors) for run in recordings} == {
        ("declared", "Lin Q.", *[1e3] * len(CHANNELS))
    }


def test_a_unit_is_declared_by_name_known_plausible_and_only_where_none_is_stated(inside, tmp_path):
    folder = tmp_path / "study"
    none = [no_unit(tmp_path / "a.xdf", seed=1), no_unit(tmp_path / "b.xdf", seed=2)]
    stated = [no_unit(tmp_path / f"{k}.xdf", seed=k, millivolts=False, unit="uV") for k in (3, 4)]

    def refused(files, *declared, words):
        asked = ("demo", "--no-browser", "--study", folder, "--recordings", *files, "--conditions", NAMES)
        inside(*asked, *declared).refused(*words)
        assert not folder.exists()

    refused(none, words=("a.xdf: it announces no unit", "--unit UNIT --declared-by NAME"))
    refused(none, "--unit", "mV", words=("declared by somebody", "give both"))
    refused(none, "--declared-by", "Lin Q.", words=("declared by somebody", "give both"))
    refused(none, "--unit", "furlong", "--declared-by", "Lin Q.", words=("'furlong'", "is not known", "uV, mV"))
    refused(none, "--unit", "N", "--declared-by", "Lin Q.", words=("'N' is not a voltage",))
    for wrong in ("V", "nV"):
        declared = ("--unit", wrong, "--declared-by", "Lin Q.")
        refused(none, *declared, words=("a.xdf cannot be in", "RMS", "declare the unit"))
    refused(stated, "--unit", "uV", "--declared-by", "Lin Q.", words=("states its unit itself (uV)", "leave"))
