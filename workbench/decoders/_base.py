"""What the decoders of windows share: epochs → causal windows → summaries → a linear score of each class."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.decoders._checks import checked_epochs, checked_labels
from workbench.decoders._estimator import Estimator
from workbench.decoders._stream import DecoderStream, Gate, Reducer, Scorer
from workbench.errors import BadSignal, BadValue
from workbench.kernels.evidence import softmax
from workbench.signals import SignalSettings, SignalStream, design
from workbench.signals.epoching import rows
from workbench.vocabulary import FloatArray, Montage

ECOG_RATE = 500.0
"""From this rate in Hz on, a montage that does not say otherwise is taken for ECoG."""

STRIP_PAIRS: tuple[tuple[int, int], ...] = ((0, 1), (1, 2), (2, 3), (4, 5), (5, 6), (6, 7))
"""Neighbours within each of two epidural strips of four contacts."""

CAR_CHANNELS = 8
"""The common average is the default from so many channels on; fewer estimate a reference badly."""

SHORTEST_S = 0.25
"""A default window is cut to the epoch down to this length, s."""


class WindowDecoder(Estimator, ABC):
    """A decoder of windows of filtered signal.

    Attributes
    ----------
    classes_ : classes, sorted. n_channels_in_ : channels of the raw stream.
    settings_ : signal settings. design_ : filter coefficients.
    montage_, sha256_ : after :func:`workbench.decoders.save` or :func:`workbench.decoders.read`.
    """

    name: ClassVar[str]
    default_window_s: ClassVar[float]
    learned: ClassVar[tuple[str, ...]]
    """Names of the arrays that fitting learns."""
    fs: float
    window_s: float | None
    hop_s: float
    reference: str | Sequence[tuple[int, int]]
    mains_hz: float

    classes_: NDArray[Any]
    n_channels_in_: int
    settings_: SignalSettings
    design_: dict[str, FloatArray]
    low_: FloatArray
    high_: FloatArray
    lead_in_: float
    montage_: Montage
    sha256_: str

    # ------------------------------------------------------------------ what a decoder defines
    @abstractmethod
    def pass_bands(self) -> tuple[tuple[float, float], ...]:
        """Pass bands in Hz."""

    def feature_bands(self) -> tuple[tuple[float, float], ...]:
        """Bands of the features of a fitted decoder, Hz: those of the filters unless several make one feature."""
        return self.pass_bands()

    @abstractmethod
    def _learn(self, summaries: FloatArray, y: NDArray[Any]) -> None:
        """Learn from summaries ``(n_windows, …)``; ``classes_`` is set."""

    @abstractmethod
    def _reducer(self) -> Reducer:
        """What is kept of windows; the settings are known, nothing is learned yet."""

    @abstractmethod
    def _scorer(self) -> Scorer:
        """The scorer with what was learned."""

    def default_window(self, n_channels: int) -> float:
        """Length of a window in s where none is given, for a raw stream of ``n_channels``."""
        return self.default_window_s

    def _gate(self) -> Gate | None:
        """The gate of the stream, None for evidence without memory."""
        return None

    def summarise(self, window: FloatArray) -> FloatArray:
        """What the decoder keeps of a window ``(n_window, n_lanes)`` float64, µV; fitting needs no more."""
        return self._reducer().summarise(window)

    # ------------------------------------------------------------------ settings
    def settings_for(self, n_channels: int, *, window_s: float | None = None) -> SignalSettings:
        """Signal settings for a raw stream of ``n_channels``.

        ``reference="auto"`` takes neighbours within the strips for 8 channels at 500 Hz and more (two
        epidural strips of four), the common average for 8 channels and more, and none for fewer.
        """
        reference, pairs = "bipolar", STRIP_PAIRS
        if not isinstance(self.reference, str):
            pairs = tuple(self.reference)
        elif self.reference == "bipolar":
            if n_channels != 8:
                raise BadValue(f"bipolar neighbours are known for 8 channels, got {n_channels}; give pairs")
        elif self.reference == "auto":
            if self.fs < ECOG_RATE or n_channels != 8:
                reference = "car" if n_channels >= CAR_CHANNELS else "none"
        else:
            reference = self.reference
        return SignalSettings(
            bands=self.pass_bands(),
            window_s=window_s or self.window_s or self.default_window(n_channels),
            reference=reference,
            pairs=pairs if reference == "bipolar" else (),
            mains_hz=self.mains_hz,
            hop_s=self.hop_s,
        )

    @property
    def settings(self) -> SignalSettings:
        """Signal settings of the fitted decoder; before fitting, ask :meth:`settings_for`."""
        if not hasattr(self, "settings_"):
            raise BadSignal(f"this {type(self).__name__} is not prepared; call settings_for(n_channels) or fit")
        return self.settings_

    @property
    def delay_s(self) -> FloatArray:
        """``(n_bands,)`` float64, s: group delay of the filters at the middle of each band."""
        return self.design_["delay"]

    def prepare(self, n_channels: int, *, window_s: float | None = None) -> Self:
        """Design the filters for a raw stream of ``n_channels``; fitting does this first."""
        self.settings_ = self.settings_for(n_channels, window_s=window_s)
        self.design_ = design(self.settings_, fs=self.fs, n_channels=n_channels)
        self.n_channels_in_ = n_channels
        return self

    def signal(self) -> SignalStream:
        """A fresh signal stream with the decoder's filters."""
        return SignalStream(self.settings, self.design_, fs=self.fs, n_channels=self.n_channels_in_)

    # ------------------------------------------------------------------ fitting
    def fit(self, X: ArrayLike, y: ArrayLike, *, lead_in: float = 0.0) -> Self:
        """Fit on raw epochs, through the same causal filters as the stream.

        Parameters
        ----------
        X : ``(n_epochs, n_channels, n_times)`` float64, µV, raw.
        y : ``(n_epochs,)`` class of each epoch.
        lead_in : s at the start of each epoch that only warms the filters up.

        Epochs longer than ``lead_in`` and a window give windows every hop, all of the epoch's class. When
        ``window_s`` was left to its default and the epochs are shorter, the window is cut to the epoch.

        Raises
        ------
        BadSignal
            Values that are not finite, a flat channel, one class only, fewer than two epochs of a class,
            epochs shorter than a window.
        """
        epochs = checked_epochs(X)
        labels = checked_labels(y, n=len(epochs))
        window_s = self._window_s(epochs, lead_in)
        self.prepare(epochs.shape[1], window_s=window_s)
        summaries, owner = self._epoch_summaries(epochs, lead_in)
        self.fit_summaries(summaries, labels[owner])
        self.lead_in_ = lead_in
        return self

    def fit_windows(self, windows: Iterable[FloatArray], y: ArrayLike, *, n_channels: int | None = None) -> Self:
        """Fit on filtered windows; both ways of fitting end here or in :meth:`fit_summaries`.

        Parameters
        ----------
        windows : ``(n, n_window, n_lanes)`` float64, µV, or any iterable of ``(n_window, n_lanes)``.
        y : ``(n,)`` class of each window.
        n_channels : channels of the raw stream; not needed after :meth:`prepare`.
        """
        if n_channels is not None:
            self.prepare(n_channels)
        expected = (self.settings.n_window(self.fs), self.signal().n_lanes)
        summaries = []
        for window in windows:
            if window.shape != expected:
                raise BadSignal(f"a window must have shape {expected} (n_window, n_lanes), got {window.shape}")
            summaries.append(self.summarise(np.ascontiguousarray(window, dtype=np.float64)))
        return self.fit_summaries(np.array(summaries), y)

    def fit_summaries(self, summaries: FloatArray, y: ArrayLike) -> Self:
        """Fit on what :meth:`summarise` returned of each window, ``(n, …)`` float64."""
        if not hasattr(self, "design_"):
            raise BadSignal("filters are not designed yet; call prepare(n_channels) first")
        labels = checked_labels(y, n=len(summaries))
        self.classes_ = np.unique(labels)
        reducer = self._reducer()
        power = np.array([reducer.lane_power(summary) for summary in summaries])
        if not np.isfinite(power).all() or not (power > 0.0).all():
            raise BadSignal("a training window has no finite power above 0; leave out windows that are not valid")
        self.low_, self.high_ = power.min(axis=0) / LIMIT, power.max(axis=0) * LIMIT
        self.lead_in_ = 0.0
        self._learn(summaries, labels)
        return self

    # ------------------------------------------------------------------ predicting
    def scores_of(self, summaries: Iterable[FloatArray]) -> FloatArray:
        """Score of each class for each summary, ``(n, n_classes)`` float64; softmax gives probabilities."""
        self._require_fitted()
        scorer = self._scorer()
        scores = [scorer.scores(scorer.features(summary)) for summary in summaries]
        return np.array(scores).reshape(-1, len(self.classes_))

    def _epoch_scores(self, X: ArrayLike, lead_in: float | None) -> FloatArray:
        """Scores of each epoch: the mean over its windows, that is, log odds are averaged."""
        self._require_fitted()
        epochs = checked_epochs(X, n_channels=self.n_channels_in_)
        summaries, owner = self._epoch_summaries(epochs, self.lead_in_ if lead_in is None else lead_in)
        scores = self.scores_of(summaries)
        return np.array([_mean(scores[owner == i]) for i in range(len(epochs))])

    def predict_proba(self, X: ArrayLike, *, lead_in: float | None = None) -> FloatArray:
        """Probability of each class, ``(n_epochs, n_classes)`` float64, order of ``classes_``.

        Parameters
        ----------
        X : ``(n_epochs, n_channels, n_times)`` float64, µV, raw.
        lead_in : s that only warm the filters up; the fit's own when None.

        The log odds of the windows of an epoch are averaged; there is no gate between windows and the
        normalisation is that of the fit. An epoch of exactly a lead-in and a window gets what the stream
        without a gate says of the same samples, bit for bit.
        """
        scores = self._epoch_scores(X, lead_in)
        out = np.empty_like(scores)
        for row, target in zip(scores, out):
            softmax(row, target)
        return out

    def decision_function(self, X: ArrayLike, *, lead_in: float | None = None) -> FloatArray:
        """Log odds of the second class, ``(n_epochs,)``; with more classes ``(n_epochs, n_classes)`` scores."""
        scores = self._epoch_scores(X, lead_in)
        return scores[:, 1] - scores[:, 0] if len(self.classes_) == 2 else scores

    def predict(self, X: ArrayLike, *, lead_in: float | None = None) -> NDArray[Any]:
        """Class of each epoch, ``(n_epochs,)``."""
        scores = self._epoch_scores(X, lead_in)
        best: NDArray[Any] = self.classes_[np.argmax(scores, axis=1)]
        return best

    def score(self, X: ArrayLike, y: ArrayLike) -> float:
        """Share of epochs whose class is predicted; ``X`` ``(n_epochs, n_channels, n_times)`` float64, µV."""
        return float(np.mean(np.asarray(self.predict(X)) == np.asarray(y)))

    # ------------------------------------------------------------------ streaming
    def start(self) -> DecoderStream:
        """A fresh stream at sample 0. Loads arrays and designs nothing."""
        self._require_fitted()
        return DecoderStream(
            self.signal(),
            self._scorer(),
            classes=tuple(str(name) for name in self.classes_.tolist()),
            limits=(self.low_, self.high_),
            gate=self._gate(),
        )

    # ------------------------------------------------------------------ epochs → windows
    def _window_s(self, epochs: FloatArray, lead_in: float) -> float | None:
        n_channels, n_times = int(epochs.shape[1]), int(epochs.shape[2])
        _check_lead_in(lead_in, n_times / self.fs)
        room: float = n_times / self.fs - lead_in
        if self.window_s is None and SHORTEST_S <= room < self.default_window(n_channels):
            return room
        return None

    def _epoch_summaries(self, epochs: FloatArray, lead_in: float) -> tuple[FloatArray, NDArray[np.int64]]:
        """Summaries of every window of every epoch, and the epoch each belongs to."""
        _check_lead_in(lead_in, epochs.shape[2] / self.fs)
        stream = self.signal()
        first = round(lead_in * self.fs) + stream.n_window
        if epochs.shape[2] < first:
            raise BadSignal(
                f"epochs hold {epochs.shape[2]} samples ({epochs.shape[2] / self.fs:g} s); a lead-in of "
                f"{lead_in:g} s and a window of {stream.n_window / self.fs:g} s need {first}. "
                "Cut longer epochs or set window_s"
            )
        summaries, owner = [], []
        for i, epoch in enumerate(epochs):
            stream.reset()
            for window in _windows(stream, rows(epoch), first):
                summaries.append(self.summarise(window))
                owner.append(i)
        return np.array(summaries), np.array(owner, dtype=np.int64)


LIMIT = 100.0
"""A window whose power in a lane leaves the range of the training windows by this factor is not valid."""


def _check_lead_in(lead_in: float, epoch_s: float) -> None:
    if not 0 <= lead_in < epoch_s:
        raise BadValue(f"lead_in must be 0 s or more and shorter than the epochs ({epoch_s:g} s), got {lead_in:g}")


def _mean(rows_: FloatArray) -> FloatArray:
    """Mean over windows, summed in order; one window is returned as it is."""
    total: FloatArray = rows_[0].copy()
    for row in rows_[1:]:
        total += row
    total /= len(rows_)
    return total


def _windows(stream: SignalStream, samples: FloatArray, first: int) -> Iterator[FloatArray]:
    done, end = 0, first
    while end <= len(samples):
        stream.step(samples[done:end])
        yield stream.window(stream.n_seen)[0]
        done, end = end, end + stream.n_hop
