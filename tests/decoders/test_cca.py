"""``cca``: references, the definition, a start without data."""

from __future__ import annotations

import numpy as np
import pytest

from workbench import decoders
from workbench.errors import BadSignal, BadValue
from workbench.fitting.steady_state import sinusoids

FS = 128.0
FREQUENCIES = {"13": 13.0, "17": 17.0, "21": 21.0}


def ssvep(n=12, seconds=2.5, size=4.0, seed=0, names=tuple(FREQUENCIES)):
    """Epochs ``(n, 4, n_times)`` with a response of random phase in two channels, and their classes."""
    rng = np.random.default_rng(seed)
    y = np.array(names)[np.arange(n) % len(names)]
    t = np.arange(round(seconds * FS)) / FS
    x = rng.normal(0, 10, (n, 4, len(t)))
    for epoch, name in zip(x, y, strict=True):
        phase = rng.uniform(0, 2 * np.pi)
        epoch[1:3] += size * np.sin(2 * np.pi * float(name) * t + phase)
        epoch[1:3] += 0.5 * size * np.sin(4 * np.pi * float(name) * t + 2 * phase)
    return x, y


def make(**params):
    return decoders.load("cca")(**{"fs": FS, "frequencies": FREQUENCIES, "window_s": 2.0, **params})


def test_responses_of_any_phase_are_told_apart():
    decoder = make().fit(*ssvep(), lead_in=0.5)
    x, y = ssvep(n=30, seed=1)
    assert decoder.score(x, y) == 1.0
    assert decoder.predict_proba(x).max(axis=1).mean() > 0.8


def test_references_are_orthonormal_centred_and_end_at_the_pass_band():
    q = sinusoids(17.0, harmonics=5, top=57.6, fs=FS, n=256)
    assert q.shape == (256, 10)
    assert not q[:, 6:].any()
    np.testing.assert_allclose(q[:, :6].T @ q[:, :6], np.eye(6), atol=1e-14)
    np.testing.assert_allclose(q.sum(axis=0), 0.0, atol=1e-12)
    t = np.arange(256) / FS
    sine = np.sin(2 * np.pi * 51.0 * t + 0.3)
    sine -= sine.mean()
    np.testing.assert_allclose(q @ (q.T @ sine), sine, atol=1e-12)


def test_the_score_is_the_greatest_correlation_that_least_squares_finds():
    decoder = make(evidence={"calibrate": None}, harmonics=1).fit(*ssvep(), lead_in=0.5)
    window = np.random.default_rng(3).normal(0, 10, (256, 4)) + 7.0
    centred = window - window.mean(axis=0)
    for k, score in enumerate(decoder.scores_of([window])[0]):
        q = decoder.references_[:, 2 * k : 2 * k + 2]
        gram = np.linalg.solve(centred.T @ centred, centred.T @ q) @ (q.T @ centred)
        assert score == pytest.approx(np.sqrt(np.linalg.eigvals(gram).real.max()), rel=1e-10)


def test_no_data_are_needed_to_decide():
    x, y = ssvep(n=30, seed=1)
    fitted, free = make().fit(*ssvep(), lead_in=0.5), make().start_from(4)
    assert free.classes_.tolist() == list(FREQUENCIES)
    assert np.array_equal(free.predict(x, lead_in=0.5), fitted.predict(x))
    stream = free.start()
    stream.step(np.ascontiguousarray(x[0].T))
    evidence = stream.evidence(stream.n_seen)
    assert evidence.valid
    assert evidence.probabilities == tuple(free.predict_proba(x[:1], lead_in=0.5)[0])
    assert stream.classes[int(np.argmax(evidence.probabilities))] == y[0]


def test_one_factor_makes_probabilities_and_changes_no_decision():
    x, _ = ssvep(n=30, size=1.0, seed=2)
    plain = make(evidence={"calibrate": None}).fit(*ssvep(size=1.0), lead_in=0.5)
    scaled = make().fit(*ssvep(size=1.0), lead_in=0.5)
    assert np.array_equal(plain.predict(x), scaled.predict(x))
    np.testing.assert_allclose(
        plain.decision_function(x) * scaled.evidence_["factor"], scaled.decision_function(x), rtol=1e-12
    )
    assert not plain.log_prior_.any()


def test_calibration_by_class_holds_the_prior():
    x, y = ssvep(n=48, size=1.0)
    decoder = make(evidence={"calibrate": "platt"}).fit(x, y, lead_in=0.5)
    np.testing.assert_allclose(decoder.log_prior_, np.log(1 / 3))


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"frequencies": {"13": 13.0, "17": 17.0}}, "it gives 13, 17, the labels have 21 too"),
        ({"frequencies": None}, "it gives none"),
        ({"frequencies": {**FREQUENCIES, "21": 60.0}}, "frequency of 21 must lie above 0 and at most at 57.6 Hz"),
        ({"frequencies": {**FREQUENCIES, "21": -1.0}}, "got -1 Hz"),
        ({"harmonics": 0}, "harmonics must be at least 1, got 0"),
    ],
)
def test_frequencies_that_do_not_serve_are_refused_in_words(params, words):
    with pytest.raises(BadValue, match=words):
        make(**params).fit(*ssvep(), lead_in=0.5)


def test_a_start_without_data_knows_classes_and_channels():
    free = make().start_from(4)
    assert free.classes_.tolist() == list(FREQUENCIES)
    assert free.n_features_in_ == 4


def test_a_start_without_data_needs_two_frequencies():
    with pytest.raises(BadValue, match="at least two classes"):
        make(frequencies={"13": 13.0}).start_from(4)


def test_a_flat_channel_or_a_bridge_between_electrodes_changes_no_decision():
    x, y = ssvep(n=30, seed=1)
    decoder = make().start_from(4)
    doubled = make().start_from(5)
    bridged = np.concatenate([x, x[:, :1]], axis=1)
    assert np.array_equal(doubled.predict(bridged, lead_in=0.5), decoder.predict(x, lead_in=0.5))
    x[0, 0] = 3.0
    with pytest.raises(BadSignal, match="flat"):
        decoder.predict(x, lead_in=0.5)
