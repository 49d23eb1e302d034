"""Surface EMG of eight leg muscles: an interference pattern that activation scales, spasms, and crosstalk.

Gaussian noise stands for the sum of many motor units; single units, their rates and sizes are not modelled. Its
amplitude is that of activation and wavers with the common drive. Sources stand in ``_parameters``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.physiology._noise import Noise, band, surface_emg
from workbench.physiology._parameters import EMG_FS, GROUPS, MUSCLE, MUSCLES
from workbench.physiology._person import Person
from workbench.vocabulary import FloatArray

CLONIC = {"triceps surae": 1.0, "tibialis anterior": 0.3}
"""Groups that take part in clonus, and their share; in a tonic spasm all do."""
RISE_S, FALL_S = 0.15, 0.8
"""How fast a spasm begins and ends, s."""
LONGEST_S = 60.0
"""Of a spasm, s."""


@dataclass(frozen=True, slots=True)
class Spasm:
    """One spasm: ground truth.

    Attributes
    ----------
    begins_s, ends_s : of the visit, s.
    sides : 0 left, 1 right.
    level : size, 0–1 of a full contraction.
    clonus_hz : rate of its bursts, 0 for a tonic spasm.
    """

    begins_s: float
    ends_s: float
    sides: tuple[int, ...]
    level: float
    clonus_hz: float


def spasms_of_minute(person: Person, visit: int, minute: int) -> list[Spasm]:
    """The spasms that begin in a minute; the same whenever they are asked for.

    Parameters
    ----------
    person : who. visit, minute : number of the visit, and of the minute in it.
    """
    draw = person.chance(3, 1, visit, minute)
    mean, spread = MUSCLE.spasm_level
    median, log_spread = MUSCLE.spasm_s
    found = []
    for _ in range(int(draw.poisson(person.spasms_per_h / 60.0))):
        begins = 60.0 * (minute + float(draw.random()))
        length = min(median * float(np.exp(log_spread * draw.standard_normal())), LONGEST_S)
        sides = ((0,), (1,), (0, 1))[int(draw.integers(3))]
        level = float(np.clip(mean + spread * draw.standard_normal(), 0.05, 1.0))
        clonic, hz = draw.random() < person.clonic, float(draw.uniform(*MUSCLE.clonus_hz))
        found.append(Spasm(begins, begins + length, sides, level, hz if clonic else 0.0))
    return found


def course_of(spasm: Spasm, t: FloatArray) -> FloatArray:
    """Activation by a spasm at times ``t`` ``(n,)`` in s: ``(n, n_muscles)`` float64, 0–1."""
    since, left = t - spasm.begins_s, spasm.ends_s - t
    size = np.clip(since / RISE_S, 0.0, 1.0) * np.clip(left / FALL_S, 0.0, 1.0) * spasm.level
    if spasm.clonus_hz:
        # Units fire once in each cycle, close together: short bursts with silence between them.
        size = size * np.maximum(0.0, np.cos(2.0 * np.pi * spasm.clonus_hz * since)) ** 2
    out = np.zeros((len(t), len(MUSCLES)))
    for side in spasm.sides:
        for k, group in enumerate(GROUPS):
            share = CLONIC.get(group, 0.0) if spasm.clonus_hz else 1.0
            out[:, side * len(GROUPS) + k] = share * size
    return out


class Emg:
    """The muscles of one visit.

    Parameters
    ----------
    person : who. visit : number of the visit.

    Attributes
    ----------
    full_uv : ``(n_muscles,)`` float64, RMS of a full contraction, µV.
    share : ``(n_muscles,)`` float64, how much each muscle has of the residual activation.
    """

    def __init__(self, person: Person, visit: int) -> None:
        self._person, self._visit = person, visit
        self.full_uv = person.chance(3, 2).uniform(*MUSCLE.full_uv, len(MUSCLES))
        self.share = person.chance(3, 3).uniform(0.7, 1.3, len(MUSCLES))
        shape = surface_emg(*MUSCLE.band_hz, rises_hz=MUSCLE.rises_hz, falls_hz=MUSCLE.falls_hz)
        self._noise = Noise(person, (3, 4, visit), fs=EMG_FS, n_channels=len(MUSCLES), power=shape)
        slow = band(0.0, MUSCLE.drive_hz)
        self._drive = Noise(person, (3, 5, visit), fs=100.0, n_channels=len(MUSCLES), power=slow)
        self._minute = -1
        self.spasms: list[Spasm] = []
        side = np.full((len(GROUPS), len(GROUPS)), MUSCLE.crosstalk) + (1.0 - MUSCLE.crosstalk) * np.eye(
            len(GROUPS)
        )
        self._leg = side

    def involuntary(self, t: FloatArray) -> FloatArray:
        """Activation by spasms at times ``t`` ``(n,)`` of one tick, s: ``(n, n_muscles)`` float64."""
        minute = int(t[0] // 60.0)
        if minute != self._minute:
            # Those of the minute before may last into this one; the longest lasts a minute.
            known = (minute - 1, minute) if self._minute != minute - 1 else (minute,)
            fresh = [s for m in known if m >= 0 for s in spasms_of_minute(self._person, self._visit, m)]
            self.spasms = [s for s in self.spasms if s.ends_s > t[0]] + fresh
            self._minute = minute
        out = np.zeros((len(t), len(MUSCLES)))
        for spasm in self.spasms:
            if spasm.begins_s <= t[-1] and spasm.ends_s >= t[0]:
                np.maximum(out, course_of(spasm, t), out=out)
        return out

    def samples(self, tick: int, n: int, activation: FloatArray) -> FloatArray:
        """EMG of one tick, µV.

        Parameters
        ----------
        tick : number of the tick of 10 ms, n : samples in it.
        activation : ``(n, n_muscles)`` float64, 0–1.

        Returns
        -------
        FloatArray
            ``(n, n_muscles)`` float64.
        """
        waver = 1.0 + MUSCLE.drive_share * self._drive.at(tick, 1)
        size = np.sqrt(MUSCLE.rest_uv**2 + (self.full_uv * activation * np.maximum(waver, 0.0)) ** 2)
        own = self._noise.at(tick * n, n) * size
        return np.concatenate([_mixed(own[:, :4], self._leg), _mixed(own[:, 4:], self._leg)], axis=1)


def _mixed(own: FloatArray, weights: FloatArray) -> FloatArray:
    """What the electrodes of one leg record: each muscle, and a share of its neighbours, in a fixed order."""
    out = np.zeros_like(own)
    for k in range(own.shape[1]):
        out += own[:, k : k + 1] * weights[k]
    return out
