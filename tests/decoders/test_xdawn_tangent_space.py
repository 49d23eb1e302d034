"""``xdawn_tangent_space``: a rare response in noise, the definition, filters, what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.covariance import oas
from sklearn.metrics import roc_auc_score

from workbench import decoders
from workbench.errors import BadSignal, BadValue
from workbench.fitting.spatial import top_filters
from workbench.fitting.xdawn import xdawn

FS = 64.0


def flashes(n=60, n_channels=5, seed=0, size=8.0):
    """Epochs of 2.0 s with the flash at 1.0 s, every fourth a target with a response, and their classes."""
    rng = np.random.default_rng(seed)
    y = np.where(np.arange(n) % 4 == 0, "target", "nontarget")
    t = np.arange(128) / FS - 1.0
    response = size * np.exp(-0.5 * ((t - 0.35) / 0.06) ** 2)
    x = rng.normal(0, 10, (n, n_channels, 128))
    x[y == "target"] += response * np.array([1.0, 0.8, 0.5, 0.2, 0.0])[:n_channels, None]
    return x + 100.0, y


def make(**params):
    return decoders.load("xdawn_tangent_space")(FS, **params)


def test_a_rare_response_is_told_from_noise_it_was_not_fitted_on():
    decoder = make().fit(*flashes(160), lead_in=1.0)
    x, y = flashes(160, seed=1)
    assert roc_auc_score(y == "target", decoder.decision_function(x)) > 0.8
    assert decoder.settings.window_s == 0.8
    assert decoder.settings.reference == "none"


def test_priors_are_by_count():
    decoder = make().fit(*flashes(), lead_in=1.0)
    np.testing.assert_allclose(np.exp(decoder.log_prior_), [0.75, 0.25])


def test_the_window_begins_at_the_event_and_its_latency():
    x, y = flashes()
    decoder = make(latency_s=0.1, window_s=0.5).fit(x, y, lead_in=1.0)
    summaries, owner = decoder._epoch_summaries(x, 1.0)
    assert owner.tolist() == list(range(60))
    stream = decoder.signal()
    stream.step(np.ascontiguousarray(x[3].T))
    end = 64 + round(0.1 * FS) + 32
    assert np.array_equal(summaries[3], stream.window(end)[0])


def test_the_covariance_is_that_of_prototypes_and_filtered_window():
    x, y = flashes()
    decoder = make(n_filters=2).fit(x, y, lead_in=1.0)
    windows, _ = decoder._epoch_summaries(x, 1.0)
    assert decoder.filters_.shape == (4, 5)
    means = [windows[y == name].mean(axis=0) for name in decoder.classes_]
    expected = np.concatenate([means[0] @ decoder.filters_[:2].T, means[1] @ decoder.filters_[2:].T], axis=1)
    np.testing.assert_allclose(decoder.prototypes_, expected, atol=1e-12)
    matrix = decoder._features()._covariances.matrix(windows[0])
    both = np.concatenate([expected, windows[0] @ decoder.filters_.T], axis=1)
    np.testing.assert_allclose(matrix, oas(both)[0], rtol=1e-9, atol=1e-9)


def test_there_are_no_more_filters_than_channels():
    x, y = flashes()
    decoder = make().fit(x[:, :3], y, lead_in=1.0)
    assert decoder.filters_.shape == (6, 3)
    assert decoder.weights_.shape == (2, 78)


def test_the_first_filter_has_the_greatest_share_of_evoked_power():
    windows = np.random.default_rng(0).normal(0, 1, (30, 40, 4))
    windows[:15, :, 0] += np.sin(np.arange(40) / 5)
    first = np.arange(30) < 15
    best = xdawn(windows, [first], n_filters=4)

    def share(w):
        evoked = windows[first].mean(axis=0) @ w
        return evoked.var() / np.concatenate(windows @ w).var()

    shares = [share(w) for w in best]
    assert shares == sorted(shares, reverse=True)
    rng = np.random.default_rng(1)
    assert max(share(rng.normal(size=4)) for _ in range(200)) < shares[0]


def test_a_direction_without_signal_gets_no_weight():
    rng = np.random.default_rng(0)
    a = rng.normal(size=(100, 3))
    a = np.concatenate([a, a[:, :1]], axis=1)
    filters = top_filters(np.diag([1.0, 0, 0, 0]), a.T @ a, 4)
    assert filters.shape == (3, 4)
    np.testing.assert_allclose(filters[:, 0], filters[:, 3], atol=1e-8)


def test_a_bridge_between_electrodes_and_a_common_average_do_not_stop_it():
    x, y = flashes(160)
    x = np.concatenate([x, x[:, :1]], axis=1)
    decoder = make(reference="car").fit(x, y, lead_in=1.0)
    assert np.isfinite(decoder.predict_proba(x)).all()
    assert roc_auc_score(y == "target", decoder.decision_function(x)) > 0.8


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"n_filters": 0}, "n_filters must be at least 1, got 0"),
        ({"latency_s": -0.1}, "latency_s must be 0 or more, got -0.1"),
    ],
)
def test_parameters_that_do_not_serve_are_refused_in_words(params, words):
    with pytest.raises(BadValue, match=words):
        make(**params).fit(*flashes(), lead_in=1.0)


def test_epochs_that_end_before_the_latency_are_refused():
    with pytest.raises(BadSignal, match="end before the latency of 1.5 s"):
        make(latency_s=1.5).fit(*flashes(), lead_in=1.0)


def test_windows_without_signal_are_refused():
    with pytest.raises(BadSignal, match="contain no signal"):
        top_filters(np.eye(3), np.zeros((3, 3)), 1)
