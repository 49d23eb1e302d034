"""Updates of a decoder while it decides, each a snapshot chained by hash. Strict arithmetic, kernels only.

An update is a function of the samples and of the labels that were given, so a replay of the recording gives
the same snapshots, bit for bit. A decoder that adapts is defined by its hash, a rule and a bound: an update
beyond the bound is replaced by the fit, and that is a snapshot too.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar, NamedTuple

import numpy as np

from workbench.decoding.classifiers import Linear
from workbench.decoding.scorer import Scorer
from workbench.errors import DecoderMismatch
from workbench.kernels.evidence import linear
from workbench.kernels.riemann import distance, geodesic, matrix_inverse_sqrt
from workbench.kernels.scores import forget
from workbench.messages import Message
from workbench.vocabulary import FloatArray, Snapshot, Worker

LEAST_STEP = 0.02
"""Least share of a new window in a running reference."""


ENDED = "ended"
"""Rule of the snapshot from which on a decoder adapts no more."""


class SoundWindow(NamedTuple):
    """A sound window: its exclusive end, what was kept of it, and its features."""

    end: int
    summary: FloatArray
    features: FloatArray


def snapshot_after(previous: str, *, sample: int, rule: str, arrays: Mapping[str, FloatArray]) -> Snapshot:
    """The snapshot that follows the one with hash ``previous``.

    Parameters
    ----------
    previous : hash of the snapshot before, or of the decoder.
    sample : from which it is in effect. rule : that made it.
    arrays : everything that the update changed, by name; copied.
    """
    copies = {name: array.copy() for name, array in sorted(arrays.items())}
    return Snapshot(sample, rule, previous, _hash(previous, sample, rule, copies), copies)


def _hash(previous: str, sample: int, rule: str, arrays: Mapping[str, FloatArray]) -> str:
    digest = hashlib.sha256(f"{previous}\n{sample}\n{rule}\n".encode())
    for name in sorted(arrays):
        digest.update(f"{name} {list(arrays[name].shape)}\n".encode())
        # Little-endian whatever the machine, so that the hash is the same everywhere.
        digest.update(arrays[name].astype("<f8").tobytes())
    return digest.hexdigest()


def check_chain(snapshots: Sequence[Snapshot], *, decoder_sha256: str = "") -> None:
    """Raise :class:`DecoderMismatch` unless every snapshot follows the one before, the first the decoder.

    The snapshots have their arrays, as a stream or a replay makes them; a recording keeps only the hashes.
    """
    head, last = decoder_sha256, 0
    for i, snapshot in enumerate(snapshots):
        follows = snapshot.previous == head and snapshot.sample >= last
        if not follows or snapshot.sha256 != _hash(head, snapshot.sample, snapshot.rule, snapshot.arrays):
            raise DecoderMismatch(
                Message(
                    "decoder.snapshot_order",
                    n=i,
                    sample=snapshot.sample,
                    head=head[:12] or Message("decoder.never_saved"),
                )
            )
        head, last = snapshot.sha256, snapshot.sample


class Adapter(ABC):
    """The state of one rule in one stream.

    Parameters
    ----------
    scorer : at the start. head : hash of the decoder.
    every : least distance of the windows it learns from, samples; a window, so that they do not overlap.
    longest_rest : it pauses after evidence has said rest for so many samples: rules without labels take the
        classes for balanced.
    bound : greatest distance from the fit; see each rule for its measure.
    classes : a rule without labels waits until evidence has named each of so many classes, and then takes in the
        newest window of each; 0 takes in every window, whatever its class.

    Where one class comes after the other for minutes, a mean over all windows follows the class and not the
    session. Rounds of one window a class cannot: until each has been named, nothing moves.
    """

    rule: ClassVar[str]
    supervised: ClassVar[bool] = False
    _worker: Worker

    def __init__(
        self, scorer: Scorer, *, head: str, every: int, longest_rest: int, bound: float, classes: int = 0
    ) -> None:
        self._first, self._head, self._bound = scorer, head, bound
        self._every, self._longest_rest, self._classes = every, longest_rest, classes
        self._waiting: dict[int, SoundWindow] = {}
        self._last, self._moved_at = 0, 0
        self._made: list[Snapshot] = []

    def step(self, scorer: Scorer, window: SoundWindow, *, named: int, resting: bool) -> Scorer:
        """The scorer after a sound window without a label.

        Parameters
        ----------
        scorer : in effect. window : the sound window.
        named : class that the evidence finds likeliest. resting : whether that is rest.
        """
        if not resting:
            self._moved_at = window.end
        # Windows that overlap would count the same samples twice; long rest is no balanced mixture of classes.
        overlapping = window.end - self._last < self._every
        long_rest = window.end - self._moved_at > self._longest_rest
        if self.supervised or overlapping or long_rest:
            return scorer
        self._last = window.end
        self._waiting[named] = window
        if len(self._waiting) < self._classes:
            return scorer
        for _, taken in sorted(self._waiting.items()):
            scorer = self.updated(scorer, taken, -1)
        self._waiting.clear()
        return self._kept(scorer, at=window.end)

    def learn(self, scorer: Scorer, window: SoundWindow, label: int, *, at: int) -> Scorer:
        """The scorer after a sound window of a known class.

        Parameters
        ----------
        scorer : in effect. window : the sound window.
        label : index of its class. at : sample from which the update is in effect.
        """
        return self._kept(self.updated(scorer, window, label), at=at)

    def advance(self, scorer: Scorer, *, at: int) -> Scorer:
        """The scorer from sample ``at`` on; asked at every hop, for rules that change between windows.

        Parameters
        ----------
        scorer : in effect. at : the sample.
        """
        return scorer

    def work_by(self, worker: Worker) -> None:
        """Have ``worker`` compute what takes longer than a hop; other rules ask it for nothing."""
        self._worker = worker

    def drain(self) -> tuple[Snapshot, ...]:
        """Snapshots made since the last call."""
        drained, self._made = tuple(self._made), []
        return drained

    def _kept(self, scorer: Scorer, *, at: int) -> Scorer:
        rule = self.rule
        # Not with ``>``: a distance that is nan goes back to the fit too.
        if not self.excursion() <= self._bound:
            rule, scorer = "roll_back", self._first
            self.restart()
        self._snap(scorer, rule=rule, at=at)
        return scorer

    def _snap(self, scorer: Scorer, *, rule: str, at: int) -> None:
        snapshot = snapshot_after(self._head, sample=at, rule=rule, arrays=self.arrays(scorer))
        self._head = snapshot.sha256
        self._made.append(snapshot)

    @abstractmethod
    def updated(self, scorer: Scorer, window: SoundWindow, label: int) -> Scorer:
        """The scorer after one more window; changes the state of the rule.

        Parameters
        ----------
        scorer : in effect. window : the sound window.
        label : index of its class, -1 where it is not known.
        """

    @abstractmethod
    def arrays(self, scorer: Scorer) -> dict[str, FloatArray]:
        """Everything that an update changes."""

    @abstractmethod
    def excursion(self) -> float:
        """Distance from the fit."""

    @abstractmethod
    def restart(self) -> None:
        """Back to the fit."""


class Recentring(Adapter):
    """The running mean of the covariances, from which they are seen: ``R ← R #_a C``, ``a = max(1/n, least)``.

    Parameters
    ----------
    reference : ``(n_bands, n, n)`` float64, µV², that of the fit; it counts as the first window.
    least : least share of a new window. euclidean : ``R ← (1 - a) R + a C`` instead.

    Notes
    -----
    Its bound is on the root mean square of the log eigenvalues of R seen from the fit's reference. Euclidean: He
    and Wu 2020, IEEE Transactions on Biomedical Engineering 67, 399–410; Riemannian: Zanini et al. 2018, the
    same journal 65, 1107–1116.
    """

    rule: ClassVar[str] = "recentre"

    def __init__(
        self, scorer: Scorer, reference: FloatArray, *, least: float, euclidean: bool,
        head: str, every: int, longest_rest: int, bound: float, classes: int = 0,
    ) -> None:  # fmt: skip
        super().__init__(scorer, head=head, every=every, longest_rest=longest_rest, bound=bound, classes=classes)
        self._origin, self._least, self._euclidean = reference, least, euclidean
        self.restart()

    def restart(self) -> None:
        """The fit's reference, counted once."""
        self._reference, self._count = self._origin, 1

    def updated(self, scorer: Scorer, window: SoundWindow, label: int) -> Scorer:
        """Move the reference towards the covariance of the window.

        Parameters
        ----------
        scorer : in effect. window : the sound window.
        label : not used.
        """
        self._count += 1
        # 1/n gives the plain mean of the first windows; the least share keeps the reference moving after them.
        share = max(1.0 / self._count, self._least)
        moved, roots = np.empty_like(self._reference), np.empty_like(self._reference)
        for band in range(len(moved)):
            if self._euclidean:
                moved[band] = (1.0 - share) * self._reference[band] + share * window.summary[band]
            else:
                geodesic(self._reference[band], window.summary[band], share, moved[band])
            matrix_inverse_sqrt(moved[band], roots[band])
        self._reference = moved
        return replace(scorer, recentring=roots)

    def arrays(self, scorer: Scorer) -> dict[str, FloatArray]:
        """The reference and how many windows it has seen."""
        return {"reference": self._reference, "count": np.array([float(self._count)])}

    def excursion(self) -> float:
        """Largest over bands: root mean square of the log eigenvalues between the reference and the fit's."""
        far = [distance(a, b) for a, b in zip(self._origin, self._reference)]
        return float(np.max(far) / np.sqrt(self._origin.shape[1]))


class _OfFeatures(Adapter):
    """Rules that move means of features; their bound is a shift in standard deviations within the classes."""

    def __init__(
        self, scorer: Scorer, fitted: Mapping[str, FloatArray], *, rate: float,
        head: str, every: int, longest_rest: int, bound: float, classes: int = 0,
    ) -> None:  # fmt: skip
        super().__init__(scorer, head=head, every=every, longest_rest=longest_rest, bound=bound, classes=classes)
        self._fitted, self._rate = fitted, rate
        self.restart()

    def _shift(self, mean: FloatArray, start: FloatArray) -> float:
        """Root mean square of a shift in standard deviations."""
        total = 0.0
        for value in ((mean - start) / self._fitted["spread"]).tolist():
            total += value * value
        return float(np.sqrt(total / len(mean)))


class PooledMean(_OfFeatures):
    """The pooled mean of a linear discriminant follows the features: ``μ ← (1 - η) μ + η x``, ``b = -wᵀμ``.

    Vidaurre et al. 2011, doi:10.1109/TBME.2010.2093133. Its bound is on the shift of μ.
    """

    rule: ClassVar[str] = "pmean"

    def restart(self) -> None:
        """The mean of the fit's class means."""
        self._mean = self._fitted["mean"]

    def updated(self, scorer: Scorer, window: SoundWindow, label: int) -> Scorer:
        """Move the mean towards the features, and with it the bias of every class.

        Parameters
        ----------
        scorer : in effect. window : the sound window.
        label : not used.
        """
        current, first = _linear(scorer), _linear(self._first)
        self._mean = (1.0 - self._rate) * self._mean + self._rate * current.normalised(window.features)
        # b - wᵀ(μ - μ_fit): only the shift enters, so the log prior in the fit's bias stays.
        bias = np.empty_like(first.bias)
        linear(self._fitted["mean"] - self._mean, first.weights, first.bias, bias)
        return replace(scorer, classifier=replace(current, bias=bias))

    def arrays(self, scorer: Scorer) -> dict[str, FloatArray]:
        """Mean and bias."""
        return {"mean": self._mean, "bias": _linear(scorer).bias}

    def excursion(self) -> float:
        """Shift of the mean."""
        return self._shift(self._mean, self._fitted["mean"])


class Supervised(_OfFeatures):
    """Class means and the inverse covariance of a linear discriminant follow labelled windows.

    ``μ_k ← μ_k + η d``, ``Σ ← (1 - η) Σ + η d dᵀ`` with ``d = x - μ_k``. Vidaurre et al. 2011,
    doi:10.1109/TBME.2010.2093133. Its bound is on the largest shift of a class mean.
    """

    rule: ClassVar[str] = "supervised"
    supervised: ClassVar[bool] = True

    def restart(self) -> None:
        """Means and inverse covariance of the fit."""
        self._means, self._precision = self._fitted["means"], self._fitted["precision"]

    def updated(self, scorer: Scorer, window: SoundWindow, label: int) -> Scorer:
        """Move the mean of the window's class towards it.

        Parameters
        ----------
        scorer : in effect. window : the sound window.
        label : index of its class.
        """
        current = _linear(scorer)
        step = current.normalised(window.features) - self._means[label]
        # The arrays belong to the fit or to an earlier snapshot, which must not change.
        self._means, self._precision = self._means.copy(), self._precision.copy()
        forget(self._precision, step, self._rate)
        self._means[label] += self._rate * step
        weights, bias = np.empty_like(current.weights), np.empty_like(current.bias)
        nothing, log_prior = np.zeros(len(step)), self._fitted["log_prior"]
        # w = Σ⁻¹ μ, b = -½ μᵀ Σ⁻¹ μ + log π, as at the fit.
        for k, mean in enumerate(self._means):
            linear(mean, self._precision, nothing, weights[k])
            linear(-0.5 * mean, weights[k : k + 1], log_prior[k : k + 1], bias[k : k + 1])
        return replace(scorer, classifier=replace(current, weights=weights, bias=bias))

    def arrays(self, scorer: Scorer) -> dict[str, FloatArray]:
        """Means, inverse covariance, weights and bias."""
        current = _linear(scorer)
        return {
            "means": self._means,
            "precision": self._precision,
            "weights": current.weights,
            "bias": current.bias,
        }

    def excursion(self) -> float:
        """Largest shift of a class mean."""
        return max(self._shift(mean, start) for mean, start in zip(self._means, self._fitted["means"]))


def _linear(scorer: Scorer) -> Linear:
    """The linear classifier of a scorer; :mod:`workbench.fitting.adaptation` refuses any other."""
    assert isinstance(scorer.classifier, Linear)
    return scorer.classifier
