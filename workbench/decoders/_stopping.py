"""Dynamic stopping: windows of growing length, of which the first that is confident enough decides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.decoders._base import WindowDecoder
from workbench.decoding.stream import DecoderStream
from workbench.errors import BadSignal, BadValue
from workbench.fitting.checks import checked_epochs
from workbench.messages import Message
from workbench.vocabulary import Evidence, FloatArray


class Stopped(NamedTuple):
    """A decision and the window length it took, s."""

    label: str
    length_s: float
    evidence: Evidence


class Stopping:
    """A decoder fitted once for each of several window lengths.

    The first length whose evidence is confident enough decides; the longest decides in any case. The threshold is
    learned for each length from held-out trials: ``stop`` of :class:`workbench.decoders.EvidenceSettings`, which
    serves every decoder that has no memory.

    Parameters
    ----------
    decoder : not fitted; its parameters are taken over. Not one with a memory.
    lengths_s : window lengths in s, the last the longest time a decision may take.
    stop : probability of being right from which a shorter window decides.

    Attributes
    ----------
    decoders_ : fitted, one for each length.

    Raises
    ------
    BadValue
        Lengths that do not grow, or a decoder with a memory.
    """

    decoders_: list[WindowDecoder]

    def __init__(self, decoder: WindowDecoder, *, lengths_s: Sequence[float], stop: float = 0.95) -> None:
        lengths = [float(length) for length in lengths_s]
        if not lengths or not lengths[0] > 0 or any(b <= a for a, b in zip(lengths, lengths[1:])):
            raise BadValue(Message("stopping.lengths", got=str(lengths)))
        if decoder.evidence_settings.memory is not None:
            raise BadValue(
                Message("stopping.memory", decoder=decoder.name, memory=decoder.evidence_settings.memory)
            )
        self.decoder, self.lengths_s, self.stop = decoder, lengths, stop

    def fit(self, X: ArrayLike, y: ArrayLike, *, lead_in: float = 0.0, blocks: ArrayLike | None = None) -> Self:
        """Fit every length, each window beginning at the same place.

        Parameters
        ----------
        X : ``(n_epochs, n_channels, n_times)`` float64, µV, raw; or ``mne.Epochs``.
        y : ``(n_epochs,)`` class of each epoch.
        lead_in : s at the start of each epoch that only warms the filters up.
        blocks : ``(n_epochs,)`` run or block of each epoch, as in :meth:`WindowDecoder.fit`.
        """
        epochs = checked_epochs(X)
        decoders = []
        # A decoder for each length: templates, filters and thresholds all depend on it.
        for length in self.lengths_s:
            params = self.decoder.get_params()
            evidence = {**(params["evidence"] or {}), "stop": self.stop}
            decoder = type(self.decoder)(**{**params, "window_s": length, "evidence": evidence})
            decoders.append(decoder.fit(self._cut(epochs, lead_in, length), y, lead_in=lead_in, blocks=blocks))
        self.decoders_ = decoders
        return self

    def predict(self, X: ArrayLike, *, lead_in: float | None = None) -> tuple[NDArray[Any], FloatArray]:
        """Class of each epoch ``(n_epochs,)``, and the window length it took ``(n_epochs,)`` float64, s.

        Parameters
        ----------
        X : ``(n_epochs, n_channels, n_times)`` float64, µV, raw. lead_in : s; the fit's own when None.
        """
        self.require_fitted()
        epochs = checked_epochs(X, n_channels=self.decoders_[0].n_channels_in_)
        start = self.decoders_[0].lead_in_ if lead_in is None else lead_in
        labels, lengths = np.empty(len(epochs), dtype=self.decoders_[0].classes_.dtype), np.empty(len(epochs))
        open_ = np.arange(len(epochs))
        for decoder, length in zip(self.decoders_, self.lengths_s):
            if not len(open_):
                break
            p = decoder.predict_proba(self._cut(epochs[open_], start, length), lead_in=start)
            # The threshold that the fit learned for this length.
            sure = p.max(axis=1) >= decoder.evidence_["least"][0]
            # The longest decides in any case: there is no more time to wait for.
            if length == self.lengths_s[-1]:
                sure[:] = True
            labels[open_[sure]] = decoder.classes_[p[sure].argmax(axis=1)]
            lengths[open_[sure]] = length
            open_ = open_[~sure]
        return labels, lengths

    def start(self) -> StoppingStream:
        """A fresh stream at sample 0."""
        self.require_fitted()
        return StoppingStream(self.decoders_, self.lengths_s)

    def _cut(self, epochs: FloatArray, lead_in: float, length: float) -> FloatArray:
        """Epochs that end where the window of that length does."""
        fs = self.decoder.fs
        end = round(lead_in * fs) + _latency(self.decoder) + max(2, round(length * fs))
        return epochs[:, :, :end]

    def require_fitted(self) -> None:
        """Raise :class:`BadSignal` before ``fit``."""
        if not hasattr(self, "decoders_"):
            raise BadSignal(Message("stopping.not_fitted"))


class StoppingStream:
    """Decides each trial from samples; a function of the samples and of the onset asked about only.

    Attributes
    ----------
    streams : one of each length.
    """

    def __init__(self, decoders: Sequence[WindowDecoder], lengths_s: Sequence[float]) -> None:
        self.streams: list[DecoderStream] = [decoder.start() for decoder in decoders]
        self._lengths, self._latency = list(lengths_s), _latency(decoders[0])
        self._asked, self._passed = -1, 0

    def step(self, samples: FloatArray) -> None:
        """Take ``(n_times, n_channels)`` float64 samples, µV, raw."""
        for stream in self.streams:
            stream.step(samples)

    def reset(self) -> None:
        """A gap follows."""
        for stream in self.streams:
            stream.reset()

    def decide(self, onset: int) -> Stopped | None:
        """The decision about the stimulus that began at sample ``onset``, None while there is none.

        The longest window decides even if it is not sure; one that is not valid decides nothing. A shorter window
        that did not decide about the onset asked about last is not asked again, so lengths may span more than the
        history.

        Raises
        ------
        BadValue
            When a window has left the history that was not asked in time.
        """
        if onset != self._asked:
            self._asked, self._passed = onset, 0
        for stream, length in list(zip(self.streams, self._lengths))[self._passed :]:
            end = onset + self._latency + stream.window
            # Longer windows end later still.
            if stream.n_seen < end:
                return None
            evidence = stream.evidence(end)
            last = length == self._lengths[-1]
            if evidence.valid and (last or not evidence.rejected):
                best = evidence.probabilities.index(max(evidence.probabilities))
                return Stopped(stream.classes[best], length, evidence)
            self._passed += 1
        return None


def _latency(decoder: WindowDecoder) -> int:
    """Samples from the event to the start of the window."""
    return round(decoder.latency_s * decoder.fs) if decoder.time_locked else 0
