"""Support vectors against scikit-learn, and the calibrated stream against the definition."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.svm import SVC

from workbench import decoders
from workbench.errors import BadSignal, BadValue

FS, N_CHANNELS = 200.0, 4


def make(**params):
    return decoders.load("bandpower_svm")(**{"fs": FS, "window_s": 0.4, **params})


def epochs(classes=("feet", "hands"), n=60, seed=0):
    rng = np.random.default_rng(seed)
    y = np.array(classes)[np.arange(n) % len(classes)]
    x = rng.normal(0, 10, (n, N_CHANNELS, 80))
    for k, name in enumerate(classes[1:]):
        x[y == name, k] *= 0.6
    return x, y


def logs(decoder, x):
    summaries, _ = decoder._epoch_summaries(x, 0.0)
    return np.log(summaries[:, : summaries.shape[1] // 2] + 1e-9)


def test_margins_are_those_of_scikit_learn():
    x, y = epochs()
    decoder = make(evidence={"calibrate": None}).fit(x, y)
    z = (logs(decoder, x) - decoder.mean_) / np.sqrt(decoder.variance_)
    machine = SVC(C=1.0, gamma="scale").fit(z, y)
    new = (logs(decoder, epochs(seed=1)[0]) - decoder.mean_) / np.sqrt(decoder.variance_)
    ours, theirs = decoder.decision_function(epochs(seed=1)[0]), machine.decision_function(new)
    np.testing.assert_allclose(ours, theirs, atol=1e-10)
    assert decoder.gamma_[0] == pytest.approx(1 / (z.shape[1] * z.var()))


def test_three_classes_are_each_set_against_the_rest():
    x, y = epochs(classes=("feet", "hands", "tongue"), n=90)
    decoder = make(evidence={"calibrate": None}).fit(x, y)
    z = (logs(decoder, x) - decoder.mean_) / np.sqrt(decoder.variance_)
    expected = [SVC(gamma="scale").fit(z, y == name).decision_function(z) for name in decoder.classes_]
    np.testing.assert_allclose(decoder.decision_function(x), np.array(expected).T, atol=1e-10)
    new = epochs(classes=("feet", "hands", "tongue"), n=90, seed=2)[0]
    assert (make().fit(x, y).predict(new) == y).mean() > 0.6


def test_probabilities_come_from_held_out_margins():
    x, y = epochs(n=200)
    p = make().fit(x, y).predict_proba(epochs(n=400, seed=3)[0])[:, 1]
    truth = np.arange(400) % 2 == 1
    for low, high in ((0.0, 0.4), (0.4, 0.6), (0.6, 1.0)):
        inside = (p >= low) & (p < high)
        assert abs(truth[inside].mean() - p[inside].mean()) < 0.15


@pytest.mark.parametrize(
    ("params", "top"),
    [
        ({"fs": 250.0}, 32),
        ({"fs": 1000.0}, 145),
        ({"fs": 1000.0, "mains_hz": 60.0}, 175),
        ({"bands": [(9, 11)]}, 11),
    ],
)
def test_bands_follow_the_rate_and_the_mains(params, top):
    assert make(**params).pass_bands()[-1][1] == top


def test_what_cannot_be_learned_is_refused():
    with pytest.raises(BadValue, match="C must be above 0"):
        make(C=0.0).fit(*epochs())
    x, y = epochs()
    with pytest.raises(BadSignal, match="all the same to the decoder"):
        make().fit(np.repeat(x[:1], len(y), axis=0), y)


def test_rules_for_linear_discriminants_are_refused():
    with pytest.raises(BadValue, match="no linear discriminant"):
        make(adapt={"rule": "pmean"}).fit(*epochs())
    with pytest.raises(BadValue, match="no covariances to recentre"):
        make(adapt={"rule": "recentre"}).fit(*epochs())
