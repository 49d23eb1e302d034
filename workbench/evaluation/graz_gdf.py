"""Imagined movement of the left against the right hand, GDF files of the Graz paradigm (cues 769 and 770)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from workbench.evaluation._contract import Dataset, Epochs, cues_of, files, joined, microvolts, pieces, read_raw

CUES = {"769": "left", "770": "right"}
MOTOR = 3
"""Channels over the motor cortex come first; a fourth records the eyes or a trigger."""
BEFORE_S, LEAD_IN_S, STOP_S = 1.0, 1.5, 4.5
"""The epoch begins 1 s before the cue and is decoded from 0.5 s after it to the end of the feedback."""


def _read(folder: Path | str) -> Iterator[Epochs]:
    for path in files(folder, "*.gdf"):
        raw = read_raw(path)
        fs = float(raw.info["sfreq"])
        names = raw.ch_names[:MOTOR]
        # Cut before anything is filtered: a fourth channel must not enter a reference.
        samples = np.ascontiguousarray(microvolts(raw)[:, :MOTOR])
        x, y = pieces(samples, cues_of(raw, CUES), fs=fs, start_s=-BEFORE_S, stop_s=STOP_S)
        yield joined(path.stem, [(path.stem, x, y)], fs=fs, channels=names, lead_in_s=LEAD_IN_S)


DATASET = Dataset(
    name="graz_gdf",
    title="Left against right hand imagery, three bipolar channels",
    source="BioSig sample recording of the Graz paradigm",
    terms="as the sample of BioSig",
    paradigm="motor_imagery",
    split="blocks",
    read=_read,
)
