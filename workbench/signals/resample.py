"""Causal resampling by a ratio of integers, with a constant delay. The same bits for any chunking."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import numpy as np

from workbench.errors import BadSignal, BadValue
from workbench.kernels.resampling import polyphase
from workbench.messages import Message
from workbench.vocabulary import FloatArray

MOST = 4096
"""Largest term of the ratio of the two rates: 2048, 4096 and 8192 Hz become 250 Hz."""

REACH = 10
"""Delay, in samples of the lower rate; the filter reaches back twice as far."""

STOP_DB, MIDDLE = 65.0, 0.8
"""Attenuation of the window, dB, and the middle of the slope as a share of half the lower rate."""


def design_resampler(fs: float, target_fs: float) -> dict[str, FloatArray]:
    """Design the low-pass that keeps images and aliases out, with taps for each place between two samples.

    Parameters
    ----------
    fs : rate before it, Hz.
    target_fs : rate after it, Hz: ``fs · up / down``, two different integers of at most 4096. Rates are read
        as decimals; a ``target_fs`` that no decimal can say (a third of 1000) is given to its last digit.

    Returns
    -------
    dict of float64 arrays
        ``taps`` ``(up, n_taps)``, each row of sum 1, oldest sample first; ``down`` ``(1,)``; ``delay`` ``(1,)``:
        group delay of all frequencies, s, which is 10 samples of the lower rate.

    Raises
    ------
    BadValue
        A rate that is not above 0, or rates of another ratio; the text names the nearest rate that can be had.

    Notes
    -----
    Within 0.1 % up to 0.6 of half the lower rate, 3 dB down at three quarters of that half, over 60 dB down from
    it on. A sinc under the window of Kaiser 1974, Proceedings of the IEEE International Symposium on Circuits and
    Systems, 20–23. Taps of sum 1 at each place mean a zero at each multiple of ``fs``: an offset has no image.
    """
    from scipy import signal

    fs, target_fs = float(fs), float(target_fs)
    ratio = _ratio(fs, target_fs)
    up, top = ratio.numerator, max(ratio.numerator, ratio.denominator)
    window = ("kaiser", signal.kaiser_beta(STOP_DB))
    low_pass = signal.firwin(2 * REACH * top + 1, MIDDLE / top, window=window, scale=False)
    # Polyphase: tap j of phase p is h[j · up + p]; zeros fill the last row.
    newest_first = np.zeros((-(-len(low_pass) // up), up))
    newest_first.reshape(-1)[: len(low_pass)] = low_pass
    taps = np.ascontiguousarray(newest_first[::-1].T, dtype=np.float64)
    return {
        "taps": taps / taps.sum(axis=1, keepdims=True),
        "down": np.array([ratio.denominator], dtype=np.float64),
        "delay": np.array([REACH / min(fs, target_fs)]),
    }


def _ratio(fs: float, target_fs: float) -> Fraction:
    """The ratio of two rates, which has to be one of small numbers."""
    for name, rate in (("fs", fs), ("target_fs", target_fs)):
        if not 0 < rate < float("inf"):
            raise BadValue(Message("signal.rate", name=name, got=str(rate)))
    # repr gives the decimal that the caller wrote: 0.1 is a tenth, not the nearest binary fraction.
    before, after = Fraction(repr(fs)), Fraction(repr(target_fs))
    # For rates far apart limit_denominator returns 0; the nearest allowed ratio is then 1/4096.
    ratio = max(Fraction(1, MOST), min(after / before, before / after).limit_denominator(MOST))
    if after > before:
        ratio = 1 / ratio
    near = float(before * ratio)
    if ratio == 1 or near != target_fs:
        got, given = repr(target_fs), repr(fs)
        raise BadValue(
            Message("signal.resample_nearest", most=MOST, got=got, fs=given, near=repr(near))
            if ratio != 1
            else Message("signal.resample_same", most=MOST, got=got, fs=given)
        )
    return ratio


class Resampler:
    """A stream at another rate, in any ratio of integers up to 4096, all frequencies delayed alike.

    For a whole factor :class:`Decimator` delays by less than 2 samples of the lower rate instead of 10, but higher
    frequencies by more than lower ones.

    Parameters
    ----------
    arrays : as :func:`design_resampler` returns them.
    n_channels : channels of the stream.

    Attributes
    ----------
    up, down : ``up`` samples come out for ``down`` that go in. delay : group delay, s. n_seen : samples taken so
    far. n_given : samples given so far.

    Notes
    -----
    Output ``k`` stands ``k / target_fs`` after the first sample, at :meth:`place` ``k`` counted in input samples,
    and shows the signal of ``delay`` before that. It is given with the input sample at or before its place.
    """

    def __init__(self, arrays: Mapping[str, FloatArray], *, n_channels: int) -> None:
        self._taps = np.ascontiguousarray(arrays["taps"], dtype=np.float64)
        self.up, self.down, self.delay = len(self._taps), int(arrays["down"][0]), float(arrays["delay"][0])
        self.n_channels, self.n_seen, self.n_given = int(n_channels), 0, 0
        self._n_past = self._taps.shape[1] - 1
        self._rows, self._end = np.zeros((2 * self._n_past, self.n_channels)), self._n_past
        self._fresh = True

    def place(self, output: int) -> float:
        """Where output ``output`` stands, in input samples after the first.

        Its stamp is that of the input sample at or before the place, plus the rest of the place over ``fs``; then
        it is right on both sides of a gap.
        """
        return output * self.down / self.up

    def outputs_before(self, sample: int) -> int:
        """How many outputs stand before input sample ``sample``, which may be past or to come.

        A marker that took effect at this input sample takes effect at the output of this number: the first that
        stands with the sample or after it.
        """
        # A ceiling in integers: floating point would misplace outputs after hours of samples.
        return -(-sample * self.up // self.down)

    def reset(self) -> None:
        """A gap follows: the filter restarts at the next sample, as if that value had always been there.

        Places count samples that arrived, not the time that passed: no number of an output or of a marker jumps.
        No output has samples of both sides in it.
        """
        self._fresh = True

    def step(self, samples: FloatArray) -> FloatArray:
        """Take samples and give the outputs that stand before the next one.

        Parameters
        ----------
        samples : ``(n_times, n_channels)`` float64, any unit; none changes nothing.

        Returns
        -------
        ``(n, n_channels)`` float64: the outputs from number ``n_given`` on, as it was before the call. For
        ``2 · delay`` after the start or a reset they lean on the first sample, held.

        Raises
        ------
        BadSignal
            Another number of channels, or a value that is not finite: it would spoil 20 samples of the lower rate.
            None of these samples is taken then.
        """
        samples = np.ascontiguousarray(samples, dtype=np.float64)
        if samples.ndim != 2 or samples.shape[1] != self.n_channels:
            raise BadSignal(Message("signal.shape", channels=self.n_channels, got=str(samples.shape)))
        if not np.isfinite(samples).all():
            raise BadSignal(Message("signal.resample_finite"))
        if self._fresh and len(samples):
            self._rows[self._end - self._n_past : self._end] = samples[0]
            self._fresh = False
        self._append(samples)
        first, self.n_given = self.n_given, self.outputs_before(self.n_seen)
        out = np.empty((self.n_given - first, self.n_channels))
        # Where output ``first`` stands in the buffer, in steps of 1/up row.
        start = first * self.down - (self.n_seen - self._end) * self.up
        polyphase(self._rows, self._taps, start, self.down, out)
        return out

    def _append(self, samples: FloatArray) -> None:
        """Append samples; where there is no room, only those that are still needed are kept."""
        n, past = len(samples), self._rows[self._end - self._n_past : self._end]
        if self._end + n > len(self._rows):
            # Room for as many rows as are carried over, so that rows are copied once each on average.
            self._rows = np.concatenate([past, np.empty((max(n, self._n_past), self.n_channels))])
            self._end = self._n_past
        self._rows[self._end : self._end + n] = samples
        self._end += n
        self.n_seen += n
