"""xDAWN filters, and what the decoders that use them share. Fitting only: LAPACK is allowed here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from workbench.decoders._locked import TimeLocked
from workbench.errors import BadValue
from workbench.fitting.spatial import top_filters
from workbench.vocabulary import FloatArray


def xdawn(windows: FloatArray, members: Sequence[NDArray[np.bool_]], *, n_filters: int) -> FloatArray:
    """xDAWN filters of each of several classes.

    Parameters
    ----------
    windows : ``(n, n_times, n_lanes)`` float64, µV. members : of each class, ``(n,)``, which windows belong to it.
    n_filters : of each class; fewer where there are fewer channels.

    Returns
    -------
    ``(n_classes · n_filters, n_lanes)`` float64: those of the first class first, the best of each first.

    Notes
    -----
    Rivet, Souloumiac, Attina and Gibert 2009, doi:10.1109/TBME.2009.2012869: filters that make the evoked response
    greatest against everything recorded. The response is the plain average of the windows. The paper takes least
    squares on the whole recording, so that responses which overlap are told apart; of separate epochs, each with
    one event, least squares is that average.
    """
    every = windows.reshape(-1, windows.shape[2])
    every = every - every.mean(axis=0)
    whole = every.T @ every / len(every)
    made = []
    for member in members:
        evoked = windows[member].mean(axis=0)
        evoked = evoked - evoked.mean(axis=0)
        made.append(top_filters(evoked.T @ evoked / len(evoked), whole, n_filters))
    return np.concatenate(made)


class XdawnDecoder(TimeLocked):
    """A decoder of event-related responses: one band, windows locked to the event, xDAWN filters.

    Parameters
    ----------
    fs : rate in Hz.
    band : pass band in Hz. The high-pass takes seconds to settle: windows are valid only after it, and epochs need
        a lead-in.
    n_filters : xDAWN filters of each class.
    latency_s : from the event to the start of the window, s.
    window_s, hop_s : s.
    reference : ``"auto"`` takes none, as the filters learn their own; ``"none"``, ``"car"``, or bipolar pairs of
        channel indices.
    mains_hz : 50, 60, or 0 for no notch.
    evidence, adapt : see :class:`WindowDecoder`.

    Notes
    -----
    Classes may be rare: priors are by count, as probabilities are wanted that are right for the recording. What
    sums evidence over flashes takes the prior off again (:class:`workbench.decoders.Flashes`).
    """

    default_window_s: ClassVar[float] = 0.8

    filters_: FloatArray
    weights_: FloatArray
    bias_: FloatArray

    def __init__(
        self,
        fs: float = 250.0,
        *,
        band: tuple[float, float] = (0.5, 20.0),
        n_filters: int = 4,
        latency_s: float = 0.0,
        window_s: float | None = None,
        hop_s: float = 0.05,
        reference: str | Sequence[tuple[int, int]] = "auto",
        mains_hz: float = 50.0,
        evidence: Mapping[str, Any] | None = None,
        adapt: Mapping[str, Any] | None = None,
    ) -> None:
        self.fs = fs
        self.band = band
        self.n_filters = n_filters
        self.latency_s = latency_s
        self.window_s = window_s
        self.hop_s = hop_s
        self.reference = reference
        self.mains_hz = mains_hz
        self.evidence = evidence
        self.adapt = adapt

    def pass_bands(self) -> tuple[tuple[float, float], ...]:
        """The one pass band, Hz."""
        return ((float(self.band[0]), float(self.band[1])),)

    def reference_for(self, n_channels: int) -> str:
        """None: the filters learn their own."""
        return "none"

    def _learn_filters(self, windows: FloatArray, y: NDArray[Any]) -> list[NDArray[np.bool_]]:
        """Learn the filters; returns which windows belong to each class."""
        if self.n_filters < 1:
            raise BadValue(f"n_filters must be at least 1, got {self.n_filters}")
        members = [y == name for name in self.classes_]
        self.filters_ = xdawn(windows, members, n_filters=self.n_filters)
        return members
