"""Movement-related cortical potentials: slow waves as samples in time, a shrinkage LDA, self-paced detection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from numpy.typing import NDArray

from workbench.decoders._base import WindowDecoder
from workbench.decoders._signal import SignalDefaults, as_bands, average_of_two_or_more
from workbench.decoding.classifiers import Linear
from workbench.decoding.features import Flat
from workbench.decoding.reducers import Means, Taps
from workbench.errors import BadValue
from workbench.fitting.lda import shrinkage_lda
from workbench.messages import Message
from workbench.vocabulary import FloatArray

RATE = 16.0
"""Rate of the taps, Hz."""


class MrcpLda(WindowDecoder):
    """Slow potentials of the last means → LDA → trigger.

    Parameters
    ----------
    fs : rate in Hz.
    band : pass band in Hz. Its upper edge sets the delay: 3 Hz delays a potential by 158 ms, in which a movement
        may have begun, 7 Hz by 67 ms; means over 62 ms then keep out what is faster.
    n_taps : values at 16 Hz that make a window, 8–16 (0.5–1 s) in the literature.
    means : whether a value is the mean of its sixteenth of a second, or the last sample of it.
    window_s : the values' own length by default; another spreads them over it. hop_s : s.
    reference : ``"auto"`` takes the common average from 2 channels on; ``"none"``, ``"car"``, or bipolar pairs.
    mains_hz : 50, 60, or 0 for no notch.
    evidence, adapt : see :class:`WindowDecoder`. By default a trigger with at most one false detection a minute of
        held-out rest, held for 2 s in which there is no other; none where the classes have no rest.

    Attributes
    ----------
    weights_ : ``(n_classes, n_taps · n_lanes)`` float64, tap after tap. bias_ : ``(n_classes,)`` float64.

    Notes
    -----
    Niazi et al. 2011, Journal of Neural Engineering 8, 066009 (detection of slow potentials in single trials);
    shrinkage: Ledoit and Wolf 2004, doi:10.1016/S0047-259X(03)00096-4. The high-pass of 0.3 Hz takes seconds to
    settle: windows are valid only after it, and epochs need a lead-in.
    """

    name: ClassVar[str] = "mrcp_lda"
    signal_defaults: ClassVar[SignalDefaults] = SignalDefaults(window_s=1.0, reference=average_of_two_or_more)
    evidence_defaults: ClassVar[Mapping[str, Any]] = {"memory": "trigger"}
    learned: ClassVar[tuple[str, ...]] = ("weights_", "bias_")
    before: ClassVar[Mapping[str, Any]] = {"means": False}

    weights_: FloatArray
    bias_: FloatArray

    def __init__(
        self,
        fs: float = 250.0,
        *,
        band: tuple[float, float] = (0.3, 7.0),
        n_taps: int = 16,
        means: bool = True,
        window_s: float | None = None,
        hop_s: float = 0.0625,
        reference: str | Sequence[tuple[int, int]] = "auto",
        mains_hz: float = 50.0,
        evidence: Mapping[str, Any] | None = None,
        adapt: Mapping[str, Any] | None = None,
    ) -> None:
        self.fs = fs
        self.band = band
        self.n_taps = n_taps
        self.means = means
        self.window_s = window_s
        self.hop_s = hop_s
        self.reference = reference
        self.mains_hz = mains_hz
        self.evidence = evidence
        self.adapt = adapt

    def pass_bands(self) -> tuple[tuple[float, float], ...]:
        """The one pass band, Hz."""
        return as_bands([self.band])

    def defaults_for(self, n_channels: int) -> SignalDefaults:
        """Windows as long as the taps."""
        return replace(self.signal_defaults, window_s=self.n_taps / RATE)

    def _learn(self, summaries: FloatArray, y: NDArray[Any]) -> None:
        # Taps outermost, as Flat flattens them in the stream.
        self.weights_, self.bias_, _ = shrinkage_lda(summaries.reshape(len(summaries), -1), y)

    def reducer(self) -> Taps | Means:
        """Means of equal stretches of the window, or their last samples."""
        longest = self.settings.n_window(self.fs)
        if not 2 <= self.n_taps <= longest:
            raise BadValue(Message("fit.n_taps", most=str(longest), got=str(self.n_taps)))
        return Means(longest, self.n_taps) if self.means else Taps(self.n_taps)

    def _features(self) -> Flat:
        return Flat()

    def _classifier(self) -> Linear:
        return Linear(self.weights_, self.bias_)


DECODER = MrcpLda
