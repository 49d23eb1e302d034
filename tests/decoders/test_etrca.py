"""``etrca``: the filters of all classes serve each."""

from __future__ import annotations

import numpy as np

from workbench import decoders

FS = 128.0


def locked(n=12, seed=0):
    """Epochs of 1.2 s of two frequencies, always the same phase, and their classes."""
    rng = np.random.default_rng(seed)
    y = np.array(["a", "b"])[np.arange(n) % 2]
    t = np.arange(round(1.2 * FS)) / FS
    x = rng.normal(0, 8, (n, 3, len(t)))
    for epoch, name in zip(x, y, strict=True):
        epoch[:2] += 4.0 * np.sin(2 * np.pi * {"a": 12.0, "b": 12.5}[name] * t)
    return x, y


def make(**params):
    return decoders.load("etrca")(**{"fs": FS, "window_s": 1.0, "bands": [(6, 50), (14, 50)], **params})


def test_trials_locked_in_phase_are_told_apart():
    decoder = make(bands=[(6, 50)]).fit(*locked(24))
    x, y = locked(n=30, seed=1)
    assert decoder.score(x, y) >= 0.9


def test_the_score_goes_through_the_filters_of_all_classes():
    x, y = locked()
    decoder = make(evidence={"calibrate": None}).fit(x, y)
    windows, _ = decoder._epoch_summaries(x, 0.0)
    probe = np.random.default_rng(4).normal(0, 5, windows[0].shape)
    expected = np.zeros(2)
    for b in range(2):
        lanes = slice(3 * b, 3 * b + 3)
        w = decoder.filters_[b].T
        for k, name in enumerate(decoder.classes_):
            template = windows[y == name].mean(axis=0)[:, lanes] @ w
            r = np.corrcoef((probe[:, lanes] @ w).ravel(), template.ravel())[0, 1]
            expected[k] += ((b + 1) ** -1.25 + 0.25) * np.sign(r) * r**2
    np.testing.assert_allclose(decoder.scores_of([probe])[0], expected, atol=1e-12)


def test_the_window_begins_0_14_s_after_the_stimulus():
    x, y = locked()
    decoder = make().fit(x, y, lead_in=0.02)
    stream = decoder.start()
    stream.step(np.ascontiguousarray(x[0].T))
    end = round(0.02 * FS) + round(0.14 * FS) + stream.window
    assert stream.evidence(end).probabilities == tuple(decoder.predict_proba(x[:1])[0])
