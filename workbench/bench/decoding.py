"""G4 and G5: one decision and one fit of the motor decoders, beside pyRiemann, scikit-learn and MNE."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench import decoders
from workbench.bench._items import Item, Result, race
from workbench.decoding.reducers import Covariances
from workbench.fitting.csp import common_spatial_patterns
from workbench.fitting.parallel import by_stretches
from workbench.vocabulary import FloatArray

FS = 250.0


def _epochs(n: int, n_channels: int, n_times: int, *, classes: int) -> tuple[FloatArray, NDArray[np.str_]]:
    """Mixed noise ``(n, n_channels, n_times)`` in which each class has a stronger source of its own."""
    rng = np.random.Generator(np.random.PCG64(11))
    mixing = rng.normal(0.0, 1.0, (n_channels, n_channels))
    labels = np.array([f"c{i % classes}" for i in range(n)])
    sources = rng.normal(0.0, 10.0, (n, n_channels, n_times))
    for k in range(classes):
        # Twice the amplitude: separable, as the peers must not fail on it, but not degenerate.
        sources[labels == f"c{k}", k] *= 2.0
    return np.einsum("ij,njt->nit", mixing, sources), labels


def _fitted(name: str, x: FloatArray, y: NDArray[np.str_]) -> decoders.WindowDecoder:
    """The decoder fitted on windows taken as filtered already, as its peer takes its epochs."""
    decoder = decoders.load(name)(FS, window_s=x.shape[2] / FS, reference="none", mains_hz=0.0)
    windows = np.ascontiguousarray(x.transpose(0, 2, 1))
    return decoder.fit_windows(windows, y, n_channels=x.shape[1])


def _decision(name: str, peer: str, n_channels: int, n_times: int, rounds: int) -> Result:
    """From a filtered window to the score of each class."""
    x, y = _epochs(80, n_channels, n_times, classes=4)
    decoder, peer_model = _fitted(name, x, y), _peer(peer).fit(x, y)
    scorer, window, epoch = decoder.scorer(), np.ascontiguousarray(x[0].T), x[:1]

    def ours() -> FloatArray:
        return scorer.scores(scorer.features(decoder.summarise(window)))

    return race(ours, lambda: peer_model.predict_proba(epoch), rounds=rounds, name=f"pyriemann {peer}")


def _peer(name: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pyriemann.classification import MDM
        from pyriemann.estimation import Covariances as PeerCovariances
        from pyriemann.tangentspace import TangentSpace
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.pipeline import make_pipeline

    ending = (
        [MDM()] if name == "MDM" else [TangentSpace(), LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")]
    )
    # The same estimator as ours (OAS), so that only the implementation is compared.
    return make_pipeline(PeerCovariances("oas"), *ending)


def _csp(peer: str, rounds: int) -> Result:
    """One band of a filter bank: covariances and spatial filters of 288 epochs."""
    x, y = _epochs(288, 22, 1000, classes=2)
    windows = np.ascontiguousarray(x.transpose(0, 2, 1))
    reducer = Covariances(1)

    def ours() -> object:
        summaries = np.concatenate(by_stretches(reducer.summarise_each, windows))[:, 0]
        return common_spatial_patterns(summaries[y == "c0"], summaries[y == "c1"], n_pairs=2, shrinkage=0.05)

    # A fit takes long, so a third of the rounds is enough.
    return race(ours, _their_csp(peer, x, y), rounds=max(3, rounds // 3), name=peer)


def _their_csp(name: str, x: FloatArray, y: NDArray[np.str_]) -> Callable[[], object]:
    if name == "mne":
        from mne.decoding import CSP

        def run() -> object:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                import mne

                # MNE logs each covariance, which would be timed too.
                with mne.utils.use_log_level("ERROR"):
                    return CSP(n_components=4, reg=0.05, cov_est="epoch").fit(x, y)

        return run
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pyriemann.estimation import Covariances as PeerCovariances
        from pyriemann.spatialfilters import CSP as PeerCsp

    return lambda: PeerCsp(nfilter=4).fit(PeerCovariances("cov").transform(x), y)


def _g4(name: str, peer: str, n_channels: int, n_times: int, goal: float) -> Item:
    size = f"4 classes, {n_channels} channels × {n_times} samples"
    return Item(
        "G4", f"one decision of {name}", size, "×", ">=", goal,
        lambda rounds: _decision(name, peer, n_channels, n_times, rounds), 10.0,
    )  # fmt: skip


def _g5(peer: str, goal: float) -> Item:
    size = "288 epochs × 22 channels × 1000 samples, one of nine bands"
    return Item("G5", "fit of spatial patterns", size, "×", ">=", goal, lambda rounds: _csp(peer, rounds), 30.0)


ITEMS = (
    _g4("riemann_mdm", "MDM", 22, 500, 4.0),
    _g4("riemann_mdm", "MDM", 64, 1000, 2.0),
    _g4("tangent_space_lda", "tangent space and LDA", 22, 500, 8.0),
    _g4("tangent_space_lda", "tangent space and LDA", 64, 1000, 3.0),
    _g5("mne", 30.0),
    _g5("pyriemann", 5.0),
)
