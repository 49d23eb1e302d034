"""Grip force from ECoG by three decoders: a smoke test of 19 s with three grips, beside its peers.

    python -m tests.reference.grip_force_study ../shared/data/ecog_gripforce [PYTHON]

Features are those of the decoders with their defaults, at every hop of 50 ms; scikit-learn takes the same. PYTHON
is an interpreter with py_neuromodulation, in whose examples this recording is published: its own features, of 1 s
at every 100 ms, and the linear regression of those examples. Every fold is foretold by what the others taught,
penalty and components from them alone; windows of the others that overlap it are left out. Three folds, as the
examples have them, hold a grip each. Printed is the correlation with the force within each of three folds, their
mean, as the examples score, and that of all that was foretold, of three and of five folds.

What can be reached is shown by what is no forecast: the line fitted and judged on everything, the forecasts with
the offset and slope of each fold put right by its own force, shuffled folds, whose windows overlap those that
taught them, and what nothing was learned for, the mean log power below 30 Hz. Learning no more than an offset
and a slope for that shows what the folds themselves cost. A force shifted in a circle, which the signal does not
know, has the correlations of a decoder that knows nothing.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
from sklearn.cross_decomposition import PLSRegression
from sklearn.linear_model import LinearRegression, RidgeCV
from sklearn.model_selection import GridSearchCV, KFold

from workbench import decoders
from workbench.fitting.lda import ledoit_wolf
from workbench.fitting.recursive import validated
from workbench.fitting.whitening import overlap
from workbench.fitting.wiener import PENALTIES, wiener_filter
from workbench.signals import units

SHIFTS = 12
"""Places of the force in its circle."""

PEER = """
import sys
from pathlib import Path
import mne
import numpy as np
import py_neuromodulation as nm
raw = mne.io.read_raw_brainvision(sys.argv[1], preload=True, verbose="ERROR")
own = [name for name in raw.ch_names if name.startswith("ECOG")]
channels = nm.utils.channels.set_channels(own, ["ecog"] * len(own), target_keywords=None)
settings = nm.NMSettings.get_fast_compute() if sys.argv[2] == "fft" else nm.get_default_settings()
stream = nm.Stream(raw.info["sfreq"], channels, settings=settings, line_noise=50, verbose=False)
made = stream.run(1e6 * raw.get_data(own), out_dir=sys.argv[3], experiment_name="peer")
np.save(Path(sys.argv[3]) / "rows.npy", made.drop(columns="time").to_numpy(float))
"""
"""What the peer makes of the file, in its own process: rows of features, every 100 ms from the first second on."""


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


def foretold(rows, targets, ends, n_window, fit, *, n_folds):
    """What each fold is foretold to be by the others."""
    said = np.full(targets.shape, np.nan)
    for held in np.array_split(np.arange(len(rows)), n_folds):
        apart = (ends <= ends[held[0]] - n_window) | (ends - n_window >= ends[held[-1]])
        mean, spread = rows[apart].mean(axis=0), rows[apart].std(axis=0)
        said[held] = fit((rows[apart] - mean) / spread, targets[apart], (rows[held] - mean) / spread)
    return said


def r_of(said, targets):
    return float(np.corrcoef(said[:, 0], targets[:, 0])[0, 1])


def wiener(rows, targets, others):
    made = wiener_filter(rows, targets)
    return others @ made.weights.T + made.bias


def recursive_pls(rows, targets, others):
    model = validated(rows, targets, n_components=20, shape=None)
    line = model.line()
    return others @ line.weights.T + line.bias


def shrunk_ridge(rows, targets, others):
    """As ``bandpower_ridge``, with the force in the place of what was shown for a class."""
    middle = targets.mean(axis=0)
    covariance, _ = ledoit_wolf(rows, overlap=overlap(rows, np.zeros(len(rows), dtype=np.int64)))
    return others @ np.linalg.solve(covariance, rows.T @ (targets - middle) / len(rows)) + middle


def ridge_peer(rows, targets, others):
    return RidgeCV(alphas=PENALTIES).fit(rows, targets[:, 0]).predict(others)[:, None]


def pls_peer(rows, targets, others):
    search = GridSearchCV(PLSRegression(), {"n_components": range(1, 21)}, cv=KFold(5))
    return search.fit(rows, targets[:, 0]).predict(others).reshape(-1, 1)


def linear_peer(rows, targets, others):
    return LinearRegression().fit(rows, targets[:, 0]).predict(others)[:, None]


METHODS = (
    ("wiener", "workbench wiener", wiener),
    ("wiener", "scikit-learn RidgeCV", ridge_peer),
    ("rew_pls", "workbench rew_pls", recursive_pls),
    ("rew_pls", "scikit-learn PLSRegression", pls_peer),
    ("bandpower_ridge", "workbench bandpower_ridge", shrunk_ridge),
    ("bandpower_ridge", "scikit-learn RidgeCV", ridge_peer),
)


def peer_windows(python, path, settings, force, fs):
    """Like :func:`windows`, by the peer."""
    with tempfile.TemporaryDirectory() as folder:
        command = [python, "-c", PEER, str(path), settings, folder]
        subprocess.run(command, check=True, capture_output=True, text=True)
        rows = np.load(Path(folder) / "rows.npy")
    n_window, hop = round(fs), round(fs / 10)
    ends = n_window + hop * np.arange(len(rows))
    # A feature that is the same or is not known at every window says nothing, and has no spread to divide by.
    rows = np.nan_to_num(rows)
    half = len(rows) // 3
    varies = [(rows[part].std(axis=0) > 0) for part in (slice(half), slice(half, 2 * half), slice(2 * half, None))]
    kept = ends <= len(force)
    return rows[kept][:, np.logical_and.reduce(varies)], force[ends[kept] - 1][:, None], ends[kept], n_window


def row_of(title, made, fit):
    rows, targets, ends, n_window = made
    three = foretold(rows, targets, ends, n_window, fit, n_folds=3)
    five = foretold(rows, targets, ends, n_window, fit, n_folds=5)
    within = [r_of(three[held], targets[held]) for held in np.array_split(np.arange(len(rows)), 3)]
    folds = " ".join(f"{r:.2f}" for r in within)
    print(
        f"{title}: r of folds {folds}, mean {np.mean(within):.2f}; of all {r_of(three, targets):.2f}, "
        f"of five folds {r_of(five, targets):.2f}; {len(rows)} windows, {rows.shape[1]} features",
        flush=True,
    )


def bounds_of(made, fit):
    """What is no forecast; see the head of this file."""
    rows, targets, ends, n_window = made
    z = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    said = foretold(rows, targets, ends, n_window, fit, n_folds=3)
    right = said.copy()
    for held in np.array_split(np.arange(len(rows)), 3):
        right[held] = np.poly1d(np.polyfit(said[held, 0], targets[held, 0], 1))(said[held])
    shuffled = said.copy()
    for taught, held in KFold(3, shuffle=True, random_state=0).split(z):
        shuffled[held] = fit(z[taught], targets[taught], z[held])
    knows_nothing = []
    for k in range(1, SHIFTS + 1):
        moved = np.roll(targets, len(targets) * k // (SHIFTS + 1), axis=0)
        knows_nothing.append(r_of(foretold(rows, moved, ends, n_window, fit, n_folds=3), moved))
    print(
        f"no forecasts: fitted and judged on all {r_of(fit(z, targets, z), targets):.2f}, offset and slope put "
        f"right {r_of(right, targets):.2f}, shuffled folds {r_of(shuffled, targets):.2f}; of all, a force shifted "
        f"in a circle {np.mean(knows_nothing):.2f} ({min(knows_nothing):.2f} to {max(knows_nothing):.2f})"
    )


def one_feature(samples, force, fs):
    """The mean log power of the bands below 30 Hz, which grips suppress: as it is, and as a regression on it."""
    rows, targets, ends, n_window = windows("bandpower_ridge", samples, force, fs)
    bands = decoders.load("bandpower_ridge")(fs).pass_bands()
    low = [high <= 30.0 for _, high in bands]
    said = -rows.reshape(len(rows), len(bands), -1)[:, low].mean(axis=(1, 2))[:, None]
    print(f"nothing learned, log power below 30 Hz: r of all {r_of(said, targets):.2f}")
    row_of("offset and slope learned, log power below 30 Hz", (said, targets, ends, n_window), linear_peer)


def main(folder, python=None):
    samples, force, fs, ecog, name = recording(folder)
    print(f"{len(samples) / fs:.1f} s, {len(ecog)} channels; {name}")
    own = {decoder: windows(decoder, samples, force, fs) for decoder in dict.fromkeys(row[0] for row in METHODS)}
    for decoder, title, fit in METHODS:
        row_of(title, own[decoder], fit)
    for settings in ("fft", "default") if python else ():
        made = peer_windows(python, next(Path(folder).rglob("*.vhdr")), settings, force, fs)
        row_of(f"py_neuromodulation ({settings}), LinearRegression", made, linear_peer)
        row_of(f"py_neuromodulation ({settings}), scikit-learn RidgeCV", made, ridge_peer)
    bounds_of(own["wiener"], wiener)
    one_feature(samples, force, fs)


if __name__ == "__main__":
    main(*sys.argv[1:])
