"""Causal decimation: a low-pass with carried state, then every n-th sample. The same bits for any chunking."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from workbench.errors import BadSignal, BadValue
from workbench.messages import Message
from workbench.signals._filter import FilterBank
from workbench.vocabulary import FloatArray

ORDER, STOP_DB = 8, 60.0
"""Anti-alias filter: Chebyshev of the second kind, and its attenuation from half the new rate on, dB."""


def design_decimator(factor: int, *, fs: float) -> dict[str, FloatArray]:
    """Design the anti-alias filter in front of a decimation.

    Parameters
    ----------
    factor : input samples per output sample, at least 2.
    fs : rate of the input, Hz.

    Returns
    -------
    dict of float64 arrays
        ``sections`` ``(1, 4, 5)``: b0, b1, b2, a1, a2; ``rest`` ``(1, 4, 2)``: states for a constant input of 1;
        ``factor`` ``(1,)``; ``delay`` ``(1,)``: group delay of slow signals, s.

    Raises
    ------
    BadValue
        A factor below 2, or a rate that is not above 0.

    Notes
    -----
    Down to 60 dB from half the new rate on, 3 dB down at about two thirds of it. An IIR filter, because a
    linear-phase one of the same steepness delays three times as long.
    """
    if factor < 2 or factor != int(factor):
        raise BadValue(Message("signal.factor", got=factor))
    if not 0 < fs < float("inf"):
        raise BadValue(Message("signal.fs", got=str(fs)))
    from scipy import signal

    # SciPy normalises to half the input rate, so 1 / factor is half the output rate.
    sos = signal.cheby2(ORDER, STOP_DB, 1.0 / factor, output="sos")
    # Group delay of a section at 0 Hz, in samples: minus the derivative of its phase there.
    slopes = [(s[1] + 2 * s[2]) / s[:3].sum() - (s[4] + 2 * s[5]) / s[3:].sum() for s in sos]
    return {
        "sections": np.ascontiguousarray(sos[None][:, :, [0, 1, 2, 4, 5]], dtype=np.float64),
        "rest": np.ascontiguousarray(signal.sosfilt_zi(sos)[None], dtype=np.float64),
        "factor": np.array([factor], dtype=np.float64),
        "delay": np.array([sum(slopes) / fs]),
    }


class Decimator:
    """Keeps every n-th sample of a filtered stream, starting with the first.

    Where a short delay counts; :class:`Resampler` takes other ratios and delays all frequencies alike.

    Parameters
    ----------
    arrays : as :func:`design_decimator` returns them.
    n_channels : channels of the stream.

    Attributes
    ----------
    factor : samples that become one. delay : group delay of slow signals, s. n_seen : samples taken so far.
    """

    def __init__(self, arrays: Mapping[str, FloatArray], *, n_channels: int) -> None:
        self.factor, self.delay = int(arrays["factor"][0]), float(arrays["delay"][0])
        self.n_channels, self.n_seen = int(n_channels), 0
        self._filter = FilterBank(arrays["sections"], arrays["rest"], self.n_channels)
        self._fresh = True

    def reset(self) -> None:
        """A gap follows: the filter restarts at the next sample; which samples are kept does not change."""
        self._fresh = True

    def step(self, samples: FloatArray) -> FloatArray:
        """Take samples and return the decimated ones.

        Parameters
        ----------
        samples : ``(n_times, n_channels)`` float64, any unit; none changes nothing.

        Returns
        -------
        ``(n_kept, n_channels)`` float64, filtered: those whose number in the stream is a multiple of ``factor``.

        Raises
        ------
        BadSignal
            Another number of channels, or a value that is not finite: it would never leave the filter.
        """
        samples = np.ascontiguousarray(samples, dtype=np.float64)
        if samples.ndim != 2 or samples.shape[1] != self.n_channels:
            raise BadSignal(Message("signal.shape", channels=self.n_channels, got=str(samples.shape)))
        if not np.isfinite(samples).all():
            raise BadSignal(Message("signal.decimate_finite"))
        if self._fresh and len(samples):
            self._filter.start(samples[0])
            self._fresh = False
        out = np.empty_like(samples)
        self._filter.step(samples, out)
        # The offset of the next multiple of the factor, counted from the start of the stream.
        decimated = out[-self.n_seen % self.factor :: self.factor]
        self.n_seen += len(samples)
        return np.ascontiguousarray(decimated)
