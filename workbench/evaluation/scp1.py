"""Slow cortical potentials, BCI Competition II set Ia: training and test trials in one npz file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from workbench.evaluation._contract import Dataset, Epochs, files, joined, read_arrays

TRIAL_S = 3.5
"""The feedback phase: all of it is decoded as one window."""
CHANNELS = ("A1", "A2", "2cm f C3", "2cm p C3", "2cm f C4", "2cm p C4")


def _read(folder: Path | str) -> Iterator[Epochs]:
    for path in files(folder, "scp*.npz"):
        arrays = read_arrays(path, ("x_train", "y_train", "x_test", "y_test", "fs"))
        # The competition's own split, so that results compare with published ones.
        parts = [
            (part, arrays[f"x_{part}"].astype(np.float64), arrays[f"y_{part}"].tolist())
            for part in ("train", "test")
        ]
        yield joined(
            path.stem, parts, fs=float(arrays["fs"]), channels=CHANNELS, lead_in_s=0.0, judged_runs=("test",)
        )


DATASET = Dataset(
    name="scp1",
    title="Slow cortical potentials: positive against negative shift",
    source="Birbaumer et al. 1999, doi:10.1038/18581; BCI Competition II, set Ia",
    terms="research use, cite the source",
    paradigm="slow_potentials",
    split="fixed",
    read=_read,
    parameters={"window_s": TRIAL_S},
)
