"""Error-related potentials: the response to feedback that was not what was meant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from workbench.decoders._signal import SignalDefaults, no_reference
from workbench.decoders.xdawn_lda import XdawnLda


class Errp(XdawnLda):
    """Means at 32 Hz → xDAWN filters → LDA, of 1–10 Hz and 0.2–0.8 s after the feedback.

    Parameters
    ----------
    fs : rate in Hz.
    band : pass band in Hz, 1–10 Hz by default. The high-pass takes seconds to settle: windows are valid
        only after it, and epochs need a lead-in.
    n_filters : xDAWN filters of each class.
    latency_s : from the feedback to the start of the window, s. The response is largest at FCz and Cz.
    window_s : 0.6 s by default. hop_s : s.
    reference : ``"auto"`` takes none, as the filters learn their own; ``"none"``, ``"car"``, or bipolar pairs of
        channel indices.
    mains_hz : 50, 60, or 0 for no notch.
    evidence, adapt : see :class:`WindowDecoder`.

    Attributes
    ----------
    filters_ : ``(n_filters, n_lanes)`` float64, those of the first class first.
    weights_ : ``(n_classes, n_means · n_filters)`` float64, mean after mean. bias_ : ``(n_classes,)`` float64.

    Notes
    -----
    Review of the response: Chavarriaga, Sobolewski and Millán 2014, doi:10.3389/fnins.2014.00208. Filters and
    classifier are those of ``xdawn_lda``. Before it gates labels, its own AUC on held-out feedback should be 0.7
    or more.
    """

    name: ClassVar[str] = "errp"
    signal_defaults: ClassVar[SignalDefaults] = SignalDefaults(window_s=0.6, reference=no_reference)

    def __init__(
        self,
        fs: float = 250.0,
        *,
        band: tuple[float, float] = (1.0, 10.0),
        n_filters: int = 4,
        latency_s: float = 0.2,
        window_s: float | None = None,
        hop_s: float = 0.05,
        reference: str | Sequence[tuple[int, int]] = "auto",
        mains_hz: float = 50.0,
        evidence: Mapping[str, Any] | None = None,
        adapt: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(
            fs,
            band=band,
            n_filters=n_filters,
            latency_s=latency_s,
            window_s=window_s,
            hop_s=hop_s,
            reference=reference,
            mains_hz=mains_hz,
            evidence=evidence,
            adapt=adapt,
        )


DECODER = Errp
