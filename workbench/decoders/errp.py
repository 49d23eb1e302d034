"""Error-related potentials: the response to feedback that was not what was meant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from workbench.decoders.xdawn_lda import XdawnLda


class Errp(XdawnLda):
    """Means at 32 Hz → xDAWN filters → LDA, of 1–10 Hz and 0.2–0.8 s after the feedback.

    Parameters
    ----------
    fs, band, n_filters, latency_s, window_s, hop_s, reference, mains_hz, evidence, adapt : see
        :class:`workbench.decoders._xdawn.XdawnDecoder`. The response is largest at FCz and Cz.

    Attributes
    ----------
    filters_, weights_, bias_ : as in :class:`workbench.decoders.xdawn_lda.XdawnLda`.

    Notes
    -----
    Review of the response: Chavarriaga, Sobolewski and Millán 2014, doi:10.3389/fnins.2014.00208. Filters and
    classifier are those of ``xdawn_lda``. Before it gates labels, its own AUC on held-out feedback should be 0.7
    or more.
    """

    name: ClassVar[str] = "errp"
    default_window_s: ClassVar[float] = 0.6

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
