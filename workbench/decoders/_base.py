"""What the decoders of windows share: epochs → causal windows → summaries → a score of each class → evidence."""

from __future__ import annotations

import inspect
import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from copy import copy, deepcopy
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.decoders._signal import SignalDefaults, signal_settings
from workbench.decoding.accumulation import EvidenceAccumulator
from workbench.decoding.blocks import Lesson
from workbench.decoding.classifiers import Classifier, Linear
from workbench.decoding.novelty import MEMORY_S, Novelty
from workbench.decoding.reducers import Reducer
from workbench.decoding.scorer import Calibration, Features, Scorer, Temperature, recentred
from workbench.decoding.stream import DecoderStream, Finish, Rejection
from workbench.errors import BadSignal, BadValue, DecoderMismatch
from workbench.fitting.adaptation import adapter_of, aligned, learn_adaptation, reference_of, whiteners
from workbench.fitting.checks import (
    channel_difference,
    channel_names,
    checked_blocks,
    checked_epochs,
    checked_labels,
    checked_variation,
)
from workbench.fitting.epoch_windows import EpochWindows
from workbench.fitting.held_out import learn_evidence, novelty_of
from workbench.fitting.parallel import by_stretches
from workbench.fitting.patterns import patterns_of_scores
from workbench.fitting.settings import AdaptSettings, EvidenceSettings, accumulator_of
from workbench.html_repr import card
from workbench.kernels.evidence import softmax
from workbench.messages import Message
from workbench.signals import SignalSettings, SignalStream, design
from workbench.signals.design import check_design
from workbench.vocabulary import Evidence, EvidenceType, FloatArray, Montage

LIMIT = 100.0
"""A window whose power in a lane leaves the range of the training windows by this factor is not valid."""

SLOW_HZ = 1.0
"""Filters that pass from here or below take a second and more to settle, so that epochs need a lead-in, Hz."""


class WindowDecoder(ABC):
    """A decoder of windows of filtered signal, with the conventions of scikit-learn.

    Parameters are what the constructor takes and stores, nothing else; learned names end in ``_``. scikit-learn is
    imported only where it asks: the live engine reads decoders and must start fast.

    A decoder is this class with its parts named: the defaults of its signal and of its evidence, the pass bands, a
    reducer, features, a classifier, and how it learns them. It writes ``name``, ``signal_defaults``, ``learned``,
    a constructor, :meth:`pass_bands`, :meth:`_learn`, :meth:`reducer`, :meth:`_features` and :meth:`_classifier`;
    all else is here. The default of a parameter is None, a number, a text or a tuple. Its paper stands in *Notes*.

    Reducers are in ``workbench/decoding/reducers.py`` (``Power``, ``Covariances``, ``Taps``, ``Whole`` and
    others), features in ``features.py`` beside it (``LogPower``, ``SpatialPower``, ``Distances``,
    ``TangentVectors`` and others), classifiers in ``classifiers.py`` (``Linear``, ``Direct``, ``Nearest``,
    ``Rbf``). A decoder with ``Linear`` has patterns, and may adapt by the rules ``pmean`` and ``supervised``.

    Parameters that every decoder takes
    -----------------------------------
    fs : rate in Hz.
    window_s : length of a window, s; None for the decoder's own. hop_s : time between windows, s.
    reference : ``"auto"`` for the decoder's own; ``"none"``, ``"car"``, or bipolar pairs of channel indices.
    mains_hz : 50, 60, or 0 for no notch.
    evidence : what is made of scores, a mapping with the names of
        :class:`workbench.decoders.EvidenceSettings`: calibration, rejection, memory. None for the decoder's own.
    adapt : how it changes while it decides, a mapping with the names of
        :class:`workbench.decoders.AdaptSettings`. None for not at all.

    Attributes
    ----------
    classes_ : classes, sorted. n_channels_in_ : channels of the raw stream.
    settings_ : signal settings. design_ : filter coefficients.
    log_prior_ : ``(n_classes,)`` float64, log share of each class that the scores hold.
    low_, high_ : ``(n_lanes,)`` float64, µV², least and greatest power of a valid window.
    evidence_, adaptation_ : arrays behind evidence and adaptation, by name.
    patterns_ : of linear decoders, after :meth:`fit` or :meth:`fit_windows` and not stored: activation patterns
        (Haufe et al. 2014, doi:10.1016/j.neuroimage.2013.10.067) in the shape of ``filters_`` where there are
        spatial filters, else of ``weights_``.
    feature_names_in_ : ``(n_channels,)`` names of the channels, of a decoder that was fitted on ``mne.Epochs``.
    montage_, sha256_ : after :func:`workbench.decoders.save` or :func:`workbench.decoders.read`.
    """

    name: ClassVar[str]
    """That of its file, under which it is stored and found again."""
    signal_defaults: ClassVar[SignalDefaults]
    """Window, reference and kind of filter where the parameters leave them open."""
    evidence_defaults: ClassVar[Mapping[str, Any]] = {}
    """Evidence settings that differ from those of :class:`EvidenceSettings`."""
    scores_hold_prior: ClassVar[bool] = True
    """Whether scores that are not calibrated hold the share of each class."""
    time_locked: ClassVar[bool] = False
    """Whether an epoch has one window, ``latency_s`` after the event at the end of the lead-in, in place of one at
    every hop. In a stream, that of an event at sample ``n`` ends at ``n + round(latency_s · fs) + window``."""
    has_centre: ClassVar[bool] = False
    """Whether features are normalised by the windows of the fit, so that :meth:`recentred_on` can move them."""
    learns_blocks: ClassVar[bool] = False
    """Whether it adapts by the rule ``blocks``, and by no other: it has a :meth:`lesson` then."""
    inputs: ClassVar[tuple[str, ...]] = ("signal",)
    """Roles of the streams that it decodes."""
    fit_metadata: ClassVar[tuple[str, ...]] = ("lead_in", "blocks")
    """What ``fit`` takes beside epochs and classes."""
    learned: ClassVar[tuple[str, ...]]
    """Names of the arrays that fitting learns; one of its own that is not named is not stored."""
    before: ClassVar[Mapping[str, Any]] = {}
    """What parameters were in effect that a decoder does not name, because it was stored before there were any."""
    fs: float
    window_s: float | None
    hop_s: float
    reference: str | Sequence[tuple[int, int]]
    mains_hz: float
    latency_s: float = 0.0
    evidence: Mapping[str, Any] | None
    adapt: Mapping[str, Any] | None = None

    classes_: NDArray[Any]
    n_channels_in_: int
    settings_: SignalSettings
    design_: dict[str, FloatArray]
    low_: FloatArray
    high_: FloatArray
    log_prior_: FloatArray
    evidence_: dict[str, FloatArray]
    adaptation_: dict[str, FloatArray]
    lead_in_: float
    patterns_: FloatArray
    feature_names_in_: NDArray[np.object_]
    montage_: Montage
    sha256_: str

    if TYPE_CHECKING:

        def __init__(self, fs: float, **parameters: Any) -> None: ...

    # ------------------------------------------------------------------ conventions of scikit-learn
    @classmethod
    def parameter_names(cls) -> tuple[str, ...]:
        """Names of the constructor's parameters."""
        return tuple(name for name in inspect.signature(cls).parameters)

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: FBT001, FBT002 scikit-learn's signature
        """Parameters by name; ``deep`` changes nothing, as no parameter is an estimator."""
        return {name: getattr(self, name) for name in self.parameter_names()}

    def set_params(self, **params: Any) -> Self:
        """Set parameters by name."""
        for name, value in params.items():
            if name not in self.parameter_names():
                raise BadValue(
                    Message(
                        "decoder.no_parameter",
                        decoder=type(self).__name__,
                        name=repr(name),
                        known=list(self.parameter_names()),
                    )
                )
            setattr(self, name, value)
        return self

    def __sklearn_tags__(self) -> Any:
        """What scikit-learn asks an estimator: it is a classifier of three-dimensional arrays."""
        from sklearn.utils import ClassifierTags, InputTags, Tags, TargetTags

        return Tags(
            estimator_type="classifier",
            target_tags=TargetTags(required=True),
            classifier_tags=ClassifierTags(),
            input_tags=InputTags(two_d_array=False, three_d_array=True),
        )

    def __sklearn_is_fitted__(self) -> bool:
        """Whether ``fit`` has run."""
        return hasattr(self, "classes_")

    # ------------------------------------------------------------------ metadata routing
    def set_fit_request(self, **requested: bool | str | None) -> Self:
        """Ask scikit-learn's metadata routing to hand ``lead_in`` or ``blocks`` on to ``fit``.

        Parameters
        ----------
        **requested : True or False for whether it is asked for, None where handing it in is an error, or the name
            under which it is handed in; ``set_fit_request(blocks=True)``.

        Raises
        ------
        BadValue
            For a name that ``fit`` does not take.
        """
        unknown = sorted(set(requested) - set(self.fit_metadata))
        if unknown:
            raise BadValue(Message("decoder.fit_metadata", got=list(unknown), allowed=list(self.fit_metadata)))
        request = self.get_metadata_routing()
        for name, alias in requested.items():
            request.fit.add_request(param=name, alias=alias)
        # The name under which scikit-learn's clone looks for it.
        self._metadata_request = request
        return self

    def get_metadata_routing(self) -> Any:
        """What ``fit`` asks for, as scikit-learn's ``MetadataRequest``."""
        from sklearn.utils.metadata_routing import MetadataRequest

        # A copy: a caller that changes it must not change the estimator.
        if hasattr(self, "_metadata_request"):
            return deepcopy(self._metadata_request)
        request = MetadataRequest(owner=type(self).__name__)
        for name in self.fit_metadata:
            request.fit.add_request(param=name, alias=None)
        return request

    def require_fitted(self) -> None:
        """Raise scikit-learn's ``NotFittedError``, which is a :class:`BadSignal` too, before ``fit``."""
        if not self.__sklearn_is_fitted__():
            from workbench.decoders._not_fitted import NotFitted

            raise NotFitted(Message("decoder.not_fitted", decoder=type(self).__name__))

    # ------------------------------------------------------------------ what a decoder defines
    @abstractmethod
    def pass_bands(self) -> tuple[tuple[float, float], ...]:
        """Pass bands in Hz."""

    def feature_bands(self) -> tuple[tuple[float, float], ...]:
        """Bands of the features of a fitted decoder, Hz: those of the filters unless several make one feature."""
        return self.pass_bands()

    @abstractmethod
    def _learn(self, summaries: FloatArray, y: NDArray[Any]) -> None:
        """Learn from summaries ``(n_windows, …)``, recentred if asked; ``classes_`` and ``log_prior_`` are set."""

    @abstractmethod
    def reducer(self) -> Reducer:
        """What is kept of windows; the settings are known, nothing is learned yet."""

    @abstractmethod
    def _features(self) -> Features:
        """From what is kept to features, with what was learned."""

    @abstractmethod
    def _classifier(self) -> Classifier:
        """From features to scores, with what was learned."""

    def _patterns(self, summaries: FloatArray) -> FloatArray | None:
        """Activation patterns from summaries as :meth:`_learn` took them; None where there is nothing linear."""
        classifier, extract = self._classifier(), self._features()
        if not isinstance(classifier, Linear):
            return None
        features = np.array([classifier.normalised(extract.features(summary)) for summary in summaries])
        return patterns_of_scores(classifier.weights, features)

    def _tracking(self) -> float:
        """Share of a hop in the running normalisation of features, 0 where it stays as fitted."""
        return 0.0

    # ------------------------------------------------------------------ signal
    def bands_for(self, n_channels: int) -> tuple[tuple[float, float], ...]:
        """Pass bands in Hz for a raw stream of ``n_channels``."""
        return self.pass_bands()

    def defaults_for(self, n_channels: int) -> SignalDefaults:
        """Defaults of the signal for a raw stream of ``n_channels``."""
        return self.signal_defaults

    def reference_for(self, n_channels: int) -> str | Sequence[tuple[int, int]]:
        """Reference of a raw stream of ``n_channels``: the parameter."""
        return self.reference

    def settings_for(self, n_channels: int, *, window_s: float | None = None) -> SignalSettings:
        """Signal settings for a raw stream of ``n_channels``; ``window_s`` in s overrides the parameter."""
        return signal_settings(
            self.defaults_for(n_channels),
            fs=self.fs,
            n_channels=n_channels,
            bands=self.bands_for(n_channels),
            window_s=self.window_s if window_s is None else window_s,
            hop_s=self.hop_s,
            reference=self.reference_for(n_channels),
            mains_hz=self.mains_hz,
        )

    @property
    def settings(self) -> SignalSettings:
        """Signal settings of the fitted decoder; before fitting, ask :meth:`settings_for`."""
        if not hasattr(self, "settings_"):
            raise BadSignal(Message("decoder.not_prepared", decoder=type(self).__name__))
        return self.settings_

    @property
    def delay_s(self) -> FloatArray:
        """``(n_bands,)`` float64, s: group delay of the filters at the middle of each band."""
        return self.design_["delay"]

    def prepare_for(self, n_channels: int, *, stretch_s: float | None) -> Self:
        """Design the filters for a paradigm that decides on one window of ``stretch_s`` a cue, None at every hop.

        The window then covers the stretch, unless its length was given or it is locked to an event.
        """
        own = self.window_s is not None or self.time_locked
        return self.prepare(n_channels, window_s=None if own else stretch_s)

    def prepare(self, n_channels: int, *, window_s: float | None = None) -> Self:
        """Design the filters for a raw stream of ``n_channels``; fitting does this first."""
        self.settings_ = self.settings_for(n_channels, window_s=window_s)
        self.design_ = design(self.settings_, fs=self.fs, n_channels=n_channels)
        self.n_channels_in_ = n_channels
        return self

    def check_stream(self, n_channels: int) -> None:
        """Raise BadValue where :meth:`prepare` would; no filter is designed."""
        check_design(self.settings_for(n_channels), fs=self.fs, n_channels=n_channels)

    def signal(self) -> SignalStream:
        """A fresh signal stream with the decoder's filters."""
        return SignalStream(self.settings, self.design_, fs=self.fs, n_channels=self.n_channels_in_)

    @property
    def n_features_in_(self) -> int:
        """Channels of the raw stream, under scikit-learn's name."""
        return self.n_channels_in_

    # ------------------------------------------------------------------ settings
    @property
    def evidence_settings(self) -> EvidenceSettings:
        """What is made of scores: the decoder's own, and over them those given."""
        return EvidenceSettings.of(self.evidence_defaults, self.evidence)

    @property
    def adapt_settings(self) -> AdaptSettings | None:
        """How it changes while it decides, None for not at all."""
        return None if self.adapt is None else AdaptSettings.of(self.adapt)

    @property
    def class_names(self) -> tuple[str, ...]:
        """Classes as text, sorted as ``classes_``."""
        return tuple(str(name) for name in self.classes_.tolist())

    @property
    def evidence_type(self) -> EvidenceType:
        """What the evidence of the stream is: a probability of each class, unless a decoder says otherwise."""
        return EvidenceType()

    @property
    def remembers(self) -> bool:
        """Whether evidence of a fitted decoder has a memory, and rests on more than its own window."""
        return self.evidence_settings.remembers(self.class_names) is not None

    @property
    def step_s(self) -> float:
        """Time between windows of the stream, s: the hop in whole samples."""
        return self.settings.n_hop(self.fs) / self.fs

    def summarise(self, window: FloatArray) -> FloatArray:
        """What the decoder keeps of a window ``(n_window, n_lanes)`` float64, µV; fitting needs no more."""
        return self.reducer().summarise(window)

    # ------------------------------------------------------------------ fitting
    def fit(self, X: ArrayLike, y: ArrayLike, *, lead_in: float = 0.0, blocks: ArrayLike | None = None) -> Self:
        """Fit on raw epochs, through the same causal filters as the stream.

        Parameters
        ----------
        X : ``(n_epochs, n_channels, n_times)`` float64, µV, raw; or ``mne.Epochs``, which are in V and are scaled.
        y : ``(n_epochs,)`` class of each epoch.
        lead_in : s at the start of each epoch that only warms the filters up; without one, a decoder whose filters
            pass from 1 Hz or less warns.
        blocks : ``(n_epochs,)`` run or block of each epoch, held out together where evidence is calibrated;
            each epoch is one by default.

        Epochs longer than ``lead_in`` and a window give windows every hop, all of the epoch's class. When
        ``window_s`` was left to its default and the epochs are shorter, the window is cut to the epoch.

        Raises
        ------
        BadSignal
            Values that are not finite, a flat channel, one class only, fewer than two epochs of a class
            or all of them the same, epochs shorter than a window, ``mne.Epochs`` with channels that are
            not voltages.
        BadValue
            ``mne.Epochs`` of another rate.
        """
        names = channel_names(X)
        epochs = checked_epochs(X, fs=self.fs)
        labels = checked_labels(y, n=len(epochs))
        checked_variation(epochs, labels)
        block_of = checked_blocks(blocks, n=len(epochs))
        n_channels = int(epochs.shape[1])
        windows = self._windows_of(epochs, lead_in)
        # Only a default is cut: a length that was asked for is an error where it does not fit.
        shorter = None if self.window_s is not None else windows.shortened(self.defaults_for(n_channels).window_s)
        self.prepare(n_channels, window_s=shorter)
        slowest = min(low for low, _ in self.bands_for(n_channels))
        # A band that begins at 0 Hz has no high-pass filter, so that none has to settle.
        if lead_in == 0.0 and 0.0 < slowest <= SLOW_HZ:
            warnings.warn(
                f"lead_in is 0: filters of {self.name} from {slowest:g} Hz have not settled where the epochs "
                f"begin; give epochs that begin about {1 / slowest:.0f} s earlier and say so with lead_in",
                stacklevel=2,
            )
        summaries, owner = self._epoch_summaries(epochs, lead_in)
        self.fit_summaries(summaries, labels[owner], blocks=owner if block_of is None else block_of[owner])
        self._keep_patterns(summaries)
        self.lead_in_ = lead_in
        if names is not None:
            self.feature_names_in_ = np.array(names, dtype=object)
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

        def checked(window: FloatArray) -> FloatArray:
            """A window of the shape that was prepared for."""
            if np.shape(window) != expected:
                raise BadSignal(Message("decoder.window_shape", expected=str(expected), got=str(np.shape(window))))
            return np.ascontiguousarray(window, dtype=np.float64)

        if isinstance(windows, np.ndarray) and windows.ndim == 3 and len(windows):
            checked(windows[0])
            parts = by_stretches(self.reducer().summarise_each, np.asarray(windows, dtype=np.float64))
            summaries = np.concatenate(parts)
        else:
            # Windows that come one after the other need not be in memory together.
            summaries = np.array([self.summarise(checked(window)) for window in windows])
        return self.fit_summaries(summaries, y)._keep_patterns(summaries)

    def fit_summaries(
        self,
        summaries: FloatArray,
        y: ArrayLike,
        *,
        blocks: ArrayLike | None = None,
        runs: NDArray[Any] | None = None,
    ) -> Self:
        """Fit on what :meth:`summarise` returned of each window.

        Parameters
        ----------
        summaries : ``(n, …)`` float64, not all the same within a class. y : ``(n,)`` class of each.
        blocks : ``(n,)`` run or block of each, held out together where evidence is calibrated; by default each
            window is a block of its own, which is wrong for overlapping windows.
        runs : ``(n,)`` run of each; a decoder that recentres aligns several runs first. One run by default.
        """
        if not hasattr(self, "design_"):
            raise BadSignal(Message("decoder.no_filters"))
        labels, block_of = checked_labels(y, n=len(summaries)), checked_blocks(blocks, n=len(summaries))
        if self.evidence_settings.memory == "gate":
            self.evidence_settings.check_dwell(self.hop_s)
        self.classes_ = np.unique(labels)
        reducer = self.reducer()
        power = np.array([reducer.lane_power(summary) for summary in summaries])
        if not np.isfinite(power).all() or not (power > 0.0).all():
            raise BadSignal(Message("fit.no_power"))
        checked_variation(summaries, labels)
        # Wide, since physiology changes by the hour: only a fault changes power a hundredfold.
        self.low_, self.high_ = power.min(axis=0) / LIMIT, power.max(axis=0) * LIMIT
        self.lead_in_ = 0.0
        self.evidence_, self.adaptation_ = {}, {}
        # Hash, names and patterns belong to the previous fit.
        for stale in ("sha256_", "feature_names_in_", "patterns_"):
            self.__dict__.pop(stale, None)
        adapt = self.adapt_settings
        if adapt is not None and adapt.rule == "recentre":
            if runs is not None:
                summaries = aligned(self, summaries, labels, runs)
            reference = reference_of(self, summaries, labels)
            self.adaptation_ = {"reference": reference, "whitening": whiteners(reference)}
        # The classifier first, from all windows; evidence is then learned from copies that are held out.
        self.learn(summaries, labels)
        if adapt is not None and adapt.balanced:
            self.adaptation_ |= {"balanced": np.ones(1)}
        self.evidence_ = learn_evidence(self, summaries, labels, block_of)
        # Calibrated scores are posteriors of held-out windows and hold the shares of the classes again.
        if not self.scores_hold_prior and "calibration_x" not in self.evidence_:
            self.log_prior_ = np.zeros(len(self.classes_))
        return self

    def _keep_patterns(self, summaries: FloatArray) -> Self:
        """Patterns of what was fitted on these summaries ``(n, …)``, for whoever looks at a decoder.

        A run's decoder is stored without them, and so are those of its validation: their fits need none.
        """
        patterns = self._patterns(self._recentred(summaries))
        if patterns is not None:
            self.patterns_ = patterns
        return self

    def learn(self, summaries: FloatArray, y: NDArray[Any]) -> None:
        """Learn the classifier from summaries ``(n, …)`` of checked classes ``y``; evidence is not touched."""
        counts = np.array([(y == name).sum() for name in self.classes_])
        self.log_prior_ = np.log(counts / counts.sum())
        rule = "" if self.adapt_settings is None else self.adapt_settings.rule
        if self.learns_blocks and rule not in ("", "blocks"):
            raise BadValue(Message("fit.only_blocks", decoder=self.name, got=rule))
        if rule == "blocks" and not self.learns_blocks:
            raise BadValue(Message("fit.no_blocks", decoder=self.name, got=rule))
        self._learn(self._recentred(summaries), y)
        if rule in ("pmean", "supervised"):
            self.adaptation_ = learn_adaptation(self, summaries, y)

    def lesson(self) -> Lesson:
        """What a stream goes on from that adapts by the rule ``blocks``; for decoders that do."""
        raise BadValue(Message("fit.no_blocks", decoder=self.name, got="blocks"))

    def recentred_on(self, summaries: FloatArray, y: ArrayLike, *, blocks: ArrayLike | None = None) -> Self:
        """A copy of a fitted decoder that sees windows from the centre of these; what tells classes apart stays.

        Where covariances are recentred, the reference moves; else what the decoder normalises its features by. The
        limits of a valid window, and of one far from the training data, are those of these windows.

        Parameters
        ----------
        summaries : ``(n, …)`` float64, of another day. y : ``(n,)`` class of each.
        blocks : ``(n,)`` run or block of each, as for :meth:`fit_summaries`.

        Raises
        ------
        BadValue
            For a decoder without such a centre, and one whose adaptation starts from the features of its fit.
        """
        self.require_fitted()
        labels, block_of = checked_labels(y, n=len(summaries)), checked_blocks(blocks, n=len(summaries))
        twin = copy(self)
        # Hash and patterns are those of the decoder that it comes from.
        for stale in ("sha256_", "patterns_"):
            twin.__dict__.pop(stale, None)
        if "reference" in self.adaptation_:
            reference = reference_of(self, summaries, labels)
            twin.adaptation_ = self.adaptation_ | {"reference": reference, "whitening": whiteners(reference)}
        elif self.adapt is None:
            twin._move_centre(summaries, labels)
        else:
            raise BadValue(Message("decoder.adapts_from_fit", decoder=self.name))
        reducer, index = self.reducer(), np.searchsorted(self.classes_, labels)
        power = np.array([reducer.lane_power(summary) for summary in summaries])
        twin.low_, twin.high_ = power.min(axis=0) / LIMIT, power.max(axis=0) * LIMIT
        twin.evidence_ = self.evidence_ | novelty_of(twin, summaries, index, block_of)
        return twin

    def _move_centre(self, summaries: FloatArray, y: NDArray[Any]) -> None:
        """Normalise features by other windows, ``(n, …)`` of classes ``(n,)``; the classifier stays."""
        raise BadValue(Message("decoder.no_centre", decoder=self.name))

    def _recentred(self, summaries: FloatArray) -> FloatArray:
        """Summaries ``(n, …)`` as features are made of them."""
        whitening = self.adaptation_.get("whitening")
        return np.array([recentred(summary, whitening) for summary in summaries])

    # ------------------------------------------------------------------ predicting
    def scores_of(self, summaries: Iterable[FloatArray]) -> FloatArray:
        """Score of each class for each summary, ``(n, n_classes)`` float64; softmax gives probabilities."""
        self.require_fitted()
        scorer = self.scorer()
        scores = np.array([scorer.scores(scorer.features(summary)) for summary in summaries])
        if not np.isfinite(scores).all():
            raise BadSignal(Message("fit.window_rank"))
        return scores.reshape(-1, len(self.classes_))

    def evidence_of(self, summaries: Iterable[FloatArray]) -> list[Evidence]:
        """What the stream would say of each window without those before it; ``end`` is 0 in each.

        Parameters
        ----------
        summaries : ``(n, …)`` float64, of valid windows.
        """
        self.require_fitted()
        scorer, accumulator = self._stream_scorer(), self._accumulator()
        n, found = len(self.classes_) if self.evidence_type.has_classes else 0, []
        for summary in summaries:
            numbers, undecided = scorer.scores(scorer.features(summary)), False
            if accumulator is None:
                softmax(numbers.copy(), numbers)
            else:
                state = accumulator.step(accumulator.initial, numbers)
                numbers, undecided = accumulator.probabilities(state), accumulator.undecided(state)
            each = tuple(numbers.tolist())
            found.append(Evidence(0, each[:n], rejected=undecided, values=each[n:]))
        return found

    @property
    def movable(self) -> bool:
        """Whether :meth:`recentred_on` has a centre to move."""
        return "reference" in self.adaptation_ or (self.has_centre and self.adapt is None)

    def _epoch_scores(self, X: ArrayLike, lead_in: float | None) -> FloatArray:
        """Scores of each epoch: the mean over its windows, that is, log odds are averaged."""
        self.require_fitted()
        self._check_channels(channel_names(X))
        epochs = checked_epochs(X, n_channels=self.n_channels_in_, fs=self.fs)
        summaries, owner = self._epoch_summaries(epochs, self.lead_in_ if lead_in is None else lead_in)
        scores = self.scores_of(summaries)
        return np.array([_mean(scores[owner == i]) for i in range(len(epochs))])

    def _check_channels(self, names: tuple[str, ...] | None) -> None:
        """Raise :class:`DecoderMismatch` for named channels that differ in name or order from those of the fit."""
        names_in = getattr(self, "feature_names_in_", None)
        montage = getattr(self, "montage_", None)
        fitted = montage.channels if names_in is None and montage is not None else names_in
        if names is None or fitted is None or tuple(fitted) == names:
            return
        raise DecoderMismatch(
            Message(
                "decoder.epochs_channels",
                difference=channel_difference(fitted, names),
                names=str(list(fitted)[:3]),
            )
        )

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
        # Not scikit-learn's accuracy_score: its import would cost seconds where none is needed.
        return float(np.mean(np.asarray(self.predict(X)) == np.asarray(y)))

    # ------------------------------------------------------------------ streaming
    def scorer(self) -> Scorer:
        """Everything between a filtered window and scores, with what was learned."""
        arrays = self.evidence_
        maps: Calibration | Temperature | None = None
        if "factor" in arrays:
            maps = Temperature(float(arrays["factor"][0]))
        elif "calibration_x" in arrays:
            maps = Calibration(arrays["calibration_x"], arrays["calibration_y"], arrays["calibration_slope"])
        return Scorer(
            self.reducer(), self._features(), self._classifier(), maps, self.adaptation_.get("whitening")
        )

    def start(self) -> DecoderStream:
        """A fresh stream at sample 0. Loads arrays and designs nothing."""
        self.require_fitted()
        settings, arrays, rejection, scorer = self.evidence_settings, self.evidence_, None, self._stream_scorer()
        if "least" in arrays:
            limit = float(arrays["limit"][0]) if "limit" in arrays else 0.0
            rejection = Rejection(float(arrays["least"][0]), arrays.get("whitening"), arrays.get("means"), limit)
        accumulator = self._accumulator()
        finish = Finish(
            limits=(self.low_, self.high_),
            rest=settings.rest_index(self.class_names),
            accumulator=accumulator,
            rejection=rejection,
            # Without a memory each window is judged by itself, so nothing may drift between windows.
            rate=0.0 if accumulator is None else self._tracking(),
            novelty=self._novelty(),
            evidence=self.evidence_type,
        )
        adapter = adapter_of(self, scorer)
        return DecoderStream(self.signal(), scorer, classes=self.class_names, finish=finish, adapter=adapter)

    def _stream_scorer(self) -> Scorer:
        """Everything between a filtered window and what the stream accumulates: the scores of classes."""
        return self.scorer()

    def _accumulator(self) -> EvidenceAccumulator | None:
        """What accumulates the evidence of the stream; None where each window is judged separately."""
        return accumulator_of(
            self.evidence_settings,
            classes=self.class_names,
            hop_s=self.step_s,
            window_s=self.settings.n_window(self.fs) / self.fs,
            log_prior=self.log_prior_,
            arrays=self.evidence_,
        )

    def tolerant(self) -> Self:
        """A copy that rejects no window as unlike those of the fit, so that a rehearsal on noise takes every step.

        It computes the same distances against infinite limits, adapts without waiting for a window of each class,
        and must never decide on a signal.
        """
        twin = copy(self)
        # Of the decoder's arrays only those that it has: which ones depends on its evidence settings.
        every = ("limit", "novelty_limit", "novelty_unlike", "novelty_apart")
        limits = [name for name in every if name in self.evidence_]
        twin.evidence_ = self.evidence_ | {name: np.full_like(self.evidence_[name], np.inf) for name in limits}
        twin.adaptation_ = {name: array for name, array in self.adaptation_.items() if name != "balanced"}
        return twin

    def _novelty(self) -> Novelty | None:
        """The detector of windows far from the training data, None where it was not learned."""
        arrays = self.evidence_
        if "novelty_limit" not in arrays:
            return None
        return Novelty(
            n_bands=len(self.settings.bands),
            whitening=arrays["novelty_whitening"],
            means=arrays["novelty_means"],
            limit=float(arrays["novelty_limit"][0]),
            rate=min(1.0, self.step_s / MEMORY_S),
            covariances=arrays.get("novelty_covariances"),
            unlike=arrays.get("novelty_unlike"),
            neighbours=arrays.get("novelty_neighbours"),
            apart=arrays.get("novelty_apart"),
        )

    # ------------------------------------------------------------------ shown
    def __repr__(self) -> str:
        params = ", ".join(f"{name}={value!r}" for name, value in self.get_params().items())
        return f"{type(self).__name__}({params})"

    def _repr_html_(self) -> str:
        """Parameters and, once fitted, what was learned."""
        state = "fitted" if self.__sklearn_is_fitted__() else "not fitted"
        params = {name: repr(value) for name, value in self.get_params().items()}
        return card("Decoder", f"{type(self).__name__} ({state})", (params | self._facts()).items())

    def _facts(self) -> dict[str, str]:
        """Facts about a fitted decoder, by name."""
        if not hasattr(self, "classes_"):
            return {}
        settings = self.settings
        facts = {
            "classes": ", ".join(self.class_names),
            "channels": str(self.n_channels_in_),
            "bands": ", ".join(f"{low:g}–{high:g} Hz" for low, high in settings.bands),
            "window": f"{settings.window_s:g} s, every {self.step_s:g} s",
            "delay of the filters": ", ".join(f"{1000 * delay:.0f} ms" for delay in self.delay_s),
            "reference used": settings.reference,
        }
        return facts | ({"SHA-256": self.sha256_} if hasattr(self, "sha256_") else {})

    # ------------------------------------------------------------------ epochs → windows
    def _windows_of(self, epochs: FloatArray, lead_in: float) -> EpochWindows:
        latency_s = self.latency_s if self.time_locked else None
        return EpochWindows(self.fs, epochs.shape[2], lead_in, latency_s)

    def _epoch_summaries(self, epochs: FloatArray, lead_in: float) -> tuple[FloatArray, NDArray[np.int64]]:
        """Summaries of every window of every epoch, and the epoch each belongs to."""
        windows = self._windows_of(epochs, lead_in)

        def summaries(stretch: FloatArray) -> list[list[FloatArray]]:
            """Summaries of the windows of neighbouring epochs, each filtered from its own start."""
            stream = self.signal()
            return [[self.summarise(window) for window in windows.windows(stream, epoch)] for epoch in stretch]

        by_epoch = [of_epoch for stretch in by_stretches(summaries, epochs) for of_epoch in stretch]
        owner = np.repeat(np.arange(len(by_epoch), dtype=np.int64), [len(of_epoch) for of_epoch in by_epoch])
        return np.array([summary for of_epoch in by_epoch for summary in of_epoch]), owner


def _mean(rows: FloatArray) -> FloatArray:
    """Mean over windows, summed in order; one window is returned as it is."""
    # In order: NumPy sums by pairs, and the bits would depend on how many windows there are.
    total: FloatArray = rows[0].copy()
    for row in rows[1:]:
        total += row
    total /= len(rows)
    return total
