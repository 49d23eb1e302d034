"""Brain Invaders 2012: rare flashes of a target among others, continuous recording in npz files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from workbench.evaluation._contract import Dataset, Epochs, files, joined, pieces, read_arrays

FS = 128.0
CODES = {1: "nontarget", 2: "target"}
BEFORE_S, STOP_S = 1.0, 0.8


def _read(folder: Path | str) -> Iterator[Epochs]:
    for path in files(folder, "subject_*_session_*.npz"):
        arrays = read_arrays(path, ("data", "stim"))
        samples, stim = arrays["data"].astype(np.float64), arrays["stim"]
        # A code lasts several samples; only the first of them is an event.
        onsets = np.flatnonzero((stim > 0) & (np.r_[0, stim[:-1]] == 0))
        cues = [(int(i), CODES[int(stim[i])]) for i in onsets if int(stim[i]) in CODES]
        x, y = pieces(samples, cues, fs=FS, start_s=-BEFORE_S, stop_s=STOP_S)
        channels = tuple(f"E{i + 1}" for i in range(x.shape[1]))
        yield joined(path.stem, [(path.stem, x, y)], fs=FS, channels=channels, lead_in_s=BEFORE_S)


DATASET = Dataset(
    name="p300_bi2012",
    title="Brain Invaders: target against other flashes",
    source="Van Veen et al. 2019, doi:10.5281/zenodo.2649006",
    terms="Creative Commons Attribution 4.0",
    paradigm="p300",
    split="blocks",
    read=_read,
    metric="auc",
    target="target",
)
