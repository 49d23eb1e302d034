"""A fitted decoder on disk and in the record, as a calibration of one visit leaves it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from workbench import decoders
from workbench.runs import approve
from workbench.study import Study
from workbench.vocabulary import Montage, Recording, Run, Session

RECORDING, CONTENT = "recordings/c1.xdf", b"XDF: calibration"
DIGEST = hashlib.sha256(CONTENT).hexdigest()
METRICS = {
    **{"validation": "5 contiguous blocks", "n": 40, "correct": 37, "accuracy": 0.925, "interval": [0.8, 0.97]},
    **{"chance_limit": 26, "classes": ["rest", "grasp"], "windows": 400, "skipped": 0},
    **{"weights": None, "runs": []},
    "confusion": [{"run": 1, "labels": ["rest", "grasp"], "counts": [[19, 1], [2, 18]]}],
    "adapts": None,
}


def enter_fit(folder: Path, visit: str) -> str:
    """Enter a session, its calibration run and a decoder fitted on it; the decoder's hash."""
    enter_calibration(folder, visit)
    with Study.open(folder, actor="test") as study:
        return approve.enter(study, fit(folder))


def enter_calibration(folder: Path, visit: str) -> None:
    """Enter a session and its calibration run."""
    (folder / "recordings").mkdir(exist_ok=True)
    (folder / RECORDING).write_bytes(CONTENT)
    with Study.open(folder, actor="test") as study:
        session = study.append(Session(visit, "test", simulated=True))
        run = Run(session, 1, "calibration", "grasp_rest", "finished", id="c1")
        recording = Recording("c1", RECORDING, DIGEST, 16, 1000, 250.0, "finished")
        study.append_run(run, trials=[], ledger=[], recordings=[recording])


def fit(folder: Path) -> dict[str, Any]:
    """Save a decoder as one that was fitted on the calibration run; what ``runs.run_fit`` returns."""
    decoder = decoders.load("bandpower_lda")(fs=250.0)
    decoder.prepare(2)
    samples = np.random.default_rng(1).normal(size=(20, 2, 500))
    samples[::2] *= 3.0
    decoder.fit(samples, np.array(["grasp", "rest"] * 10))
    made = folder / "decoders" / "new"
    made.parent.mkdir(exist_ok=True)
    sha256 = decoders.save(decoder, made, montage=Montage(("C3", "C4"), 250.0), meta={"recordings": [DIGEST]})
    place = made.rename(folder / "decoders" / sha256[:12])
    fitted = {"sha256": sha256, "name": "bandpower_lda", "folder": str(place), "recordings": [DIGEST]}
    return fitted | {"metrics": METRICS}
