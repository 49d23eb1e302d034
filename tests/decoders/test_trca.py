"""``trca``: responses locked in phase, the definition, too few trials."""

from __future__ import annotations

import numpy as np
import pytest

from workbench import decoders
from workbench.errors import BadSignal
from workbench.fitting.templates import task_related

FS = 128.0


def locked(n=18, seed=0, size=4.0):
    """Epochs of 1.5 s of three frequencies, always the same phase, and their classes; 0.25 s lead in."""
    rng = np.random.default_rng(seed)
    y = np.array(["a", "b", "c"])[np.arange(n) % 3]
    t = np.arange(round(1.5 * FS)) / FS
    x = rng.normal(0, 8, (n, 4, len(t)))
    for epoch, name in zip(x, y, strict=True):
        f = {"a": 9.0, "b": 10.0, "c": 11.0}[name]
        epoch[:2] += size * np.sin(2 * np.pi * f * t) + 0.4 * size * np.sin(4 * np.pi * f * t + 1.0)
    return x, y


def make(**params):
    return decoders.load("trca")(**{"fs": FS, "window_s": 1.0, **params})


def test_trials_locked_in_phase_are_told_apart():
    decoder = make().fit(*locked(), lead_in=0.25)
    x, y = locked(n=30, seed=1)
    assert decoder.score(x, y) >= 0.9
    assert decoder.filters_.shape == (5, 3, 4)


def test_the_filter_makes_trials_most_alike():
    x, y = locked()
    trials = x[y == "a"].transpose(0, 2, 1)
    centred = trials - trials.mean(axis=1, keepdims=True)

    def alike(w):
        z = centred @ w
        total = z.sum(axis=0)
        return (total @ total - (z**2).sum()) / (z**2).sum()

    best = task_related(trials)
    rng = np.random.default_rng(0)
    assert max(alike(rng.normal(size=4)) for _ in range(300)) <= alike(best)
    step = 1e-4 * rng.normal(size=4)
    assert alike(best + step) <= alike(best)


def test_the_score_is_the_weighed_sum_of_signed_squares():
    x, y = locked()
    decoder = make(evidence={"calibrate": None}).fit(x, y, lead_in=0.25)
    windows, _ = decoder._epoch_summaries(x, 0.25)
    probe = np.random.default_rng(4).normal(0, 5, windows[0].shape)
    expected = np.zeros(3)
    for b in range(5):
        lanes = slice(4 * b, 4 * b + 4)
        for k, name in enumerate(decoder.classes_):
            w = decoder.filters_[b, k]
            r = np.corrcoef(probe[:, lanes] @ w, windows[y == name].mean(axis=0)[:, lanes] @ w)[0, 1]
            expected[k] += ((b + 1) ** -1.25 + 0.25) * np.sign(r) * r**2
    np.testing.assert_allclose(decoder.scores_of([probe])[0], expected, atol=1e-12)


def test_one_trial_of_a_class_is_too_few_and_two_need_no_calibration():
    x, y = locked(n=6)
    with pytest.raises(BadSignal, match="has 1 trial to learn a template from; 2 are needed, and 3"):
        make().fit(x, y, lead_in=0.25)
    assert make(evidence={"calibrate": None}).fit(x, y, lead_in=0.25).score(x, y) == 1.0


def test_dependent_channels_change_nothing():
    x, y = locked()
    probe, truth = locked(n=30, seed=1)
    plain = make().fit(x, y, lead_in=0.25)
    doubled = make().fit(np.concatenate([x, x[:, :1]], axis=1), y, lead_in=0.25)
    bridged = np.concatenate([probe, probe[:, :1]], axis=1)
    assert np.isfinite(doubled.predict_proba(bridged)).all()
    assert abs(doubled.score(bridged, truth) - plain.score(probe, truth)) < 0.1
