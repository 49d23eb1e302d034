"""A Wiener filter: scikit-learn's ridge with the penalty of its own blocked search, on the lags of a window."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, KFold

from workbench import decoders
from workbench.errors import BadSignal, BadValue
from workbench.fitting.wiener import PENALTIES, lagged, wiener_filter
from workbench.vocabulary import EvidenceType, Montage

FS, N = 200.0, 4
VELOCITIES = {"rest": (0.0, 0.0), "right": (1.0, 0.0), "up": (0.0, 1.0)}


def make(**params):
    given = {"fs": FS, "window_s": 0.4, "lags": 4, "reference": "none", "velocities": VELOCITIES}
    return decoders.load("wiener")(**{**given, **params})


def samples(label, seconds, rng):
    """Two channels speak for right, two for up."""
    gain = np.ones(N)
    gain[:2] += 2.0 * (label == "right")
    gain[2:] += 2.0 * (label == "up")
    return rng.normal(0, 10, (round(seconds * FS), N)) * gain


@pytest.fixture(scope="module")
def training():
    rng = np.random.default_rng(0)
    labels = [*VELOCITIES] * 12
    return np.array([samples(label, 1.0, rng).T for label in labels]), labels


@pytest.fixture(scope="module")
def decoder(training):
    return make().fit(*training, lead_in=0.4)


@pytest.mark.parametrize(("n", "p", "noise"), [(200, 30, 3.0), (40, 60, 1.0)])
def test_weights_and_penalty_are_those_of_scikit_learns_search_over_contiguous_folds(n, p, noise):
    rng = np.random.default_rng(n)
    rows = rng.normal(size=(n, p))
    targets = rows[:, :4] @ rng.normal(size=(4, 2)) + noise * rng.normal(size=(n, 2)) + 1.0
    made = wiener_filter(rows, targets)
    search = GridSearchCV(
        Ridge(), {"alpha": PENALTIES}, cv=KFold(5), scoring="neg_mean_squared_error", refit=True
    ).fit(rows, targets)
    assert made.penalty == search.best_params_["alpha"]
    np.testing.assert_allclose(made.weights, search.best_estimator_.coef_, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(made.bias, search.best_estimator_.intercept_, rtol=1e-8, atol=1e-10)
    assert made.error == pytest.approx(-search.best_score_)


def test_lags_stand_side_by_side_with_the_oldest_first():
    features = np.arange(10.0).reshape(5, 2)
    assert lagged(features, 3).tolist() == [[0, 1, 2, 3, 4, 5], [2, 3, 4, 5, 6, 7], [4, 5, 6, 7, 8, 9]]


def test_a_velocity_is_what_the_slow_obvious_way_gives(decoder):
    rng = np.random.default_rng(1)
    x = np.concatenate([samples(label, 2.0, rng) for label in ("right", "up")])
    stream, signal = decoder.start(), decoder.signal()
    said = (0.0, 0.0)
    for first in range(0, len(x), stream.hop):
        for one in (stream, signal):
            one.step(x[first : first + stream.hop])
        window, valid = signal.window(signal.n_seen)
        evidence = stream.evidence(signal.n_seen)
        if valid and not evidence.rejected:
            power = (window.reshape(4, 20, -1) ** 2).mean(axis=1).ravel()
            z = (np.log(power + 1e-9) - decoder.mean_) / np.sqrt(decoder.variance_)
            said = tuple(decoder.weights_ @ z + decoder.bias_)
        assert evidence.values == pytest.approx(said, rel=1e-9, abs=1e-9)
    assert evidence.values[1] > 0.5 > abs(evidence.values[0])


def test_what_was_stored_gives_the_same_velocity_and_without_velocities_it_is_a_classifier(
    decoder, training, tmp_path
):
    decoders.save(decoder, tmp_path, montage=Montage(tuple("abcd"), FS))
    again = decoders.read(tmp_path)
    assert again.evidence_type == EvidenceType("velocity", ("x", "y"), "1/s")
    x, streams = samples("right", 2.0, np.random.default_rng(2)), (decoder.start(), again.start())
    for stream in streams:
        stream.step(x)
    assert streams[0].evidence(400) == streams[1].evidence(400)
    classifier = make(velocities=None).fit(*training, lead_in=0.4)
    assert classifier.evidence_type == EvidenceType()
    assert classifier.score(*training) > 0.95


def test_lags_and_targets_that_cannot_be_are_refused(training):
    with pytest.raises(BadValue, match="lags must be between 1 and the 80 samples of a window, got 81"):
        make(lags=81).fit(*training)
    with pytest.raises(BadSignal, match="do not vary"):
        wiener_filter(np.random.default_rng(3).normal(size=(20, 3)), np.ones((20, 1)))
