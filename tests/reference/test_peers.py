"""Decoders against their peers: the same features, and equal decisions wherever the peer's margin is no rounding.

Each test skips, with the reason, where the peer is not installed. The data are simulated, and not so clean that
every margin is large: each decoder is wrong now and then.
"""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from workbench import decoders
from workbench.fitting.lda import ledoit_wolf
from workbench.fitting.riemann import riemannian_mean

FS, N_CHANNELS, MARGIN = 160.0, 8, 1e-9


def epochs(n=120, seed=0, classes=("feet", "hands"), size=1.35):
    """Sources behind a mixing; each class has one of its own a little louder."""
    rng = np.random.default_rng(seed)
    mixing = np.random.default_rng(99).normal(0, 1, (N_CHANNELS, N_CHANNELS))
    y = np.array(classes)[np.arange(n) % len(classes)]
    sources = rng.normal(0, 5, (n, N_CHANNELS, 160))
    for k, name in enumerate(classes):
        sources[y == name, k] *= size
    return np.einsum("cs,nst->nct", mixing, sources), y


def fitted(name, **params):
    """A decoder, its summaries of the fit and of new epochs, the classes of both."""
    classes = params.pop("classes", ("feet", "hands"))
    decoder = decoders.load(name)(fs=FS, window_s=1.0, reference="none", **params)
    x, y = epochs(classes=classes)
    decoder.fit(x, y)
    new, truth = epochs(seed=1, classes=classes)
    return decoder, decoder._epoch_summaries(x, 0.0)[0], y, decoder._epoch_summaries(new, 0.0)[0], truth


def agree(decoder, summaries, theirs, truth):
    """Equal decisions where the peer's margin counts; and the data are not saturated."""
    ours = decoder.scores_of(summaries)
    ranked = np.sort(theirs, axis=1)
    clear = ranked[:, -1] - ranked[:, -2] > MARGIN
    assert clear.mean() > 0.95
    assert np.array_equal(ours.argmax(axis=1)[clear], theirs.argmax(axis=1)[clear])
    right = (decoder.classes_[ours.argmax(axis=1)] == truth).mean()
    assert 1 / len(decoder.classes_) + 0.05 < right < 1.0


def two_sided(margin):
    return np.stack([np.zeros(len(margin)), margin], axis=1)


@pytest.fixture(scope="module")
def peer():
    """pyRiemann's modules by name."""
    pytest.importorskip("pyriemann", reason="pyRiemann is not installed (pip install pyriemann)")
    from pyriemann import classification, tangentspace

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # moved within pyRiemann 0.12
        from pyriemann.utils.mean import mean_riemann

    return {"classification": classification, "tangentspace": tangentspace, "mean": mean_riemann}


CLASSES = [("feet", "hands"), ("feet", "hands", "tongue")]


@pytest.mark.parametrize("classes", CLASSES, ids=len)
def test_minimum_distance_is_that_of_pyriemann(peer, classes):
    decoder, train, y, new, truth = fitted("riemann_mdm", classes=classes)
    theirs = peer["classification"].MDM(metric="riemann").fit(train[:, 0], y)
    distances = theirs.transform(new[:, 0])
    np.testing.assert_allclose(np.sqrt(-decoder.scores_of(new)), distances, rtol=1e-6)
    agree(decoder, new, -(distances**2), truth)


@pytest.mark.parametrize("classes", CLASSES, ids=len)
def test_tangent_vectors_are_those_of_pyriemann_and_so_are_decisions_on_them(peer, classes):
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    decoder, train, y, new, truth = fitted("tangent_space_lda", classes=classes)
    space = peer["tangentspace"].TangentSpace(metric="riemann").fit(train[:, 0])
    vectors, later = space.transform(train[:, 0]), space.transform(new[:, 0])
    ours = np.array([decoder._features().features(one) for one in new])
    np.testing.assert_allclose(ours, later, atol=1e-6)
    lda = LinearDiscriminantAnalysis(solver="lsqr", covariance_estimator=Pooled(vectors, y)).fit(vectors, y)
    margin = lda.decision_function(later)
    agree(decoder, new, two_sided(margin) if margin.ndim == 1 else margin, truth)


def test_geodesic_filtering_is_that_of_pyriemann_given_the_same_discriminants(peer):
    decoder, train, y, new, truth = fitted("fgmdm")
    theirs = peer["classification"].FgMDM(metric="riemann").fit(train[:, 0], y)
    theirs._fgda._W = decoder.patterns_.T @ decoder.filters_
    filtered = theirs._fgda.transform(train[:, 0])
    theirs._mdm.fit(filtered, y)
    agree(decoder, new, -(theirs.transform(new[:, 0]) ** 2), truth)


def test_means_are_those_of_pyriemann(peer):
    _, train, *_ = fitted("riemann_mdm")
    theirs = peer["mean"](train[:, 0], tol=1e-10)
    np.testing.assert_allclose(riemannian_mean(train[:, 0]), theirs, rtol=1e-6, atol=1e-9)


class Pooled:
    """The pooled covariance, shrunk as scikit-learn shrinks, for its own discriminant."""

    def __init__(self, features, y):
        from sklearn.covariance import LedoitWolf

        names = np.unique(y)
        means = np.array([features[y == name].mean(axis=0) for name in names])
        residuals = features - means[np.searchsorted(names, y)]
        self.pooled = LedoitWolf(assume_centered=True).fit(residuals).covariance_

    def fit(self, _):
        self.covariance_ = self.pooled
        return self

    def get_params(self, deep=True):
        return {}

    def __sklearn_clone__(self):
        return self


@pytest.mark.parametrize("classes", CLASSES, ids=len)
@pytest.mark.parametrize("name", ["csp_lda", "bandpower_lda", "fbcsp"])
def test_the_discriminant_is_that_of_scikit_learn(name, classes):
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    decoder, train, y, new, truth = fitted(name, classes=classes)
    scorer = decoder.scorer()
    features, later = (
        np.array([scorer.classifier.normalised(scorer.features(one)) for one in kept]) for kept in (train, new)
    )
    lda = LinearDiscriminantAnalysis(solver="lsqr", covariance_estimator=Pooled(features, y)).fit(features, y)
    margin = lda.decision_function(later)
    theirs = two_sided(margin) if margin.ndim == 1 else margin
    ours = decoder.scores_of(new)
    np.testing.assert_allclose(ours - ours[:, :1], theirs - theirs[:, :1], rtol=1e-6, atol=1e-8)
    agree(decoder, new, theirs, truth)


def test_spatial_patterns_are_those_of_mne():
    mne = pytest.importorskip("mne", reason="MNE is not installed (pip install mne)")
    x, y = epochs()
    decoder = decoders.load("csp_lda")(fs=FS, window_s=1.0, reference="none", shrinkage=0.0).fit(x, y)
    filtered = []
    for epoch in [*x, *epochs(seed=1)[0]]:
        stream = decoder.signal()
        stream.step(np.ascontiguousarray(epoch.T))
        window = stream.window(160)[0]
        filtered.append((window - window.mean(axis=0)).T)
    train, new = np.array(filtered[: len(x)]), np.array(filtered[len(x) :])
    whole = np.array([one / np.sqrt((one**2).sum()) for one in train])  # MNE divides by the trace of a class
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # mne warns of its own deprecated calls
        csp = mne.decoding.CSP(n_components=6, log=True, cov_est="epoch", component_order="alternate")
        csp.fit(whole, y)
    ours = decoder.filters_ / np.linalg.norm(decoder.filters_, axis=1, keepdims=True)
    theirs = csp.filters_ / np.linalg.norm(csp.filters_, axis=1, keepdims=True)
    cosines = np.abs(ours @ theirs.T).max(axis=1)
    np.testing.assert_allclose(cosines, 1.0, atol=1e-6)
    places = np.abs(ours @ theirs.T).argmax(axis=1)

    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    powers = [np.log(((csp.filters_[places] @ one) ** 2).mean(axis=2)) for one in (train, new)]
    lda = LinearDiscriminantAnalysis(solver="lsqr", covariance_estimator=Pooled(powers[0], y)).fit(powers[0], y)
    summaries = decoder._epoch_summaries(epochs(seed=1)[0], 0.0)[0]
    agree(decoder, summaries, two_sided(lda.decision_function(powers[1])), epochs(seed=1)[1])


def test_shrinkage_is_that_of_scikit_learn():
    from sklearn.covariance import ledoit_wolf as reference

    x = np.random.default_rng(0).normal(0, np.arange(1, 9), (60, 8))
    centred = x - x.mean(axis=0)
    expected, share = reference(centred, assume_centered=True)
    got, found = ledoit_wolf(centred)
    np.testing.assert_allclose(got, expected, rtol=1e-9)
    assert found == pytest.approx(share, abs=1e-12)
