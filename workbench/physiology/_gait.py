"""Walking: one oscillator, two legs half a cycle apart, swings that succeed or drag.

A swing needs drive: what is left of voluntary activation, and stimulation at the right phase; support of body
weight lowers what it needs, stimulation of the wrong muscles at the wrong phase takes from it. The legs are
angles over a phase and no mechanics: nobody falls, and nothing pushes back. Sources stand in ``_parameters``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from workbench.physiology._noise import Noise
from workbench.physiology._parameters import GAIT, GAIT_FS, GROUPS
from workbench.physiology._person import Person
from workbench.vocabulary import FloatArray

LIFTS = 0.6
"""Phase of a normal stride at which the foot leaves the ground."""
SWING_S = 0.45
"""Length of the swing of a stride of 1.2 s, s; it grows with the root of the stride, so that most is stance."""
STRONG = 0.5
"""Drive from which somebody walks as fast as this model does."""
WINDOWS = {
    "quadriceps": (0.88, 0.25), "hamstrings": (0.85, 0.12), "tibialis anterior": (0.58, 0.08),
    "triceps surae": (0.15, 0.55),
}  # fmt: skip
"""Phases of a stride between which each muscle contracts."""


@dataclass(frozen=True, slots=True)
class Step:
    """One swing of a leg: ground truth. Times in s of the visit.

    Attributes
    ----------
    side : 0 left, 1 right.
    leaves_s, touches_s : when the foot leaves and touches the ground.
    length_m : of the step. failed : whether it is below 10 cm.
    """

    side: int
    leaves_s: float
    touches_s: float
    length_m: float
    failed: bool


@dataclass(frozen=True, slots=True)
class Push:
    """What acts on a leg within a tick.

    Attributes
    ----------
    drive : voluntary, 0–1. helped : stimulation of what lifts the leg, 0–1; opposed : of what holds it down.
    """

    drive: float
    helped: float = 0.0
    opposed: float = 0.0


def periodic(points: Sequence[float], phase: float) -> float:
    """A smooth curve through points evenly spaced over a cycle, at a phase 0–1 (Catmull and Rom)."""
    n = len(points)
    k, x = divmod((phase % 1.0) * n, 1.0)
    a, b, c, d = (points[(int(k) + j) % n] for j in (-1, 0, 1, 2))
    return b + 0.5 * x * (c - a + x * (2 * a - 5 * b + 4 * c - d + x * (3 * (b - c) + d - a)))


def contracts(group: str, phase: float) -> float:
    """How strongly a muscle contracts at a phase of a normal stride, 0–1."""
    begin, end = WINDOWS[group]
    length = (end - begin) % 1.0
    inside = ((phase - begin) % 1.0) / length
    return math.sin(math.pi * inside) if inside < 1.0 else 0.0


class Walker:
    """The legs of one visit, a tick at a time.

    Parameters
    ----------
    person : who. visit : number of the visit.

    Attributes
    ----------
    steps : that are over, in order.
    phases : of a normal stride, left and right; None while the person stands.
    """

    def __init__(self, person: Person, visit: int) -> None:
        self._person, self._visit = person, visit
        self.steps: list[Step] = []
        self.phases: tuple[float, float] | None = None
        self._phase, self._stride_s, self._n_strides = 0.0, GAIT.stride_s[1], 0
        # Of each leg: where in its cycle it is, and the share that is stance, which it keeps for a whole cycle.
        self._at, self._stance = [0.0, 0.0], [0.0, 0.0]
        self._driven, self._n_driven = 0.0, 0
        self._going, self._size = 0.0, [1.0, 1.0]
        self._swing: list[tuple[float, float, int] | None] = [None, None]
        self._n_swings, self._luck = [0, 0], [0.0, 0.0]
        self._shank: list[float] | None = None
        self._noise = Noise(person, (6, 1, visit), fs=GAIT_FS, n_channels=8)
        self._full_m = float(person.chance(6, 2).uniform(*GAIT.step_m))

    def tick(self, number: int, *, walking: bool, support: float, push: Sequence[Push]) -> FloatArray:
        """Move for 10 ms: hip, knee and ankle of each side in deg, then both shanks in deg/s, ``(8,)`` float64.

        Parameters
        ----------
        number : of the tick. walking : whether the person tries to.
        support : share of the body weight that is held, 0–1. push : on each leg.
        """
        dt = 1.0 / GAIT_FS
        if walking and self.phases is None:
            self._phase, self._n_strides, self._n_driven = 0.0, self._n_strides + 1, 0
            self._drive(push)
            self._stride_s = self._drawn_stride()
            self._at, self._stance = [0.0, 0.5], [self._stance_share()] * 2
        self._going += ((1.0 if walking else 0.0) - self._going) * -math.expm1(-dt / 0.3)
        if not walking and self._going < 0.02:
            self.phases, self._swing, self._size = None, [None, None], [1.0, 1.0]
        else:
            self._advance(number * dt, dt, support=support, push=push)
        return self._angles(number, dt)

    def _advance(self, now: float, dt: float, *, support: float, push: Sequence[Push]) -> None:
        before = self._phase
        self._phase = (before + dt / self._stride_s) % 1.0
        self._drive(push)
        if self._phase < before:
            self._n_strides += 1
            self._stride_s = self._drawn_stride()
        normal = []
        for side in (0, 1):
            at = (self._phase + 0.5 * side) % 1.0
            if at < self._at[side]:
                self._stance[side] = self._stance_share()
            self._at[side], stance = at, self._stance[side]
            lifted = at >= stance
            normal.append(LIFTS + (1 - LIFTS) * (at - stance) / (1 - stance) if lifted else LIFTS * at / stance)
            self._swing_leg(side, now, lifted=lifted, support=support, push=push[side])
        self.phases = (normal[0], normal[1])

    def _drive(self, push: Sequence[Push]) -> None:
        """Take the drive of an instant into that of the stride."""
        drive = 0.5 * sum(one.drive + GAIT.stimulated * one.helped for one in push)
        self._n_driven += 1
        self._driven += (drive - self._driven) / self._n_driven

    def _stance_share(self) -> float:
        """Share of a stride of this length for which a foot is on the ground."""
        swing = min(SWING_S * math.sqrt(self._stride_s / GAIT.stride_s[0]), 0.45 * self._stride_s)
        return 1.0 - swing / self._stride_s

    def _swing_leg(self, side: int, now: float, *, lifted: bool, support: float, push: Push) -> None:
        """Follow a swing: whether it has the drive that it needs, and what came of it at its end."""
        drive = push.drive + GAIT.stimulated * push.helped - GAIT.opposed * push.opposed
        swing = self._swing[side]
        if lifted:
            leaves, mean, n = swing or (now, 0.0, 0)
            if swing is None:
                self._n_swings[side] += 1
                draw = self._person.chance(6, 3, self._visit, side, self._n_swings[side])
                self._luck[side] = float(draw.standard_normal())
            self._swing[side] = (leaves, mean + (drive - mean) / (n + 1), n + 1)
        elif swing is not None:
            self._touch(side, now, swing, support=support)
            self._swing[side] = None
        held = self._swing[side]
        target = 0.35 if held is not None and self._margin(side, held[1], support) < 0.0 else 1.0
        self._size[side] += (target - self._size[side]) * -math.expm1(-1.0 / GAIT_FS / 0.06)

    def _touch(self, side: int, now: float, swing: tuple[float, float, int], *, support: float) -> None:
        margin = self._margin(side, swing[1], support)
        draw = self._person.chance(6, 4, self._visit, side, self._n_swings[side])
        if margin < 0.0:
            length = GAIT.failed_m * float(draw.uniform(0.1, 0.9))
        else:
            length = self._full_m * (0.5 + 0.5 * min(1.0, margin / GAIT.need)) * float(draw.uniform(0.9, 1.1))
        self.steps.append(Step(side, swing[0], now, length, length < GAIT.failed_m))

    def _margin(self, side: int, drive: float, support: float) -> float:
        """Drive above what this swing needs."""
        return drive - GAIT.need * (1.0 - support) - GAIT.need_spread * self._luck[side]

    def _drawn_stride(self) -> float:
        """Length of the next stride, s: the weaker the drive of the last was, the longer and the more uneven."""
        weak = 1.0 - min(1.0, self._driven / STRONG)
        self._n_driven = 0
        (quick, slow), (even, uneven) = GAIT.stride_s, GAIT.variation
        noise = float(self._person.chance(6, 5, self._visit, self._n_strides).standard_normal())
        length = (quick + (slow - quick) * weak) * math.exp((even + (uneven - even) * weak) * noise)
        return min(max(length, 0.8 * quick), 1.5 * slow)

    def _angles(self, number: int, dt: float) -> FloatArray:
        noise = self._noise.at(number, 1)[0]
        out, shank = np.zeros(8), []
        for side in (0, 1):
            phase, size = (self.phases or (0.0, 0.0))[side], self._going * self._size[side]
            hip, knee, ankle = (size * periodic(curve, phase) for curve in (GAIT.hip, GAIT.knee, GAIT.ankle))
            out[3 * side : 3 * side + 3] = hip, knee, ankle
            shank.append(hip - knee)
        before = self._shank or shank
        out[:6] += GAIT.angle_noise * noise[:6]
        for side in (0, 1):
            out[6 + side] = (shank[side] - before[side]) / dt + GAIT.gyro_noise * noise[6 + side]
        self._shank = shank
        return out


def activity(walker: Walker) -> FloatArray:
    """How strongly each muscle contracts in the stride, ``(8,)`` float64, 0–1; nothing while the person stands."""
    if walker.phases is None:
        return np.zeros(2 * len(GROUPS))
    return np.array([contracts(group, phase) for phase in walker.phases for group in GROUPS])
