"""What decoders need that have both frequencies and templates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from workbench.decoders._locked import TimeLocked
from workbench.decoders._ssvep import FrequencyCoded
from workbench.decoders._trca import LATENCY_S


class TemplateCoded(TimeLocked, FrequencyCoded):
    """Steady-state responses whose classes are frequencies, in trials that are locked in phase.

    Parameters
    ----------
    fs, frequencies, harmonics, bands, window_s, hop_s, reference, mains_hz, evidence : see
        :class:`workbench.decoders._ssvep.FrequencyCoded`. Windows of 1.0 s.
    latency_s : from the stimulus to the start of the window, s.
    """

    default_window_s: ClassVar[float] = 1.0

    def __init__(
        self,
        fs: float = 250.0,
        *,
        frequencies: Mapping[str, float] | None = None,
        harmonics: int = 5,
        bands: Sequence[tuple[float, float]] | None = None,
        latency_s: float = LATENCY_S,
        window_s: float | None = None,
        hop_s: float = 0.05,
        reference: str | Sequence[tuple[int, int]] = "auto",
        mains_hz: float = 50.0,
        evidence: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(
            fs,
            frequencies=frequencies,
            harmonics=harmonics,
            bands=bands,
            window_s=window_s,
            hop_s=hop_s,
            reference=reference,
            mains_hz=mains_hz,
            evidence=evidence,
        )
        self.latency_s = latency_s
