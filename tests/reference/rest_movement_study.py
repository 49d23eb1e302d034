"""Windows of rest and of movement, one by one: ours and pyRiemann's on the same windows of the same runs.

    python -m tests.reference.rest_movement_study ../shared/data/eegmmidb

Each run is left out in turn, those included on which defaults were chosen. pyRiemann gets our covariances (the
same filters, windows and shrinkage) and makes tangent vectors and a logistic regression of them, as its examples.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import numpy as np

from workbench import decoders, evaluation
from workbench.evaluation._stream import _fitted, collected


def theirs(train, y, new):
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    space = importlib.import_module("pyriemann.tangentspace").TangentSpace(metric="riemann")
    return make_pipeline(space, LogisticRegression(max_iter=1000)).fit(train, y).predict(new)


def balanced(truth, decided):
    return float(np.mean([np.mean(decided[truth == name] == name) for name in np.unique(truth)]))


def main(folder):
    for kind in ("executed", "imagined"):
        dataset = evaluation.load(f"eegmmidb_rest_movement_{kind}")
        (recording,) = dataset.read_runs(folder)
        fs, n = recording.fs, len(recording.channels)
        name, used = evaluation.chosen(dataset, decoder="", params={"hop_s": 0.25}, fs=fs, n_channels=n)

        def fresh(name=name, used=used, fs=fs, n=n):
            return decoders.load(name)(fs, **used).prepare(n)

        parts = {run.name: collected(fresh(), run, dataset.rule, fs=fs) for run in recording.runs}
        for run, held in parts.items():
            others = [part for other, part in parts.items() if other != run]
            decoder = _fitted(fresh(), others)
            ours = decoder.classes_[decoder.scores_of(held.summaries).argmax(axis=1)]
            train = np.concatenate([part.summaries[:, 0] for part in others])
            peer = theirs(train, np.concatenate([part.labels for part in others]), held.summaries[:, 0])
            both = f"{name} {balanced(held.labels, ours):.3f}, pyRiemann {balanced(held.labels, peer):.3f}"
            print(f"{kind} {run}: right, mean over classes: {both} ({len(ours)} windows)", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
