"""Grip force from ECoG by `wiener` and `rew_pls`: a smoke test of 19 s with three grips, beside scikit-learn.

    python -m tests.reference.grip_force_study ../shared/data/ecog_gripforce

Features are those of the decoders with their defaults, at every hop of 50 ms; the peers take the same. Each of
five contiguous folds is foretold by what the others taught, penalty and components from them alone; windows of the
others that overlap it are left out. Printed is the correlation of all that was foretold with the force.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import numpy as np
from sklearn.cross_decomposition import PLSRegression
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import GridSearchCV, KFold

from workbench import decoders
from workbench.fitting.recursive import validated
from workbench.fitting.wiener import PENALTIES, wiener_filter
from workbench.signals import units

FOLDS = 5


def recording(folder):
    """ECoG ``(n_times, n_channels)`` float64, µV, the force at each sample, and the rate in Hz."""
    import mne

    path = next(Path(folder).rglob("*.vhdr"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        raw = mne.io.read_raw_brainvision(path, preload=True, verbose="ERROR")
    table = [line.split("\t") for line in next(path.parent.glob("*_channels.tsv")).read_text().splitlines()]
    kind = {row[0]: row[table[0].index("type")] for row in table[1:]}
    ecog = [name for name in raw.ch_names if kind.get(name) == "ECOG"]
    force = [name for name in raw.ch_names if name.startswith("MOV_RIGHT") and "CLEAN" not in name]
    samples = units.from_mne(raw.get_data(ecog).T)
    return np.ascontiguousarray(samples), raw.get_data(force[:1])[0], float(raw.info["sfreq"]), ecog, force[0]


def windows(name, samples, force, fs):
    """Features of every valid window of a decoder, the force at its end, its end in samples, and its length."""
    made = decoders.load(name)(fs).prepare(samples.shape[1])
    stream, rows, ends = made.signal(), [], []
    hop = stream.n_hop
    for end in range(hop, len(samples) + 1, hop):
        stream.step(samples[end - hop : end])
        if stream.has_window(end) and stream.complete(end) and stream.window(end)[1]:
            rows.append(made._features().features(made.summarise(stream.window(end)[0])))
            ends.append(end)
    return np.array(rows), force[np.array(ends) - 1][:, None], np.array(ends), stream.n_window


def foretold(rows, targets, ends, n_window, fit):
    """What each fold is foretold to be by the others."""
    said = np.full(targets.shape, np.nan)
    for held in np.array_split(np.arange(len(rows)), FOLDS):
        apart = (ends <= ends[held[0]] - n_window) | (ends - n_window >= ends[held[-1]])
        mean, spread = rows[apart].mean(axis=0), rows[apart].std(axis=0)
        said[held] = fit((rows[apart] - mean) / spread, targets[apart], (rows[held] - mean) / spread)
    return said


def wiener(rows, targets, others):
    made = wiener_filter(rows, targets)
    return others @ made.weights.T + made.bias


def recursive_pls(rows, targets, others):
    model = validated(rows, targets, n_components=20, shape=None)
    line = model.line()
    return others @ line.weights.T + line.bias


def ridge_peer(rows, targets, others):
    return RidgeCV(alphas=PENALTIES).fit(rows, targets[:, 0]).predict(others)[:, None]


def pls_peer(rows, targets, others):
    search = GridSearchCV(PLSRegression(), {"n_components": range(1, 21)}, cv=KFold(5))
    return search.fit(rows, targets[:, 0]).predict(others).reshape(-1, 1)


METHODS = (
    ("wiener", "workbench wiener", wiener),
    ("wiener", "scikit-learn RidgeCV", ridge_peer),
    ("rew_pls", "workbench rew_pls", recursive_pls),
    ("rew_pls", "scikit-learn PLSRegression", pls_peer),
)


def main(folder):
    samples, force, fs, ecog, name = recording(folder)
    print(f"{len(samples) / fs:.1f} s, {len(ecog)} channels; {name}")
    for decoder, title, fit in METHODS:
        rows, targets, ends, n_window = windows(decoder, samples, force, fs)
        said = foretold(rows, targets, ends, n_window, fit)
        r = np.corrcoef(said[:, 0], targets[:, 0])[0, 1]
        print(f"{title}: r = {r:.3f}; {len(rows)} windows, {rows.shape[1]} features")


if __name__ == "__main__":
    main(sys.argv[1])
