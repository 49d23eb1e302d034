"""The envelope of a muscle over the phases of strides: what stimulation that is learned stride by stride compares.

For recordings and for ``control.next_stride``, which learns from one stride what to give in the next.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from workbench.errors import BadSignal, BadValue
from workbench.messages import Message
from workbench.vocabulary import FloatArray


def by_phase(
    envelope: FloatArray,
    touches: Sequence[int],
    *,
    fs: float,
    n_phases: int = 50,
    shortest_s: float = 0.4,
    longest_s: float = 3.0,
) -> FloatArray:
    """An envelope at each phase of each stride, from one touch of the ground to the next of the same foot.

    Parameters
    ----------
    envelope : ``(n_times,)`` float64, in any unit. touches : samples at which the foot touches, in order.
    fs : rate in Hz. n_phases : into which a stride is cut, 5 or more.
    shortest_s, longest_s : of a stride, s; what lies between two touches and is shorter or longer is none.

    Returns
    -------
    ``(n_touches - 1, n_phases)`` float64, mean of the samples of each phase. A row is nan where there is no
    stride, and for one that the envelope does not cover, in which a value is not finite, or that has fewer samples
    than phases.

    Raises
    ------
    BadValue
        For touches that are not in order or before the recording, too few phases, or durations that hold nothing.
    BadSignal
        For an envelope of several channels.
    """
    if envelope.ndim != 1:
        raise BadSignal(Message("strides.envelope", shape=str(envelope.shape)))
    rising = all(0 <= a < b for a, b in zip(touches, touches[1:]))
    if n_phases < 5 or not rising or not 0.0 < shortest_s <= longest_s:
        got = f"{list(touches)[:5]}, {n_phases}, {shortest_s:g}, {longest_s:g}"
        raise BadValue(Message("strides.settings", got=got))
    out = np.full((max(0, len(touches) - 1), n_phases), np.nan)
    for row, begin, end in zip(out, touches, touches[1:]):
        n = end - begin
        own = envelope[begin:end]
        is_stride = shortest_s * fs <= n <= longest_s * fs and n >= n_phases
        if not is_stride or len(own) < n or not np.isfinite(own).all():
            continue
        phase = np.arange(n) * n_phases // n
        row[:] = np.bincount(phase, weights=own, minlength=n_phases) / np.bincount(phase, minlength=n_phases)
    return out


def tracking(strides: FloatArray, wanted: FloatArray) -> FloatArray:
    """How well each stride follows what is wanted: the correlation over its phases.

    Parameters
    ----------
    strides : ``(n, n_phases)`` float64, by :func:`by_phase`. wanted : ``(n_phases,)`` float64.

    Returns
    -------
    ``(n,)`` float64, -1 to 1; nan for a stride that is none or that is the same at each phase.

    Raises
    ------
    BadValue
        For other phases than those of the strides, or what is wanted the same at each.
    """
    aim = wanted - wanted.mean()
    power = float((aim**2).sum())
    if strides.ndim != 2 or wanted.shape != strides.shape[1:] or not power > 0.0:
        raise BadValue(Message("strides.wanted", strides=str(strides.shape), wanted=str(wanted.shape)))
    about = strides - strides.mean(axis=1, keepdims=True)
    size = np.sqrt((about**2).sum(axis=1) * power)
    moves = size > 0.0
    return np.where(moves, (about * aim).sum(axis=1) / np.where(moves, size, 1.0), np.nan)


def target(strides: FloatArray, *, template: FloatArray | None = None, best: int = 10) -> FloatArray:
    """What a muscle is to do: the mean of the strides that follow a template best.

    Parameters
    ----------
    strides : ``(n, n_phases)`` float64, by :func:`by_phase`.
    template : ``(n_phases,)`` float64, such as that of healthy people, of which the shape alone counts; None for
        the median of the strides, which leaves out those that are unlike the others.
    best : how many strides, 1 or more.

    Returns
    -------
    ``(n_phases,)`` float64, in the unit of the strides.

    Raises
    ------
    BadValue
        For fewer strides than that, or as :func:`tracking`.

    Notes
    -----
    A person's own best strides are a target within reach, in the unit and the size of the own muscle. Ours.
    """
    known = strides[np.isfinite(strides).all(axis=1)]
    if not 1 <= best <= len(known):
        raise BadValue(Message("strides.too_few", best=best, n=len(known)))
    follow = tracking(known, np.median(known, axis=0) if template is None else template)
    # A stride in which the muscle does nothing comes last, and of two that are as good the earlier.
    order = np.argsort(-np.where(np.isnan(follow), -np.inf, follow), kind="stable")
    mean: FloatArray = known[order[:best]].mean(axis=0)
    return mean
