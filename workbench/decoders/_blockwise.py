"""What decoders share that go on learning block by block: log power in stretches, and linear models of PLS."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from workbench.decoders._base import WindowDecoder
from workbench.decoders._shown import AXES, evidence_of, points_of
from workbench.decoders._signal import SignalDefaults, as_bands
from workbench.decoders.bandpower_lda import plain_bands
from workbench.decoding.blocks import Lesson, Part
from workbench.decoding.classifiers import Linear, Norm
from workbench.decoding.features import LogStretches
from workbench.decoding.reducers import StretchPower
from workbench.errors import BadValue
from workbench.fitting.normalisation import fitted_norm
from workbench.fitting.recursive import ModelSettings, fitted, lesson_arrays, lesson_of
from workbench.messages import Message
from workbench.vocabulary import EvidenceType, FloatArray


class Blockwise(WindowDecoder):
    """Log power in stretches → z-score → linear models, which a subclass names and puts together.

    Parameters
    ----------
    fs, velocities, model, bands, window_s, hop_s, reference, mains_hz, evidence, adapt : as the subclass says.

    Attributes
    ----------
    mean_, variance_ : ``(n_features,)`` float64, of log power.
    weights_ : ``(n_outputs, n_features)`` float64, of z-scores, of all models. bias_ : ``(n_outputs,)`` float64.
    points_ : ``(n_classes, n_values)`` float64, velocity or indicator of each class.
    error_ : ``(n_models,)`` float64, mean square error of a target on blocks of the fit before they were learned.
    """

    has_centre: ClassVar[bool] = True
    learns_blocks: ClassVar[bool] = True
    signal_defaults: ClassVar[SignalDefaults] = SignalDefaults(window_s=1.0, order=2)
    learned: ClassVar[tuple[str, ...]] = ("mean_", "variance_", "weights_", "bias_", "points_", "error_")

    mean_: FloatArray
    variance_: FloatArray
    weights_: FloatArray
    bias_: FloatArray
    points_: FloatArray
    error_: FloatArray

    def __init__(
        self,
        fs: float = 250.0,
        *,
        velocities: Mapping[str, Sequence[float]] | None = None,
        model: Mapping[str, Any] | None = None,
        bands: Sequence[tuple[float, float]] | None = None,
        window_s: float | None = None,
        hop_s: float = 0.05,
        reference: str | Sequence[tuple[int, int]] = "auto",
        mains_hz: float = 50.0,
        evidence: Mapping[str, Any] | None = None,
        adapt: Mapping[str, Any] | None = None,
    ) -> None:
        self.fs = fs
        self.velocities = velocities
        self.model = model
        self.bands = bands
        self.window_s = window_s
        self.hop_s = hop_s
        self.reference = reference
        self.mains_hz = mains_hz
        self.evidence = evidence
        self.adapt = adapt

    @abstractmethod
    def _parts(self) -> tuple[Part, ...]:
        """The models, in the order of their rows in the weights; points and classes are known."""

    def pass_bands(self) -> tuple[tuple[float, float], ...]:
        """Pass bands in Hz: those given, or the default for the rate and the mains."""
        return plain_bands(self.fs, self.mains_hz) if self.bands is None else as_bands(self.bands)

    @property
    def model_settings(self) -> ModelSettings:
        """How features are made and learned: the defaults, and over them those given."""
        return ModelSettings.of(self.model)

    @property
    def evidence_type(self) -> EvidenceType:
        """A velocity in the named dimensions; without velocities a probability of each class."""
        return evidence_of(self.velocities)

    @property
    def remembers(self) -> bool:
        """A velocity rests on the windows before it; probabilities on what the evidence settings say."""
        return self.velocities is not None or super().remembers

    def _learn(self, summaries: FloatArray, y: NDArray[Any]) -> None:
        self.points_ = self._points()
        logs = self._normalise(summaries)
        rows, index = (logs - self.mean_) / np.sqrt(self.variance_), np.searchsorted(self.classes_, y)
        model, adapt = self.model_settings, self.adapt_settings
        made = fitted(self._parts(), rows, index, n_components=model.n_components, shape=self._shape())
        self.weights_, self.bias_ = made.line
        self.error_ = made.variance
        if adapt is not None:
            window_s = self.settings.n_window(self.fs) / self.fs
            self.adaptation_ = lesson_arrays(
                made, rows, index, settings=adapt, window_s=window_s, step_s=self.step_s
            )

    def _points(self) -> FloatArray:
        """``(n_classes, n_values)`` float64: what is regressed on."""
        if self.velocities is None:
            return np.eye(len(self.classes_))
        return points_of(self, self.velocities, name="velocities", most=len(AXES))

    def _normalise(self, summaries: FloatArray) -> FloatArray:
        """Log power of the windows, ``(n, n_features)``; normalised by them from now on."""
        extract = self._features()
        logs = np.array([extract.features(summary) for summary in summaries])
        self.mean_, self.variance_ = fitted_norm(logs)
        return logs

    def _move_centre(self, summaries: FloatArray, y: NDArray[Any]) -> None:
        """The normalisation of log power."""
        self._normalise(summaries)

    def lesson(self) -> Lesson:
        """What a stream that adapts goes on from."""
        return lesson_of(self.adaptation_, self._parts(), shape=self._shape())

    def _shape(self) -> tuple[int, ...] | None:
        """Stretches, bands and derivations, where the weights are products of these."""
        model, n_bands = self.model_settings, len(self.settings.bands)
        n_places = len(self.mean_) // model.stretches // n_bands
        return (model.stretches, n_bands, n_places) if model.n_way else None

    def reducer(self) -> StretchPower:
        """The power of each lane in each stretch."""
        stretches, n_window = self.model_settings.stretches, self.settings.n_window(self.fs)
        if stretches > n_window:
            raise BadValue(Message("fit.stretches", most=n_window, got=stretches))
        return StretchPower(stretches)

    def _features(self) -> LogStretches:
        return LogStretches()

    def _lines(self) -> Linear:
        """All models."""
        return Linear(self.weights_, self.bias_, Norm(self.mean_, self.variance_))
