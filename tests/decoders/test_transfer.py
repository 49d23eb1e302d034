"""Covariances of several domains brought together before fitting."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import linalg

from workbench import decoders
from workbench.errors import BadSignal, BadValue
from workbench.fitting.riemann import riemannian_mean


def covariances(n=30, size=4, seed=0, mixing=None, y=None):
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 1, (n, size, 60))
    if y is not None:
        x[y == 1, 0] *= 3
    if mixing is not None:
        x = mixing @ x
    return np.array([np.cov(one) for one in x])


DOMAINS = np.repeat([0, 1], 30)


def both(**params):
    return np.concatenate([covariances(seed=0), covariances(seed=1, mixing=np.diag([1.0, 2, 5, 9]) + 0.3)])


@pytest.mark.parametrize("mean", ["riemann", "euclid"])
def test_recentred_domains_have_the_identity_for_mean(mean):
    seen = decoders.recentre(both(), DOMAINS, mean=mean)
    for domain in (0, 1):
        own = seen[domain == DOMAINS]
        found = riemannian_mean(own) if mean == "riemann" else own.mean(axis=0)
        np.testing.assert_allclose(found, np.eye(4), atol=1e-7)
    banded = decoders.recentre(np.stack([both(), 2 * both()], axis=1), DOMAINS, mean=mean)
    np.testing.assert_allclose(banded[:, 0], seen, atol=1e-12)
    np.testing.assert_allclose(banded[:, 1], seen, atol=1e-9)


def test_rescaled_domains_have_the_same_dispersion():
    scaled = decoders.rescale(decoders.recentre(both(), DOMAINS), DOMAINS)
    for domain in (0, 1):
        away = [np.linalg.norm(linalg.logm(c)) ** 2 for c in scaled[domain == DOMAINS]]
        assert np.mean(away) == pytest.approx(1.0, rel=1e-6)


def test_turned_class_means_meet_those_of_the_target():
    y = np.arange(30) % 2
    turn = linalg.expm(np.array([[0, 1.2, 0, 0], [-1.2, 0, 0, 0], [0, 0, 0, 0.2], [0, 0, -0.2, 0]]))
    one, two = covariances(y=y), covariances(seed=2, y=y, mixing=turn)
    one, two = (decoders.rescale(decoders.recentre(c, np.zeros(30)), np.zeros(30)) for c in (one, two))
    met = decoders.procrustes(two, y, one, y)

    def apart(a, b):
        logs = [[linalg.logm(riemannian_mean(c[y == k])) for c in (a, b)] for k in (0, 1)]
        return sum(np.linalg.norm(one - other) for one, other in logs)

    assert apart(met, one) < 0.3 * apart(two, one)
    lengths = [np.linalg.norm(linalg.logm(c)) for c in two]
    np.testing.assert_allclose([np.linalg.norm(linalg.logm(c)) for c in met], lengths, rtol=1e-6)


def test_what_does_not_go_together_is_refused():
    with pytest.raises(BadValue, match="mean must be"):
        decoders.recentre(both(), DOMAINS, mean="median")
    with pytest.raises(BadSignal, match=r"domains must have shape \(60,\)"):
        decoders.recentre(both(), DOMAINS[:-1])
    with pytest.raises(BadSignal, match="same classes"):
        decoders.procrustes(both(), DOMAINS, both(), DOMAINS + 1)
    with pytest.raises(BadSignal, match="all the same"):
        decoders.rescale(np.array([np.eye(3)] * 4), np.zeros(4))
