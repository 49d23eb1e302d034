"""What every decoder says about the signal it needs: reference, bands, window, hop."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Self

from workbench.decoders._estimator import Estimator
from workbench.errors import BadSignal, BadValue
from workbench.signals import SignalSettings, SignalStream, design
from workbench.vocabulary import FloatArray

ECOG_RATE = 500.0
"""From this rate in Hz on, a montage that does not say otherwise is taken for ECoG."""

STRIP_PAIRS: tuple[tuple[int, int], ...] = ((0, 1), (1, 2), (2, 3), (4, 5), (5, 6), (6, 7))
"""Neighbours within each of two epidural strips of four contacts."""

CAR_CHANNELS = 8
"""The common average is the default from so many channels on; fewer estimate a reference badly."""


class SignalEstimator(Estimator, ABC):
    """An estimator that declares the signal settings it needs and designs its filters."""

    default_window_s: ClassVar[float]
    fs: float
    window_s: float | None
    hop_s: float
    reference: str | Sequence[tuple[int, int]]
    mains_hz: float

    n_channels_in_: int
    settings_: SignalSettings
    design_: dict[str, FloatArray]

    @abstractmethod
    def pass_bands(self) -> tuple[tuple[float, float], ...]:
        """Pass bands in Hz."""

    def bands_for(self, n_channels: int) -> tuple[tuple[float, float], ...]:
        """Pass bands in Hz for a raw stream of ``n_channels``."""
        return self.pass_bands()

    def default_window(self, n_channels: int) -> float:
        """Length of a window in s where none is given, for a raw stream of ``n_channels``."""
        return self.default_window_s

    def reference_for(self, n_channels: int) -> str:
        """What ``reference="auto"`` takes for a raw stream of ``n_channels``."""
        if self.fs >= ECOG_RATE and n_channels == 8:
            return "bipolar"
        return "car" if n_channels >= CAR_CHANNELS else "none"

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
            reference = self.reference_for(n_channels)
        else:
            reference = self.reference
        return self._settings(n_channels, window_s, reference=reference, pairs=pairs)

    def _settings(
        self, n_channels: int, window_s: float | None, *, reference: str, pairs: tuple[tuple[int, int], ...] = ()
    ) -> SignalSettings:
        if window_s is None:
            window_s = self.default_window(n_channels) if self.window_s is None else self.window_s
        return SignalSettings(
            bands=self.bands_for(n_channels),
            window_s=window_s,
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
