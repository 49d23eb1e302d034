"""Steady-state responses to lights of 13, 17 and 21 Hz on an exoskeleton: FIF files and their event files."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

from workbench.evaluation._contract import Dataset, Epochs, files, joined, legible, pieces, read_raw

CLASSES = {2: "13", 3: "21", 4: "17"}
FREQUENCIES = {"13": 13.0, "17": 17.0, "21": 21.0}
EXCLUDED = ("2014.02.26-15.10.48", "2014.02.26-15.50.09")
"""Sessions that the authors leave out."""
BEFORE_S, LEAD_IN_S, STOP_S = 1.0, 2.0, 5.0
"""The light burns for 5 s from the cue on: the window is its last 4 s."""


def _read(folder: Path | str) -> Iterator[Epochs]:
    people: dict[str, list[Path]] = {}
    for path in files(folder, "*_raw.fif"):
        if any(session in path.name for session in EXCLUDED):
            continue
        people.setdefault(path.parent.name, []).append(path)
    for person, paths in people.items():
        parts = []
        for path in paths:
            raw = read_raw(path)
            fs = float(raw.info["sfreq"])
            # MNE counts events from the start of the acquisition, samples from the start of the file.
            cues = [(at - raw.first_samp, CLASSES[code]) for at, code in _events(path) if code in CLASSES]
            # The files are in the amplifier's own unit; these decoders need no absolute one.
            samples = raw.get_data().T.copy()
            parts.append((path.stem, *pieces(samples, cues, fs=fs, start_s=-BEFORE_S, stop_s=STOP_S)))
        yield joined(person, parts, fs=fs, channels=raw.ch_names, lead_in_s=LEAD_IN_S)


def _events(path: Path) -> list[tuple[int, int]]:
    import mne

    event_file = path.with_name(path.name.replace("_raw.fif", "-eve.fif"))
    with warnings.catch_warnings(), legible(event_file):
        warnings.simplefilter("ignore")
        events = mne.read_events(event_file, verbose="ERROR")
    return [(int(at), int(code)) for at, _, code in events]


DATASET = Dataset(
    name="ssvep_exo",
    title="Three lights on an exoskeleton",
    source="Kalunga et al. 2016, doi:10.1016/j.neucom.2016.01.007",
    terms="CC0",
    paradigm="ssvep",
    split="run",
    read=_read,
    parameters={"frequencies": FREQUENCIES, "window_s": 4.0},
)
