"""``ecca``: the four correlations, by scikit-learn."""

from __future__ import annotations

import numpy as np
from sklearn.cross_decomposition import CCA

from workbench import decoders

FS = 128.0
FREQUENCIES = {"a": 9.0, "b": 10.0}


def locked(n=12, seed=0):
    """Epochs of 1.2 s of two frequencies, always the same phase, and their classes."""
    rng = np.random.default_rng(seed)
    y = np.array(list(FREQUENCIES))[np.arange(n) % 2]
    t = np.arange(round(1.2 * FS)) / FS
    x = rng.normal(0, 8, (n, 3, len(t)))
    for epoch, name in zip(x, y, strict=True):
        epoch[:2] += 4.0 * np.sin(2 * np.pi * FREQUENCIES[name] * t)
    return x, y


def make(**params):
    small = {"fs": FS, "window_s": 1.0, "bands": [(6, 50), (14, 50)], "harmonics": 2}
    return decoders.load("ecca")(**{**small, "frequencies": FREQUENCIES, **params})


def first_pair(a, b):
    """Filters of the first canonical pair and their correlation."""
    model = CCA(n_components=1, scale=False, max_iter=5000, tol=1e-14).fit(a, b)
    u, v = model.x_rotations_[:, 0], model.y_rotations_[:, 0]
    return u, abs(np.corrcoef(a @ u, b @ v)[0, 1])


def test_trials_locked_in_phase_are_told_apart():
    decoder = make(bands=[(6, 50)]).fit(*locked(24))
    x, y = locked(n=30, seed=1)
    assert decoder.score(x, y) >= 0.9


def test_the_score_is_the_sum_of_four_signed_squares_in_each_band():
    x, y = locked()
    decoder = make(evidence={"calibrate": None}).fit(x, y)
    windows, _ = decoder._epoch_summaries(x, 0.0)
    probe = locked(seed=3)[0]
    window, _ = decoder._epoch_summaries(probe, 0.0)
    expected = np.zeros(2)
    for b in range(2):
        band = window[0][:, 3 * b : 3 * b + 3]
        for k, name in enumerate(decoder.classes_):
            mean = windows[y == name].mean(axis=0)[:, 3 * b : 3 * b + 3]
            q = decoder.references_[:, 4 * k : 4 * k + 4]
            sines, r1 = first_pair(band, q)
            own, _ = first_pair(band, mean)
            template, _ = first_pair(mean, q)
            r = np.array([r1, *(np.corrcoef(band @ w, mean @ w)[0, 1] for w in (own, sines, template))])
            expected[k] += ((b + 1) ** -1.25 + 0.25) * (np.sign(r) * r**2).sum()
    np.testing.assert_allclose(decoder.scores_of(window[:1])[0], expected, atol=1e-6)
