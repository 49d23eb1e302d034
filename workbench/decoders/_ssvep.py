"""What decoders of steady-state responses share: sub-bands and their weights, frequencies and their references."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from workbench.decoders._base import WindowDecoder
from workbench.decoding.classifiers import Direct
from workbench.decoding.reducers import Whole
from workbench.errors import BadValue
from workbench.fitting.held_out import bounds_of
from workbench.kernels.correlation import orthonormal
from workbench.signals import SignalSettings
from workbench.vocabulary import FloatArray

N_BANDS = 5
"""Sub-bands of a filter bank."""

STEP_HZ, TOP_HZ = 8.0, 90.0
"""Sub-band n begins 2 Hz below n times the step, and no lower than 6 Hz; all end at the top."""

RATE_SHARE = 0.45
"""At low rates the sub-bands end at this share of the rate, and those that would be narrower than a step go."""


def sub_bands(fs: float, n_bands: int = N_BANDS) -> tuple[tuple[float, float], ...]:
    """Sub-bands in Hz at a rate of ``fs`` Hz: [8 n - 2, 90], n from 1, as far as the rate allows.

    Notes
    -----
    The third bank (M3) of Chen et al. 2015, doi:10.1088/1741-2560/12/4/046008.
    """
    top = min(TOP_HZ, RATE_SHARE * fs)
    bands = [(STEP_HZ * n - 2.0, top) for n in range(1, n_bands + 1)]
    return tuple([bands[0], *(band for band in bands[1:] if band[1] - band[0] >= STEP_HZ)])


def band_weights(n_bands: int) -> FloatArray:
    """``(n_bands,)`` float64: n^-1.25 + 0.25, n from 1; Chen et al. 2015, doi:10.1088/1741-2560/12/4/046008."""
    weights: FloatArray = np.arange(1.0, n_bands + 1.0) ** -1.25 + 0.25
    return weights


def sinusoids(frequency: float, *, harmonics: int, top: float, fs: float, n: int) -> FloatArray:
    """Orthonormal references of a frequency: sines and cosines of it and of its harmonics.

    Parameters
    ----------
    frequency : Hz. harmonics : of it, the frequency itself among them; those above ``top`` Hz are left out.
    fs : rate in Hz. n : samples.

    Returns
    -------
    ``(n, 2 · harmonics)`` float64: centred columns made orthonormal; zeros where a harmonic was left out.
    """
    t = np.arange(n) / fs
    columns = np.zeros((n, 2 * harmonics))
    for h in range(1, min(harmonics, int(top / frequency + 1e-9)) + 1):
        columns[:, 2 * h - 2] = np.sin(2 * np.pi * h * frequency * t)
        columns[:, 2 * h - 1] = np.cos(2 * np.pi * h * frequency * t)
    out = np.empty_like(columns)
    orthonormal(np.ascontiguousarray(columns - columns.mean(axis=0)), out)
    return out


class Ssvep(WindowDecoder):
    """A decoder of steady-state responses: sub-bands, whole windows, scores that are no probabilities.

    Scores are sums of correlations; one factor for all classes, learned from held-out epochs, makes probabilities
    of them, so the class with the best score stays the decision. They hold no prior.
    """

    default_evidence: ClassVar[Mapping[str, Any]] = {"calibrate": "temperature"}
    scores_hold_prior: ClassVar[bool] = False
    n_bands: ClassVar[int] = N_BANDS

    adapt = None
    bands: Sequence[tuple[float, float]] | None

    def pass_bands(self) -> tuple[tuple[float, float], ...]:
        """Pass bands, Hz: those given, or the sub-bands at this rate."""
        if self.bands is None:
            return sub_bands(self.fs, self.n_bands)
        return tuple((float(low), float(high)) for low, high in self.bands)

    def reference_for(self, n_channels: int) -> str:
        """None: the decoder learns its own, and a common average takes away what occipital channels share."""
        return "none"

    def settings_for(self, n_channels: int, *, window_s: float | None = None) -> SignalSettings:
        """As every decoder's, with Chebyshev filters of the first kind."""
        return replace(super().settings_for(n_channels, window_s=window_s), shape="chebyshev1")

    def reducer(self) -> Whole:
        """Every sample."""
        return Whole()

    def _classifier(self) -> Direct:
        return Direct()

    def _learn(self, summaries: FloatArray, y: NDArray[Any]) -> None:
        self._learn_templates(summaries, y)

    @abstractmethod
    def _learn_templates(self, windows: FloatArray, y: NDArray[Any]) -> None:
        """Learn from windows ``(n, n_window, n_lanes)`` float64, µV; ``classes_`` is set."""

    def _bands_of(self, windows: FloatArray) -> FloatArray:
        """``(n_bands, n, n_window, n_channels)`` float64: windows, band by band."""
        n_bands = len(self.settings.bands)
        apart = windows.reshape(*windows.shape[:2], n_bands, -1)
        return np.ascontiguousarray(np.moveaxis(apart, 2, 0))


class FrequencyCoded(Ssvep):
    """Steady-state responses whose classes are frequencies.

    Parameters
    ----------
    fs : rate in Hz.
    frequencies : mapping of the name of each class to its frequency in Hz, such as ``{"13": 13.0}``.
    harmonics : sines and cosines of so many multiples of each frequency; those above the pass band are left out.
    bands : pass bands in Hz; the sub-bands [8 n - 2, 90] by default, lower at low rates.
    window_s, hop_s : s.
    reference : ``"auto"`` takes none; ``"none"``, ``"car"``, or bipolar pairs of channel indices.
    mains_hz : 50, 60, or 0 for no notch.
    evidence : see :class:`WindowDecoder`.
    """

    frequencies: Mapping[str, float] | None
    harmonics: int
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

    def _learn_references(self) -> None:
        """References of every class, ``(n_window, n_classes · 2 · harmonics)`` float64."""
        top = max(high for _, high in self.settings.bands)
        n = self.settings.n_window(self.fs)
        each = [sinusoids(hz, harmonics=self.harmonics, top=top, fs=self.fs, n=n) for hz in self._hertz(top)]
        self.references_ = np.concatenate(each, axis=1)

    def _hertz(self, top: float) -> list[float]:
        """Frequency of each class, Hz."""
        given = {str(name): float(hz) for name, hz in (self.frequencies or {}).items()}
        if self.harmonics < 1:
            raise BadValue(f"harmonics must be at least 1, got {self.harmonics}")
        lacking = [name for name in self.class_names if name not in given]
        if lacking:
            raise BadValue(
                f"frequencies must give the Hz of every class; it gives {', '.join(given) or 'none'}, the labels "
                f"have {', '.join(lacking)} too"
            )
        for name in self.class_names:
            if not 0 < given[name] <= top:
                raise BadValue(
                    f"the frequency of {name} must lie above 0 and at most at {top:g} Hz, the end of the pass "
                    f"band, got {given[name]:g} Hz"
                )
        return [given[name] for name in self.class_names]


class Canonically(FrequencyCoded):
    """Canonical correlation with sines and cosines: decides without a calibration."""

    learned: ClassVar[tuple[str, ...]] = ("references_",)
    default_window_s: ClassVar[float] = 2.0

    def start_from(self, n_channels: int) -> Self:
        """Make the decoder ready without any data, for a raw stream of ``n_channels``.

        The classes are those of ``frequencies``, and decisions are those of a fitted decoder. Probabilities are
        not calibrated, nothing is rejected, and windows are not judged by their power, only by their quality.

        Raises
        ------
        BadValue
            When ``frequencies`` names fewer than two classes, or evidence has a trigger, which takes data.
        """
        names = sorted(str(name) for name in self.frequencies or {})
        if len(names) < 2:
            raise BadValue(f"frequencies must name at least two classes and their Hz, got {self.frequencies}")
        self.prepare(n_channels)
        n_lanes = self.signal().n_lanes
        self.classes_, self.log_prior_ = np.array(names), np.zeros(len(names))
        self.low_, self.high_ = np.zeros(n_lanes), np.full(n_lanes, np.inf)
        self.lead_in_, self.adaptation_ = 0.0, {}
        if self.evidence_settings.remembers(self.class_names) == "trigger":
            raise BadValue("a trigger's threshold is learned from rest; fit the decoder, or take another memory")
        self.evidence_ = bounds_of(self.evidence_settings, self.class_names)
        self.__dict__.pop("sha256_", None)
        self._learn_references()
        return self

    def _learn_templates(self, windows: FloatArray, y: NDArray[Any]) -> None:
        self._learn_references()
