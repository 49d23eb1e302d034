"""``mset_cca``: references from trials, unequal numbers of trials, one band."""

from __future__ import annotations

import numpy as np
import pytest

from workbench import decoders
from workbench.decoders.mset_cca import common_signals
from workbench.errors import BadValue

FS = 128.0


def locked(n=12, seed=0):
    """Epochs of 1.2 s of two frequencies, always the same phase, and their classes."""
    rng = np.random.default_rng(seed)
    y = np.array(["a", "b"])[np.arange(n) % 2]
    t = np.arange(round(1.2 * FS)) / FS
    x = rng.normal(0, 8, (n, 3, len(t)))
    for epoch, name in zip(x, y, strict=True):
        epoch[:2] += 6.0 * np.sin(2 * np.pi * {"a": 9.0, "b": 11.0}[name] * t)
    return x, y


def make(**params):
    return decoders.load("mset_cca")(**{"fs": FS, "window_s": 1.0, **params})


def test_trials_locked_in_phase_are_told_apart():
    decoder = make().fit(*locked())
    x, y = locked(n=30, seed=1)
    assert decoder.score(x, y) >= 0.9
    assert decoder.settings.bands == ((6.0, 57.6),)


def test_signals_of_the_trials_are_most_alike():
    x, y = locked()
    trials = x[y == "a"].transpose(0, 2, 1)
    found = common_signals(trials)
    assert found.shape == (len(x[0, 0]), 6)
    np.testing.assert_allclose(found.sum(axis=0), 0.0, atol=1e-9)
    centred = trials - trials.mean(axis=1, keepdims=True)

    def alike(signals):
        return (signals.sum(axis=1) ** 2).sum() / (signals**2).sum()

    rng = np.random.default_rng(0)
    others = [np.einsum("ntc,nc->tn", centred, rng.normal(size=(6, 3))) for _ in range(300)]
    assert max(map(alike, others)) < alike(found)


def test_a_class_with_fewer_trials_has_fewer_references():
    x, y = locked(13)
    decoder = make(evidence={"calibrate": None}).fit(x[:, :, :], y)
    assert decoder.references_.shape == (128, 14)
    assert not decoder.references_[:, 13].any()
    assert decoder.references_[:, 12].any()


def test_one_band_is_taken():
    with pytest.raises(BadValue, match="takes one band, got 2"):
        make(bands=[(6, 50), (14, 50)]).fit(*locked())
