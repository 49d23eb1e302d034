"""Canonical correlation analysis of steady-state responses: no calibration needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from workbench.decoders._base import WindowDecoder
from workbench.decoders._calibration_free import ready_without_data
from workbench.decoders._signal import SignalDefaults, as_bands, no_reference
from workbench.decoding.classifiers import Direct
from workbench.decoding.correlations import Canonical
from workbench.decoding.reducers import Whole
from workbench.fitting.steady_state import CORRELATION_EVIDENCE, references, sub_bands
from workbench.vocabulary import FloatArray


class Cca(WindowDecoder):
    """Greatest correlation of a window with sines and cosines of each class's frequency.

    Parameters
    ----------
    fs : rate in Hz.
    frequencies : mapping of the name of each class to its frequency in Hz, such as ``{"13": 13.0}``.
    harmonics : sines and cosines of so many multiples of each frequency; those above the pass band are left out.
    bands : pass bands in Hz; one, 6–90 Hz, by default, lower at low rates. Several are weighed equally.
    window_s : 2.0 s by default. hop_s : s.
    reference : ``"auto"`` takes none; ``"none"``, ``"car"``, or bipolar pairs of channel indices.
    mains_hz : 50, 60, or 0 for no notch.
    evidence : see :class:`WindowDecoder`.

    Attributes
    ----------
    references_ : ``(n_window, n_classes · 2 · harmonics)`` float64, orthonormal for each class.

    Notes
    -----
    Lin, Zhang, Wu and Gao 2006, doi:10.1109/TBME.2006.886577. Nothing is learned but how scores become
    probabilities; :meth:`start_from` needs no data at all.
    """

    name: ClassVar[str] = "cca"
    signal_defaults: ClassVar[SignalDefaults] = SignalDefaults(
        window_s=2.0, reference=no_reference, shape="chebyshev1"
    )
    evidence_defaults: ClassVar[Mapping[str, Any]] = CORRELATION_EVIDENCE
    scores_hold_prior: ClassVar[bool] = False
    learned: ClassVar[tuple[str, ...]] = ("references_",)

    references_: FloatArray

    def __init__(
        self,
        fs: float = 250.0,
        *,
        frequencies: Mapping[str, float] | None = None,
        harmonics: int = 5,
        bands: Sequence[tuple[float, float]] | None = None,
        window_s: float | None = None,
        hop_s: float = 0.05,
        reference: str | Sequence[tuple[int, int]] = "auto",
        mains_hz: float = 50.0,
        evidence: Mapping[str, Any] | None = None,
    ) -> None:
        self.fs = fs
        self.frequencies = frequencies
        self.harmonics = harmonics
        self.bands = bands
        self.window_s = window_s
        self.hop_s = hop_s
        self.reference = reference
        self.mains_hz = mains_hz
        self.evidence = evidence

    def pass_bands(self) -> tuple[tuple[float, float], ...]:
        """Pass bands, Hz: those given, or the first sub-band at this rate."""
        return sub_bands(self.fs, 1) if self.bands is None else as_bands(self.bands)

    def start_from(self, n_channels: int) -> Self:
        """Make the decoder ready without any data, for a raw stream of ``n_channels``.

        The classes are those of ``frequencies``, and decisions are those of a fitted decoder. Probabilities are
        not calibrated, nothing is rejected, and windows are not judged by their power, only by their quality.

        Raises
        ------
        BadValue
            When ``frequencies`` names fewer than two classes, or evidence has a trigger, which takes data.
        """
        ready_without_data(self, n_channels, frequencies=self.frequencies)
        self.references_ = self._references()
        return self

    def _learn(self, summaries: FloatArray, y: NDArray[Any]) -> None:
        self.references_ = self._references()

    def _references(self) -> FloatArray:
        return references(
            self.class_names, self.frequencies, harmonics=self.harmonics, settings=self.settings, fs=self.fs
        )

    def reducer(self) -> Whole:
        """Every sample."""
        return Whole()

    def _features(self) -> Canonical:
        # One band by default; several that were asked for count alike.
        weights = np.ones(len(self.settings.bands))
        return Canonical(self.references_, weights, power=1, n_classes=len(self.classes_))

    def _classifier(self) -> Direct:
        return Direct()


DECODER = Cca
