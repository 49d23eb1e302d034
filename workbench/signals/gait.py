"""Events of gait from the angular velocity of a shank: when a foot touches the ground and leaves it.

For recordings; what a decoder tells live of a stride is ``cycle_phase``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.errors import BadSignal, BadValue
from workbench.messages import Message
from workbench.vocabulary import FloatArray


@dataclass(frozen=True)
class Step:
    """A swing of one leg, in samples.

    Attributes
    ----------
    leaves : the foot leaves the ground; -1 where the recording begins later.
    swings : the leg swings fastest.
    touches : the foot touches the ground; -1 where the recording ends earlier.
    """

    leaves: int
    swings: int
    touches: int


def steps(
    gyroscope: FloatArray,
    *,
    fs: float,
    least_deg_s: float = 100.0,
    cutoff_hz: float = 8.0,
    refractory_s: float = 0.3,
) -> list[Step]:
    """Steps of one leg.

    Parameters
    ----------
    gyroscope : ``(n_times,)`` float64, sagittal angular velocity of the shank, deg/s, positive while the leg
        swings forward. fs : rate in Hz, above twice the cut-off.
    least_deg_s : angular velocity that a swing reaches, deg/s.
    cutoff_hz : of the low-pass, Hz. Its delay of about ``0.22 / cutoff_hz`` s is in the events.
    refractory_s : between two swings, s.

    Raises
    ------
    BadSignal
        For samples that are not finite.
    BadValue
        For a rate that is too low.

    Notes
    -----
    Aminian et al. 2002, doi:10.1016/S0021-9290(02)00008-8: the foot touches the ground at the first trough after a
    swing, and leaves it at the last before; theirs are found by wavelets, these behind a low-pass. A swing is the
    highest peak of a stretch above zero.
    """
    from scipy.signal import butter, sosfilt

    wave = np.asarray(gyroscope, dtype=np.float64)
    if wave.ndim != 1 or not np.isfinite(wave).all():
        raise BadSignal(Message("gait.gyroscope", shape=str(wave.shape)))
    if not fs > 2.0 * cutoff_hz > 0.0:
        raise BadValue(Message("gait.rate", cutoff=f"{cutoff_hz:g}", got=f"{fs:g}"))
    smooth = sosfilt(butter(2, cutoff_hz, fs=fs, output="sos"), wave)
    found: list[Step] = []
    for begin, end in _above_zero(smooth):
        swings = begin + int(np.argmax(smooth[begin:end]))
        if smooth[swings] < least_deg_s or (found and swings - found[-1].swings < refractory_s * fs):
            continue
        found.append(Step(_trough(smooth, begin, -1), swings, _trough(smooth, end - 1, 1)))
    return found


def _above_zero(wave: FloatArray) -> list[tuple[int, int]]:
    """First and last sample, the last exclusive, of each stretch above zero."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], (wave > 0.0).astype(np.int8), [0]])))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist()))


def _trough(wave: FloatArray, at: int, way: int) -> int:
    """The first trough from a sample on, forward or backward; -1 where the recording ends before it."""
    below = False
    while 0 <= at + way < len(wave):
        below = below or wave[at] < 0.0
        if below and wave[at + way] > wave[at]:
            return at
        at += way
    return -1
