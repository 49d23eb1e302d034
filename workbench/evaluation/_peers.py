"""Algorithms of other libraries in the place of ours: the same signal, windows, rule and evidence.

A peer is a decoder whose windows are filtered as live, by our filters, and handed to the other library. So only
the algorithm differs, it decides at the same moments, and it can be judged in epochs and in continuous runs alike.
It is judged and never stored.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from workbench import decoders
from workbench.decoders import WindowDecoder
from workbench.decoding.classifiers import Direct
from workbench.decoding.reducers import Whole
from workbench.fitting.steady_state import band_weights
from workbench.vocabulary import FloatArray

METABCI = "metabci.brainda.algorithms"
PADDING = 5
"""Delayed copies of TDCA, as ours has them."""


class Model(Protocol):
    """A classifier of windows ``(n, n_bands, n_channels, n_times)`` float64, µV, of integer classes from 0."""

    def fit(self, windows: FloatArray, y: NDArray[np.int64]) -> None:
        """Learn."""

    def scores(self, windows: FloatArray) -> FloatArray:
        """``(n, n_classes)`` float64, greatest for the best class."""


@dataclass(frozen=True)
class Peer:
    """An algorithm of another library.

    Attributes
    ----------
    name : library and algorithm. package : what has to be importable.
    make : called with the decoder of ours in whose place it stands.
    """

    name: str
    package: str
    make: Callable[[WindowDecoder], Model]

    @property
    def installed(self) -> bool:
        """Whether its library can be imported."""
        return find_spec(self.package.split(".", maxsplit=1)[0]) is not None


@contextmanager
def _quiet() -> Iterator[None]:
    """Warnings of other libraries concern their own code."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


class _Correlating:
    """A correlation with each class of steady-state responses, in each band, weighed over several.

    They are summed as MetaBCI sums the bands of its own filter bank: with their sign, and not squared.
    """

    def __init__(self, estimator: Callable[[], Any], ours: WindowDecoder, *, padding: int = 0) -> None:
        self._estimator, self._ours, self._padding = estimator, ours, padding
        self._bands: list[Any] = []

    def fit(self, windows: FloatArray, y: NDArray[np.int64]) -> None:
        """One estimator for each band."""
        self._bands = []
        waves = self._references(windows.shape[3] - self._padding)
        for band in range(windows.shape[1]):
            estimator = self._estimator()
            # A copy, as some centre in place.
            estimator.fit(windows[:, band].copy(), y, Yf=waves)
            self._bands.append(estimator)

    def _references(self, n_times: int) -> FloatArray | None:
        """``(n_classes, 2 · harmonics, n_times)`` sines and cosines, in the order of the classes.

        None for templates, which know no frequencies.
        """
        frequencies: Mapping[str, float] | None = getattr(self._ours, "frequencies", None)
        if frequencies is None:
            return None
        hertz = [float(frequencies[name]) for name in sorted(frequencies)]
        t = np.arange(n_times) / self._ours.fs
        harmonics = range(1, 1 + getattr(self._ours, "harmonics", 5))
        waves = [[f(2 * np.pi * k * hz * t) for k in harmonics for f in (np.sin, np.cos)] for hz in hertz]
        return np.array(waves)

    def scores(self, windows: FloatArray) -> FloatArray:
        """Sum over bands."""
        each = [np.asarray(one.transform(windows[:, k].copy())) for k, one in enumerate(self._bands)]
        if len(each) == 1:
            return each[0]
        weights = band_weights(len(each))
        return np.asarray(sum(weight * rho for weight, rho in zip(weights, each, strict=True)))


class _Probable:
    """Anything that classifies the windows of the first band, with probabilities or without.

    Parameters
    ----------
    make : called with the number of channels.
    """

    def __init__(self, make: Callable[[int], Any]) -> None:
        self._make = make

    def fit(self, windows: FloatArray, y: NDArray[np.int64]) -> None:
        """Fit it."""
        self._estimator = self._make(windows.shape[2]).fit(windows[:, 0], y)

    def scores(self, windows: FloatArray) -> FloatArray:
        """Log probabilities, kept away from minus infinity; of an algorithm without any, 0 for what it chose."""
        if hasattr(self._estimator, "predict_proba"):
            shares = np.asarray(self._estimator.predict_proba(windows[:, 0]), dtype=np.float64)
        else:
            shares = np.eye(len(self._estimator.classes_))[self._estimator.predict(windows[:, 0])]
        return np.asarray(np.log(np.maximum(shares, 1e-12)))


class _FilterBankCsp:
    """CSP of MNE in each band, the features that tell most about the class with their pairs, and an LDA.

    Ang et al. 2012, Frontiers in Neuroscience 6, 39, of published parts: with one band and all of its features the
    plain CSP.
    """

    def __init__(self, *, n_filters: int, n_best: int) -> None:
        self._n_filters, self._n_best = n_filters, n_best

    def fit(self, windows: FloatArray, y: NDArray[np.int64]) -> None:
        """Filters of each band, then the features, then the classifier."""
        from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
        from sklearn.feature_selection import mutual_info_classif

        csp = _load("mne.decoding").CSP
        # Alternating, so that neighbours are a pair, one from each end of the eigenvalues, and none is alone.
        paired, n_filters = len(np.unique(y)) == 2, min(self._n_filters, windows.shape[2]) // 2 * 2
        order = "alternate" if paired else "mutual_info"
        how = {"n_components": n_filters, "component_order": order, "reg": 0.05}
        # It tells what it does, on standard output.
        with _load("mne").use_log_level("ERROR"):
            self._bands = [csp(**how).fit(windows[:, band], y) for band in range(windows.shape[1])]
        features = self._features(windows)
        best = np.argsort(-mutual_info_classif(features, y, random_state=0), kind="stable")[: self._n_best]
        self._chosen = np.unique([best, best ^ 1]) if paired else np.sort(best)
        lda = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")
        self._lda = lda.fit(features[:, self._chosen], y)

    def scores(self, windows: FloatArray) -> FloatArray:
        """Log probabilities, kept away from minus infinity."""
        shares = self._lda.predict_proba(self._features(windows)[:, self._chosen])
        return np.asarray(np.log(np.maximum(shares, 1e-12)))

    def _features(self, windows: FloatArray) -> FloatArray:
        return np.concatenate([one.transform(windows[:, band]) for band, one in enumerate(self._bands)], axis=1)


def _correlating(module: str, name: str, **params: Any) -> Callable[[WindowDecoder], Model]:
    def make(ours: WindowDecoder) -> Model:
        kind = getattr(_load(f"{METABCI}.decomposition.{module}"), name)
        return _Correlating(lambda: kind(**params), ours, padding=int(params.get("padding_len", 0)))

    return make


def _manifold(name: str) -> Callable[[WindowDecoder], Model]:
    return lambda _ours: _Probable(lambda _n_channels: getattr(_load(f"{METABCI}.manifold"), name)())


def _metabci_csp(_ours: WindowDecoder) -> Model:
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.pipeline import make_pipeline

    def make(n_channels: int) -> Any:
        csp = _load(f"{METABCI}.decomposition").CSP(n_components=min(6, n_channels))
        return make_pipeline(csp, LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto"))

    return _Probable(make)


def _pyriemann(name: str) -> Callable[[WindowDecoder], Model]:
    def make(_ours: WindowDecoder) -> Model:
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline

        with _quiet():
            from pyriemann.classification import MDM, FgMDM
            from pyriemann.estimation import Covariances, XdawnCovariances
            from pyriemann.tangentspace import TangentSpace

        linear = LogisticRegression(max_iter=1000)
        parts = {
            "MDM": (Covariances("oas"), MDM()),
            "FgMDM": (Covariances("oas"), FgMDM()),
            "TangentSpace": (Covariances("oas"), TangentSpace(), linear),
            "XdawnCovariances": (XdawnCovariances(4, estimator="oas"), TangentSpace(), linear),
        }
        return _Probable(lambda _n_channels: make_pipeline(*parts[name]))

    return make


def _time_domain(_ours: WindowDecoder) -> Model:
    """Hudgins' features in plain NumPy and the discriminant of scikit-learn."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer

    def features(windows: FloatArray) -> FloatArray:
        steps = np.diff(windows)
        crossings = (np.diff(np.signbit(windows)) != 0).mean(axis=2)
        turns = (np.diff(np.signbit(steps)) != 0).mean(axis=2)
        sizes = [np.abs(windows).mean(axis=2), np.abs(steps).mean(axis=2)]
        return np.concatenate([*sizes, crossings, turns], axis=1)

    return _Probable(
        lambda _n_channels: make_pipeline(FunctionTransformer(features), LinearDiscriminantAnalysis())
    )


def _load(module: str) -> Any:
    from importlib import import_module

    with _quiet():
        return import_module(module)


PEERS: dict[str, tuple[Peer, ...]] = {
    "csp_lda": (
        Peer("MetaBCI CSP", METABCI, _metabci_csp),
        Peer("MNE CSP", "mne", lambda _ours: _FilterBankCsp(n_filters=6, n_best=6)),
    ),
    "emg_lda": (
        Peer("scikit-learn LDA, features of Hudgins", "sklearn", _time_domain),
        Peer("pyRiemann TangentSpace", "pyriemann", _pyriemann("TangentSpace")),
    ),
    "fbcsp": (Peer("MNE CSP, filter bank", "mne", lambda _ours: _FilterBankCsp(n_filters=4, n_best=4)),),
    "riemann_mdm": (
        Peer("MetaBCI MDRM", METABCI, _manifold("MDRM")),
        Peer("pyRiemann MDM", "pyriemann", _pyriemann("MDM")),
    ),
    "tangent_space_lda": (
        Peer("MetaBCI TSClassifier", METABCI, _manifold("TSClassifier")),
        Peer("pyRiemann TangentSpace", "pyriemann", _pyriemann("TangentSpace")),
    ),
    "fgmdm": (
        Peer("MetaBCI FgMDRM", METABCI, _manifold("FgMDRM")),
        Peer("pyRiemann FgMDM", "pyriemann", _pyriemann("FgMDM")),
    ),
    "xdawn_tangent_space": (Peer("pyRiemann XdawnCovariances", "pyriemann", _pyriemann("XdawnCovariances")),),
    "cca": (Peer("MetaBCI SCCA", METABCI, _correlating("cca", "SCCA")),),
    "fbcca": (Peer("MetaBCI FBSCCA", METABCI, _correlating("cca", "SCCA")),),
    "ecca": (Peer("MetaBCI FBECCA", METABCI, _correlating("cca", "ECCA")),),
    "mset_cca": (Peer("MetaBCI FBMsetCCA", METABCI, _correlating("cca", "MsetCCA", method="msetcca1")),),
    "trca": (Peer("MetaBCI FBTRCA", METABCI, _correlating("cca", "TRCA", ensemble=False)),),
    "etrca": (Peer("MetaBCI FBTRCA, ensemble", METABCI, _correlating("cca", "TRCA", ensemble=True)),),
    "tdca": (Peer("MetaBCI FBTDCA", METABCI, _correlating("tdca", "TDCA", padding_len=PADDING, n_components=8)),),
}
"""Decoder of ours → algorithms of others that stand beside it."""


@dataclass(frozen=True)
class _Scores:
    """Scores of a fitted model, as features that are scores already."""

    model: Model
    n_bands: int

    def features(self, summary: FloatArray) -> FloatArray:
        """``(n_classes,)`` float64, of a window ``(n_window, n_lanes)``, band after band."""
        with _quiet():
            scores: FloatArray = self.model.scores(_windows(summary[None], self.n_bands))[0]
        return scores


def _windows(summaries: FloatArray, n_bands: int) -> FloatArray:
    """``(n, n_bands, n_channels, n_times)`` of ``(n, n_times, n_bands · n_channels)``."""
    n, n_times, n_lanes = summaries.shape
    return np.ascontiguousarray(summaries.reshape(n, n_times, n_bands, n_lanes // n_bands).transpose(0, 2, 3, 1))


def kind_of(name: str, peer: Peer | None = None) -> type[WindowDecoder]:
    """The decoder of that name, or a peer in its place: a decoder with the same parameters."""
    ours = decoders.load(name)
    if peer is None:
        return ours

    def learn(self: Any, summaries: FloatArray, y: NDArray[Any]) -> None:
        self.model_ = peer.make(self)
        with _quiet():
            self.model_.fit(_windows(summaries, len(self.settings.bands)), np.searchsorted(self.classes_, y))

    parts = {
        "_learn": learn,
        "_features": lambda self: _Scores(self.model_, len(self.settings.bands)),
        "_classifier": lambda self: Direct(),
        "_patterns": lambda self, summaries: None,
        "reducer": lambda self: Whole(),
        "scores_hold_prior": False,
    }
    return type(f"{ours.__name__}Peer", (ours,), parts)
