"""``errp``: the interval and the band, and a response to wrong feedback."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import roc_auc_score

from workbench import decoders

FS = 128.0


def feedback(n=80, seed=0):
    """Epochs of 1.9 s with the feedback at 1.0 s, every fourth wrong: a swing at 0.25 s and 0.4 s; classes."""
    rng = np.random.default_rng(seed)
    y = np.where(np.arange(n) % 4 == 0, "error", "right")
    t = np.arange(round(1.9 * FS)) / FS - 1.0
    swing = 6.0 * (np.exp(-0.5 * ((t - 0.4) / 0.05) ** 2) - np.exp(-0.5 * ((t - 0.25) / 0.04) ** 2))
    x = rng.normal(0, 8, (n, 2, len(t)))
    x[y == "error"] += swing
    return x, y


def test_wrong_feedback_is_told_from_right_feedback():
    decoder = decoders.load("errp")(FS).fit(*feedback(160), lead_in=1.0)
    x, y = feedback(160, seed=1)
    assert decoder.class_names == ("error", "right")
    assert roc_auc_score(y == "error", -decoder.decision_function(x)) > 0.9


def test_the_window_is_0_2_to_0_8_s_after_the_feedback_at_1_to_10_hz():
    decoder = decoders.load("errp")(FS).fit(*feedback(), lead_in=1.0)
    assert decoder.settings.bands == ((1.0, 10.0),)
    assert (decoder.latency_s, decoder.settings.window_s) == (0.2, 0.6)
    x, _ = feedback()
    stream = decoder.start()
    stream.step(np.ascontiguousarray(x[4].T))
    end = round(1.0 * FS) + round(0.2 * FS) + stream.window
    assert stream.evidence(end).probabilities == tuple(decoder.predict_proba(x[4:5])[0])
