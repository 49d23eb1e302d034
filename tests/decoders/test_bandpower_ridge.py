"""A velocity is a shrunk regression on log band power, smoothed; what is wrong with a window moves nothing."""

from __future__ import annotations

import numpy as np
import pytest

from workbench import decoders
from workbench.errors import BadValue
from workbench.fitting.lda import ledoit_wolf
from workbench.vocabulary import EvidenceType, Montage

FS, N = 200.0, 4
VELOCITIES = {"rest": (0.0, 0.0), "right": (1.0, 0.0), "up": (0.0, 1.0)}


def make(**params):
    return decoders.load("bandpower_ridge")(
        **{"fs": FS, "window_s": 0.2, "reference": "none", "velocities": VELOCITIES, **params}
    )


def samples(label, seconds, rng):
    """Two channels speak for right, two for up."""
    gain = np.ones(N)
    gain[:2] += 2.0 * (label == "right")
    gain[2:] += 2.0 * (label == "up")
    return rng.normal(0, 10, (round(seconds * FS), N)) * gain


@pytest.fixture(scope="module")
def decoder():
    rng = np.random.default_rng(0)
    labels = [*VELOCITIES] * 12
    return make().fit(np.array([samples(label, 1.0, rng).T for label in labels]), labels, lead_in=0.4)


def test_a_velocity_is_what_the_slow_obvious_way_gives(decoder):
    rng = np.random.default_rng(1)
    x = np.concatenate([samples(label, 2.0, rng) for label in ("right", "up")])
    stream, signal = decoder.start(), decoder.signal()
    mean, rate = [0.0, 0.0], decoder.step_s / decoder.smoothing_s
    for first in range(0, len(x), stream.hop):
        block = x[first : first + stream.hop]
        stream.step(block)
        signal.step(block)
        window, valid = signal.window(signal.n_seen)
        evidence = stream.evidence(signal.n_seen)
        assert evidence.probabilities == ()
        assert evidence.valid is valid
        if not valid or evidence.rejected:
            continue
        z = (np.log((window**2).mean(axis=0) + 1e-9) - decoder.mean_) / np.sqrt(decoder.variance_)
        raw = decoder.weights_ @ z + decoder.bias_
        mean = [m + rate * (v - m) for m, v in zip(mean, raw)]
        assert evidence.values == pytest.approx(mean, rel=1e-9, abs=1e-9)
    assert evidence.values[1] > 0.5 > abs(evidence.values[0])


def test_the_weights_are_those_of_a_regression_with_a_shrunk_covariance(decoder):
    rng = np.random.default_rng(2)
    labels = np.array([*VELOCITIES] * 40)
    epochs = np.array([samples(label, 1.0, rng).T for label in labels])
    fitted = make().fit(epochs, labels, lead_in=0.8)
    power = []
    for epoch in epochs:
        signal = fitted.signal()
        signal.step(epoch.T)
        power.append((signal.window(signal.n_seen)[0] ** 2).mean(axis=0))
    logs = np.log(np.array(power) + 1e-9)
    z = (logs - logs.mean(axis=0)) / logs.std(axis=0)
    shown = np.array([VELOCITIES[label] for label in labels])
    expected = np.linalg.inv(shrunk(z, labels)) @ (z.T @ (shown - shown.mean(axis=0)) / len(z))
    np.testing.assert_allclose(fitted.weights_, expected.T, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(fitted.bias_, shown.mean(axis=0))


def shrunk(z, labels):
    """The covariance of windows, each of which counts as much as it says that those before it have not said."""
    within = np.array([row - z[labels == label].mean(axis=0) for row, label in zip(z, labels, strict=True)])
    counts, lag = 1.0, 1
    while True:
        pairs = [(a, b) for a, b in zip(range(len(z)), range(lag, len(z))) if labels[a] == labels[b]]
        r = np.mean([within[a] * within[b] for a, b in pairs]) / np.mean(within**2) if pairs else 0.0
        if r <= 0.05:
            return ledoit_wolf(z, overlap=counts)[0]
        counts, lag = counts + 2.0 * r, lag + 1


def test_windows_that_overlap_are_shrunk_as_the_fewer_that_they_are(decoder):
    rng = np.random.default_rng(5)
    labels = np.array([*VELOCITIES] * 8)
    epochs = np.array([samples(label, 1.0, rng).T for label in labels])
    fitted = make().fit(epochs, labels, lead_in=0.4)
    summaries, owner = fitted._epoch_summaries(epochs, 0.4)
    assert len(owner) > 8 * len(labels)
    logs = np.array([fitted._features().features(summary) for summary in summaries])
    z, own = (logs - fitted.mean_) / np.sqrt(fitted.variance_), labels[owner]
    shown = np.array([VELOCITIES[label] for label in own])
    expected = np.linalg.inv(shrunk(z, own)) @ (z.T @ (shown - shown.mean(axis=0)) / len(z))
    np.testing.assert_allclose(fitted.weights_, expected.T, rtol=1e-6, atol=1e-9)
    once = np.linalg.inv(ledoit_wolf(z)[0]) @ (z.T @ (shown - shown.mean(axis=0)) / len(z))
    assert np.abs(fitted.weights_).sum() < 0.99 * np.abs(once).sum()


@pytest.mark.parametrize("block", [1, 7, 64])
def test_the_block_size_changes_no_bit(decoder, block):
    x = samples("up", 3.0, np.random.default_rng(3))
    whole, parts = decoder.start(), decoder.start()
    whole.step(x)
    for first in range(0, len(x), block):
        parts.step(x[first : first + block])
    for end in range(whole.hop * 20, len(x), whole.hop):
        assert whole.evidence(end) == parts.evidence(end)


def test_what_was_stored_gives_the_same_velocity(decoder, tmp_path):
    decoders.save(decoder, tmp_path, montage=Montage(tuple("abcd"), FS))
    again = decoders.read(tmp_path)
    assert again.evidence_type == EvidenceType("velocity", ("x", "y"), "1/s")
    x = samples("right", 2.0, np.random.default_rng(4))
    streams = decoder.start(), again.start()
    for stream in streams:
        stream.step(x)
    assert streams[0].evidence(400) == streams[1].evidence(400)


def test_a_window_far_from_the_training_data_is_rejected_and_a_gap_starts_from_standstill(decoder):
    rng, stream = np.random.default_rng(5), decoder.start()
    stream.step(samples("right", 3.0, rng))
    assert stream.evidence(600).values[0] > 0.5
    stream.step(5.0 * samples("right", 2.0, rng))
    assert stream.evidence(1000).rejected
    assert stream.evidence(1000).values == (0.0, 0.0)
    stream.reset()
    stream.step(samples("right", 0.05, rng))
    late = stream.evidence(1010)
    assert (late.valid, late.values) == (False, (0.0, 0.0))


def test_a_class_without_a_velocity_and_settings_for_classes_are_refused():
    rng = np.random.default_rng(6)
    labels = ["right", "up"] * 4
    epochs = np.array([samples(label, 1.0, rng).T for label in labels])
    for velocities in ({"right": (1.0, 0.0)}, {"right": (1.0, 0.0), "up": (0.0,)}, {"right": (), "up": ()}):
        with pytest.raises(BadValue, match="as many finite values, 1 to 3, for each of right, up"):
            make(velocities=velocities).fit(epochs, labels)
    with pytest.raises(BadValue, match="are for classes; leave them out with velocities"):
        make(evidence={"memory": "leaky"}).fit(epochs, labels)
    with pytest.raises(BadValue, match=r"smoothing_s must be at least the hop of 0\.05 s, got 0\.01"):
        make(smoothing_s=0.01).fit(epochs, labels)


def test_without_velocities_it_is_a_classifier(decoder):
    assert make(velocities=None).evidence_type == EvidenceType()
    assert not make(velocities=None).evidence_type.names
    rng = np.random.default_rng(7)
    labels = [*VELOCITIES] * 4
    epochs = np.array([samples(label, 1.0, rng).T for label in labels])
    assert decoder.score(epochs, labels) == 1.0
