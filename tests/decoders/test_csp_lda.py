"""Spatial patterns against SciPy's generalised eigenvectors, and the stream against the definition."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import linalg, signal

from workbench import decoders
from workbench.errors import BadSignal, BadValue
from workbench.fitting.csp import common_spatial_patterns

FS, N_CHANNELS = 160.0, 10


def make(**params):
    return decoders.load("csp_lda")(**{"fs": FS, "window_s": 1.0, **params})


def epochs(n=30, seed=0, seconds=1.0):
    """Two sources behind a mixing; each class has one of them loud."""
    rng = np.random.default_rng(seed)
    mixing = np.random.default_rng(99).normal(0, 1, (N_CHANNELS, N_CHANNELS))
    y = np.array(["feet", "hands"])[np.arange(n) % 2]
    sources = rng.normal(0, 5, (n, N_CHANNELS, round(seconds * FS)))
    sources[y == "feet", 0] *= 2
    sources[y == "hands", 1] *= 2
    return np.einsum("cs,nst->nct", mixing, sources), y


def covariances(n, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 1, (n, 6, 100)) * np.arange(1.0, 7.0)[:, None] ** (1 if seed else -1)
    return np.array([np.cov(e) for e in x])


@pytest.mark.parametrize("shrinkage", [0.0, 0.05])
def test_filters_solve_the_generalised_eigenproblem(shrinkage):
    one, two = covariances(20, 0), covariances(25, 1)
    filters, values = common_spatial_patterns(one, two, n_pairs=2, shrinkage=shrinkage)
    means = []
    for c in (one, two):
        mean = np.mean([m / np.trace(m) for m in c], axis=0)
        means.append((1 - shrinkage) * mean + shrinkage * np.trace(mean) / 6 * np.eye(6))
    expected, vectors = linalg.eigh(means[0], means[0] + means[1])
    keep = [5, 4, 0, 1]
    np.testing.assert_allclose(values, expected[keep], atol=1e-12)
    for row, k in zip(filters, keep, strict=True):
        cosine = row @ vectors[:, k] / np.linalg.norm(row) / np.linalg.norm(vectors[:, k])
        assert abs(cosine) == pytest.approx(1.0, abs=1e-9)
        assert row[np.abs(row).argmax()] > 0


def test_three_filters_come_from_each_end_and_fewer_from_few_channels():
    x, y = epochs()
    assert make().fit(x, y).filters_.shape == (6, N_CHANNELS)
    assert make().fit(x[:, :3], y).filters_.shape == (2, 3)
    assert make(n_pairs=1).fit(x, y).filters_.shape == (2, N_CHANNELS)


def test_the_stream_is_the_definition_written_out():
    decoder = make(reference="car").fit(*epochs())
    x = epochs(n=4, seed=7)[0].transpose(0, 2, 1).reshape(-1, N_CHANNELS) + 800.0
    sos = np.concatenate(
        [
            signal.tf2sos(*signal.iirnotch(50, 30, fs=FS)),
            signal.butter(4, (8, 30), "bandpass", fs=FS, output="sos"),
        ]
    )
    car = x - x.mean(axis=1, keepdims=True)
    filtered = signal.sosfilt(sos, car, axis=0, zi=signal.sosfilt_zi(sos)[:, :, None] * car[0])[0]
    stream = decoder.start()
    stream.step(x)
    for end in (300, 431, 640):
        c = np.cov(filtered[end - 160 : end].T)
        scores = decoder.weights_ @ np.log(np.diag(decoder.filters_ @ c @ decoder.filters_.T)) + decoder.bias_
        p = 1 / (1 + np.exp(scores[0] - scores[1]))
        assert stream.evidence(end).probabilities == pytest.approx((1 - p, p), abs=1e-7)
        assert stream.evidence(end).valid


def test_the_features_have_the_band_of_the_filter():
    assert make(band=(9, 13)).feature_bands() == ((9.0, 13.0),)


def test_evidence_has_no_memory():
    decoder = make().fit(*epochs())
    x = epochs(n=4, seed=8)[0].transpose(0, 2, 1).reshape(-1, N_CHANNELS)
    asked, silent = decoder.start(), decoder.start()
    for end in range(160, 641, 8):
        asked.step(x[asked.n_seen : end])
        last = asked.evidence(end)
    silent.step(x)
    assert silent.evidence(640) == last


@pytest.mark.parametrize("gain", [0.01, 300.0])
def test_the_gain_of_the_amplifier_changes_no_decision(gain):
    x, y = epochs()
    new = epochs(seed=1)[0]
    assert np.array_equal(make().fit(x, y).predict(new), make().fit(x * gain, y).predict(new * gain))


def test_a_common_average_and_a_bridge_are_carried_by_shrinkage_and_named_without():
    x, y = epochs()
    x[:, 4] = x[:, 5]
    assert (make(reference="car").fit(x, y).predict(x) == y).mean() > 0.9
    with pytest.raises(BadSignal, match="rank 8 of 10.*shrinkage"):
        make(reference="car", shrinkage=0.0).fit(x, y)


def test_one_channel_has_no_spatial_pattern():
    x, y = epochs()
    with pytest.raises(BadSignal, match="use bandpower_lda"):
        make().fit(x[:, :1], y)


def test_three_classes_are_each_set_against_the_rest():
    x, y = epochs(n=60)
    y = np.where(np.arange(60) % 3 == 2, "tongue", y)
    x[y == "tongue", 2:5] *= 3
    decoder = make().fit(x[:30], y[:30])
    assert decoder.filters_.shape == (18, N_CHANNELS)
    assert decoder.weights_.shape == (3, 18)
    assert (decoder.predict(x[30:])[y[30:] == "tongue"] == "tongue").all()


@pytest.mark.parametrize(("params", "words"), [({"shrinkage": 1.0}, "shrinkage"), ({"n_pairs": 0}, "n_pairs")])
def test_parameters_outside_what_is_allowed_are_refused(params, words):
    with pytest.raises(BadValue, match=words):
        make(**params).fit(*epochs())


def test_epochs_of_which_every_class_has_one_covariance_are_refused():
    x, y = epochs()
    signs = np.random.default_rng(0).choice([-1.0, 1.0], (len(y), 1, 1))
    with pytest.raises(BadSignal, match="of class feet are all the same to the decoder"):
        make().fit(signs * np.where((y == "feet")[:, None, None], x[:1], x[1:2]), y)


def test_defaults_are_those_of_the_definition():
    decoder = decoders.load("csp_lda")(fs=160.0)
    settings = decoder.settings_for(64)
    assert (settings.bands, settings.window_s, settings.reference) == (((8.0, 30.0),), 2.0, "car")
    assert (decoder.n_pairs, decoder.shrinkage) == (3, 0.05)


@pytest.mark.parametrize("n_channels", [4, 8, 9])
def test_the_direction_that_a_common_average_empties_is_never_a_filter(n_channels):
    rng = np.random.Generator(np.random.PCG64(7))
    epochs = rng.normal(0.0, 10.0, (24, n_channels, 1000))
    epochs[::2, 0] *= 2.0
    labels = np.array(["left", "right"] * 12)
    decoder = decoders.load("csp_lda")(250.0, reference="car", n_pairs=n_channels).fit(epochs, labels, lead_in=1.0)
    assert len(decoder.filters_) == 2 * ((n_channels - 1) // 2)
    assert np.isfinite(decoder.predict_proba(epochs)).all()
    assert decoder.score(epochs, labels) == 1.0


def test_eight_epidural_channels_are_referenced_within_their_strips():
    settings = decoders.load("csp_lda")(fs=1000.0).settings_for(8)
    assert (settings.reference, len(settings.pairs)) == ("bipolar", 6)
